"""A whole tile counted by what float32 sees of it, where the steps of a sum are coarse (decision 014), compiled.

A pair that is sure of its step and in that of no edge lies on a known side of every edge: the steps of a line are
compared with each edge of its query, sixteen at a time. One in the step of an edge is told apart by its product. A
query with many edges has its pairs led to their places instead (`many_levels`). What that leaves open, and what was
listed before, is computed in float64, pair by pair.
"""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.compiled import entry, inner
from tripleteval.engine.frame import Marks, Numbers, Singles
from tripleteval.engine.listed_pairs import settle_pairs
from tripleteval.engine.many_levels import enter_listed
from tripleteval.engine.room import EIGHT, Answers, Room
from tripleteval.engine.sift import COLUMN, SHIFT, list_answers
from tripleteval.engine.sight import (
    NOWHERE,
    UNKNOWN,
    Seen,
    Sight,
    longest_of,
    look_first,
    off,
    off_in_steps,
    steps_seen,
)
from tripleteval.engine.whole import Unit

_MOST_COMPARED = 64  # levels of a query up to which every step is compared with each
REFUSED = -1  # instead of how many were computed


@entry
def count_seen(product: Singles, rows: Seen, columns: Seen, sight: Sight, unit: Unit, most: int, room: Room) -> int:
    """Count a tile into the bins of its queries, and offer it to their nearest.

    Args:
        product: (rows, columns and up to seven more) ``−2S``, +inf where there is no negative.
        rows: The rows, who ask.
        columns: The columns, who may.
        sight: What a product becomes.
        unit: Of steps.
        most: How many pairs may be computed before the first is counted.
        room: To work in.

    Returns:
        How many were computed in float64; `REFUSED` where they would be more, and nothing was counted.
    """
    height, width = product.shape
    listed, answers = room.listed, room.answers
    steps = room.coarse[: height * width].reshape(height, width)
    n = UNKNOWN
    for looked in range(2):
        n = steps_seen(product, rows, columns, sight, answers, steps, listed)
        if looked or n != UNKNOWN:
            break
        look_first(product, rows, columns, sight)
    if n == UNKNOWN or n > most:
        return REFUSED
    settle_pairs(listed[:n], rows, columns, unit, columns.asks, room)
    asked, searched, lines = rows, columns, steps
    for side in range(1 + columns.asks):
        if side:
            items, high = len(columns.norms), (height + EIGHT - 1) // EIGHT * EIGHT
            asked, searched, lines = columns, rows, room.turned_coarse[: items * high].reshape(items, high)
            _turn(steps, lines)
        again = _count_below(lines, product, side == 1, asked, searched, sight, unit, answers, listed)
        # For one side, that is; a literal False would be compiled once more.
        settle_pairs(listed[:again], asked, searched, unit, side > 1, room)
        n += again
    return n


@inner
def _turn(steps: Marks, turned: Marks) -> None:
    """Fill in the columns of ``steps`` as rows: eight at a time, which caches like; `NOWHERE` beyond the last."""
    rows, columns = len(steps), len(turned)
    whole = rows - rows % EIGHT
    for first in range(0, whole, EIGHT):
        for c in range(columns):
            for r in range(first, first + EIGHT):
                turned[c, r] = steps[r, c]
    for c in range(columns):
        for r in range(whole, turned.shape[1]):
            turned[c, r] = steps[r, c] if r < rows else NOWHERE


@inner
def _count_below(
    steps: Marks,
    product: Singles,
    turned: bool,
    asked: Seen,
    searched: Seen,
    sight: Sight,
    unit: Unit,
    answers: Answers,
    listed: Numbers,
) -> int:
    """Count the steps of a tile into the bins of its queries; list the pairs that may be on either side of an edge.

    Args:
        steps: (queries, items and up to seven more) int16.
        product: ``−2S``.
        turned: Whether its columns are the queries.
        asked: The queries.
        searched: The items.
        sight: What a product becomes.
        unit: Of steps.
        answers: Room for a line of them.
        listed: Filled in, ``query << SHIFT | item``, query by query.

    Returns:
        How many are listed.
    """
    book = asked.book
    levels, certain, width = book.levels, book.certain, steps.shape[1]
    same, eights, some = answers.single[:width], answers.eights[: width // EIGHT], answers.some
    in_edge, longest = np.empty(width, np.int16), longest_of(searched.norms)
    n = int(np.int64(0))  # of a literal 0 numba would compile versions of its own
    for q in range(len(steps)):
        line, first, stop = steps[q], levels.indptr[q] + 1, levels.indptr[q + 1] - 1
        last, least = levels.marks[stop - 1], np.int16(NOWHERE)
        for c in range(width):
            least = min(least, line[c])
        if least > last:
            continue
        if stop - first > _MOST_COMPARED:
            for c in range(width):
                same[c] = line[c] <= last
            end = list_answers(eights, q << SHIFT, listed, n, some)
            error = off_in_steps(asked.norms[q] + longest, sight)
            n = enter_listed(listed, n, end, q, line, product, turned, error, asked, searched, sight, unit)
            continue
        _compare(line, least, first, stop, levels.marks, certain, in_edge)
        for c in range(width):
            same[c] = in_edge[c]
        begin, end = n, list_answers(eights, q << SHIFT, listed, n, some)
        for i in range(begin, end):
            item = listed[i] & COLUMN
            norms = asked.norms[q] + searched.norms[item]
            squared = norms + (product[item, q] if turned else product[q, item])
            seen = squared * book.scale, off(norms, sight) * book.scale
            if not _placed(line[item], seen, first, stop, levels.marks, levels.edges, book.squared, certain):
                listed[n] = listed[i]
                n += 1
    return n


@inner
def _compare(line: Marks, least: np.int16, first: int, stop: int, marks: Marks, certain: Ints, in_edge: Marks) -> None:
    """Count the steps of a line into the bins of a query, those in the step of an edge beyond it; set which these are.

    Args:
        line: The steps.
        least: The smallest of them.
        first: The first level of the query.
        stop: The one above all edges.
        marks: See `levels.Levels`.
        certain: See `lines.Book`.
        in_edge: Filled in.
    """
    in_edge[:] = 0
    before = total = np.int64(0)
    for level in range(first, stop):
        if marks[level] < least:
            continue
        count, upto = _below(line, marks[level], in_edge)
        certain[level, 0] += count - before
        certain[level, 1] += upto - total
        before, total = count, upto


@inner
def _below(line: Marks, mark: np.int16, in_edge: Marks) -> tuple[np.int64, np.int64]:
    """Return how many steps of a line are below a mark, and their sum; set which are in it.

    Every sum is cut to the size it began with, or numba would widen it, and fewer would fit into a register.
    """
    count, short = np.int16(0), np.int32(0)
    for c in range(len(line)):
        count = np.int16(count + np.int16(line[c] < mark))
        in_edge[c] |= np.int16(line[c] == mark)
    for c in range(len(line)):
        short = np.int32(short + np.int32(max(np.int16(mark - line[c]), np.int16(0))))
    return np.int64(count), np.int64(count) * mark - short


@inner
def _placed(
    step: np.int16,
    seen: tuple[float, float],
    level: int,
    stop: int,
    marks: Marks,
    edges: Ints,
    edge_squared: Floats,
    certain: Ints,
) -> bool:
    """Put a pair that was counted as beyond the edges in its step into its bin; take it back if that is not certain.

    Args:
        step: Its step.
        seen: Its ``squared``, and how far off that may be.
        level: The first level of the query.
        stop: The one above all edges.
        marks: See `levels.Levels`.
        edges: See there.
        edge_squared: ``squared`` of the edges.
        certain: See `lines.Book`.

    Returns:
        Whether it is certain.
    """
    squared, error = seen
    while marks[level] < step:
        level += 1
    known = True
    while known and level < stop and marks[level] == step:
        if squared + error < edge_squared[edges[level]]:
            break
        known = squared - error > edge_squared[edges[level + 1] - 1]
        level += 1
    beyond = level
    while beyond < stop and marks[beyond] == step:
        beyond += 1
    if known and level == beyond:
        return True
    if beyond < stop:
        certain[beyond, 0] -= 1
        certain[beyond, 1] -= step
    if known:
        certain[level, 0] += 1
        certain[level, 1] += step
    return known
