"""How many items per class should be enrolled?"""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.material import Material
from tripleteval.data.section import Chart, Section, Table, columns
from tripleteval.errors import counted
from tripleteval.report.findings.enrolment import REPEATS, enrolment
from tripleteval.report.sections import section
from tripleteval.report.wording import number, whole


@section("enrolment", place=26, shows=True)
def by_enrolment(evaluation: Evaluation, material: Material) -> Section | None:
    """Draw how often the own class is the nearest, against items enrolled per class; only where asked for."""
    found = enrolment(material, evaluation.settings.get("distance", "euclidean")) if material.enrolment else None
    if found is None:
        return None
    text = (
        f"Share of {counted(found.queries, 'query')} whose own class is the nearest of {whole(found.classes)}, when "
        f"each class enrols so many items at random ({REPEATS} draws). min: a class is as far as its nearest item; "
        "mean: as the mean of its items."
    )
    if any(low is not None for around in found.ends.values() for low, _ in around):
        text += " Intervals are of 95 %, with classes as units."
    if found.short:
        few = f"fewer than {found.sizes[-1]} items and"
        short = f"1 class has {few} enrols" if found.short == 1 else f"{whole(found.short)} classes have {few} enrol"
        text += f" {short} all there are."
    rows = [
        (size, fusion, rate, *ends)
        for fusion in found.rates
        for size, rate, ends in zip(found.sizes, found.rates[fusion], found.ends[fusion], strict=True)
    ]
    heads = ["items enrolled", "fusion", "rate", "low", "high"]
    cells = [[whole(row[0]), row[1], *map(number, row[2:])] for row in rows]
    chart = Chart(
        "Identification against items enrolled",
        "Share of queries whose own class is the nearest, against the number of items enrolled per class.",
        columns(heads, rows),
        x="items enrolled",
        y="rate",
        mark="line",
        color="fusion",
        low="low",
        high="high",
    )
    numeric = frozenset({"items enrolled", "rate", "low", "high"})
    return Section("Enrolment", text, [Table(heads, cells, numeric)], charts=[chart])
