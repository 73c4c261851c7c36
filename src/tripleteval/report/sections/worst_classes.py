"""Which classes are found worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Chart, Section, Table
from tripleteval.report.findings.worst import BY, SHRUNKEN, as_bad_as_the_worst, too_few_queries, worst_first
from tripleteval.report.sections import section
from tripleteval.report.wording import label, number, whole

if TYPE_CHECKING:
    import pyarrow as pa

_MOST = 10
_MOST_BARS = 30
_WHY = "With few queries a class easily looks extreme; shrunken rates are drawn towards the mean of all."
_NONE = "None is named: with fewer than two queries per class on average, how a class fares is mostly luck."


@section("worst classes", place=60)
def worst_classes(evaluation: Evaluation) -> Section | None:
    """List the ten classes with the lowest shrunken map@r, with how many queries each number rests on."""
    table = evaluation.per_class
    if table is None or BY not in table.column_names:
        return None
    ordered = worst_first(table)
    if ordered.num_rows < 2:
        return None
    if too_few_queries(table):
        return Section("Worst classes", _NONE)
    alike = as_bad_as_the_worst(ordered)
    if alike == ordered.num_rows:
        same = number(ordered[BY][0].as_py())
        return Section("Worst classes", f"None is named: all {whole(alike)} classes have the same {BY}, {same}.")
    known = ("label", "queries", "evaluated", BY, SHRUNKEN, "hit_rate@1")
    shown = [name for name in known if name in ordered.column_names]
    by = SHRUNKEN if SHRUNKEN in shown else BY
    ordered = ordered.select(shown)
    worst = ordered.slice(0, _MOST)
    rows = [[label(row["label"]), *(_cell(name, row[name]) for name in shown[1:])] for row in worst.to_pylist()]
    some = f"The {len(rows)} of {ordered.num_rows:,} classes with the lowest {by}"
    text = some if ordered.num_rows > len(rows) else f"All {len(rows)} classes, lowest {by} first"
    text += f"; {whole(alike)} are as low as the first" if alike > len(rows) else ""
    heads = ["class", *shown[1:]]
    return Section(
        "Worst classes",
        f"{text}. {_WHY}",
        [Table(heads, rows, frozenset(shown[1:]), {name: name for name in (BY, "hit_rate@1")})],
        charts=[_bars(ordered, by)] if any(ordered[BY].slice(0, _MOST_BARS).to_pylist()) else [],
    )


def _bars(ordered: pa.Table, by: str) -> Chart:
    """Return the map@r of the worst classes as bars, the lowest ``by`` first."""
    worst = ordered.slice(0, _MOST_BARS)
    some = f"The {worst.num_rows} classes with the lowest" if ordered.num_rows > _MOST_BARS else "All classes, by"
    text = f"{some} {by}, worst first" + (f"; the bars show {BY}." if by != BY else ".")
    names = _distinct([label(name) for name in worst["label"].to_pylist()])
    columns = {"class": names, BY: worst[BY].to_pylist(), "queries": worst["queries"].to_pylist()}
    limits = (0.0, 1.0)
    return Chart("By class", text, columns, x="class", y=BY, mark="bar", limits=limits)


def _distinct(names: list[str]) -> list[str]:
    """Number names that were cut to the same text: one bar each, not one on the other."""
    return [name if name not in names[:place] else f"{name} ({place})" for place, name in enumerate(names)]


def _cell(name: str, value: float | None) -> str:
    return whole(value) if name in ("queries", "evaluated") else number(value)
