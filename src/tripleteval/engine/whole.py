"""Distances in whole steps of a sum, compiled; and which of them an estimate is sure of.

Rounding keeps the order: of two distances in different steps, that in the lower one is the nearer. So an estimate that
is sure of its step is sure of its place against all that lies in other steps, and no error has to be carried further.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.distance.formula import Distance
from tripleteval.engine.compiled import entry, inner

# Added to a number below 2**51, it leaves the nearest whole one in the low bits: AVX2 cannot turn eight bytes of a
# float into an integer.
MAGIC = 1.5 * 2.0**52
MAGIC_BITS = int(np.float64(MAGIC).view(np.int64))
UNSURE = -1  # instead of a step
ENDLESS = 2**62  # the step of what is farther than any distance
HIDDEN = ENDLESS + 1  # that of what is no negative, farther still
_FARTHEST = 2.0**51  # steps
LAST_MARK = 2**15 - 2  # the last step of a sum that two bytes tell apart


class Unit(NamedTuple):
    """What a sum of distances is counted in.

    Attributes:
        rooted: Whether the distance is the root of ``squared``.
        scale: Steps per unit of distance.
        dropped: Bits by which the steps of a sum are wider.
    """

    rooted: bool
    scale: float
    dropped: int = 0

    @classmethod
    def of(cls, distance: Distance) -> Unit:
        """Return the unit of a distance."""
        return cls(distance.rooted, 1.0 / distance.fine_step, distance.dropped_bits)


class Bound(NamedTuple):
    """How far off an estimate of ``squared`` may be: ``relative · squared + least``."""

    relative: float
    least: float


@entry
def step_of(squared: float, unit: Unit) -> np.int64:
    """Return the step of an exact ``squared``, or of an edge, which may be endless."""
    length = (np.sqrt(squared) if unit.rooted else squared) * unit.scale
    return np.int64(np.rint(length)) if length < _FARTHEST else np.int64(ENDLESS)


@inner
def summed(step: int | np.int64, unit: Unit) -> np.int64:
    """Return the step of a sum that a step lies in."""
    return np.int64((step + ((1 << unit.dropped) >> 1)) >> unit.dropped)


@entry
def whole_steps(squared: Floats, bound: Bound, unit: Unit, steps: Ints, numbers: Floats) -> None:
    """Fill in the steps of estimates, `UNSURE` where the bound leaves a choice.

    Of a root ``l`` that is ``room`` away from the next step, the square may be off by ``room · (2 l − room)``.
    ``numbers`` is the memory of ``steps``: to make the view here takes a while to compile.
    """
    relative, least = bound.relative, bound.least * unit.scale * (unit.scale if unit.rooted else 1.0)
    for i in range(len(squared)):
        length = (np.sqrt(squared[i]) if unit.rooted else squared[i]) * unit.scale
        marked = length + MAGIC
        room = 0.5 - abs(length - (marked - MAGIC)) - length * 2.0**-51
        if unit.rooted:
            sure = room * (2 * length - room) > relative * length * length + least
        else:
            sure = room > relative * length + least
        numbers[i] = marked if sure else MAGIC + UNSURE
    for i in range(len(squared)):
        steps[i] -= MAGIC_BITS
