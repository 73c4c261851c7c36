"""Several runs side by side: their headline values, and whether they may be compared at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Chart, Section, Table
from tripleteval.errors import ParameterError, plural
from tripleteval.report.cases import cases
from tripleteval.report.families import known_by
from tripleteval.report.findings.changes import FIRST, changed_queries, lost_or_gained, not_listed
from tripleteval.report.findings.pairing import paired, query_table
from tripleteval.report.kinds import kind_of
from tripleteval.report.wording import difference, label, listed, number, whole

if TYPE_CHECKING:
    import pyarrow as pa

_IN_WORDS = {"evaluated": "queries evaluated", "templates": "items enrolled", "identification": "fusion"}
_SAME_TASK = (
    *("queries", "evaluated", "gallery", "classes", "triplets"),
    *("pairs", "folds", "probes", "identities", "templates"),
)
_SAME_RULES = ("distance", "ties", "average", "ignore", "identification")
_MOST_CASES, _MOST_ROWS = 24, 10
_BINS = 40
RANKING = "map@r"
_VALUES = {"before": "a", "after": "b", "change": "difference"}


def together(runs: Sequence[tuple[str, Evaluation]], judged: Section | None = None) -> list[Section]:
    """Return what there is to say about several runs at once.

    Args:
        runs: Name and evaluation of each.
        judged: What was found by comparing two of them, instead of a table of their values side by side.
    """
    first = comparison(runs) if judged is None else judged
    return [first, *(_changed(*runs) if len(runs) == 2 else [])]


def same_items(runs: Sequence[Evaluation]) -> bool:
    """Return whether row by row all runs asked and searched the same, as far as ids and labels tell."""
    return all(_items(run) == _items(runs[0]) for run in runs[1:])


def _items(run: Evaluation) -> list[Any]:
    table = run.per_query
    known = [] if table is None else [name for name in ("id", "label") if name in table.column_names]
    columns = [[str(value) for value in table[name].to_pylist()] for name in known] if table is not None else []
    return [*(given.get("rows") for given in run.inputs), *known, *columns]


def comparison(runs: Sequence[tuple[str, Evaluation]]) -> Section:
    """Return one table of headline values, a column per run; with two runs, their difference as well."""
    spellings = list(dict.fromkeys(name for _, run in runs for name in known_by(run)))
    columns = [
        "metric",
        *_distinct([label(name) for name, _ in runs]),
        *(["difference"] if len(runs) == 2 else []),
        "better",
    ]
    rows = [_row(spelling, [run for _, run in runs]) for spelling in spellings]
    table = Table(columns, rows, frozenset(columns[1:-1]))
    kinds = dict.fromkeys(plural(kind_of(run).noun) for _, run in runs)
    if len(kinds) > 1:
        text = f"These runs are of different kinds, {listed(kinds)}: a number of one says nothing about another."
        return Section("Side by side", text, [table], level="warning")
    differing = _differing([run for _, run in runs])
    if not differing:
        asked = kind_of(runs[0][1]).asked
        what = "queries and items" if asked == "queries" else asked
        return Section("Side by side", f"Same number of {what}, same rules.", [table])
    text = f"These runs differ in {listed(differing)}, and the numbers depend on it: compare with care."
    return Section("Side by side", text, [table], level="warning")


def _row(spelling: str, runs: Sequence[Evaluation]) -> list[str]:
    entries = [run.metrics.get(spelling) for run in runs]
    values = [None if entry is None else entry["value"] for entry in entries]
    cells = [spelling, *("" if entry is None else number(entry["value"]) for entry in entries)]
    if len(values) == 2:
        one, two = values
        cells.append("" if one is None or two is None else difference(two - one))
    better = next((entry.get("better") for entry in entries if entry), None)
    return [*cells, better or ""]


def _differing(runs: Sequence[Evaluation]) -> list[str]:
    found = [name for name in _SAME_TASK if len({run.accounting.get(name) for run in runs}) > 1]
    found += [name for name in _SAME_RULES if len({run.settings.get(name) for run in runs}) > 1]
    return [_IN_WORDS.get(name, name) for name in found]


def _distinct(names: list[str]) -> list[str]:
    return [name if names.count(name) == 1 else f"{name} ({place})" for place, name in enumerate(names, start=1)]


def _changed(one: tuple[str, Evaluation], two: tuple[str, Evaluation]) -> list[Section]:
    """Return which queries the second run broke and fixed; nothing where they do not ask the same."""
    table = _pairs(one[1], two[1])
    if table is None:
        return []
    import pyarrow.compute as pc

    broken, fixed = (table.filter(pc.equal(table["change"], change)) for change in ("broken", "fixed"))
    first, second = _distinct([label(name) for name, _ in (one, two)])
    text = (
        f"Of {whole(table.num_rows)} queries, {whole(broken.num_rows)} had the right nearest item in {first} and have "
        f"a wrong one in {second}; for {whole(fixed.num_rows)} it is the other way round."
    )
    found = [Section("Fixed and broken queries", text, charts=_spread(table))]
    if broken.num_rows:
        found.append(
            _listed(f"Broken by {second}", broken, two[1], "query_b", f"What {second} finds, the largest loss first.")
        )
    if fixed.num_rows:
        order = [("difference", "descending"), ("query", "ascending")]
        words = f"What {first} found, the largest gain of {second} first."
        found.append(_listed(f"Fixed by {second}", fixed.sort_by(order), one[1], "query", words))
    return found


def _pairs(one: Evaluation, two: Evaluation) -> pa.Table | None:
    try:
        first, second = (query_table(run, "") for run in (one, two))
        rows, _ = paired(first, second)
    except ParameterError:
        return None
    known = set(first.column_names) & set(second.column_names)
    return changed_queries(first, second.take(rows), RANKING) if {RANKING, FIRST} <= known else None


def _listed(title: str, table: pa.Table, shown: Evaluation, row_there: str, text: str) -> Section:
    """Return the queries of one change that lost, or gained, the most."""
    change = table["change"][0].as_py()
    moved = [row for row in table.to_pylist() if lost_or_gained(row["difference"], change)]
    if not moved:
        return Section(title, f"None of them changes that way in {RANKING}.")
    rows = moved[:_MOST_CASES]
    heads = ["row", *(name for name in ("id", "label") if name in table.column_names), *_VALUES]
    cells = [
        [
            str(row["query"]),
            *(label(row[name]) for name in heads[1:-3]),
            *(number(row[name]) for name in _VALUES.values()),
        ]
        for row in rows[:_MOST_ROWS]
    ]
    facts = [{name: row[_VALUES[name]] for name in ("change", "before", "after")} for row in rows]
    terms = dict.fromkeys(_VALUES, RANKING)
    numeric = frozenset({"row", *_VALUES})
    first = f"The first {len(cells)} of {whole(len(moved))}, by" if len(moved) > len(cells) else "By"
    text += f" {first} {RANKING}.{not_listed(table.num_rows - len(moved), change)}"
    found = cases(shown, [row[row_there] for row in rows], facts)
    return Section(title, text, [Table(heads, cells, numeric, terms)], cases=found)


def _spread(table: pa.Table) -> list[Chart]:
    """Return how many queries changed by how much."""
    import numpy as np

    values = table["difference"].drop_null().to_numpy()
    edges = np.linspace(-1, 1, _BINS + 1).round(4)
    counts = np.histogram(values, edges)[0].tolist()
    columns = {"change": edges[:-1].tolist(), "below": edges[1:].tolist(), "queries": counts}
    text = f"How many queries' {RANKING} changed by how much, from the first run to the second."
    chart = Chart("Change by query", text, columns, x="change", x_stop="below", y="queries", mark="steps")
    return [chart] if len(values) else []
