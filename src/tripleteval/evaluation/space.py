"""What is said about the space as a whole: one number each, and the curves behind them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.data.comparison import Comparison
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.stored import StoredVectors
from tripleteval.distance.formula import Distance
from tripleteval.engine.centroids import centroids
from tripleteval.engine.gaps import gaps
from tripleteval.engine.moments import moments, require_room
from tripleteval.engine.occurrences import occurrences
from tripleteval.evaluation.clustering import clusters, scikit_learn
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.measure import Results
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.space_intervals import with_item_intervals
from tripleteval.evaluation.standing import Need
from tripleteval.evidence.vectors import BITS, Vectors
from tripleteval.metrics import SPACE_K, Named
from tripleteval.metrics.hubness import Hubs, Occurrences
from tripleteval.metrics.separation import Separation
from tripleteval.metrics.spectrum import DEAD, Spectrum, dims_for, spectrum

MOST_SINGULAR = 512
# What an eigenvalue solver or k-means gives differs between machines from about the tenth digit on; the other
# numbers, in the last one. So many significant digits are published, and are the same everywhere.
_DIGITS = {"spectrum": 6, "clusters": 6}
_OTHERWISE = 12


class Space(NamedTuple):
    """The whole space.

    Attributes:
        metrics: As `Evaluation.metrics`, one entry per number.
        facts: As `Evaluation.space`.
    """

    metrics: dict[str, dict[str, Any]]
    facts: dict[str, Any]


def needs(settings: Settings, gallery: Embeddings) -> Iterator[Need]:
    """Yield the memory without which the space could not be measured after the long pass."""
    yield Need(require_room(gallery.dim, sys.maxsize), f"the second moments of {gallery.dim:,} dimensions")
    if _clustered(settings) and isinstance(gallery.vectors, StoredVectors):
        yield Need(2 * gallery.vectors.nbytes, "k-means, which holds all vectors")


def require_possible(settings: Settings, gallery: Embeddings) -> None:
    """Refuse, before the long pass, what could not be measured after it, whatever the memory.

    Raises:
        MissingExtra: scikit-learn is not installed, and k-means is asked for (E103).
        ResourceError: k-means is asked for, and the vectors are on disk (E802).
    """
    if _clustered(settings):
        scikit_learn()
        if isinstance(gallery.vectors, StoredVectors):
            np.asarray(gallery.vectors)  # it refuses


def _clustered(settings: Settings) -> bool:
    return any(name.metric.of == "clusters" for name in settings.named())


def measure_space(
    comparison: Comparison,
    results: Results,
    settings: Settings,
    distance: Distance,
    means: Means,
) -> Space:
    """Return the numbers of the gallery as a space; the same bits for any map, number of workers and memory."""
    named = [name for name in settings.named() if name.metric.of_space]
    vectors = moments(comparison.gallery.vectors, mapping=means.mapping, workers=means.workers, memory=means.memory)
    seen = spectrum(vectors)
    ks = sorted({SPACE_K, *(name.value for name in named if name.metric.of == "hubs")})
    hubs = {k: occurrences(results.neighbors, k, comparison, distance) for k in ks}
    scores = [name.spelling for name in named if name.metric.of == "clusters"]
    made: dict[str, Callable[[], Any]] = {
        "vectors": lambda: vectors,
        "spectrum": lambda: seen,
        "hubs": lambda: hubs,
        "gaps": lambda: gaps(results.neighbors, comparison, distance),
        "spread": lambda: results.separation,
        "sphere": lambda: results.sphere,
        "clusters": lambda: clusters(comparison, distance, scores),
        "centroids": lambda: centroids(comparison, distance),
    }
    needed = {name.metric.of for name in named}
    evidence = {kind: make() for kind, make in made.items() if kind in needed}
    entries = {name.spelling: _entry(name, evidence[name.metric.of]) for name in named}
    entries = with_item_intervals(entries, named, hubs, comparison.gallery, settings)
    facts = _facts(vectors, seen, hubs)
    if results.separation is not None:
        facts["extremes"] = _extremes(results.separation)
    return Space(entries, facts)


def _entry(named: Named, evidence: Any) -> dict[str, Any]:
    metric = named.metric
    if evidence is None:
        return {"value": None, "n": 0, "better": metric.better, "reason": "an item has no single class"}
    found = named.measure(evidence)
    digits = _DIGITS.get(metric.of, _OTHERWISE)
    entry = {"value": _rounded(found.value, digits), "n": found.n, "better": metric.better}
    if found.sd is not None:
        entry["sd"] = _rounded(found.sd, digits)
    if found.value is None:
        entry["reason"] = found.reason
    return entry


def _facts(vectors: Vectors, seen: Spectrum, hubs: Hubs) -> dict[str, Any]:
    """Return the curves behind the numbers, for whoever draws them."""
    variances = seen.variances
    found: dict[str, Any] = {
        "vectors": vectors.count,
        "dim": len(vectors.total),
        "norms": {
            "shortest": _scaled(vectors.shortest, vectors.exponent),
            "longest": _scaled(vectors.longest, vectors.exponent),
            "sd": _scaled(_norm_sd(vectors), vectors.exponent),
            "zero": vectors.zeros,
        },
        "spectrum": {
            "singular_values": [_scaled(s, vectors.exponent, 6) for s in seen.singular[:MOST_SINGULAR].tolist()],
            "variance_shares": _shares(variances)[:MOST_SINGULAR],
            "dims_90": dims_for(variances, 0.9) if variances.any() else None,
            "dims_99": dims_for(variances, 0.99) if variances.any() else None,
            "dead_coordinates": int((seen.coordinates <= DEAD * seen.coordinates.max()).sum()),
        },
        "k_occurrence": _histogram(hubs[SPACE_K]) | {"k": SPACE_K},
    }
    return found


def _extremes(separation: Separation) -> dict[str, Any]:
    """Return the largest distance within a class and the smallest between two: one wrong label moves either."""
    farthest, nearest = separation.farthest_own.max(), separation.nearest_other.min()
    return {
        "farthest_within": float(farthest) if np.isfinite(farthest) else None,
        "nearest_between": float(nearest) if np.isfinite(nearest) else None,
    }


def _histogram(found: Occurrences) -> dict[str, Any]:
    """Return how many items are found never, at most once, 2, 4, 8 … times."""
    if found.reason:
        return {"times_upto": [], "items": []}
    most = max(1, math.ceil(found.times.max(initial=1.0)))
    edges = [0, *(2**power for power in range((most - 1).bit_length() + 1))]
    bins = np.searchsorted(np.array(edges, dtype=np.float64) * (1 + 1e-12), found.times)
    return {"times_upto": edges, "items": np.bincount(bins, minlength=len(edges)).tolist()}


def _norm_sd(vectors: Vectors) -> float:
    n = vectors.count
    variance = (n * vectors.squared_norms - vectors.norms**2) / (n * n)
    return math.sqrt(variance) / (1 << BITS)


def _shares(variances: Floats) -> list[float]:
    whole = math.fsum(variances.tolist())
    return [float(f"{v / whole:.6g}") for v in variances.tolist()] if whole else []


def _scaled(value: float, exponent: int, digits: int = _OTHERWISE) -> float | None:
    try:
        return _rounded(math.ldexp(value, exponent), digits)
    except OverflowError:
        return None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else float(f"{value:.{digits}g}")
