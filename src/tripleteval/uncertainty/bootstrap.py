"""The class bootstrap: whole units are drawn again, their queries keep their scores, the gallery stays.

The gallery is never rebuilt from the units that were drawn: a class drawn twice would put duplicates into it,
and a third of the distractors would be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.uncertainty.stream import Stream
from tripleteval.uncertainty.sums import Sums, integers

REPLICATES = 2000
_WEIGHTS_AT_ONCE = 2**20


def replicates(estimands: Sequence[Sums], seed: int, purpose: str, count: int = REPLICATES) -> list[Floats]:
    """Return the (count,) bootstrap values of each estimand.

    Estimands that rest on the same units are resampled together, with the same weights; so are those of two
    models, if they are given as one list, and their differences are then paired.

    Args:
        estimands: Each with at least one supported unit.
        seed: Of the resampling.
        purpose: What it is for; another purpose is an independent resampling.
        count: How many times the units are drawn.
    """
    alike: dict[bytes, list[int]] = {}
    for place, each in enumerate(estimands):
        alike.setdefault(each.supported.tobytes(), []).append(place)
    found: dict[int, Floats] = {}
    for places in alike.values():
        kept = estimands[places[0]].supported
        halves = [half[kept] for place in places for half in estimands[place][:2]]
        sums = _resampled(np.stack(halves, axis=1), seed, purpose, count)
        for column, place in enumerate(places):
            found[place] = sums[:, 2 * column] / sums[:, 2 * column + 1]
    return [found[place] for place in range(len(estimands))]


def weights(units: int, seed: int, purpose: str, count: int = REPLICATES) -> Iterator[Floats]:
    """Yield blocks of (replicates, units) float64: how often each unit was drawn in ``units`` draws."""
    stream = Stream(seed, purpose)
    step = max(1, _WEIGHTS_AT_ONCE // units)
    for start in range(0, count, step):
        rows = min(step, count - start)
        drawn = stream.below(units, rows) + np.arange(rows)[:, None] * units
        yield np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)


def _resampled(columns: Floats, seed: int, purpose: str, count: int) -> Floats:
    """Return (count, columns) the sums of every column over resampled units: exact, so that any BLAS agrees."""
    whole, scales = integers(columns, len(columns))
    sums = [drawn @ whole for drawn in weights(len(columns), seed, purpose, count)]
    return np.asarray(np.ldexp(np.concatenate(sums), -scales))
