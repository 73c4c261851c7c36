"""The map as a table that Embedding Atlas opens: ``embedding-atlas FILE --x x --y y --neighbors neighbors``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.labels import Labels
from tripleteval.data.material import Material
from tripleteval.report.findings.neighborhood import NOBODY, Neighborhood, among_each_other, neighborhood
from tripleteval.report.pictures import thumbnail
from tripleteval.report.projection import projected

if TYPE_CHECKING:
    import pyarrow as pa


def atlas(evaluation: Evaluation, material: Material) -> pa.Table:
    """Return one row per query.

    Returns:
        Columns ``row``, ``x``, ``y``, ``id``, ``label`` and ``text`` where known, ``nearest`` (``"right"`` or
        ``"wrong"``; null where a sample left it out), ``neighbors`` (``{"ids": rows, "distances": …}``, where queries
        were searched among each other) and ``image`` (WebP bytes, null where there is none), with pictures.
    """
    import pyarrow as pa

    queries = material.queries
    flat = projected(queries.vectors, material.projection, distance=evaluation.settings.get("distance", "euclidean"))
    columns: dict[str, Any] = {"row": np.arange(len(queries)), "x": flat[:, 0], "y": flat[:, 1]}
    for name, column in (("id", queries.ids), ("label", queries.labels)):
        if isinstance(column, Labels):
            columns[name] = pa.array([str(value) for value in column.values()])
    if material.text_column is not None:
        columns["text"] = pa.array([material.text("queries", row) for row in range(len(queries))])
    near = neighborhood(evaluation)
    if near is not None:
        columns["nearest"] = pa.array(nearest(near, len(queries)), pa.string())
        if among_each_other(evaluation):
            columns["neighbors"] = _neighbors(near, len(queries))
    if material.images is not None:
        pictures = [thumbnail(material, "queries", row) for row in range(len(queries))]
        columns["image"] = pa.array(pictures, pa.binary())
    return pa.table(columns)


def nearest(near: Neighborhood, of: int) -> list[str | None]:
    """Return, for each of ``of`` rows, ``"right"`` or ``"wrong"`` as its nearest item is; ``None`` where not asked."""
    said: list[str | None] = [None] * of
    for row, right in zip(near.queries.tolist(), near.relevant[:, 0].tolist(), strict=True):
        said[row] = "right" if right else "wrong"
    return said


def _neighbors(near: Neighborhood, of: int) -> Any:
    import pyarrow as pa

    kind = pa.struct([("ids", pa.list_(pa.int64())), ("distances", pa.list_(pa.float64()))])
    known: list[dict[str, list[Any]] | None] = [None] * of
    for row, rows, distances in zip(near.queries.tolist(), near.rows, near.distance, strict=True):
        there = rows != NOBODY
        known[row] = {"ids": rows[there].tolist(), "distances": distances[there].tolist()}
    return pa.array(known, kind)
