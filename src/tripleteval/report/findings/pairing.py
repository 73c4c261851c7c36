"""Which query of one run is which query of the other: by id, or by row where there are no ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.evaluation import Evaluation
from tripleteval.errors import ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

_QUERIES = {"query", "probe", "pair", "triplet"}  # what the first column of such a table is called
UNPAIRED = "or compare them unpaired: paired=False (--unpaired)"


def query_table(run: Evaluation, name: str) -> pa.Table:
    """Return the table of queries of a run; probes, given pairs and given triplets are queries.

    Raises:
        ParameterError: It has none (E101).
    """
    table = run.per_query
    if table is None or table.column_names[0] not in _QUERIES:
        found = f"{name} has no table of queries, without which nothing can be compared query by query"
        raise ParameterError(
            "E101", found, fix="compare runs that tripleteval evaluate, identify, pairs or triplets made"
        )
    return table.rename_columns(["query", *table.column_names[1:]])


def paired(first: pa.Table, second: pa.Table) -> tuple[Ints, str]:
    """Return the rows of ``second`` in the order of ``first``, and ``"id"`` or ``"row"``: what they are matched by.

    Raises:
        ParameterError: The queries are not the same (E512).
    """
    by_id = "id" in first.column_names and "id" in second.column_names
    column = "id" if by_id else "query"
    one, two = (table[column].to_pylist() for table in (first, second))
    _require_same(one, two, column)
    row_of = {key: row for row, key in enumerate(two)}
    rows = np.array([row_of[key] for key in one], dtype=np.int64)
    require_same_labels(first, second.take(rows), one, column)
    return rows, "id" if by_id else "row"


def _require_same(one: list[Any], two: list[Any], column: str) -> None:
    only = [set(one) - set(two), set(two) - set(one)]
    if not any(only):
        return
    what = "ids" if column == "id" else "rows"
    first = next(key for keys, other in ((one, only[0]), (two, only[1])) for key in keys if key in other)
    raise ParameterError(
        "E512",
        f"runs with different queries: {len(only[0]):,} {what} only in the first, {len(only[1]):,} only in the "
        f"second; for example {first!r}",
        fix=f"evaluate both on the same queries, {UNPAIRED}",
    )


def require_same_labels(first: pa.Table, second: pa.Table, keys: list[Any], column: str, what: str = "queries") -> None:
    """Refuse runs that disagree on the label of a query.

    Args:
        first: Queries of the first run.
        second: Queries of the second, row by row the same.
        keys: (queries,) what they are matched by.
        column: Its name.
        what: What a message calls them.

    Raises:
        ParameterError: They do (E512).
    """
    if "label" not in first.column_names or "label" not in second.column_names:
        return
    pairs = zip(first["label"].to_pylist(), second["label"].to_pylist(), strict=True)
    differing = [row for row, (one, two) in enumerate(pairs) if str(one) != str(two)]
    if differing:
        labels = [table["label"][differing[0]].as_py() for table in (first, second)]
        raise ParameterError(
            "E512",
            f"runs with different {what}: {len(differing):,} have another label in the second, for example "
            f"{'id' if column == 'id' else 'row'} {keys[differing[0]]!r} with {labels[0]!r} and {labels[1]!r}",
            fix=f"evaluate both on the same {what}, {UNPAIRED}",
        )
