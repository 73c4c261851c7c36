"""Which classes are found worst, and whether that can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

BY, SHRUNKEN = "map@r", "shrunken map@r"
_ROUNDING = 1e-9


def worst_first(table: pa.Table) -> pa.Table:
    """Return the classes that have a map@r, the lowest shrunken one first; without these, the lowest map@r."""
    import pyarrow.compute as pc

    by = SHRUNKEN if SHRUNKEN in table.column_names else BY
    order = [(by, "ascending"), (BY, "ascending"), ("label", "ascending")]
    return table.filter(pc.is_valid(table[BY])).sort_by(order)


def as_bad_as_the_worst(ordered: pa.Table) -> int:
    """Return how many classes, of some that are ordered by `worst_first`, cannot be told from the first."""
    import numpy as np

    level = np.ones(ordered.num_rows, dtype=bool)
    for name in {BY, SHRUNKEN} & set(ordered.column_names):
        values = ordered[name].to_numpy()
        level &= ~(np.abs(values - values[:1]) > _ROUNDING)  # no shrunken rate is as good as the other
    return int(level.sum())


def too_few_queries(table: pa.Table) -> bool:
    """Return whether the classes of a run have too few queries for any of them to have a shrunken rate."""
    return SHRUNKEN in table.column_names and table[SHRUNKEN].null_count == table.num_rows
