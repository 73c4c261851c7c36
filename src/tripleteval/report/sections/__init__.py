"""What a report may say: each file is one function from an evaluation to a section, or to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section
from tripleteval.registry import Registry

Write = Callable[[Evaluation], Section | None]


class Placed(NamedTuple):
    """A section's author and where in the report it speaks; lower places first, then by name."""

    place: int
    write: Write


SECTIONS: Registry[Placed] = Registry("tripleteval.report.sections", "report section")


def section(name: str, *, place: int) -> Callable[[Write], Write]:
    """Register the decorated function as the report section ``name``."""

    def register(write: Write) -> Write:
        SECTIONS.add(name)(Placed(place, write))
        return write

    return register


def sections(evaluation: Evaluation) -> list[Section]:
    """Return everything there is to say about an evaluation, in order."""
    authors = sorted((placed.place, name, placed.write) for name, placed in SECTIONS.items())
    said = (write(evaluation) for _, _, write in authors)
    return [section for section in said if section is not None]
