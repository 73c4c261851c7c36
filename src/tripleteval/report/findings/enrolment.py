"""How identification changes with the number of items enrolled per class, by sub-sampling.

Every class enrols e items, drawn at random; a query is right if its own class is nearer than any other. A class is
as far as its nearest enrolled item (``"min"``) or as the mean of them (``"mean"``). The draws are nested: whoever is
among the first e is among the first e + 1. A query is never enrolled itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tripleteval.arrays import AnyArray, Floats, Ints
from tripleteval.data.labels import Labels
from tripleteval.data.material import Material
from tripleteval.report.findings.clustered import ends

FUSIONS = ("min", "mean")
REPEATS, SEED, MOST_QUERIES = 5, 0, 2000

_SIZES = (1, 2, 3, 5, 8, 12, 20, 50)
_CELLS = 2**24


class Enrolment(NamedTuple):
    """Identification rates against items enrolled.

    Attributes:
        sizes: Numbers of items per class, ascending.
        rates: Per fusion, the share of queries whose own class is nearest, mean over the draws.
        ends: Per fusion, its 95 % interval, with classes as units; ``None`` as `ends` says.
        queries: How many were asked.
        classes: How many are enrolled.
        short: How many of these have fewer items than the largest size, and enrol all they have.
    """

    sizes: list[int]
    rates: dict[str, list[float]]
    ends: dict[str, list[tuple[float | None, float | None]]]
    queries: int
    classes: int
    short: int


class _Set(NamedTuple):
    """Gallery rows sorted by class, and where each class begins."""

    rows: Ints
    starts: Ints
    counts: Ints
    codes: Ints


def enrolment(material: Material, distance: str) -> Enrolment | None:
    """Return identification rates; ``None`` with fewer than two classes, or where no class has two items to enrol."""
    queries, gallery = material.queries, material.of("gallery")
    if not isinstance(queries.labels, Labels) or not isinstance(gallery.labels, Labels):
        return None
    alone = material.gallery is not None
    known = _sorted(gallery.labels.codes)
    spare = known.counts - (0 if alone else 1)
    most = int(np.median(spare))
    sizes = [size for size in _SIZES if size <= most]
    if len(known.codes) < 2 or len(sizes) < 2:
        return None
    own = _own_class(queries.labels, gallery.labels, known, alone=alone)
    rows = np.flatnonzero(own >= 0)
    if len(rows) > MOST_QUERIES:
        rows = np.sort(np.random.default_rng(SEED).choice(rows, MOST_QUERIES, replace=False))
    asked, searched = (_ready(side.vectors, distance) for side in (queries, gallery))
    right = np.zeros((len(FUSIONS), len(sizes), len(rows)))
    for draw in range(REPEATS):
        order = _drawn(known, np.random.default_rng((SEED, draw)))
        for place, size in enumerate(sizes):
            right[:, place] += _right(asked[rows], searched, own[rows], None if alone else rows, known, order, size)
    right /= REPEATS
    classes = own[rows]
    between = {fusion: [ends(values, classes) for values in right[place]] for place, fusion in enumerate(FUSIONS)}
    rates = {fusion: right[place].mean(axis=1).tolist() for place, fusion in enumerate(FUSIONS)}
    return Enrolment(sizes, rates, between, len(rows), len(known.codes), int((spare < sizes[-1]).sum()))


def _sorted(codes: Ints) -> _Set:
    rows = np.argsort(codes, kind="stable")
    found, starts, counts = np.unique(codes[rows], return_index=True, return_counts=True)
    return _Set(rows, starts, counts, found)


def _own_class(asked: Labels, searched: Labels, known: _Set, *, alone: bool) -> Ints:
    """Return, per query, the place of its class among the enrolled; -1 where nothing of it can be enrolled."""
    place = {searched.classes[code]: position for position, code in enumerate(known.codes.tolist())}
    of_class = np.array([place.get(name, -1) for name in asked.classes])[asked.codes]
    enough = known.counts >= (1 if alone else 2)
    kept: Ints = np.where((of_class >= 0) & enough[of_class], of_class, -1)
    return kept


def _drawn(known: _Set, random: np.random.Generator) -> Ints:
    """Return the rows sorted by class, in random order within each class."""
    classes = np.repeat(np.arange(len(known.codes)), known.counts)
    return known.rows[np.lexsort((random.random(len(known.rows)), classes))]


def _ready(vectors: AnyArray, distance: str) -> Floats:
    ready: Floats = np.asarray(vectors, dtype=np.float64)
    if distance != "cosine":
        return ready
    norms = np.linalg.norm(ready, axis=1, keepdims=True)
    return ready / np.where(norms == 0, 1, norms)


def _right(
    asked: Floats, searched: Floats, own: Ints, rows: Ints | None, known: _Set, order: Ints, size: int
) -> Floats:
    """Return (fusions, queries) whether the own class is the nearest; shared with t others it counts 1 / (1 + t)."""
    taken = np.minimum(size, known.counts)
    enrolled = np.concatenate([order[start : start + n] for start, n in zip(known.starts, taken, strict=True)])
    starts = np.concatenate([[0], np.cumsum(taken)[:-1]])
    means = np.add.reduceat(searched[enrolled], starts) / taken[:, None]
    found = np.zeros((len(FUSIONS), len(asked)))
    for block in _blocks(len(asked), len(enrolled)):
        nearest = np.minimum.reduceat(_squared(asked[block], searched[enrolled]), starts, axis=1)
        scores = [nearest, _squared(asked[block], means)]
        if rows is not None:
            _leave_out(scores, asked[block], searched, own[block], rows[block], known, order, size)
        for place, score in enumerate(scores):
            mine = np.take_along_axis(score, own[block][:, None], axis=1)
            better, level = (score < mine).any(axis=1), (score == mine).sum(axis=1)
            found[place, block] = np.where(better, 0.0, 1.0 / level)
    return found


def _leave_out(
    scores: list[Floats], asked: Floats, searched: Floats, own: Ints, rows: Ints, known: _Set, order: Ints, size: int
) -> None:
    """Enrol, for the query's own class, the first items that are not the query itself."""
    for place, (row, at) in enumerate(zip(rows.tolist(), own.tolist(), strict=True)):
        members = order[known.starts[at] : known.starts[at] + known.counts[at]]
        items = searched[members[members != row][:size]]
        scores[0][place, at] = _squared(asked[place : place + 1], items).min()
        scores[1][place, at] = _squared(asked[place : place + 1], items.mean(axis=0, keepdims=True))[0, 0]


def _squared(one: Floats, two: Floats) -> Floats:
    squared: Floats = np.maximum((one**2).sum(axis=1)[:, None] + (two**2).sum(axis=1)[None] - 2 * one @ two.T, 0)
    return squared


def _blocks(queries: int, items: int) -> Iterator[slice]:
    step = max(1, _CELLS // max(items, 1))
    yield from (slice(start, min(start + step, queries)) for start in range(0, queries, step))
