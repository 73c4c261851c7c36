"""Labels that are probably wrong: items whose neighbours agree with each other, but not with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.evaluation import Evaluation
from tripleteval.report.findings.neighborhood import NOBODY, Neighborhood, neighborhood

if TYPE_CHECKING:
    import pyarrow as pa


def suspects(evaluation: Evaluation) -> pa.Table | None:
    """Return every query that looks more like another class than its own, the most suspicious first.

    A query with nothing relevant to find, as the only item of its class, cannot look like its own and is not suspected.
    An item looks like the class that is most frequent among its k nearest, the nearer one where two are
    equally frequent. Suspicion is the share of that class among them less the share of the item's own;
    among equals, the item that is farther from its own class than from the other comes first.

    Returns:
        Columns ``query``, ``id`` and ``label`` (as in ``per_query``), ``looks_like``, ``share`` of the k nearest
        that are of that class, ``own_share``, ``suspicion`` in (0, 1], and ``gap``: distance to the nearest of its
        own class less that to the nearest of the other, a lower bound where none of its own is among the k
        nearest. ``None`` without labels or neighbours.
    """
    near = neighborhood(evaluation)
    if near is None or near.asked is None or near.found is None or evaluation.per_query is None:
        return None
    import pyarrow as pa

    looks, share = _majority(near.found)
    kept = np.maximum((near.found != NOBODY).sum(axis=1), 1)
    own = (near.found == near.asked[:, None]).sum(axis=1) / kept
    suspicion = share / kept - own
    gap = _nearest(near, near.asked) - _nearest(near, looks)
    order = np.lexsort((np.arange(len(gap)), -gap, -suspicion))
    order = order[(suspicion[order] > 0) & (looks[order] != near.asked[order]) & near.answerable[order]]
    who = evaluation.per_query.select([c for c in ("query", "id", "label") if c in evaluation.per_query.column_names])
    found = who.take(pa.array(order))
    classes = pa.array(near.classes)
    for name, column in (
        ("looks_like", classes.take(pa.array(looks[order]))),
        ("share", pa.array((share / kept)[order])),
        ("own_share", pa.array(own[order])),
        ("suspicion", pa.array(suspicion[order])),
        ("gap", pa.array(gap[order])),
    ):
        found = found.append_column(name, column)
    return found


def _majority(found: Ints) -> tuple[Ints, Ints]:
    """Return, per row, the most frequent code (the one that comes first among equals) and how often it is there."""
    best, most = np.full(len(found), NOBODY), np.zeros(len(found), dtype=np.int64)
    for place in range(found.shape[1]):
        column = found[:, place]
        count = np.where(column == NOBODY, 0, (found == column[:, None]).sum(axis=1))
        better = count > most
        best, most = np.where(better, column, best), np.where(better, count, most)
    return best, most


def _nearest(near: Neighborhood, of: Ints) -> Floats:
    """Return each query's distance to the nearest item of one class; to its last neighbour where there is none."""
    found = near.found == of[:, None] if near.found is not None else near.relevant
    finite = np.isfinite(near.distance)
    last = np.max(np.where(finite, near.distance, -np.inf), axis=1)
    nearest = np.min(np.where(found, near.distance, np.inf), axis=1)
    bound: Floats = np.where(np.isfinite(nearest), nearest, np.maximum(last, 0))
    return bound
