"""What there is to say about two runs, for any surface that draws sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tripleteval.data.section import Level, Section, Table
from tripleteval.differences.compared import IDENTITY
from tripleteval.differences.estimands import asked
from tripleteval.differences.result import Differences
from tripleteval.metrics import parse
from tripleteval.report.findings.changes import lost_or_gained, not_listed
from tripleteval.report.wording import difference, interval, label, number, whole

if TYPE_CHECKING:
    import pyarrow as pa

_MOST = 10


def sections(found: Differences) -> list[Section]:
    """Return the verdict with the table of differences, then the queries and classes that changed, if any."""
    levels: dict[str, Level] = {"better": "good", "worse": "warning"}
    level = levels.get(found.outcome, "plain")
    order = f"First: {label(found.names[0])}; second: {label(found.names[1])}. A difference is second minus first."
    text = "\n".join([found.verdict, *found.notes, f"{order} {_HOW if found.paired else ''}".strip()])
    said = [Section(f"{label(found.names[1])} against {label(found.names[0])}", text, [_table(found)], level)]
    if found.backward is not None:
        said.append(_backward(found.backward))
    if found.queries is not None:
        said += [part for change in ("broken", "fixed") if (part := _queries(found.queries, change, found)) is not None]
    if found.classes is not None and found.classes.num_rows > 1:
        said += _classes(found.classes, found.primary, _what(found))
    return said


_HOW = (
    "p: how often flipping the sign of whole units gives as large a difference; Holm: adjusted for all that are "
    "listed. Only the first metric is judged. Training seeds vary results too, and are in none of this."
)


def _table(found: Differences) -> Table:
    columns = ["metric", "first", "second", "difference", "interval", "p", "Holm"]
    known = found.metrics[found.primary].get("reason", "")  # the verdict gives it
    rows = []
    for name, entry in found.metrics.items():
        change = entry["difference"]
        rows.append(
            [
                name,
                number(entry["a"]),
                number(entry["b"]),
                difference(change),
                interval(entry["low"], entry["high"], change) or _reason(entry, known),
                _p(entry["p"]),
                _p(entry["p_holm"]),
            ]
        )
    return Table(columns, rows, frozenset(columns[1:]))


def _reason(entry: dict[str, Any], known: str) -> str:
    reason = str(entry.get("reason", ""))
    return "–" if reason == known else reason


def _backward(found: Differences) -> Section:
    lost = {"worse": "No: ", "better": "Yes: ", "not distinguishable": "Perhaps: "}[found.outcome]
    text = (
        f"{lost}{found.verdict}\nGain: the share of the new model's improvement that is there before the gallery is "
        "embedded again."
    )
    table = _table(found)
    gains = [entry["update_gain"] for entry in found.metrics.values()]
    rows = [[*row[:-1], "–" if gain is None else f"{gain:.0%}"] for row, gain in zip(table.rows, gains, strict=True)]
    columns = [*table.columns[:-1], "gain"]
    return Section("May the gallery stay?", text, [Table(columns, rows, frozenset(columns[1:]))])


def _queries(table: pa.Table, change: str, found: Differences) -> Section | None:
    import pyarrow.compute as pc

    some = table.filter(pc.equal(table["change"], change))
    if not some.num_rows:
        return None
    falls = found.metrics[found.primary]["better"] == "lower"
    everyone = some.to_pylist() if change == "broken" else some.to_pylist()[::-1]
    rows = [row for row in everyone if lost_or_gained(row["difference"], change, falls=falls)]
    known = [name for name in _KNOWN if name in table.column_names]
    heads = ["row", *known[1:], "first", "second", "difference"]
    cells = [[*(label(row[name]) for name in known), *_numbers(row)] for row in rows[:_MOST]]
    most = {"broken": "greatest loss", "fixed": "greatest gain"}[change]
    those = "All of them" if len(rows) == len(everyone) else f"The {len(rows)} with a {most.split()[1]}"
    listed = f"The {len(cells)} with the {most}" if len(rows) > _MOST else those
    said = _CHANGED[found.settings["unit"] == IDENTITY, change]
    if (what := _what(found)) == "triplets":
        said = _satisfied(change, found.primary)
    text = f"{listed}; {said}. First, second and difference are of {found.primary}."
    text += not_listed(len(everyone) - len(rows), change)
    tables = [Table(heads, cells, _NUMERIC)] if rows else []
    return Section(f"{change.capitalize()} {what}: {len(everyone):,}", text, tables)


def _what(found: Differences) -> str:
    if found.paired == "pair":
        return "pairs"
    return "queries" if found.queries is None else asked(found.queries)


def _satisfied(change: str, primary: str) -> str:
    margin = parse(primary).value
    state = "in order" if margin is None else f"satisfied at margin {margin:g}"
    if change == "broken":
        return f"they were {state} before and are not now"
    return f"they were not {state} before and are now"


def _classes(table: pa.Table, primary: str, what: str) -> list[Section]:
    changed = [row for row in table.to_pylist() if row["difference"] or row["fixed"] or row["broken"]]
    if not changed:
        return []
    heads = ["class", what, "first", "second", "difference", "fixed", "broken"]
    rows = [
        [label(row["label"]), whole(row[what]), *_numbers(row), whole(row["fixed"]), whole(row["broken"])]
        for row in changed[:_MOST]
    ]
    text = f"By {primary}, the greatest loss first ({len(rows)} of {len(changed):,})."
    return [Section("Classes that changed", text, [Table(heads, rows, frozenset(heads[1:]))])]


_CHANGED = {
    (False, "broken"): "their nearest item was right before and wrong now",
    (False, "fixed"): "their nearest item was wrong before and right now",
    (True, "broken"): "they were right before and are wrong now",
    (True, "fixed"): "they were wrong before and are right now",
}
_NUMERIC = frozenset({"row", "first", "second", "difference"})
_KNOWN = ("query", "id", "anchor", "positive", "negative", "label")


def _numbers(row: dict[str, Any]) -> list[str]:
    return [number(row["a"]), number(row["b"]), difference(row["difference"])]


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if value >= 0.0001 else "<0.0001"
