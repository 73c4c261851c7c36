"""The second pass: every pair once, for what a threshold on the distance decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.comparison import Comparison, SharedClass
from tripleteval.distance.formula import Distance
from tripleteval.engine.genuine import bytes_listed
from tripleteval.engine.pair_ruler import CAPACITY, fitted, most_edges, narrowed
from tripleteval.engine.pairs import PairPass, bytes_for
from tripleteval.evaluation.intervals import NO_GROUPS, without_groups
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.pair_intervals import pseudo_values, readings, with_pair_intervals
from tripleteval.evaluation.pair_orders import merged, need_of
from tripleteval.evaluation.pair_slices import needs_of_slices, pair_slices
from tripleteval.evaluation.pair_units import sure_of
from tripleteval.evaluation.progress import COMPARING, FIRST_LOOK
from tripleteval.evaluation.sampling import with_most
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.standing import Need
from tripleteval.evaluation.tables import per_unit_table
from tripleteval.evaluation.watching import Seen, fars_of, first_look
from tripleteval.evidence.pairs import Pairs, Ruler
from tripleteval.metrics import Named, Scalar
from tripleteval.metrics.folds import Folded
from tripleteval.metrics.operating import (
    Moments,
    Operating,
    allowed,
    crossing,
    histogram,
    operating,
    thinned,
)
from tripleteval.metrics.transfer import Transferred
from tripleteval.uncertainty.interval import Interval

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = {
    "folds": "it takes given pairs in folds",
    "transfer": "it takes identities to calibrate on",
    "searches": "it takes probes and a gallery to identify them in",
}
# Of the impostor pairs, between two edges. Where sums are coarse, edges are a step apart wherever many pairs are; if so
# many lie in one, it matters where.
_DENSE = 1 / 16
NO_LABELS = "relevance is explicit: it does not say who is who"
Entries = dict[str, dict[str, Any]]


class Verification(NamedTuple):
    """What is said about pairs.

    Attributes:
        metrics: As `Evaluation.metrics`, one entry per number.
        curves: As `Evaluation.verification`.
        counts: For the accounting.
        by_unit: What each unit makes of each number (`per_unit_table`); ``None`` where items are units.
    """

    metrics: Entries
    curves: dict[str, Any]
    counts: dict[str, Any]
    by_unit: pa.Table | None = None


def measure_verification(
    comparison: Comparison,
    distance: Distance,
    settings: Settings,
    means: Means,
    judged: Transferred | None = None,
    seen: Seen | None = None,
) -> Verification:
    """Return the numbers of all pairs of a comparison; nothing where none was asked for.

    Args:
        comparison: Who is compared with whom.
        distance: How.
        settings: What is asked for.
        means: How passes are run.
        judged: Rates of thresholds that were chosen elsewhere.
        seen: What is known of all pairs already.
    """
    named = [name for name in settings.named() if name.metric.of_pairs]
    if not named:
        return Verification({}, {}, {})
    if not isinstance(comparison.rule, SharedClass):
        return described(_nothing(NO_LABELS), named)
    if not any(name.metric.of == "pairs" for name in named):
        return described(_nothing("not asked for"), named, judged=judged)
    if seen is None:
        means.stage(FIRST_LOOK)
        seen = first_look(comparison, distance, fars_of(settings), means.kernel)
    curve = all_pairs(comparison, distance, fars_of(settings), means, seen)
    found = described(curve, named, judged=judged)
    if settings.by and not curve.undefined:
        means.stage(COMPARING)
        slices = pair_slices(comparison, curve, distance, settings, means)
        found = found._replace(curves=found.curves | {"slices": slices})
    if curve.undefined:
        return found
    sure, grouped = sure_of(comparison, curve, distance, settings, seen.genuine, means)
    read = readings(curve, sure)
    metrics, by_unit = with_pair_intervals(found.metrics, named, sure, read), None
    if without_groups(comparison.gallery, settings.unit):  # items took their place, as if independent
        none = Interval(None, None, None, 0, NO_GROUPS).entry()
        metrics = {name: entry | (none if entry.get("interval") else {}) for name, entry in metrics.items()}
    if grouped is not None:
        by_unit = per_unit_table(grouped, pseudo_values(metrics, named, sure, read))
    return found._replace(metrics=metrics, by_unit=by_unit)


def described(
    curve: Operating, named: list[Named], folded: Folded | None = None, judged: Transferred | None = None
) -> Verification:
    """Return the entries of the named metrics, the curves to draw, and the counts."""
    evidence = {"pairs": curve, "folds": folded, "transfer": judged}
    return Verification(
        {name.spelling: entry(name, evidence.get(name.metric.of)) for name in named},
        {} if curve.undefined else {"roc": thinned(curve), "histogram": histogram(curve)},
        {} if curve.reason else {"genuine_pairs": curve.genuine_pairs, "impostor_pairs": curve.impostor_pairs},
    )


def all_pairs(comparison: Comparison, distance: Distance, fars: list[float], means: Means, seen: Seen) -> Operating:
    """Return what every threshold decides about all pairs of a comparison, some of which may be known already.

    Where there are too many genuine pairs to list, a second pass resolves the distances that matter, so that
    EER and TAR are exact. So does one where distances were rounded too coarsely for their spread.
    """
    ruler = seen.ruler
    plain, factor = distance, distance.factor
    distance = fitted(plain, ruler.grid, comparison)
    pairs = counted(comparison, distance, ruler, means, seen.pairs)
    curve = operating(pairs, distance.step, factor)
    finer = fitted(plain, ruler.grid, comparison, finely=True)
    if distance != finer and curve.densest() > _DENSE:
        distance = finer
        pairs = counted(comparison, distance, ruler, means)
        curve = operating(pairs, distance.step, factor)
    gaps = _worth_resolving(pairs, fars, curve)
    if not len(gaps):
        return curve
    resolved = counted(comparison, distance, narrowed(ruler, gaps), means)
    kept = ruler.kept.copy()
    kept[gaps] = not resolved.overflow
    pairs = replace(pairs, ruler=replace(ruler, kept=kept | (ruler.kept & (not pairs.overflow))))
    return operating(replace(pairs, overflow=False).keeping(pairs, resolved), distance.step, factor)


def counted(comparison: Comparison, distance: Distance, ruler: Ruler, means: Means, seen: Pairs | None = None) -> Pairs:
    """Return the pairs of a comparison, counted along a ruler in one pass unless they have been ``seen``."""
    if seen is None:
        means.stage(COMPARING)
    engine = PairPass(comparison, distance, ruler, means.kernel)
    most_kept = ruler.capacity if ruler.kept.any() else 0
    fixed = bytes_listed(comparison) + _counting(comparison, len(ruler.edges), most_kept)
    return merged(engine, Pairs.empty(ruler), comparison, means, fixed, seen)


def needs(comparison: Comparison, settings: Settings, means: Means) -> Iterator[Need]:
    """Yield the memory without which pairs could not be counted after the long pass."""
    if isinstance(comparison.rule, SharedClass) and any(name.metric.of == "pairs" for name in settings.named()):
        if settings.sample is not None:  # whoever is drawn, these have the most genuine pairs
            comparison = with_most(comparison, settings.sample)
        edges, listing = most_edges(comparison, settings.fars), bytes_listed(comparison)
        yield need_of(comparison, means, listing + _counting(comparison, edges, CAPACITY))
        yield from needs_of_slices(comparison, settings, means)


def _counting(comparison: Comparison, edges: int, kept: int) -> int:
    pairs = len(comparison.queries) * len(comparison.gallery)
    return 4 * 16 * (2 * edges + 1) + 48 * min(kept, pairs) + bytes_for(edges, pairs)


def _worth_resolving(pairs: Pairs, fars: list[float], curve: Operating) -> Ints:
    """Return the gaps of the ruler that hold both kinds of pairs where a FAR, or the EER, is decided."""
    _, impostor = curve.accepted()
    if curve.undefined or not len(curve.blurred()):
        return np.zeros(0, np.int64)
    cuts = [int(np.searchsorted(impostor, allowed(far, int(impostor[-1])), side="right")) - 1 for far in fars]
    cuts.append(crossing(curve) - 1)
    wanted = {cut // 2 for cut in cuts if cut % 2 == 0 and cut < len(curve.genuine)}
    gaps = np.array(sorted(wanted & set(curve.blurred().tolist())), dtype=np.int64)
    upper = np.append(curve.at, np.inf)[gaps]  # the same gap, in the ruler's own numbers
    return np.searchsorted(pairs.ruler.edges, upper)


def entry(name: Named, evidence: Any) -> dict[str, Any]:
    """Return what an evaluation holds about one number; undefined without evidence."""
    found = Scalar(None, 0, MISSING[name.metric.of]) if evidence is None else name.measure(evidence)
    said = {"value": found.value, "n": found.n, "better": name.metric.better, **found.details}
    if found.sd is not None:
        said["sd"] = found.sd
    if found.value is None:
        said["reason"] = found.reason
    return said


def _nothing(reason: str) -> Operating:
    bins, nothing = np.zeros(1, np.int64), Moments(None, None)
    return Operating(np.zeros(0), bins, bins, nothing, nothing, np.zeros(0), reason)
