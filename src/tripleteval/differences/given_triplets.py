"""Two runs of given triplets: the same ones in both, by the classes of their anchors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.compared import Compared, Runs, Wish, chosen
from tripleteval.differences.estimands import Codes, codes_of
from tripleteval.differences.measure import paired_differences, unpaired_differences
from tripleteval.errors import ParameterError
from tripleteval.evaluation.given_intake import PARTS
from tripleteval.evaluation.given_measure import at_margin
from tripleteval.metrics import parse, spell
from tripleteval.report.findings.changes import changed_queries, values_of
from tripleteval.report.findings.pairing import UNPAIRED, query_table, require_same_labels
from tripleteval.uncertainty.sums import Units

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMN = {"class": "label", "anchor": "anchor"}  # by the unit of a run


def of_given_triplets(run: Evaluation) -> bool:
    """Return whether ``tripleteval triplets`` made the run."""
    return run.settings.get("triplets") == "given"


def compare_given_triplets(runs: Runs, wish: Wish) -> Compared:
    """Compare two runs by their triplets; the unit is the class of the anchor, or the anchor where none is known.

    Raises:
        ParameterError: Runs with different triplets (E512), or without their tables (E101); a number that one of
            them does not have (E510).
    """
    names, decisive = chosen(runs, list(runs[0]), wish)
    one, two = (_measured(run, name, names) for run, name in zip(runs, wish.names, strict=True))
    how = {"confidence": wish.confidence, "seed": wish.seed}
    if not wish.paired:
        codes, others = (codes_of(table, wish.unit, name) for table, name in zip((one, two), wish.names, strict=True))
        entries = unpaired_differences(runs, (one, two), (codes, others), names, **how)
        return Compared(entries, decisive, None, None, codes.units.noun)
    one, two, matched = _matched(one, two)
    require_same_labels(one, two, one["query"].to_pylist(), "query", "triplets")
    codes = _shared(*(codes_of(table, wish.unit, name) for table, name in zip((one, two), wish.names, strict=True)))
    entries = paired_differences(runs, (one, two), codes, names, **how)
    falls = entries[decisive]["better"] == "lower"
    margin = parse(decisive).value
    satisfied = "triplet_accuracy" if margin is None else spell("triplet_satisfied@margin", margin)
    if not any(run.settings.get("weighted") for run in runs):
        one = one.drop_columns("weight")  # all alike, and there only for the sums
    queries = changed_queries(one, two, decisive, falls=falls, right=satisfied, least=1.0)
    return Compared(entries, decisive, matched, queries, codes.units.noun)


def _measured(run: Evaluation, name: str, spellings: Sequence[str]) -> pa.Table:
    """Return the triplets of a run with their weights and the numbers that its table does not hold itself."""
    import pyarrow as pa

    table = query_table(run, name)
    if _COLUMN.get(run.settings["unit"]) not in table.column_names:
        found = f"{name} does not say which class or anchor each of its triplets has"
        raise ParameterError("E101", found, fix="evaluate it again: it is of an earlier version")
    distances = np.stack([values_of(table, side) for side in ("d_ap", "d_an")])
    columns: dict[str, Floats] = {} if "weight" in table.column_names else {"weight": np.ones(table.num_rows)}
    for named in map(parse, spellings):
        if named.spelling not in table.column_names:
            columns[named.spelling] = named.measure(at_margin(distances, named.value)).values()
    return pa.table({each: table[each] for each in table.column_names} | columns)


def _matched(one: pa.Table, two: pa.Table) -> tuple[pa.Table, pa.Table, str]:
    """Return both tables row by row alike, named by ids where both have some, and ``"id"`` or ``"row"``.

    Vectors alone do not say which items they are of: then the place in what was given is what a triplet is.
    """
    by_id = "anchor_id" in one.column_names and "anchor_id" in two.column_names
    if by_id:
        one, two = _by_id(one), _by_id(two)
    placed = "positive" in one.column_names and "positive" in two.column_names
    known = PARTS if placed else ("query",)
    which = np.zeros(one.num_rows + two.num_rows, np.int64)
    for name in (*known, "weight"):
        codes = _codes(one[name], two[name])
        which = np.unique(which * (codes.max() + 1) + codes, return_inverse=True)[1]
    first, second = which[: one.num_rows], which[one.num_rows :]
    _require_same(one.select(known), two.select(known), first, second)
    rows = np.empty(len(first), np.int64)
    rows[np.argsort(first, kind="stable")] = np.argsort(second, kind="stable")
    return one, two.take(rows), "id" if by_id else "row"


def _by_id(table: pa.Table) -> pa.Table:
    names = [name.removesuffix("_id") for name in table.column_names if name not in PARTS]
    return table.drop_columns(list(PARTS)).rename_columns(names)


def _require_same(one: pa.Table, two: pa.Table, first: Ints, second: Ints) -> None:
    """Refuse runs of which one has a triplet that the other has not, or not as often."""
    kinds = int(max(first.max(), second.max())) + 1
    more = np.bincount(first, minlength=kinds) - np.bincount(second, minlength=kinds)
    if not more.any():
        return
    only = np.flatnonzero(more[first] > 0), np.flatnonzero(more[second] < 0)
    table, row = (one, only[0][0]) if len(only[0]) else (two, only[1][0])
    example = ", ".join(f"{name} {value!r}" for name, value in table.slice(row, 1).to_pylist()[0].items())
    raise ParameterError(
        "E512",
        f"runs with different triplets: {more[more > 0].sum():,} only in the first, {-more[more < 0].sum():,} only in "
        f"the second; for example {example.replace('query', 'triplet')}",
        fix=f"evaluate both on the same triplets, with the same weights, {UNPAIRED}",
    )


def _codes(one: pa.ChunkedArray, two: pa.ChunkedArray) -> Ints:
    """Return the values of both columns, one after the other, as integers that are equal where the values are."""
    import pyarrow as pa

    if one.type != two.type:
        one, two = one.cast(pa.string()), two.cast(pa.string())
    both = pa.chunked_array([*one.chunks, *two.chunks]).dictionary_encode().combine_chunks()
    return np.asarray(both.indices.to_numpy(), dtype=np.int64)


def _shared(one: Codes, two: Codes) -> Codes:
    """Return the unit of each triplet of both runs: the class where one of them knows it.

    Where vectors were given, an anchor is known by its vector. Those that either model tells apart are two.
    """
    if one.units.noun != two.units.noun:
        return one if one.units.noun == "class" else two
    joint = one.units.codes * (two.units.codes.max() + 1) + two.units.codes
    return Codes(Units(np.unique(joint, return_inverse=True)[1], one.units.noun), one.classes)
