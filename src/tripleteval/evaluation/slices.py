"""The headline numbers per value of a column: who is served worse, as far as that can be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, Bools, python_values
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels
from tripleteval.errors import LabelError, ParameterError, counted, nearest
from tripleteval.evaluation.intervals import with_intervals
from tripleteval.evaluation.sampling import HEADLINE
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.summary import Measured, summarise
from tripleteval.evaluation.tables import class_codes
from tripleteval.metrics import Column
from tripleteval.uncertainty.interval import FEWEST
from tripleteval.uncertainty.sums import Units

FEWEST_QUERIES = 10
MOST_VALUES = 100
_KEPT = ("value", "low", "high", "n")


def column_values(queries: Embeddings, name: str) -> list[str | None]:
    """Return (queries,) the value of a column as text, ``None`` where there is none.

    Raises:
        ParameterError: There is no such column, or it has too many different values to slice by (E101).
        LabelError: Text that is not UTF-8 (E403).
    """
    own = {"group": queries.groups, "label": queries.labels}
    roles = [noun for noun, column in own.items() if isinstance(column, Labels)]
    known = [*queries.meta, *roles]
    if name not in known:
        fix = nearest(name, known) if known else "give it as meta={...}, or read it from a file with columns"
        fix += f"; the column that was read as the {' or the '.join(roles)} is known by that word" if roles else ""
        raise ParameterError("E101", f"no column {name!r} to slice by in {queries.name}", fix=fix)
    codes = None if name in queries.meta else own[name]
    column = queries.meta[name] if codes is None else codes.values()
    try:
        values = python_values(column) if hasattr(column, "to_pylist") else list(column)
    except UnicodeDecodeError as error:
        found = f"column {name!r}, whose text is not UTF-8: {error.object!r}"
        raise LabelError("E403", found, where=queries.name, fix="write it as UTF-8") from error
    texts = [None if value is None or value != value else str(value) for value in values]  # noqa: PLR0124  # NaN
    if len(set(texts)) > MOST_VALUES:
        raise ParameterError(
            "E101",
            f"{len(set(texts)):,} different values in column {name!r}",
            where=queries.name,
            fix=f"slice by a column with at most {MOST_VALUES} values; put numbers into ranges first",
        )
    return texts


def slices(queries: Embeddings, measured: Sequence[Measured], units: Units, settings: Settings) -> list[dict[str, Any]]:
    """Return one entry per column and value: support, and every headline number with its interval.

    A slice with fewer than 5 units or 10 evaluated queries has no numbers, but a ``reason``.
    """
    chosen = [m for m in measured if m.named.spelling in HEADLINE or m.named.spelling.split("@")[0] in HEADLINE]
    found = []
    for name in settings.by:
        texts = column_values(queries, name)
        values = sorted(set(texts), key=lambda text: (text is None, text or ""))
        of_query = np.array([values.index(text) for text in texts])
        for place, value in enumerate(values):
            found.append(
                {"column": name, "value": value, **_slice(of_query == place, queries, chosen, units, settings)}
            )
    return found


def _slice(
    inside: Bools, queries: Embeddings, chosen: list[Measured], units: Units, settings: Settings
) -> dict[str, Any]:
    there = Units(units.codes[inside], units.noun)
    answered: AnyArray = np.zeros(int(inside.sum()), dtype=bool)
    for each in chosen:
        answered |= each.column.whole[inside] != 0
    count, evaluated = len(np.unique(there.codes[answered])), int(answered.sum())
    entry = {"queries": len(answered), "evaluated": evaluated, "units": count, "metrics": {}}
    if evaluated < FEWEST_QUERIES or count < FEWEST:
        what = f"{counted(evaluated, 'query')} of {counted(count, units.noun)}"
        return entry | {"reason": f"too small: {what}, where {FEWEST_QUERIES} of {FEWEST} are needed"}
    codes = class_codes(queries)
    codes = None if codes is None else codes[inside]
    part = [each._replace(column=_cut(each.column, inside), chance=None, ceiling=None) for each in chosen]
    entries = {each.named.spelling: summarise(each, codes, settings.average) for each in part}
    how = {"classes": codes, "confidence": settings.confidence, "seed": settings.seed}
    entries = with_intervals(entries, part, there, **how)
    return entry | {"metrics": {name: {key: e[key] for key in _KEPT} for name, e in entries.items()}}


def _cut(column: Column, inside: Bools) -> Column:
    return Column(column.part[inside], column.whole[inside])
