"""What a reader should look at first, by name: each line is one finding of a section further down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section
from tripleteval.errors import counted
from tripleteval.report.findings.chance import at_chance
from tripleteval.report.findings.confusions import confusions
from tripleteval.report.findings.duplicates import as_length, duplicates
from tripleteval.report.findings.neighborhood import among_each_other
from tripleteval.report.findings.suspects import suspects
from tripleteval.report.sections import section
from tripleteval.report.wording import brief, interval, listed, number

_MOST = 3
_FEWEST = 3  # queries; below that a class is too small to be told apart from luck
_TAKEN = 0.25  # share of a class's queries whose nearest item is of one and the same other class
_POINT, _SPREAD = 0.05, 2.0  # of the middle class's mean distance


@section("standing out", place=16)
def standing_out(evaluation: Evaluation) -> Section | None:
    """Name parts, classes and items that fail in a way of their own; nothing where none does."""
    lines = list(_chance(evaluation)) or [*_parts(evaluation), *_taken(evaluation), *_labels(evaluation)]
    lines += [*_extents(evaluation), *_copies(evaluation)]
    return Section("What stands out", "\n".join(lines), level="warning") if lines else None


def _chance(evaluation: Evaluation) -> Iterator[str]:
    if at_chance(evaluation):
        entry = evaluation.metrics["map@r"]
        measured = f"{number(entry['value'])} {interval(entry.get('low'), entry.get('high'), entry['value'])}".strip()
        chance = number(entry["chance"])
        yield f"The rankings cannot be told from chance: map@r is {measured}, a random ranking has {chance}."


def _parts(evaluation: Evaluation) -> Iterator[str]:
    """Yield, for each column, the worst of its values whose interval lies below that of all queries."""
    everything = evaluation.metrics.get("map@r", {})
    worst: dict[str, dict[str, Any]] = {}
    for entry in evaluation.slices:
        found = entry.get("metrics", {}).get("map@r", {})
        high, low = found.get("high"), everything.get("low")
        if high is None or low is None or high >= low:
            continue
        known = worst.get(entry["column"])
        if known is None or found["value"] < known["metrics"]["map@r"]["value"]:
            worst[entry["column"]] = entry
    for column, entry in worst.items():
        value = "without a value" if entry["value"] is None else brief(entry["value"])
        found = entry["metrics"]["map@r"]
        measured = f"{number(found['value'])} {interval(found['low'], found['high'], found['value'])}"
        yield f"Of {brief(column)}, {value} is worst: map@r {measured}, {number(everything['value'])} over all queries."


def _taken(evaluation: Evaluation) -> Iterator[str]:
    """Yield the classes that are most often taken for one other, each pair of classes once."""
    found = confusions(evaluation)
    pairs: dict[frozenset[str], dict[str, Any]] = {}
    for row in [] if found is None else found.to_pylist():
        if row["share"] >= _TAKEN and row["queries"] >= _FEWEST:
            pairs.setdefault(frozenset(map(str, (row["label"], row["found"]))), row)
    for row in list(pairs.values())[:_MOST]:
        one, other = brief(row["label"]), brief(row["found"])
        of = counted(round(row["queries"] / row["share"]), "query")
        back = f"; {row['back']:,} the other way round" if row["back"] else ""
        yield f"{one} is taken for {other}: {row['queries']:,} of its {of} find an item of {other} first{back}."
    if len(pairs) > _MOST:
        yield f"So it is with {counted(len(pairs) - _MOST, 'more pair')} of classes."


def _labels(evaluation: Evaluation) -> Iterator[str]:
    """Yield how many queries stand in the midst of one other class, and the first of them."""
    found = suspects(evaluation)
    rows = [] if found is None else [r for r in found.to_pylist() if not r["own_share"] and r["share"] > 0.5]
    if not rows:
        return
    names = [
        f"{brief(row['id']) if row.get('id') is not None else 'row ' + str(row['query'])} "
        f"({brief(row['label'])}, among {brief(row['looks_like'])})"
        for row in rows[:_MOST]
    ]
    stand = "stands" if len(rows) == 1 else "stand"
    first = " first" if len(rows) > _MOST else ""
    yield (
        f"{counted(len(rows), 'query')} {stand} among items of one other class, with none of the own class near: "
        f"either the label is wrong or the model is. Look at {listed(names)}{first}."
    )


def _copies(evaluation: Evaluation) -> Iterator[str]:
    """Yield how many queries have a copy."""
    found = duplicates(evaluation)
    if found is None or not found.num_rows:
        return
    inside = among_each_other(evaluation)
    ends = [found["query"].to_numpy(), *([found["gallery"].to_numpy()] if inside else [])]
    copied = len(np.unique(np.concatenate(ends)))
    have = "has" if copied == 1 else "have"
    yield f"{counted(copied, 'query')} {have} a copy, exact or nearly, among the items searched: see the duplicates."


def _extents(evaluation: Evaluation) -> Iterator[str]:
    """Yield the classes that are nearly one point, and those that are spread, beside the class in the middle."""
    table = evaluation.per_class
    if table is None or not {"intra_distance", "evaluated"} <= set(table.column_names):
        return
    means = table["intra_distance"].to_numpy(zero_copy_only=False).astype(np.float64)
    enough = np.isfinite(means) & (table["evaluated"].to_numpy() >= _FEWEST)
    if enough.sum() < _FEWEST:
        return
    middle = float(np.median(means[enough]))
    lengths = as_length(means, evaluation.settings.get("distance", "euclidean"))
    usual = float(np.median(lengths[enough]))
    names = table["label"].to_pylist()
    for which, order, said, why in (
        (enough & (lengths <= _POINT * usual), means, "Nearly one point", "it has collapsed, or its items are copies"),
        (enough & (lengths >= _SPREAD * usual), -means, "Far apart", "it is spread, or some of its labels are wrong"),
    ):
        rows = np.flatnonzero(which)
        if usual == 0 or not len(rows):
            continue
        rows = rows[np.lexsort((rows, order[rows]))]
        shown = listed([f"{brief(names[row])} ({number(float(means[row]))})" for row in rows[:_MOST]])
        more = f", the first {_MOST} of {len(rows):,} classes" if len(rows) > _MOST else ""
        yield (
            f"{said}: the items of {shown}{more}. In brackets is their mean distance, {number(middle)} in the middle "
            f"class. Where a class is like that, {why}."
        )
