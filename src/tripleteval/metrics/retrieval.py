"""How good is retrieval: the rank metrics, each an exact expectation over the order of tied items.

Notation of a query: V valid gallery items, R of them relevant; of a tie group: ``a`` items strictly
ahead of it, ``g`` items in it, ``r`` of those relevant, ``b`` relevant items strictly ahead of it.
All formulas are those of McSherry & Najork 2008, "Computing information retrieval performance measures
efficiently in the presence of tied scores"; without ties every group has g = 1 and they are the
textbook ones. A query without relevant items is undefined in all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np

from tripleteval.arrays import Floats, Ints, in_runs
from tripleteval.bounds import SHARE, Bounds
from tripleteval.metrics import Column, metric
from tripleteval.metrics.ties import (
    TieGroups,
    by_distinct,
    first_place,
    harmonic,
    mean_reciprocal_of_first,
    mean_reciprocal_of_last,
)

_LISTED = 2**16  # items whose places are listed one by one

_CACHED = 2**14  # queries whose classes are equally large have the same chance level


@metric("recall@k", of="groups", better="higher", pools=True, bounds=SHARE)
def recall(groups: TieGroups, k: int) -> Column:
    """Share of all relevant items that stand among the k nearest: hits@k / R.

    Range [0, min(k, R) / R]: it cannot reach 1 while k < R. Chance k / V.
    Not what metric-learning papers call "Recall@K"; that is `hit_rate@k`.

    Source:
        Information retrieval; `recall_k` of trec_eval.
    """
    return Column(_hits(groups, k), groups.positives)


@metric("capped_recall@k", of="groups", better="higher", bounds=SHARE)
def capped_recall(groups: TieGroups, k: int) -> Column:
    """Share of the relevant items that could stand among the k nearest: hits@k / min(k, R).

    Range [0, 1].

    Source:
        BEIR (Thakur et al. 2021), "capped recall"; OML calls it precision@k.
    """
    return Column(_hits(groups, k), np.minimum(k, groups.positives))


@metric("hit_rate@k", of="groups", better="higher", bounds=SHARE)
def hit_rate(groups: TieGroups, k: int) -> Column:
    """Whether at least one of the k nearest is relevant.

    Range [0, 1]. Chance 1 − C(V−R, k) / C(V, k). Depends strongly on the size of the gallery.
    Also called success@k, top-k accuracy, CMC rank-k, and "Recall@K" in metric-learning papers.

    Source:
        Jégou et al. 2011; Oh Song et al. 2016, section 5 ("Recall@K").
    """
    first = groups.first()
    size, relevant, places = groups.size[first], groups.relevant[first], groups.within(k)[first]
    return Column(groups.answered(1.0 - _nothing_drawn(size, relevant, places)), _answered(groups))


@metric("precision@k", of="groups", better="higher", bounds=SHARE)
def precision(groups: TieGroups, k: int) -> Column:
    """Share of the k nearest that is relevant: hits@k / k, with k in the denominator whatever V is.

    Range [0, min(k, R) / k]. Chance R / V.

    Source:
        Information retrieval; `P_k` of trec_eval.
    """
    return Column(_hits(groups, k), k * _answered(groups))


@metric("r_precision", of="groups", better="higher", bounds=SHARE)
def r_precision(groups: TieGroups) -> Column:
    """Precision among the R nearest, where R is the query's number of relevant items: hits@R / R.

    Range [0, 1]. Chance R / V.

    Source:
        TREC; Musgrave, Belongie & Lim 2020, section 3.2.
    """
    return Column(_hits(groups, groups.positives), groups.positives)


@metric("map@r", of="groups", better="higher", bounds=SHARE)
def map_at_r(groups: TieGroups) -> Column:
    """Average precision cut at R: (1/R) Σ over ranks i ≤ R of precision@i where item i is relevant.

    Range [0, r_precision]. The number to compare models by when classes are what counts.

    Source:
        Musgrave, Belongie & Lim 2020, "A Metric Learning Reality Check", section 3.2.
    """
    return Column(_precisions(groups, groups.positives), groups.positives)


@metric("map", of="groups", better="higher", bounds=SHARE)
def mean_average_precision(groups: TieGroups) -> Column:
    """Average precision over the full ranking: (1/R) Σ over all ranks i of precision@i where item i is relevant.

    Range [0, 1]. The sum is finite, not the trapezoid of the Oxford and Paris benchmarks.

    Source:
        `map` of trec_eval; Zheng et al. 2015 (Market-1501).
    """
    return Column(_precisions(groups, groups.valid), groups.positives)


@metric("map@k", of="groups", better="higher", default=False, bounds=SHARE)
def map_at_k(groups: TieGroups, k: int) -> Column:
    """Average precision cut at k, divided by all R relevant items (found or not).

    Range [0, min(k, R) / R].

    Source:
        `map_cut_k` of trec_eval; also ranx and metrax.
    """
    return Column(_precisions(groups, k), groups.positives)


@metric("capped_map@k", of="groups", better="higher", default=False, bounds=SHARE)
def capped_map_at_k(groups: TieGroups, k: int) -> Column:
    """Average precision cut at k, divided by min(k, R): 1 is always within reach.

    Range [0, 1].

    Source:
        `MAP@k` of sentence-transformers.
    """
    return Column(_precisions(groups, k), np.minimum(k, groups.positives))


@metric("found_map@k", of="groups", better="higher", default=False, bounds=SHARE)
def found_map_at_k(groups: TieGroups, k: int) -> Column:
    """Average precision cut at k, divided by the relevant items found among the k nearest; 0 without any.

    Range [0, 1]. It rewards finding fewer items; here only to compare with tools that report it.

    Source:
        `map@k` of OpenMetricLearning and torchmetrics.
    """
    reached = np.flatnonzero(groups.within(k))
    last = reached[np.diff(groups.query[reached], append=groups.queries) != 0]
    query, a = groups.query[last], groups.before[last]
    limit = np.zeros(groups.queries, np.int64)
    limit[query] = a
    ahead = _precisions(groups, limit)[query]
    drawn = (a, groups.size[last], groups.relevant[last], groups.found[last], groups.within(k)[last])
    value = np.zeros(groups.queries)
    value[query] = ahead * by_distinct(_one_over_found, *drawn[1:]) + by_distinct(_drawn_precisions, *drawn)
    return Column(value, _answered(groups))


@metric("mrr", of="groups", better="higher", bounds=SHARE)
def reciprocal_rank(groups: TieGroups) -> Column:
    """One over the rank of the first relevant item.

    Range (0, 1]. With ties, the expectation of 1/rank, which is not 1 over the expected rank.

    Source:
        Voorhees 1999, TREC-8 question answering.
    """
    return _reciprocal_rank(groups, math.inf)


@metric("mrr@k", of="groups", better="higher", default=False, bounds=SHARE)
def reciprocal_rank_at_k(groups: TieGroups, k: int) -> Column:
    """One over the rank of the first relevant item, 0 beyond rank k.

    Range [0, 1].

    Source:
        MS MARCO passage ranking (MRR@10).
    """
    return _reciprocal_rank(groups, k)


@metric("ndcg@k", of="groups", better="higher", bounds=SHARE)
def ndcg(groups: TieGroups, k: int) -> Column:
    """Discounted gain of the k nearest over the best possible: Σ gain_i / log2(i + 1), cut at k.

    Range [0, 1]. The ideal takes the gains of all relevant items, retrieved or not. Gain is the grade
    (1 without grades).

    Source:
        Järvelin & Kekäläinen 2002; ties as scikit-learn's `ndcg_score`.
    """
    return _ndcg(groups, k)


@metric("ndcg_exp2@k", of="groups", better="higher", default=False, bounds=SHARE)
def ndcg_exp2(groups: TieGroups, k: int) -> Column:
    """Discounted gain as `ndcg@k`, with gain 2**grade − 1, which stresses the highest grades.

    Range [0, 1]; equal to `ndcg@k` without grades.

    Source:
        Burges et al. 2005.
    """
    return _ndcg(groups, k, lambda grades: np.exp2(grades) - 1)


@metric("ndcg", of="groups", better="higher", default=False, bounds=SHARE)
def ndcg_of_all(groups: TieGroups) -> Column:
    """Discounted gain over the full ranking.

    Range [0, 1].

    Source:
        Järvelin & Kekäläinen 2002.
    """
    return _ndcg(groups, int(groups.valid.max(initial=1)))


@metric("minp", of="groups", better="higher", bounds=SHARE)
def inverse_negative_penalty(groups: TieGroups) -> Column:
    """R over the rank of the last relevant item: what it costs to find them all.

    Range (0, 1]; 1 exactly when every relevant item precedes every other. One wrong label ruins a query.

    Source:
        Ye et al. 2021, "Deep Learning for Person Re-identification: A Survey and Outlook" (mINP).
    """
    last = groups.last()
    a, g, r = groups.before[last], groups.size[last], groups.relevant[last]
    reciprocal = 1.0 / (a + g)
    tied = g > r
    reciprocal[tied] = by_distinct(_expected_reciprocal_of_last, a[tied], g[tied], r[tied])
    return Column(groups.answered(reciprocal) * groups.positives, _answered(groups))


@metric("first_rank_mean", of="groups", better="lower", bounds=Bounds(low=1.0))
def first_rank_mean(groups: TieGroups) -> Column:
    """Mean rank of the first relevant item.

    Range [1, V − R + 1], in ranks, lower is better. Not comparable between galleries of different size.

    Source:
        Cross-modal retrieval ("MnR").
    """
    first = groups.first()
    rank = groups.before[first] + (groups.size[first] + 1) / (groups.relevant[first] + 1)
    return Column(groups.answered(rank), _answered(groups))


@metric("first_rank_median", of="groups", better="lower", headline="median", bounds=Bounds(low=1.0))
def first_rank_median(groups: TieGroups) -> Column:
    """Median over queries of the (expected) rank of the first relevant item.

    Range [1, V − R + 1], in ranks, lower is better; the mean of the middle two for an even count.

    Source:
        Cross-modal retrieval ("MedR"), Karpathy & Fei-Fei 2015.
    """
    return first_rank_mean(groups)


@metric("all_positives_first", of="groups", better="higher", default=False, bounds=SHARE)
def all_positives_first(groups: TieGroups) -> Column:
    """Whether every relevant item precedes every other one: the share of perfect rankings.

    Range [0, 1]. Without ties it is 1 exactly where map, map@r and minp are.

    Source:
        Identity K4; equals `batch_hard@margin=0` without ties.
    """
    pure = groups.before == groups.found
    chance = by_distinct(lambda g, r: 1.0 / math.comb(g, r), groups.size, groups.relevant)
    probability = np.ones(groups.queries)
    np.multiply.at(probability, groups.query, np.where(pure, chance, 0.0))
    return Column(np.where(groups.positives > 0, probability, 0.0), _answered(groups))


def _answered(groups: TieGroups) -> Ints:
    return (groups.positives > 0).astype(np.int64)


def _hits(groups: TieGroups, limit: int | Ints) -> Floats:
    """Expected relevant items among the first ``limit``: Σ r · places / g."""
    some = groups.reached(limit)
    return groups.total(groups.relevant[some] * groups.within(limit, some) / groups.size[some], some)


def _precisions(groups: TieGroups, limit: int | Ints) -> Floats:
    """Expected Σ over ranks i ≤ limit of precision@i where item i is relevant.

    At place t of a group the expectation is (r/g) · (b + 1 + (t−1)(r−1)/(g−1)) / (a+t); summed over t,
    Σ 1/(a+t) is a harmonic difference H and Σ (t−1)/(a+t) is places − (a+1) H.
    """
    some = groups.reached(limit)
    a, g, r, b = (part[some] for part in (groups.before, groups.size, groups.relevant, groups.found))
    places = groups.within(limit, some)
    h = harmonic(a, places)
    among = (r - 1) / np.maximum(g - 1, 1)
    return groups.total(r / g * ((b + 1) * h + among * (places - (a + 1) * h)), some)


def _nothing_drawn(size: Ints, relevant: Ints, places: Ints) -> Floats:
    """P(no relevant item among ``places`` of ``size``) = C(g−r, m) / C(g, m), as a product of few factors."""
    few, many = np.minimum(relevant, places), np.maximum(relevant, places)
    probability = np.ones(len(size))
    for i in range(int(few.max(initial=0))):
        still = np.maximum(size - many - i, 0) / np.maximum(size - i, 1)
        probability *= np.where(i < few, still, 1.0)
    return probability


def _reciprocal_rank(groups: TieGroups, limit: float) -> Column:
    first = groups.first()
    a, g, r = groups.before[first], groups.size[first], groups.relevant[first]
    reciprocal = np.where(a + 1 <= limit, 1.0 / (a + 1), 0.0)
    tied = g > r
    expected = partial(_expected_reciprocal, limit)
    reciprocal[tied] = by_distinct(expected, a[tied], g[tied], r[tied])
    return Column(groups.answered(reciprocal), _answered(groups))


@lru_cache(maxsize=_CACHED)
def _expected_reciprocal(limit: float, a: int, g: int, r: int) -> float:
    if g > _LISTED and not a and g <= limit:
        return mean_reciprocal_of_first(g, r)
    probability = first_place(g, r, limit)
    rank = a + np.arange(1, len(probability) + 1)
    return math.fsum((probability / rank)[rank <= limit])


@lru_cache(maxsize=_CACHED)
def _expected_reciprocal_of_last(a: int, g: int, r: int) -> float:
    if g > _LISTED and not a and 2 * r <= g:
        return mean_reciprocal_of_last(g, r)
    probability = first_place(g, r)
    return math.fsum(probability / (a + g - np.arange(len(probability))))


def _one_over_found(g: int, r: int, b: int, m: int) -> float:
    """E[1 / (b + h)], where h relevant items are among the m drawn from the group; 0 counts for none at all."""
    return math.fsum(p / (b + h) for h, p in _drawn(g, r, m) if b + h)


def _drawn_precisions(a: int, g: int, r: int, b: int, m: int) -> float:
    """E[Σ of the precisions at the h drawn items / (b + h)]; given h, the m places are filled at random."""
    harmonic_m = math.fsum(1.0 / (a + t) for t in range(1, m + 1))

    def given(h: int) -> float:
        among = (h - 1) / max(m - 1, 1)
        return h / m * ((b + 1) * harmonic_m + among * (m - (a + 1) * harmonic_m))

    return math.fsum(p * given(h) / (b + h) for h, p in _drawn(g, r, m) if h)


def _drawn(g: int, r: int, m: int) -> list[tuple[int, float]]:
    """Return (h, P(h of the r relevant items are among m of g)), hypergeometric."""
    ways = math.comb(g, m)
    return [(h, math.comb(r, h) * math.comb(g - r, m - h) / ways) for h in range(max(0, m - g + r), min(r, m) + 1)]


def _ndcg(groups: TieGroups, k: int, gain: Callable[[Floats], Floats] = np.asarray) -> Column:
    discount = np.array([1.0 / math.log2(i + 1) for i in range(1, k + 1)])
    running = np.concatenate([[0.0], np.cumsum(discount)])
    some = groups.reached(k)
    before, relevant = groups.before[some], groups.relevant[some]
    of, nth = in_runs(relevant)
    each = gain(groups.gains[(np.cumsum(groups.relevant) - groups.relevant)[some][of] + nth])
    gains = np.bincount(of, weights=each, minlength=len(before))
    discounts = running[before + groups.within(k, some)] - running[before]
    gained = groups.total(gains / groups.size[some] * discounts, some)
    of, nth = in_runs(np.minimum(groups.positives, k))
    best = gain(groups.highest_gains()[(np.cumsum(groups.positives) - groups.positives)[of] + nth]) * discount[nth]
    return Column(gained, np.bincount(of, weights=best, minlength=groups.queries))
