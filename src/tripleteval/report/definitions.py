"""What each number means: the docstring of its metric, and where that comes from."""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

from tripleteval.metrics import METRICS


class Definition(NamedTuple):
    """A metric family in words; ``name`` is its pattern, such as ``recall@k``."""

    name: str
    text: str
    source: str


def definition(spelling: str) -> Definition | None:
    """Return what the metric of this spelling means; ``None`` for one that is not registered here."""
    family = spelling.partition("@")[0]
    for pattern, metric in METRICS.items():
        if pattern == spelling or (metric.parameter is not None and pattern.partition("@")[0] == family):
            text, _, source = inspect.cleandoc(metric.measure.__doc__ or "").partition("Source:\n")
            return Definition(pattern, _flowing(text), _flowing(source))
    return None


def _flowing(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"\1", " ".join(text.split()))
