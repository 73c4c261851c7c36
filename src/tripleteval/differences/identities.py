"""Two runs of identification on the same probes: the same identities are drawn again for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.bounds import SHARE
from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.compared import IDENTITY, Compared, Runs, Wish, chosen
from tripleteval.differences.measure import Entry, add_p, added_by_unit, entry_of, json_of
from tripleteval.errors import ParameterError
from tripleteval.evaluation.identity_intervals import MATED, Redrawn, Whose, joint_error, too_few
from tripleteval.metrics import Named, parse
from tripleteval.metrics.identification import Searches
from tripleteval.report.findings.changes import changed_queries, values_of
from tripleteval.report.findings.pairing import paired, query_table
from tripleteval.uncertainty.interval import FEW, Interval
from tripleteval.uncertainty.paired import paired_intervals
from tripleteval.uncertainty.percentiles import ends
from tripleteval.uncertainty.quantiles import half_width
from tripleteval.uncertainty.sums import Sums, Units

if TYPE_CHECKING:
    import pyarrow as pa

_RATES = ("cmc@k", "tpir@fpir")


def of_identities(run: Evaluation) -> bool:
    """Return whether ``tripleteval identify`` made the run."""
    return "identification" in run.settings


def compare_identities(runs: Runs, wish: Wish) -> Compared:
    """Compare two runs by their probes.

    Raises:
        ParameterError: Runs with different probes, or probes that are enrolled in one gallery only (E512); a number
            that one of them does not have (E510).
    """
    one, two = (query_table(run, name) for run, name in zip(runs, wish.names, strict=True))
    rows, matched = paired(one, two)
    tables = one, two.take(rows)
    _require_alike(tables)
    names, decisive = chosen(runs, [name for name in runs[0] if _is_rate(name)], wish)
    entries = _differences(runs, tables, names, confidence=wish.confidence, seed=wish.seed)
    queries = None
    if _is_rate(decisive):
        hits = [_with_hit(table, run, decisive) for table, run in zip(tables, runs, strict=True)]
        queries = changed_queries(hits[0], hits[1], decisive)
    return Compared(entries, decisive, matched, queries, IDENTITY)


def _is_rate(name: str) -> bool:
    """Return whether two runs are compared by it; thresholds of two models are on scales of their own."""
    return parse(name).metric.pattern in _RATES


def _require_alike(tables: tuple[pa.Table, pa.Table]) -> None:
    enrolled = [table["enrolled"].to_numpy() for table in tables]
    differing = np.flatnonzero(enrolled[0] != enrolled[1])
    if len(differing):
        where = [f"{'' if side[differing[0]] else 'not '}enrolled" for side in enrolled]
        raise ParameterError(
            "E512",
            f"runs with different galleries: {len(differing):,} probes are enrolled in one only, for example row "
            f"{differing[0]}, which is {where[0]} in the first and {where[1]} in the second",
            fix="search both among the same identities",
        )


def _with_hit(table: pa.Table, run: Evaluation, name: str) -> pa.Table:
    """Return the table with a column for a rate: whether the probe counts, null for strangers."""
    import pyarrow as pa

    mate, rank, named = values_of(table, "mate_distance"), values_of(table, "rank"), parse(name)
    hits = rank <= named.value
    if named.metric.pattern == "tpir@fpir":
        threshold = run.metrics[name].get("threshold")
        hits = (rank <= 1) & (mate <= (np.inf if threshold is None else threshold))
    return table.append_column(name, pa.array(hits.astype(np.float64), mask=np.isnan(mate)))


def _differences(runs: Runs, tables: tuple[pa.Table, pa.Table], names: Sequence[str], **how: Any) -> dict[str, Entry]:
    """Return the entry of each number, over the same probes.

    Mated identities and strangers are drawn again, the same for both runs; each run chooses its threshold on the
    strangers drawn. p flips the signs of what whole identities add to the difference, strangers through the
    threshold (decision 034).

    Args:
        runs: Two evaluations by ``evaluate_identification``.
        tables: Their tables of probes, row by row the same.
        names: Numbers that both have.
        how: ``confidence`` and ``seed``.
    """
    entries = {name: entry_of(runs, name) for name in names}
    searches, whose = _searches(runs, tables)
    added: dict[str, Floats] = {}
    for name, entry in entries.items():
        named = parse(name)
        if entry["difference"] is None:
            entry["reason"] = next(run.metrics[name]["reason"] for run in runs if run.metrics[name]["value"] is None)
        elif not _is_rate(name):
            entry["reason"] = "thresholds of two models are on scales of their own"
        else:
            compare = _closed_set if named.metric.pattern == "cmc@k" else _open_set
            interval, added[name] = compare(named, runs, searches, whose, **how)
            entries[name] = entry | json_of(interval)
    add_p(entries, added, how["seed"])
    return entries


def _searches(runs: Runs, tables: tuple[pa.Table, pa.Table]) -> tuple[tuple[Searches, Searches], Whose]:
    table = tables[0]
    columns = [[values_of(each, name) for name in ("mate_distance", "rank", "best_distance")] for each in tables]
    enrolled = table["enrolled"].to_numpy()
    mated = np.isfinite(columns[0][0]) & np.isfinite(columns[1][0])
    strangers = ~enrolled & np.isfinite(columns[0][2]) & np.isfinite(columns[1][2])
    labels = np.array([str(label) for label in table["label"].to_pylist()])
    whose = Whose(*(np.unique(labels[kind], return_inverse=True)[1] for kind in (mated, strangers)))
    one, two = (
        Searches(
            mate[mated],
            rank[mated],
            best[strangers],
            run.accounting["identities"],
            run.accounting["templates"],
            tuple(run.settings["ks"]),
        )
        for run, (mate, rank, best) in zip(runs, columns, strict=True)
    )
    return (one, two), whose


def _closed_set(
    name: Named, _runs: Any, searches: tuple[Searches, Searches], whose: Whose, *, confidence: float, seed: int
) -> tuple[Interval, Floats]:
    units = Units(whose.mated, MATED)
    every = units.sum(np.ones(len(whose.mated), np.int64))
    one, two = (Sums(units.sum(side.rank <= name.value), every, name.metric.bounds) for side in searches)
    (interval,) = paired_intervals([(one, two)], confidence=confidence, seed=seed, noun=MATED)
    return interval, added_by_unit(one, two)


def _open_set(
    name: Named,
    runs: Runs,
    searches: tuple[Searches, Searches],
    whose: Whose,
    *,
    confidence: float,
    seed: int,
) -> tuple[Interval, Floats]:
    first, second = (run.metrics[name.spelling] for run in runs)
    change = second["value"] - first["value"]
    one, two = (Redrawn(side, whose, name.value, confidence, seed).rates(1.0) for side in searches)
    mated, strangers = two.mated - one.mated, two.strangers - one.strangers
    interval = too_few(first, whose) or _interval(
        two.values - one.values, change, (mated, strangers), min(whose.counts), confidence
    )
    return interval, np.concatenate([mated + change * one.share, strangers])


def _interval(
    values: Floats, change: float, influence: tuple[Floats, Floats], units: int, confidence: float
) -> Interval:
    bounds = SHARE.minus(SHARE)
    if units >= FEW:
        low, high = ends(values, change, np.concatenate(influence), confidence)
        return Interval(*bounds.cut(low, high), "bootstrap", units)
    half = half_width(joint_error(*influence), units, confidence)
    return Interval(*bounds.cut(change - half, change + half), "t", units)
