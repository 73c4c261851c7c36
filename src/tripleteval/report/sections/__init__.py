"""What a report may say: each file is one function from an evaluation to a section, or to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.material import Material
from tripleteval.data.section import Section
from tripleteval.registry import Registry

Write = TypeVar("Write", bound=Callable[..., Section | None])


class Placed(NamedTuple):
    """A section's author and where in the report it speaks; lower places first, then by name.

    Attributes:
        place: Where it speaks.
        write: Takes an `Evaluation`, and where ``shows`` a `Material` as well.
        shows: Whether it speaks only where the evaluated sets themselves are at hand.
        brief: Whether it speaks in a terminal too, where one reads from the bottom and has one screen.
    """

    place: int
    write: Callable[..., Section | None]
    shows: bool = False
    brief: bool = True


SECTIONS: Registry[Placed] = Registry("tripleteval.report.sections", "report section")


def section(name: str, *, place: int, shows: bool = False, brief: bool = True) -> Callable[[Write], Write]:
    """Register the decorated function as the report section ``name``; see `Placed` for the rest."""

    def register(write: Write) -> Write:
        SECTIONS.add(name)(Placed(place, write, shows, brief))
        return write

    return register


def sections(evaluation: Evaluation, material: Material | None = None, *, brief: bool = False) -> list[Section]:
    """Return everything there is to say about an evaluation, in order; ``brief`` is for a terminal."""
    authors = sorted((placed.place, name, placed) for name, placed in SECTIONS.items() if placed.brief or not brief)
    said = []
    for _, _, placed in authors:
        if not placed.shows:
            said.append(placed.write(evaluation))
        elif material is not None:
            said.append(placed.write(evaluation, material))
    return [section for section in said if section is not None]
