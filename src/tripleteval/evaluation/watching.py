"""The pass over all pairs done in passing, where the search among the others makes the same products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tripleteval.data.comparison import Comparison
from tripleteval.distance.formula import Distance
from tripleteval.engine.genuine import Genuine, bytes_listed, listed
from tripleteval.engine.pair_ruler import coarsely, fitted, most_edges, ruler_for
from tripleteval.engine.plan import most_mutual
from tripleteval.engine.run import Pass
from tripleteval.evaluation.settings import Settings
from tripleteval.evidence.pairs import Pairs, Ruler

if TYPE_CHECKING:
    from tripleteval.engine.onlookers import Onlookers


class Seen(NamedTuple):
    """What is known of all pairs before their pass.

    Attributes:
        genuine: The genuine ones; ``None`` where they are too many to be listed.
        ruler: Where their distances are told apart.
        pairs: The pairs, if they were counted in passing.
    """

    genuine: Genuine | None
    ruler: Ruler
    pairs: Pairs | None = None


def first_look(comparison: Comparison, distance: Distance, fars: Sequence[float], kernel: str) -> Seen:
    """Return the genuine pairs of a comparison, and the ruler for all others."""
    genuine = listed(comparison, distance)
    return Seen(genuine, ruler_for(comparison, distance, genuine, fars, kernel))


def fars_of(settings: Settings) -> list[float]:
    """Return the false accept rates whose thresholds are asked for, as often as they are."""
    return [name.value for name in settings.named() if name.metric.of_pairs and name.metric.parameter == "far"]


def may_watch(engine: Pass, settings: Settings) -> bool:
    """Return whether all pairs are asked for, and are so many that seeing them in passing pays."""
    asked = any(name.metric.of == "pairs" for name in settings.named())
    return asked and coarsely(engine.comparison, engine.distance)


def bytes_to_watch(engine: Pass, settings: Settings) -> int:
    """Return what it takes on top, for each worker."""
    from tripleteval.engine.onlookers import bytes_of  # numba takes a second to import

    comparison = engine.comparison
    edges = most_edges(comparison, settings.fars)
    dim = comparison.queries.dim
    watch = bytes_of(edges, engine.width, most_mutual(dim), dim)
    return bytes_listed(comparison) + watch


def watching(engine: Pass, settings: Settings) -> tuple[Seen, Onlookers | None]:
    """Return what is known of all pairs, and who counts them in passing; nobody where a pass of its own is faster."""
    from tripleteval.engine.onlookers import onlookers

    seen = first_look(engine.comparison, engine.distance, fars_of(settings), engine.kernel)
    distance = fitted(engine.distance, seen.ruler.grid, engine.comparison)
    engine.ready()
    shelf = engine.shelf
    return seen, onlookers(seen.ruler, distance, shelf.frame, shelf.rows(0, len(engine.comparison.queries)))
