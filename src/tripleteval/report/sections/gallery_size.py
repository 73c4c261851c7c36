"""What would a smaller or a larger gallery do?"""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Chart, Section, Shade, Table, columns
from tripleteval.errors import counted
from tripleteval.report.findings.gallery_size import Sizes, gallery_sizes
from tripleteval.report.sections import section
from tripleteval.report.wording import number, whole


@section("gallery size", place=25, brief=False)
def by_size(evaluation: Evaluation) -> Section | None:
    """Draw hit rates against the number of distractors, what was not measured marked as such."""
    found = gallery_sizes(evaluation)
    if found is None:
        return None
    text = (
        "Hit rates depend on how many wrong items there are to choose from. Each point is the exact expectation over "
        "all galleries that keep every relevant item and a random choice of the others. "
        f"Beyond {whole(found.measured)} nothing was measured: there the last tenfold is continued in a straight line."
    )
    if any(end is not None for ends in found.low.values() for end in ends):
        text += " Intervals are of 95 %, with classes as units."
    if found.unknown:
        are = "is" if found.unknown == 1 else "are"
        text += f" {counted(found.unknown, 'query')} {are} left out: ties leave open how many wrong items are nearer."
    return Section("Size of the gallery", text, [_table(found)], charts=[_chart(found)])


def _table(found: Sizes) -> Table:
    picked = [0, *range(4, len(found.distractors), 4)]
    picked = sorted({*picked, found.distractors.index(found.measured), len(found.distractors) - 1})
    heads = ["distractors", *(f"hit_rate@{k}" for k in found.rates), "kind"]
    rows = [
        [
            whole(found.distractors[place]),
            *(number(rates[place]) for rates in found.rates.values()),
            "extrapolated" if found.distractors[place] > found.measured else "measured",
        ]
        for place in picked
    ]
    return Table(heads, rows, frozenset(heads[:-1]), {head: head for head in heads[1:-1]})


def _chart(found: Sizes) -> Chart:
    rows = [
        (
            size,
            f"hit_rate@{k}",
            "measured" if size <= found.measured else "extrapolated",
            rates[place],
            found.low[k][place] if found.low else None,
            found.high[k][place] if found.high else None,
        )
        for k, rates in found.rates.items()
        for place, size in enumerate(found.distractors)
    ]
    shade = Shade(float(found.measured), float(found.distractors[-1]), "extrapolated")
    lines = columns(("distractors", "metric", "kind", "hit rate", "low", "high"), rows)
    return Chart(
        "Hit rate against the number of distractors",
        f"Hit rates fall as distractors are added, from 1 to {found.measured:,}; beyond, an extrapolation is shaded.",
        lines,
        x="distractors",
        y="hit rate",
        mark="line",
        color="metric",
        low="low",
        high="high",
        log=frozenset({"x"}),
        shades=[shade],
        # A line that is level has no range of its own to draw.
        limits=(0.0, 1.0) if len({rate for rates in found.rates.values() for rate in rates}) == 1 else None,
    )
