"""The space as a picture: which classes lie apart, and where the wrong answers are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.labels import Labels
from tripleteval.data.material import Material
from tripleteval.data.section import Chart, Section
from tripleteval.report.findings.neighborhood import neighborhood
from tripleteval.report.projection import SEED, explained, projected
from tripleteval.report.sections import section
from tripleteval.report.wording import label, percent, whole

_MOST_POINTS, _MOST_CLASSES = 3000, 10


@section("map", place=80, shows=True)
def on_a_plane(evaluation: Evaluation, material: Material) -> Section | None:
    """Draw the queries in two dimensions, by class and by whether their nearest item is right."""
    queries = material.queries
    rows = np.arange(len(queries))
    if len(rows) > _MOST_POINTS:
        rows = np.sort(np.random.default_rng(SEED).choice(len(rows), _MOST_POINTS, replace=False))
    vectors = queries.vectors[rows]
    flat = projected(vectors, material.projection, distance=evaluation.settings.get("distance", "euclidean"))
    names = [f"row {row}" for row in rows.tolist()]
    if queries.ids is not None:
        names = [label(value) for value in queries.ids.take(rows).values()]
    place: dict[str, Sequence[Any]] = {"x": flat[:, 0].tolist(), "y": flat[:, 1].tolist(), "query": names}
    charts = []
    if isinstance(queries.labels, Labels):
        groups = _groups([label(value) for value in queries.labels.take(rows).values()])
        charts.append(_chart("By class", "Queries by class.", {**place, "class": groups}, "class"))
    near = neighborhood(evaluation)
    if near is not None:
        right = near.relevant[rows, 0]
        nearest = np.where(right, "right", "wrong").tolist()
        top = np.argsort(~right, kind="stable").tolist()  # the few wrong ones are drawn over the many right ones
        text = "Queries by whether their nearest item is relevant."
        charts.append(_chart("By nearest item", text, _sorted({**place, "nearest": nearest}, top), "nearest"))
    how = "UMAP: distances between groups mean nothing"
    if material.projection == "pca":
        how = f"their two principal components, which keep {percent(explained(vectors, flat))} of the variance"
    some = f" {whole(len(rows))} of {whole(len(queries))} queries are drawn." if len(rows) < len(queries) else ""
    return Section("Map", f"The queries on a plane, by {how}.{some}", charts=charts) if charts else None


def _sorted(columns: Mapping[str, Sequence[Any]], order: list[int]) -> dict[str, list[Any]]:
    return {name: [values[row] for row in order] for name, values in columns.items()}


def _groups(names: list[str]) -> list[str]:
    """Return the most frequent classes by name, and all the rest as one."""
    often = {name for name, _ in Counter(names).most_common(_MOST_CLASSES)}
    rest = "all others" if "all others" not in often else "all the rest"
    return [name if name in often else rest for name in names]


def _chart(title: str, text: str, columns: Mapping[str, Sequence[Any]], color: str) -> Chart:
    return Chart(title, text, columns, x="x", y="y", mark="points", color=color, frame=False)
