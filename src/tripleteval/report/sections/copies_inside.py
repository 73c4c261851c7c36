"""Items that are more than once inside the queries or inside the gallery, where one is searched by the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.material import Material
from tripleteval.data.section import Section, Side
from tripleteval.errors import counted
from tripleteval.report.copies import CLOSE, cases, differing, groups, listed, table
from tripleteval.report.findings.inside import MOST_ITEMS, copies_inside
from tripleteval.report.sections import section
from tripleteval.report.wording import whole

if TYPE_CHECKING:
    import pyarrow as pa

_SIDES: tuple[tuple[Side, str, str], ...] = (
    ("queries", "the queries", "A query that is there twice counts twice."),
    ("gallery", "the gallery", "Copies in the gallery take several places of one list."),
)


@section("copies inside", place=75, shows=True)
def inside_each_side(evaluation: Evaluation, material: Material) -> Section | None:
    """List exact and near duplicates inside the queries and inside the gallery."""
    if material.gallery is None:
        return None
    said, tables, shown = [], [], []
    for side, name, meaning in _SIDES:
        found = copies_inside(material, side, evaluation.settings.get("distance", "euclidean"))
        if len(material.of(side)) > MOST_ITEMS:
            said.append(f"Inside {name} nobody looked: more than {whole(MOST_ITEMS)} items.")
        elif found is not None and found.num_rows:
            grouped = groups(found, inside=True)
            said.append(f"{_counted(found, name)} {meaning} {listed(grouped)}")
            tables.append(table(grouped, "item", "its copy"))
            shown += cases(grouped, side, side)
    if not said:
        return None
    return Section(
        "Duplicates inside one side", "\n".join(said), tables, level="warning" if tables else "plain", cases=shown
    )


def _counted(found: pa.Table, name: str) -> str:
    exact = found["kind"].to_pylist().count("exact")
    near = found.num_rows - exact
    counts = f"Inside {name}: {counted(exact, 'pair')} of exactly the same vector, {whole(near)} nearly ({CLOSE})."
    return " ".join(filter(None, [counts, differing(found)]))
