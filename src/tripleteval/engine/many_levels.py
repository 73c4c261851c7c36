"""A line of a tile and a query with many levels, compiled: each pair led to its place by a table (decision 015).

To compare every step with every level, as `coarse_tile` does, takes as long as there are levels; a look-up does not.
A pair lies between two levels, and where its product may not be off by as much as it is from either, it is certain.
"""

from __future__ import annotations

import numpy as np

from tripleteval.engine.compiled import inner
from tripleteval.engine.frame import Marks, Numbers, Singles
from tripleteval.engine.levels import cell_of
from tripleteval.engine.sift import COLUMN
from tripleteval.engine.sight import ROUNDED, Seen, Sight
from tripleteval.engine.whole import Unit

_INDEX = np.uintp  # see `lines`


@inner
def enter_listed(
    listed: Numbers,
    begin: int,
    end: int,
    q: int,
    line: Marks,
    product: Singles,
    turned: bool,
    error: np.float32,
    asked: Seen,
    searched: Seen,
    sight: Sight,
    unit: Unit,
) -> int:
    """Count listed pairs of one query into its bins; keep those listed that are not certain.

    Args:
        listed: ``query << SHIFT | item``.
        begin: The first of the pairs.
        end: Where they end.
        q: The query.
        line: The steps of all items.
        product: ``−2S``.
        turned: Whether its columns are the queries.
        error: How far off the square of a length may be, in steps of a sum.
        asked: The queries.
        searched: The items.
        sight: What a product becomes.
        unit: Of steps.

    Returns:
        Where the pairs end that are kept.
    """
    levels, certain, norms = asked.book.levels, asked.book.certain, searched.norms
    steps, before, low, shift = levels.steps, levels.before, levels.low[q], levels.shift[q]
    first, table, top = _INDEX(levels.indptr[q]), _INDEX(levels.cells[q]), levels.cells[q + 1] - levels.cells[q] - 1
    rooted, per_length, norm = sight.rooted, np.float32(sight.per_length), np.float32(asked.norms[q])
    fine, fine_step = np.float32(1 << unit.dropped), np.float32(1.0 / (1 << unit.dropped))
    one, kept = _INDEX(1), _INDEX(begin)
    for i in range(_INDEX(begin), _INDEX(end)):
        item = _INDEX(listed[i] & COLUMN)
        seen = product[item, q] if turned else product[q, item]
        squared = max(np.float32(0.0), seen + (norm + np.float32(norms[item])))
        length = (np.sqrt(squared) if rooted else squared) * per_length
        step = np.int64(length * fine)
        place = first + _INDEX(before[table + _INDEX(cell_of(int(step), low, shift, top))])
        place += _INDEX(steps[place] < step)
        while steps[place] < step:  # seldom
            place += one
        above, below = np.float32(steps[place]) * fine_step, np.float32(steps[place - one]) * fine_step
        rounded = length * ROUNDED + fine_step  # the edges of a level are within half a fine step of it
        up, down = above - length - rounded, length - below - rounded
        if rooted:
            up, down = up * (above + length), down * (below + length)
        if (up > error) & (down > error):
            certain[place, 0] += 1
            certain[place, 1] += line[item]
        else:
            listed[kept] = listed[i]
            kept += one
    return int(np.int64(kept))  # as signed as what it was given
