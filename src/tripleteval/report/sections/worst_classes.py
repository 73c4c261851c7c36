"""Which classes are found worst."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.sections import section
from tripleteval.report.wording import label, number, whole

_MOST = 10
_WHY = "With few queries a class easily looks extreme; shrunken rates are drawn towards the mean of all."
_BY = "map@r"
_SHRUNKEN = "shrunken map@r"


@section("worst classes", place=60)
def worst_classes(evaluation: Evaluation) -> Section | None:
    """List the ten classes with the lowest shrunken map@r, with how many queries each number rests on."""
    table = evaluation.per_class
    if table is None or _BY not in table.column_names:
        return None
    import pyarrow.compute as pc

    defined = table.filter(pc.is_valid(table[_BY]))
    if defined.num_rows < 2:
        return None
    known = ("label", "queries", "evaluated", _BY, _SHRUNKEN, "hit_rate@1")
    shown = [name for name in known if name in defined.column_names]
    by = _SHRUNKEN if _SHRUNKEN in shown else _BY
    order = [(by, "ascending"), (_BY, "ascending"), ("label", "ascending")]
    worst = defined.sort_by(order).select(shown).slice(0, _MOST)
    rows = [[label(row["label"]), *(_cell(name, row[name]) for name in shown[1:])] for row in worst.to_pylist()]
    some = f"The {len(rows)} of {defined.num_rows:,} classes with the lowest {by}"
    text = some if defined.num_rows > len(rows) else f"All {len(rows)} classes, lowest {by} first"
    heads = ["class", *shown[1:]]
    return Section(
        "Worst classes",
        f"{text}. {_WHY}",
        [Table(heads, rows, frozenset(shown[1:]))],
    )


def _cell(name: str, value: float | None) -> str:
    return whole(value) if name in ("queries", "evaluated") else number(value)
