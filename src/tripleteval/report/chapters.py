"""What a report about several things is divided into."""

from __future__ import annotations

from collections.abc import Sequence

from tripleteval.data.search_evaluation import SearchEvaluation
from tripleteval.data.section import Section
from tripleteval.report import search

Chapter = tuple[str, list[Section]]


def chapters(runs: Sequence[Chapter], searches: Sequence[tuple[str, SearchEvaluation]]) -> list[Chapter]:
    """Return runs, then searches, each under its name; what belongs to a single run is one chapter with it."""
    found = [(name, list(search.sections(about))) for name, about in searches]
    if len(runs) > 1 or len(found) > 1:
        return [*runs, *found]
    (name, _), *_ = every = [*runs, *found]
    return [(name, [said for _, about in every for said in about])]


def heading(runs: int, searches: int) -> str:
    """Return what a report of several chapters is called."""
    counts = [(runs, "evaluation"), (searches, "search evaluation")]
    return " and ".join(f"{count} {noun}{'s' if count > 1 else ''}" for count, noun in counts if count)
