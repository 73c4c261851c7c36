"""Several runs side by side: their headline values, and whether they may be compared at all."""

from __future__ import annotations

from collections.abc import Sequence

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.families import headline
from tripleteval.report.wording import label, listed, number

_SAME_TASK = ("queries", "evaluated", "gallery", "classes", "triplets")
_SAME_RULES = ("distance", "ties", "average", "ignore")


def together(runs: Sequence[tuple[str, Evaluation]]) -> list[Section]:
    """Return what there is to say about several runs at once."""
    return [comparison(runs)]


def comparison(runs: Sequence[tuple[str, Evaluation]]) -> Section:
    """Return one table of headline values, a column per run; with two runs, their difference as well."""
    spellings = list(dict.fromkeys(name for _, run in runs for name in headline(run)))
    columns = [
        "metric",
        *_distinct([label(name) for name, _ in runs]),
        *(["difference"] if len(runs) == 2 else []),
        "better",
    ]
    rows = [_row(spelling, [run for _, run in runs]) for spelling in spellings]
    table = Table(columns, rows, frozenset(columns[1:-1]))
    differing = _differing([run for _, run in runs])
    if not differing:
        return Section("Side by side", "Same number of queries and items, same rules.", [table])
    text = f"These runs differ in {listed(differing)}, and the numbers depend on it: compare with care."
    return Section("Side by side", text, [table], level="warning")


def _row(spelling: str, runs: Sequence[Evaluation]) -> list[str]:
    entries = [run.metrics.get(spelling) for run in runs]
    values = [None if entry is None else entry["value"] for entry in entries]
    cells = [spelling, *map(number, values)]
    if len(values) == 2:
        one, two = values
        cells.append("" if one is None or two is None else f"{two - one:+.4f}".replace("-", "−"))
    better = next((entry.get("better") for entry in entries if entry), None)
    return [*cells, better or ""]


def _differing(runs: Sequence[Evaluation]) -> list[str]:
    found = [name for name in _SAME_TASK if len({run.accounting.get(name) for run in runs}) > 1]
    return found + [name for name in _SAME_RULES if len({run.settings.get(name) for run in runs}) > 1]


def _distinct(names: list[str]) -> list[str]:
    return [name if names.count(name) == 1 else f"{name} ({place})" for place, name in enumerate(names, start=1)]
