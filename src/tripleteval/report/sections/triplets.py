"""Where the triplets stand at each margin, and how many would be satisfied at others."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Chart, Rule, Section, Table, columns
from tripleteval.report.families import Entry, metric_table, triplets, usual_average
from tripleteval.report.sections import section
from tripleteval.report.wording import interval, number, plain, whole

# Column heads by family. Easy and satisfied are one count and share a column.
_OF_TRIPLETS = {
    "triplet_satisfied": "satisfied",
    "semi_hard": "semi-hard",
    "hard": "hard",
    "at_margin": "at margin",
    "triplet_loss": "loss",
    "triplet_loss_nonzero": "loss where > 0",
}
_OF_ANCHORS = {"batch_hard": "batch-hard", "batch_hard_loss": "batch-hard loss"}
_STATES = {"satisfied": "triplet_satisfied", "semi-hard": "semi_hard", "hard": "hard"}
_MOST_POINTS = 11

ByMargin = dict[str, dict[str, Entry]]


@section("triplets", place=30)
def standing(evaluation: Evaluation) -> Section | None:
    """List per margin what share of the triplets is satisfied, in order but too close, or out of order."""
    found = triplets(evaluation)
    if not found:
        return None
    by_margin: ByMargin = {}
    rest: dict[str, Entry] = {}
    for spelling, entry in found.items():
        family, _, margin = spelling.partition("@margin=")
        if family in _OF_TRIPLETS or family in _OF_ANCHORS:
            by_margin.setdefault(margin, {})[family] = entry
        elif family != "easy":
            rest[spelling] = entry
    tables = [metric_table(rest, "triplets")] if rest else []
    tables += [t for heads in (_OF_TRIPLETS, _OF_ANCHORS) if (t := _margins(by_margin, heads)).rows]
    tables += _curve(evaluation)
    charts = [*_composition(by_margin), *_curve_chart(evaluation)]
    return Section("Triplets", _text(evaluation, found), tables, charts=charts)


def _text(evaluation: Evaluation, found: dict[str, Entry]) -> str:
    of_triplets = {name: entry for name, entry in found.items() if not name.startswith("batch_hard")}
    reasons = sorted({str(entry.get("reason")) for entry in found.values() if entry["value"] is None})
    undefined = [f"– is undefined: {reason}." for reason in reasons]
    count = max((entry["n"] for entry in of_triplets.values()), default=None)
    if count == 0:
        return " ".join(["There is none: each takes an anchor, a positive and a negative.", *undefined])
    average = usual_average(of_triplets or found, f"{whole(count)} triplets")
    said = [f"Shares and losses {average}. Margins are in units of the {evaluation.settings.get('distance')} distance."]
    if any(name.startswith("semi_hard@") for name in found):
        said.append(
            "Satisfied (easy): d(a,p) + margin < d(a,n); semi-hard: in order, but inside the margin; "
            "hard: the negative is as near as the positive, or nearer."
        )
    if any(name.startswith("batch_hard") for name in found):
        said.append("Batch-hard: each anchor's farthest positive against its nearest negative, mean over anchors.")
    points = len(evaluation.margin_curve.get("margins", []))
    if points > _MOST_POINTS:
        said.append(f"The last table shows {_MOST_POINTS} of {points} margins of the curve.")
    return " ".join([*said, *undefined])


def _margins(by_margin: ByMargin, heads: dict[str, str]) -> Table:
    families = [family for family in heads if any(family in found for found in by_margin.values())]
    margins = sorted(by_margin.items(), key=lambda item: float(item[0]))
    shown = ["margin", *(heads[family] for family in families)]
    rows = [
        [margin, *(number(found[family]["value"]) if family in found else "" for family in families)]
        for margin, found in margins
    ]
    ends = [_interval(found.get(families[0], {})) for _, found in margins] if families else []
    if any(ends):  # of the first number only: one that people act on, and as many as fit into a line
        shown.insert(2, "interval")
        for row, end in zip(rows, ends, strict=True):
            row.insert(2, end)
    terms = {heads[family]: f"{family}@margin=0" for family in families}
    return Table(shown, rows if families else [], frozenset(shown), terms)


def _interval(entry: Entry) -> str:
    return interval(entry.get("low"), entry.get("high"), entry.get("value"))


def _curve(evaluation: Evaluation) -> list[Table]:
    curve = evaluation.margin_curve
    points = list(zip(curve.get("margins", []), curve.get("satisfied", []), strict=False))
    if not points:
        return []
    most = min(len(points), _MOST_POINTS)
    shown = [points[round(i * (len(points) - 1) / max(most - 1, 1))] for i in range(most)]
    rows = [[plain(margin), number(share)] for margin, share in shown]
    return [Table(["margin", "satisfied"], rows, frozenset({"margin", "satisfied"}))]


def _composition(by_margin: ByMargin) -> list[Chart]:
    """Return, per margin, what share of the triplets is in which state: what is left to learn from."""
    rows = [
        (margin, state, found[family]["value"])
        for margin, found in sorted(by_margin.items(), key=lambda item: float(item[0]))
        for state, family in _STATES.items()
        if family in found and found[family]["value"] is not None
    ]
    if not rows:
        return []
    bars = columns(("margin", "state", "share of triplets"), rows)
    text = "Share of triplets per margin: satisfied, semi-hard (in order, but inside the margin) and hard."
    return [
        Chart(
            "What is left to learn",
            text,
            bars,
            x="share of triplets",
            y="margin",
            mark="stack",
            color="state",
            limits=(0.0, 1.0),
        )
    ]


def _curve_chart(evaluation: Evaluation) -> list[Chart]:
    curve = evaluation.margin_curve
    if len(curve.get("margins", [])) < 2:
        return []
    line = {"margin": curve["margins"], "share satisfied": curve["satisfied"]}
    rules = [Rule(float(at), f"margin {plain(at)}") for at in evaluation.settings.get("margins", [])]
    text = "Share of triplets with d(a,p) + margin < d(a,n), against the margin; the margins of the run are marked."
    return [
        Chart("Margin curve", text, line, x="margin", y="share satisfied", mark="line", limits=(0.0, 1.0), rules=rules)
    ]
