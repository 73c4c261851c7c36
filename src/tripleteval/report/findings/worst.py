"""Which classes are found worst, and whether that can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

BY, SHRUNKEN = "map@r", "shrunken map@r"


def worst_first(table: pa.Table) -> pa.Table:
    """Return the classes that have a map@r, the lowest shrunken one first; without these, the lowest map@r."""
    import pyarrow.compute as pc

    by = SHRUNKEN if SHRUNKEN in table.column_names else BY
    order = [(by, "ascending"), (BY, "ascending"), ("label", "ascending")]
    return table.filter(pc.is_valid(table[BY])).sort_by(order)


def too_few_queries(table: pa.Table) -> bool:
    """Return whether the classes of a run have too few queries for any of them to have a shrunken rate."""
    return SHRUNKEN in table.column_names and table[SHRUNKEN].null_count == table.num_rows
