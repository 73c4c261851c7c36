"""The difference of each metric between two runs: its interval, and how likely chance alone would be as large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Bools, Floats
from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.estimands import Codes, asked, both_by_unit, by_unit, halves
from tripleteval.metrics import Column, parse
from tripleteval.uncertainty.paired import paired_intervals, unpaired_intervals
from tripleteval.uncertainty.permutation import holm, sign_flip
from tripleteval.uncertainty.sums import Sums

if TYPE_CHECKING:
    import pyarrow as pa

Entry = dict[str, Any]


def paired_differences(
    runs: tuple[Evaluation, Evaluation],
    tables: tuple[pa.Table, pa.Table],
    codes: Codes,
    names: Sequence[str],
    **how: Any,
) -> dict[str, Entry]:
    """Return the entry of each metric, over queries that are defined in both runs.

    Args:
        runs: The two evaluations.
        tables: Their tables of queries, row by row the same queries.
        codes: The unit of each query.
        names: Metrics that both have.
        how: ``confidence`` and ``seed``.
    """
    entries = {name: entry_of(runs, name) for name in names}
    pairs: dict[str, tuple[Sums, Sums]] = {}
    members: dict[str, int] = {}
    for name, entry in entries.items():
        of_units = both_by_unit(runs, name, codes.units.noun)
        if of_units is not None:
            *sums, members[name] = of_units
            pairs[name] = sums[0], sums[1]
            continue
        first, second = (halves(table, name, entry.get("average", "query"), codes.classes) for table in tables)
        if first is None or second is None:
            entry["reason"] = _not_kept(name)
            continue
        both = _in_both(name, first, second, codes)
        if not both.any():
            entry["reason"] = "nothing has a value in both"
            continue
        one, two = (_sums(name, column, both, codes) for column in (first, second))
        entry.update(_estimates(one, two), **{asked(tables[0]): int(both.sum())})
        pairs[name] = one, two
    found = paired_intervals(
        list(pairs.values()), confidence=how["confidence"], seed=how["seed"], noun=codes.units.noun
    )
    for name, interval in zip(pairs, found, strict=True):
        entries[name] |= json_of(interval)
        entries[name]["units"] = members.get(name, interval.units)
    add_p(entries, {name: added_by_unit(*pair) for name, pair in pairs.items()}, how["seed"])
    return entries


def unpaired_differences(
    runs: tuple[Evaluation, Evaluation],
    tables: tuple[pa.Table, pa.Table],
    codes: tuple[Codes, Codes],
    names: Sequence[str],
    **how: Any,
) -> dict[str, Entry]:
    """Return the entry of each metric between runs on different queries: wider intervals, and no p."""
    entries = {name: entry_of(runs, name) for name in names}
    for name, entry in entries.items():
        found = [_of_run(*each, name, entry.get("average", "query")) for each in zip(runs, tables, codes, strict=True)]
        (one, of_one), (two, of_two) = found
        if one is None or two is None:
            entry["reason"] = _not_kept(name)
            continue
        entry.update(_estimates(one, two))
        (interval,) = unpaired_intervals(
            [(one, two)], confidence=how["confidence"], seed=how["seed"], noun=codes[0].units.noun
        )
        entry.update(json_of(interval), units=min(of_one, of_two) or interval.units)
    return entries


def _in_both(name: str, first: Column, second: Column, codes: Codes) -> Bools:
    """Return the queries that have a value in both runs.

    What still costs something is other triplets in each run: there, all of the units that have some in both.
    """
    if parse(name).metric.pattern != "triplet_loss_nonzero@margin":
        return np.asarray((first.whole > 0) & (second.whole > 0))
    units = codes.units
    shared = (units.sum(first.whole) > 0) & (units.sum(second.whole) > 0)
    return np.asarray(shared[np.searchsorted(units.present, units.codes)])


def _of_run(run: Evaluation, table: pa.Table, codes: Codes, name: str, average: str) -> tuple[Sums | None, int]:
    """Return what each unit of one run makes of a number, and how many there are where they were put together."""
    of_units = by_unit(run, name, codes.units.noun)
    if of_units is not None:
        return of_units[1:]
    column = halves(table, name, average, codes.classes)
    return (None if column is None or not column.whole.any() else _sums(name, column, column.whole > 0, codes)), 0


def _not_kept(name: str) -> str:
    if parse(name).metric.of_pairs:
        return "a number of all pairs is compared by the classes or groups of both runs, where these are the same"
    return "the runs do not keep it query by query"


def entry_of(runs: tuple[Evaluation, Evaluation], name: str) -> Entry:
    """Return the values of both runs and their difference, before anything is said of how sure it is."""
    a, b = (run.metrics[name] for run in runs)
    known = a["value"] is not None and b["value"] is not None
    said = {
        "a": a["value"],
        "b": b["value"],
        "difference": b["value"] - a["value"] if known else None,
        "low": None,
        "high": None,
        "interval": None,
        "units": 0,
        "p": None,
        "p_holm": None,
        "better": a.get("better"),
    }
    return said | {"average": a["average"]} if "average" in a else said  # numbers of pairs, or of a space, are none


def _estimates(one: Sums, two: Sums) -> Entry:
    return {"a": one.ratio, "b": two.ratio, "difference": two.ratio - one.ratio}


def _sums(name: str, column: Column, kept: Any, codes: Codes) -> Sums:
    part, whole = np.where(kept, column.part, 0), np.where(kept, column.whole, 0)
    return Sums(codes.units.sum(part), codes.units.sum(whole), parse(name).metric.bounds)


def add_p(entries: dict[str, Entry], added: dict[str, Floats], seed: int) -> None:
    """Add to each entry with an interval how likely chance alone would be as large.

    Args:
        entries: By spelling.
        added: (units,) float64 for some of them, what each unit adds to the difference.
        seed: Of the draws.
    """
    judged: dict[str, float] = {}
    for width in dict.fromkeys(len(each) for each in added.values()):
        alike = [name for name, each in added.items() if len(each) == width]
        flipped = sign_flip(np.stack([added[name] for name in alike], axis=1), seed)
        judged |= {name: p for name, p in zip(alike, flipped, strict=True) if entries[name]["interval"]}
    for name, adjusted in zip(judged, holm(list(judged.values())), strict=True):
        entries[name] |= {"p": judged[name], "p_holm": adjusted}


def added_by_unit(one: Sums, two: Sums) -> Floats:
    """Return what each unit adds to the difference of two ratios."""
    if np.array_equal(one.whole, two.whole):
        return two.part - one.part
    return np.asarray(two.part / two.whole.sum() - one.part / one.whole.sum())


def json_of(found: Any) -> Entry:
    """Return what an entry says of an interval."""
    entry: Entry = {"low": found.low, "high": found.high, "interval": found.method, "units": found.units}
    return entry if found.method else entry | {"reason": found.reason}
