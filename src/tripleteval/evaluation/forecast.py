"""What an evaluation will take, on paper: from how fast one core here is, and how large the sets are."""

from __future__ import annotations

import hashlib
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from tripleteval.arrays import AnyArray, Ints
from tripleteval.data.comparison import Comparison, Graded, Lists
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.facts import Facts
from tripleteval.distance.formula import Distance, distance_for
from tripleteval.engine.frame import Frame, Shelf, window
from tripleteval.engine.moments import require_room
from tripleteval.engine.pairs import PairPass
from tripleteval.engine.plan import MOST_QUERIES, MOST_QUERIES_UNHELD, Order
from tripleteval.engine.rounding import rounded
from tripleteval.engine.run import Pass, kernel_at_first
from tripleteval.errors import DataError, LabelError
from tripleteval.evaluation.intake import require_one_size
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.measure import pass_costs
from tripleteval.evaluation.relevance import compare
from tripleteval.evaluation.settings import Settings, check
from tripleteval.evaluation.standing import held
from tripleteval.evaluation.verification import needs
from tripleteval.evidence.pairs import Ruler
from tripleteval.evidence.vectors import ROWS, Vectors
from tripleteval.journal.page import Pages

_ASKED, _SEARCHED, _VERIFIED = 512, 2**16, 2**12  # rows of what is measured
_ENOUGH = 1.0  # seconds of each kind of work: six kinds, and some more to load and compile
_NONE = np.zeros(0)
_USUAL = 512  # queries of a block, where memory does not even hold the results
SAMPLES = (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
_LONG = 3600.0  # seconds beyond which sampling is proposed
_PATIENCE = 900.0  # seconds that the proposed sample may take


class Rates(NamedTuple):
    """What one core takes, in seconds.

    Attributes:
        pair: To compare a query with a gallery item, for retrieval and triplets.
        verified: The same for verification, where every distance counts.
        seen: To read a row and see what is needed before distances are taken; one process does it.
        moments: To read a row and add it to the moments of the space.
        ready: To read a row and make it ready to be compared.
    """

    pair: float
    verified: float
    seen: float
    moments: float
    ready: float


@dataclass(frozen=True)
class Forecast:
    """What an evaluation takes.

    Attributes:
        queries: Who asks.
        gallery: Who is searched.
        dim: Number of coordinates.
        workers: How many compute at once.
        pairs: Comparisons.
        blocks: Times that the whole gallery is read and made ready, for so many blocks of queries.
        bytes_read: By all workers together.
        bytes_per_worker: What each needs of the least memory.
        least_memory: What the budget must be, with labels and ids, and with verification.
        seconds: All in all, without verification.
        verification_seconds: What verification adds.
    """

    queries: int
    gallery: int
    dim: int
    workers: int
    pairs: int
    blocks: int
    bytes_read: int
    bytes_per_worker: int
    least_memory: int
    seconds: float
    verification_seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)


class Size(NamedTuple):
    """What a forecast is about.

    Attributes:
        queries: How many ask.
        gallery: How many are searched.
        dim: Number of coordinates.
        itemsize: Bytes of each as stored.
        positives: Items that are relevant to a query, on average.
        alone: Whether queries are searched among each other.
        most: Items that are relevant to a query, at most; by default no more than on average.
        standing: Bytes of labels and ids, which are held throughout.
        verified: Bytes a worker needs to count all pairs.
        own: Share of the queries that are items of the gallery too; none is compared with itself.
    """

    queries: int
    gallery: int
    dim: int
    itemsize: int = 4
    positives: float = 10.0
    alone: bool = False
    most: float = 0.0
    standing: int = 0
    verified: int = 0
    own: float = 0.0


def size_of(queries: Embeddings, gallery: Embeddings | None, sample: int | None) -> Size:
    """Return the size of an evaluation.

    Raises:
        ParameterError: The sample is no whole number above 0 (E308).
    """
    searched = queries if gallery is None else gallery
    asked = len(queries)
    if sample is not None:
        asked = min(asked, check(sample=sample).sample or asked)
    labels, positives, most = searched.labels, 10.0, 0.0
    if labels is not None:
        counts = np.bincount(labels.codes).astype(np.float64)
        positives, most = float((counts * counts).sum() / counts.sum()), float(counts.max())
    alone = gallery is None and asked == len(queries)
    standing = held(queries) + (0 if gallery is None else held(gallery))
    standing += 8 * (len(searched) + 3 * len(queries))  # who is of which class, and who is oneself
    itemsize, (verified, own) = searched.vectors.dtype.itemsize, _compared(queries, gallery, sample)
    return Size(asked, len(searched), searched.dim, itemsize, positives, alone, most, standing, verified, own)


def _compared(queries: Embeddings, gallery: Embeddings | None, sample: int | None) -> tuple[int, float]:
    """Return what a worker needs to count all pairs, and the share of queries that are items themselves.

    The first is 0 where labels do not say which pairs are genuine.
    """
    try:
        comparison = compare(queries, gallery, ignore=None, relevance=None)
    except (DataError, LabelError):  # a list of relevant items may take their place; if not, `measured` refuses
        return 0, float(gallery is None)
    one = Means("cpu", map, 1, 0, Pages())
    least = max((need.least for need in needs(comparison, check(sample=sample), one)), default=0)
    return least, float(np.mean(comparison.own_row >= 0))


def forecast(size: Size, rates: Rates, *, workers: int, memory: int, settings: Settings | None = None) -> Forecast:
    """Return what an evaluation of a set that does not fit into memory takes.

    Args:
        size: Of the sets.
        rates: Of one worker.
        workers: How many compute at once, each with ``memory`` bytes divided by their number.
        memory: The budget of all.
        settings: Of the evaluation; the usual ones by default.
    """
    settings = settings or Settings()
    sizes = (size.dim, size.gallery, size.queries)
    metrics = sum(name.metric.of_queries for name in settings.named())
    kernel = kernel_at_first(size.queries * size.gallery)
    costs = pass_costs(*sizes, settings, k=settings.kept_neighbors(), kernel=kernel, metrics=metrics)
    positive = costs.per_positive + costs.at_work_per_positive
    each = size.positives * positive + costs.at_work_per_query
    most = max(size.most, size.positives) * positive + costs.at_work_per_query
    kept = size.queries * costs.per_query
    least = int(size.standing + kept + workers * (costs.fixed + most))
    verified = size.standing + workers * size.verified
    moments = size.standing + require_room(size.dim, sys.maxsize)
    share = max(memory - least, workers * _USUAL * each) / workers
    block = max(1, min(MOST_QUERIES_UNHELD, size.queries, int(share / each)))
    blocks = -(-size.queries // block)
    verified_blocks = -(-size.queries // MOST_QUERIES)
    pairs = size.queries * size.gallery - round(size.queries * size.own)
    row = size.dim * size.itemsize
    rows = size.gallery * (rates.moments + blocks * rates.ready)
    seconds = size.gallery * rates.seen + (pairs * rates.pair + rows) / workers
    verification_seconds = (
        pairs * rates.verified / (2 if size.alone else 1) + verified_blocks * size.gallery * rates.ready
    ) / workers
    return Forecast(
        size.queries,
        size.gallery,
        size.dim,
        workers,
        pairs,
        blocks,
        bytes_read=(2 + blocks) * size.gallery * row,
        bytes_per_worker=int(max(costs.fixed + most, size.verified)),
        least_memory=max(least, verified, moments),
        seconds=seconds,
        verification_seconds=verification_seconds,
    )


def proposed(size: Size, rates: Rates, *, workers: int, memory: int) -> Forecast | None:
    """Return what a sample takes that is worth asking instead of all queries; ``None`` where all may be asked."""
    how: dict[str, Any] = {"workers": workers, "memory": memory}
    if forecast(size, rates, **how).seconds <= _LONG:
        return None
    possible = [forecast(size._replace(queries=n, alone=False), rates, **how) for n in SAMPLES if n < size.queries]
    patient = [found for found in possible if found.seconds <= _PATIENCE] or possible[:1]
    return patient[-1] if patient else None


def half_width(queries: int) -> float:
    """Return the half-width of a 95 % interval of a share of about one half, were queries independent."""
    return 1.96 * math.sqrt(0.25 / queries)


def with_gflops(rates: Rates, dim: int, gflops: float) -> Rates:
    """Return the rates of a core that compares at so many GFLOP/s."""
    faster = 2 * dim / (gflops * 1e9) / rates.pair
    return Rates(*(rate * faster for rate in rates))


def measured(queries: Embeddings, gallery: Embeddings | None, *, by_label: bool = True) -> Rates:
    """Return the rates of one core of this machine on rows of the sets themselves; it takes some seconds.

    Args:
        queries: Who asks.
        gallery: Who is searched; ``None`` for the queries themselves.
        by_label: Whether labels say what is relevant, on both sides if on one. Without any, and otherwise, time is
            told as if every query had one relevant item.

    Raises:
        DataError: Sets of different dimensions (E306), or of one item (E302).
        LabelError: Labels of one side only (E401), or labels that `compare` refuses (E403, E406).
    """
    searched = queries if gallery is None else gallery
    require_one_size(queries, searched)
    asked = np.linspace(0, len(queries) - 1, min(_ASKED, len(queries))).astype(np.int64)
    labelled = by_label and (queries.labels is not None or searched.labels is not None)
    comparison = _comparison(queries, searched, asked, labelled=labelled)
    distance = distance_for("euclidean", searched.vectors[:_SEARCHED], comparison.queries.vectors)
    first = _pass(comparison, rounded(distance, comparison, len(queries) * len(searched)))
    block = first.block(0, len(asked))
    second = PairPass(comparison, distance, Ruler(np.linspace(0, 1, 1000), np.zeros(1001, dtype=bool), 0, _NONE), "cpu")
    rows, some = (min(most, len(searched)) for most in (_SEARCHED, _VERIFIED))
    few = min(window(searched.dim), rows)
    with threadpool_limits(1, user_api="blas"):
        # At first everything seems near; what the second half takes is what the rest of a gallery takes.
        half = _seconds(lambda: first.count(block, 0, rows // 2))
        whole = _seconds(lambda: first.count(block, 0, rows))
        pair = max(whole - half, whole / 10) / (len(asked) * (rows - rows // 2))
        verified = _seconds(lambda: second(Order(0, len(asked), 0, some))) / (len(asked) * some)
        seen = _seconds(lambda: _see(searched.vectors[:few])) / few
        moments = _seconds(lambda: _moments(searched.vectors[:few])) / few
        ready = _seconds(lambda: first.shelf.frame.rows(searched.vectors[:few])) / few
    return Rates(pair, verified, seen, moments, ready)


def _comparison(queries: Embeddings, gallery: Embeddings, asked: Ints, *, labelled: bool) -> Comparison:
    if labelled:
        whole = compare(queries, None if gallery is queries else gallery, ignore=None, relevance=None)
        return whole.take(asked)
    some = queries.take(asked)  # whoever they look for stands where they stand: as good as a space can be
    rows = np.minimum(asked, len(gallery) - 1)
    one = Lists(np.arange(len(asked) + 1), rows)
    return Comparison(some, gallery, Graded(one, np.ones(len(asked))), np.full(len(asked), -1))


def _pass(comparison: Comparison, distance: Distance) -> Pass:
    """Return a pass whose frame is that of some rows: to see all of them would take too long here."""
    settings = Settings()
    engine = Pass(comparison, distance, np.array(settings.margins), _NONE, settings.kept_neighbors(), "cpu", hold=False)
    gallery = comparison.gallery.vectors
    frame = Frame.around(distance, comparison.queries.vectors, gallery[:_SEARCHED])
    engine.__dict__["shelf"] = Shelf.of(frame, gallery, hold=False)
    return engine


def _see(rows: AnyArray) -> None:
    Facts.of(rows)
    hashlib.sha256(np.ascontiguousarray(rows).view(np.uint8).data)


def _moments(rows: AnyArray) -> None:
    exponent = math.frexp(float(np.abs(rows.astype(np.float64)).max()))[1]
    for start in range(0, len(rows), ROWS):
        Vectors.of(rows[start : start + ROWS], exponent)


def _seconds(work: Callable[[], object]) -> float:
    """Return how long something takes a core, whatever else runs on it; the first time is left out."""
    work()
    times: list[float] = []
    begun = time.perf_counter()
    while not times or (time.perf_counter() - begun < _ENOUGH and len(times) < 50):
        started = time.thread_time()
        work()
        times.append(time.thread_time() - started)
    return min(times)
