"""What each number means: the docstring of its metric, and where that comes from."""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

from tripleteval.errors import ParameterError
from tripleteval.metrics import parse


class Definition(NamedTuple):
    """A metric family in words; ``name`` is its pattern, such as ``recall@k``."""

    name: str
    text: str
    source: str


def definition(spelling: str) -> Definition | None:
    """Return what the metric of this spelling means; ``None`` for one that is not registered here."""
    try:
        metric = parse(spelling).metric
    except ParameterError:
        return None
    text, _, source = inspect.cleandoc(metric.measure.__doc__ or "").partition("Source:\n")
    return Definition(metric.pattern, _flowing(text), _flowing(source))


def _flowing(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"\1", " ".join(text.split()))
