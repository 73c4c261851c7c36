"""The space as a picture: which classes lie apart, and where the wrong answers are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tripleteval.arrays import Bools
from tripleteval.data.evaluation import Evaluation
from tripleteval.data.labels import Labels
from tripleteval.data.material import Material
from tripleteval.data.section import Case, Chart, Section
from tripleteval.report.cases import cases
from tripleteval.report.findings.neighborhood import neighborhood
from tripleteval.report.projection import SEED, explained, projected
from tripleteval.report.sections import section
from tripleteval.report.vega_lite import REST
from tripleteval.report.wording import label, percent, whole

_MOST_POINTS, _MOST_CLASSES = 3000, 10


@section("map", place=80, shows=True)
def on_a_plane(evaluation: Evaluation, material: Material) -> Section | None:
    """Draw the queries in two dimensions, by class and by whether their nearest item is right."""
    queries = material.queries
    near = neighborhood(evaluation)
    asked = np.arange(len(queries)) if near is None else near.queries
    drawn = np.arange(len(asked))
    if len(drawn) > _MOST_POINTS:
        drawn = np.sort(np.random.default_rng(SEED).choice(len(drawn), _MOST_POINTS, replace=False))
    if near is not None:
        # The few wrong ones are drawn last, over the many right ones.
        drawn = drawn[np.argsort(~near.relevant[drawn, 0], kind="stable")]
    rows = asked[drawn]
    vectors = queries.vectors[rows]
    flat = projected(vectors, material.projection, distance=evaluation.settings.get("distance", "euclidean"))
    names = [f"row {row}" for row in rows.tolist()]
    if queries.ids is not None:
        names = [label(value) for value in queries.ids.take(rows).values()]
    place: dict[str, Sequence[Any]] = {"x": flat[:, 0].tolist(), "y": flat[:, 1].tolist(), "query": names}
    wrong = np.zeros(len(rows), dtype=bool) if near is None else ~near.relevant[drawn, 0]
    charts = []
    if isinstance(queries.labels, Labels):
        groups, text = _groups([label(value) for value in queries.labels.take(rows).values()], wrong)
        charts.append(_chart("By class", text, {**place, "class": groups}, "class"))
    points: list[Case] = []
    if near is not None:
        nearest = np.where(wrong, "wrong", "right").tolist()
        # Of one colour there is no legend.
        every = ": it is for all" if not wrong.any() else ": it is for none" if wrong.all() else ""
        text = f"Queries by whether their nearest item is relevant{every}."
        charts.append(_chart("By nearest item", text, {**place, "nearest": nearest}, "nearest"))
        points = cases(evaluation, rows.tolist(), [{}] * len(rows), nearest=1)
    how = "UMAP: distances between groups mean nothing"
    if material.projection == "pca":
        how = f"their two principal components, which keep {percent(explained(vectors, flat))} of the variance"
    some = f" {whole(len(rows))} of {whole(len(queries))} queries are drawn." if len(rows) < len(queries) else ""
    text = f"The queries on a plane, by {how}.{some}"
    charts = [replace(chart, brush=bool(points)) for chart in charts]
    return Section("Map", text, charts=charts, points=points) if charts else None


def _groups(labels: list[str], wrong: Bools) -> tuple[list[str], str]:
    """Return the classes by name, beyond ten only those with the most wrong nearest items; and that in words."""
    often = Counter(labels)
    if len(often) <= _MOST_CLASSES:
        return labels, "Queries by class."
    fail = Counter(name for name, is_wrong in zip(labels, wrong.tolist(), strict=True) if is_wrong)
    named = set(sorted(often, key=lambda name: (-fail[name], -often[name], name))[:_MOST_CLASSES])
    text = f"Queries by class: the {_MOST_CLASSES} with the most wrong nearest items, and all others."
    return [name if name in named else REST for name in labels], text


def _chart(title: str, text: str, columns: Mapping[str, Sequence[Any]], color: str) -> Chart:
    return Chart(title, text, columns, x="x", y="y", mark="points", color=color, frame=False)
