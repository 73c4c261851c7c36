"""``squared`` of single pairs, compiled: quickly to within a bound, or with the bits of the reference.

The quick functions are written out again, because numba finds compiled code by where a function stands, not by flags.
"""

from __future__ import annotations

from tripleteval.arrays import Floats, Ints
from tripleteval.engine.compiled import inner, quick


@inner
def in_given_order(rows: Floats, r: int, columns: Floats, c: int) -> float:
    """Return ``squared`` with the bits of the reference."""
    total = 0.0
    for k in range(rows.shape[1]):
        difference = rows[r, k] - columns[c, k]
        total += difference * difference
    return total


@inner
def four_in_given_order(
    rows: Floats, columns: Floats, r: tuple[int, int, int, int], c: tuple[int, int, int, int]
) -> tuple[float, float, float, float]:
    """Return the same for four pairs, side by side: no sum waits for its own last addition only."""
    (r_one, r_two, r_three, r_four), (c_one, c_two, c_three, c_four) = r, c
    one = two = three = four = 0.0
    for k in range(rows.shape[1]):
        of_one, of_two = rows[r_one, k] - columns[c_one, k], rows[r_two, k] - columns[c_two, k]
        of_three, of_four = rows[r_three, k] - columns[c_three, k], rows[r_four, k] - columns[c_four, k]
        one += of_one * of_one
        two += of_two * of_two
        three += of_three * of_three
        four += of_four * of_four
    return one, two, three, four


@inner
def all_in_given_order(rows: Floats, r: Ints, columns: Floats, c: Ints, squared: Floats) -> None:
    """Fill in ``squared`` of pairs ``r[i]``, ``c[i]``, four at a time."""
    whole = len(r) - len(r) % 4
    for i in range(0, whole, 4):
        of_rows, of_columns = (r[i], r[i + 1], r[i + 2], r[i + 3]), (c[i], c[i + 1], c[i + 2], c[i + 3])
        found = four_in_given_order(rows, columns, of_rows, of_columns)
        squared[i], squared[i + 1], squared[i + 2], squared[i + 3] = found
    for i in range(whole, len(r)):
        squared[i] = in_given_order(rows, r[i], columns, c[i])


@quick
def in_any_order(rows: Floats, r: int, columns: Floats, c: int) -> float:
    """Return ``squared`` to within (dim + 4) · 2**-53 of itself, as fast as the processor likes."""
    total = 0.0
    for k in range(rows.shape[1]):
        difference = rows[r, k] - columns[c, k]
        total += difference * difference
    return total


@quick
def four_in_any_order(
    rows: Floats, r: int, columns: Floats, a: int, b: int, c: int, d: int
) -> tuple[float, float, float, float]:
    """Return the same for one row and four columns, which reads the row once."""
    of_a = of_b = of_c = of_d = 0.0
    for k in range(rows.shape[1]):
        x = rows[r, k]
        to_a, to_b, to_c, to_d = x - columns[a, k], x - columns[b, k], x - columns[c, k], x - columns[d, k]
        of_a += to_a * to_a
        of_b += to_b * to_b
        of_c += to_c * to_c
        of_d += to_d * to_d
    return of_a, of_b, of_c, of_d
