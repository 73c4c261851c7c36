"""Triplets by three nested loops in float64: what losses and metrics on a batch must equal."""

import math

import numpy as np


def distance_of(x, y, distance):
    if distance == "cosine":
        lengths = math.sqrt(float(x @ x) * float(y @ y))
        return 1.0 if lengths == 0 else 1 - float(x @ y) / lengths
    squared = float((x - y) @ (x - y))
    return math.sqrt(squared) if distance == "euclidean" else squared


def triplets(labels, vectors, distance):
    """Return (anchor, positive, negative, d(a,p), d(a,n)) of every valid triplet."""
    vectors = np.asarray(vectors, np.float64)
    n = range(len(labels))
    d = [[distance_of(vectors[i], vectors[j], distance) for j in n] for i in n]
    return [
        (a, p, q, d[a][p], d[a][q])
        for a in n
        for p in n
        for q in n
        if a != p and labels[a] == labels[p] and labels[a] != labels[q]
    ]


def cost(d_ap, d_an, margin):
    return math.log1p(math.exp(d_ap - d_an)) if margin == "soft" else max(0.0, d_ap - d_an + margin)


def mean(values):
    return sum(values) / len(values) if values else 0.0


def all_loss(labels, vectors, distance, margin, nonzero):
    costs = [cost(dp, dn, margin) for *_, dp, dn in triplets(labels, vectors, distance)]
    return mean([c for c in costs if c > 0] if nonzero else costs)


def hard_loss(labels, vectors, distance, margin):
    found = triplets(labels, vectors, distance)
    per_anchor = []
    for anchor in sorted({a for a, *_ in found}):
        mine = [t for t in found if t[0] == anchor]
        per_anchor.append(cost(max(t[3] for t in mine), min(t[4] for t in mine), margin))
    return mean(per_anchor)


def semi_hard_loss(labels, vectors, distance, margin):
    found = triplets(labels, vectors, distance)
    per_pair = []
    for pair in sorted({t[:2] for t in found}):
        mine = [t for t in found if t[:2] == pair]
        beyond = [dn for *_, dp, dn in mine if dn > dp]
        per_pair.append(cost(mine[0][3], min(beyond) if beyond else max(t[4] for t in mine), margin))
    return mean(per_pair)
