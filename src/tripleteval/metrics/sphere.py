"""The two pulls on the unit sphere: positives together, everything apart."""

from __future__ import annotations

import math
from typing import NamedTuple

from tripleteval.arrays import Floats, Ints
from tripleteval.bounds import Bounds
from tripleteval.evidence.sphere import Sphere
from tripleteval.metrics import Column, Scalar, metric, quantity


class OnSphere(NamedTuple):
    """A `Sphere` with its sums as numbers: one entry per query."""

    crowding: Floats
    items: Ints
    pull: Floats
    positives: Ints


def on_sphere(sphere: Sphere) -> OnSphere:
    """Return the sums of a `Sphere` as numbers."""
    return OnSphere(sphere.crowding.values(), sphere.items, sphere.pull.values(), sphere.positives)


@metric("alignment", of="sphere", better="lower", headline="pooled", pools=True, default=False, bounds=Bounds(0.0, 4.0))
def alignment(sphere: OnSphere) -> Column:
    """Mean squared distance of positive pairs, as unit vectors.

    Range [0, 4].

    Source:
        Wang & Isola 2020, section 4, with the exponent 2.
    """
    return Column(sphere.pull, sphere.positives)


@quantity("uniformity", of="sphere", better="lower", default=False, bounds=Bounds(-8.0, 0.0))
def uniformity(sphere: OnSphere) -> Scalar:
    """Logarithm of the mean of exp(−2 d²) over all pairs of distinct items, as unit vectors.

    Range [−8, 0]: 0 where all directions coincide, near −4 on a filled sphere of many dimensions. Copies of an
    item raise it, and it does not see that dimensions are unused: read it with the effective rank. Pairs that
    ``ignore="group"`` removes are left out.

    Source:
        Wang & Isola 2020, section 4, with t = 2; Fang et al. 2024 on what it misses.
    """
    pairs = int(sphere.items.sum())
    if not pairs:
        return Scalar(None, 0, "no pair of items")
    return Scalar(math.log(math.fsum(sphere.crowding.tolist()) / pairs), pairs)
