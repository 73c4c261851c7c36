"""Brute force, straight from the definitions: plain Python, no shortcut shared with the package."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

Ranking = Sequence[int]  # relevance of the item at each rank


def distance(a: Sequence[float], b: Sequence[float], name: str = "euclidean") -> float:
    """Return one distance by its formula."""
    if name == "cosine":
        norms = math.hypot(*a) * math.hypot(*b)
        return 1 - sum(x * y for x, y in zip(a, b, strict=True)) / norms
    squared = sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    return math.sqrt(squared) if name == "euclidean" else squared


METRICS: dict[str, Callable[[Ranking, int], float]] = {
    "recall@k": lambda rel, k: sum(rel[:k]) / sum(rel),
    "capped_recall@k": lambda rel, k: sum(rel[:k]) / min(k, sum(rel)),
    "hit_rate@k": lambda rel, k: float(any(rel[:k])),
    "precision@k": lambda rel, k: sum(rel[:k]) / k,
    "map@k": lambda rel, k: _precisions(rel, k) / sum(rel),
    "capped_map@k": lambda rel, k: _precisions(rel, k) / min(k, sum(rel)),
    "found_map@k": lambda rel, k: _precisions(rel, k) / max(sum(rel[:k]), 1),
    "mrr@k": lambda rel, k: 1 / (rel.index(1) + 1) if 1 in rel[:k] else 0.0,
    "ndcg@k": lambda rel, k: _dcg(rel, k) / _dcg(sorted(rel, reverse=True), k),
    "ndcg_exp2@k": lambda rel, k: _dcg(rel, k) / _dcg(sorted(rel, reverse=True), k),
    "r_precision": lambda rel, _: sum(rel[: sum(rel)]) / sum(rel),
    "map@r": lambda rel, _: _precisions(rel, sum(rel)) / sum(rel),
    "map": lambda rel, _: _precisions(rel, len(rel)) / sum(rel),
    "mrr": lambda rel, _: 1 / (rel.index(1) + 1),
    "ndcg": lambda rel, _: _dcg(rel, len(rel)) / _dcg(sorted(rel, reverse=True), len(rel)),
    "minp": lambda rel, _: sum(rel) / (len(rel) - list(reversed(rel)).index(1)),
    "first_rank_mean": lambda rel, _: rel.index(1) + 1,
    "all_positives_first": lambda rel, _: float(all(rel[: sum(rel)])),
}


def orderings(distances: Sequence[float], relevant: Sequence[int]) -> Iterator[list[int]]:
    """Yield the relevance by rank under every order of the tied items, each equally likely."""
    items = sorted(zip(distances, relevant, strict=True))
    groups = [[r for _, r in group] for _, group in itertools.groupby(items, key=lambda item: item[0])]
    for parts in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [r for part in parts for r in part]


def by_index(distances: Sequence[float], relevant: Sequence[int]) -> list[int]:
    """Return the relevance by rank when ties go to the lower gallery row."""
    return [relevant[row] for row in sorted(range(len(distances)), key=lambda row: (distances[row], row))]


def expectation(metric: str, distances: Sequence[float], relevant: Sequence[int], k: int) -> float:
    """Return the mean of a metric over every order of the tied items."""
    values = [METRICS[metric](rel, k) for rel in orderings(distances, relevant)]
    return math.fsum(values) / len(values)


def triplets(
    points: Sequence[Sequence[float]], labels: Sequence[object], name: str
) -> Iterator[tuple[int, float, float]]:
    """Yield (anchor, d(a,p), d(a,n)) of every valid triplet: three nested loops."""
    for a, anchor in enumerate(points):
        for p, positive in enumerate(points):
            if p == a or labels[p] != labels[a]:
                continue
            for n, negative in enumerate(points):
                if labels[n] != labels[a]:
                    yield a, distance(anchor, positive, name), distance(anchor, negative, name)


def _precisions(rel: Ranking, limit: int) -> float:
    return math.fsum(sum(rel[: i + 1]) / (i + 1) for i in range(min(limit, len(rel))) if rel[i])


def _dcg(rel: Ranking, k: int) -> float:
    return math.fsum(r / math.log2(i + 2) for i, r in enumerate(rel[:k]))


def pair_distances(
    points: Sequence[Sequence[float]], labels: Sequence[object], name: str = "euclidean"
) -> tuple[list[float], list[float]]:
    """Return the distances of all genuine and of all impostor pairs, each unordered pair once."""
    genuine, impostor = [], []
    for a, b in itertools.combinations(range(len(points)), 2):
        (genuine if labels[a] == labels[b] else impostor).append(distance(points[a], points[b], name))
    return genuine, impostor
