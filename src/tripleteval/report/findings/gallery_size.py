"""How hit rates change with the number of distractors: the exact expectation, from the run alone.

A query is answered among the first k unless k or more of the negatives that are nearer than its nearest positive
are in the gallery. Of N negatives let c be nearer; if m of the N are drawn at random, without replacement, how many
of the c are among them is hypergeometric. Beyond N nothing was measured: there the last tenfold of the curve goes on
in a straight line against the logarithm of the number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.data.evaluation import Evaluation
from tripleteval.report.findings.clustered import classes_of, ends

if TYPE_CHECKING:
    import pyarrow as pa

_FURTHER = (2, 5, 10)
_POINTS = 13
_ROUNDING = 1e-9


class Sizes(NamedTuple):
    """Hit rates against the number of distractors.

    Attributes:
        distractors: Numbers of negatives, ascending.
        measured: How many there are in the run; larger ones are extrapolated.
        rates: Per k, the mean hit rate at every number.
        low: Per k, the lower end of its interval (95 %, classes as units), ``None`` where it was not measured
            or all queries are answered alike; empty with too few classes.
        high: The upper end.
        unknown: Queries left out, as ties leave open how many c are.
    """

    distractors: list[int]
    measured: int
    rates: dict[int, list[float]]
    low: dict[int, list[float | None]]
    high: dict[int, list[float | None]]
    unknown: int


def gallery_sizes(evaluation: Evaluation) -> Sizes | None:
    """Return hit rates against the number of distractors; ``None`` where ranks or distractors are missing."""
    table = evaluation.per_query
    if table is None or "first_rank_mean" not in table.column_names:
        return None
    first = table["first_rank_mean"].to_numpy()
    negatives = (table["valid"].to_numpy() - table["relevant"].to_numpy()).astype(np.int64)
    asked = np.isfinite(first) & (negatives > 0)
    kept = asked & _known(table, np.minimum(first - 1, negatives), evaluation.settings.get("ks", []))
    if not kept.any():
        return None
    nearer, negatives = np.minimum(first[kept] - 1, negatives[kept]), negatives[kept]
    most = int(np.median(negatives))
    if most < 2:
        return None
    sizes = sorted({round(size) for size in np.geomspace(1, most, _POINTS)})
    further = [round(factor * most) for factor in _FURTHER]
    ks = [k for k in evaluation.settings.get("ks", []) if k < most][:3]
    groups = classes_of(table, kept)
    # A million queries share a few thousand pairs of c and N.
    pairs, query = np.unique(nearer + 1j * negatives, return_inverse=True)
    c, n = pairs.real, pairs.imag.astype(np.int64)
    rates: dict[int, list[float]] = {}
    low: dict[int, list[float | None]] = {}
    high: dict[int, list[float | None]] = {}
    for k in ks:
        columns = [answered(c, n, size, k)[query] for size in sizes]
        means = [float(column.mean()) for column in columns]
        before = float(answered(c, n, max(1, round(most / 10)), k)[query].mean())
        slope = (means[-1] - before) / math.log(most / max(1, round(most / 10)))
        rates[k] = [*means, *(max(0.0, means[-1] + slope * math.log(size / most)) for size in further)]
        if groups is not None:
            around = [ends(column, groups) for column in columns]
            beyond = [None] * len(further)
            low[k], high[k] = [*(end for end, _ in around), *beyond], [*(end for _, end in around), *beyond]
    return Sizes(sizes + further, most, rates, low, high, int((asked & ~kept).sum())) if ks else None


def _known(table: pa.Table, nearer: Floats, ks: Sequence[int]) -> Bools:
    """Return for which queries c, or the two whole numbers around it, give the hit rates that were measured.

    Beside one wrong item that ties, c is one of two numbers, each half of the time: it is interpolated between them.
    """
    known = np.ones(len(nearer), dtype=bool)
    for k in ks:
        if f"hit_rate@{k}" in table.column_names:
            known &= np.abs(table[f"hit_rate@{k}"].to_numpy() - np.clip(k - nearer, 0, 1)) <= _ROUNDING
    return known


def answered(nearer: Floats, negatives: Ints, drawn: int, k: int) -> Floats:
    """Return, per query, the probability that fewer than ``k`` nearer negatives are among those drawn.

    Args:
        nearer: (queries,) c, at most N; between two integers it is interpolated.
        negatives: (queries,) N >= 1.
        drawn: m; all N where a query has fewer.
        k: Cut-off, 1 or more.
    """
    n, floor = negatives.astype(np.float64), np.floor(nearer)
    part = nearer - floor
    mixed = (1 - part) * _below(floor, n, drawn, k)
    if part.any():
        mixed = mixed + part * _below(np.minimum(floor + 1, n), n, drawn, k)
    return mixed


def _below(c: Floats, n: Floats, drawn: int, k: int) -> Floats:
    """Return P(fewer than k of c among the m drawn of n)."""
    inside = np.minimum(drawn, n)
    logs = _log_factorials(int(n.max()))
    total = np.zeros_like(c)
    for hits in range(k):
        total += np.exp(_choose(logs, c, hits) + _choose(logs, n - c, inside - hits) - _choose(logs, n, inside))
    bounded: Floats = np.clip(total, 0.0, 1.0)
    return bounded


def _choose(logs: Floats, of: Floats, some: Floats | int) -> Floats:
    """Return log C(of, some), minus infinity where it is 0."""
    some = np.broadcast_to(np.asarray(some, np.float64), of.shape)
    possible = (some >= 0) & (some <= of)
    a, b = np.where(possible, of, 0).astype(np.int64), np.where(possible, some, 0).astype(np.int64)
    log: Floats = np.where(possible, logs[a] - logs[b] - logs[a - b], -np.inf)
    return log


@lru_cache(maxsize=1)
def _log_factorials(upto: int) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, upto + 1, dtype=np.float64)))])
