"""Which threshold on the distance, and what it would let in and keep out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Chart, Section, Shade, Slider, columns
from tripleteval.errors import counted
from tripleteval.metrics.operating import RELIABLE
from tripleteval.report.families import Entry
from tripleteval.report.findings.threshold import recommended
from tripleteval.report.sections import section
from tripleteval.report.wording import number, percent, plain

_RATES = {"genuine": "tar", "impostor": "far"}


@section("thresholds", place=34, brief=False)
def thresholds(evaluation: Evaluation) -> Section | None:
    """Draw genuine and impostor distances with a threshold to move, and the rates that every threshold gives."""
    return told(evaluation.verification, evaluation.metrics)


def told(curves: dict[str, Any], metrics: dict[str, Entry]) -> Section | None:
    """Return what there is to say about pairs; ``None`` without their curves.

    Args:
        curves: ``histogram`` (``edges``, ``genuine`` and ``impostor`` pairs between them) and ``roc``
            (``threshold``, ``far`` and ``tar`` of each point).
        metrics: As `Evaluation.metrics`; the ``tar@far`` of them name a threshold to start from.
    """
    histogram, roc = curves.get("histogram", {}), curves.get("roc", {})
    genuine, impostor = (sum(histogram.get(kind, [])) for kind in ("genuine", "impostor"))
    if not genuine or not impostor:
        return None
    chosen = recommended(metrics)
    kinds = counted(genuine, "genuine pair"), counted(impostor, "impostor pair")
    text = f"{kinds[0]} (same label) and {kinds[1]} (different labels)."
    if chosen is not None:
        text += (
            f" Accepting pairs up to a distance of {number(chosen['threshold'])} accepts {percent(chosen['value'])} of "
            f"the genuine ones and {percent(chosen['achieved_far'])} of the impostors: {_origin(chosen)}"
        )
    charts = [_distances(histogram, roc, chosen), _roc(roc, impostor), _det(roc, impostor)]
    return Section("Which threshold?", text, charts=[chart for chart in charts if chart is not None])


def _origin(chosen: Entry) -> str:
    if chosen["calibrated"]:
        return f"it was chosen on other identities, for a FAR of {plain(chosen['target_far'])}, and is judged on these."
    return (
        "the lowest rate asked for that so many pairs can measure. Chosen and judged on the same pairs, it says "
        "nothing about other identities."
    )


def _distances(histogram: dict[str, Any], roc: dict[str, Any], chosen: Entry | None) -> Chart:
    edges: list[float] = histogram["edges"]
    rows: list[tuple[Any, ...]] = []
    for kind in ("impostor", "genuine"):
        counts: list[int] = histogram[kind]
        whole_kind = sum(counts)
        rows += [(low, high, n / whole_kind, kind, n) for (low, high), n in zip(pairwise(edges), counts, strict=True)]
    heads = ("distance", "to", "share of its kind", "kind", "pairs")
    text = (
        "How many genuine and impostor pairs lie at which distance, each in shares of its kind. The threshold moves; "
        "FAR is the share of impostors accepted, TAR that of genuine pairs."
    )
    return Chart(
        "Distances of pairs",
        text,
        columns(heads, rows),
        x="distance",
        x_stop="to",
        y="share of its kind",
        mark="steps",
        color="kind",
        slider=_slider(histogram, roc, chosen),
    )


def _slider(histogram: dict[str, Any], roc: dict[str, Any], chosen: Entry | None) -> Slider:
    """Return the edges to move along, and among them the threshold that the text names, where it starts."""
    edges: list[float] = histogram["edges"]
    start = edges[len(edges) // 2] if chosen is None else chosen["threshold"]
    places = sorted({*edges, start})
    far, tar = (_shares(histogram, roc, kind, places) for kind in ("impostor", "genuine"))
    known = dict(zip(places, zip(far, tar, strict=True), strict=True))
    # A threshold that was chosen on some of these identities is judged on the others, and the curve is of all.
    if chosen is not None and (not chosen["calibrated"] or chosen["n"] == sum(histogram["impostor"])):
        known[start] = (chosen["achieved_far"], chosen["value"])
    readings = {name: [percent(known[place][side]) for place in places] for side, name in enumerate(("FAR", "TAR"))}
    shown = {"distance": [*map(number, places)], **readings}
    return Slider("Accept at most a distance of", places, shown, start=places.index(start))


def _shares(histogram: dict[str, Any], roc: dict[str, Any], kind: str, places: list[float]) -> list[float]:
    """Return the share of a kind that lies up to each place, as far as edges and points of the ROC tell.

    The histogram counts what is nearer than an edge; a pair at the edge itself is known from a point of the ROC.
    """
    counts: list[int] = histogram[kind]
    rates = roc.get(_RATES[kind], [])
    points = [(t, rate) for t, rate in zip(roc.get("threshold", []), rates, strict=True) if t is not None]
    shares = [0.0, *(n / sum(counts) for n in accumulate(counts))]
    return [
        max(
            0.0,
            *(share for edge, share in zip(histogram["edges"], shares, strict=True) if edge <= place),
            *(rate for at, rate in points if at <= place),
        )
        for place in places
    ]


def _roc(roc: dict[str, Any], impostors: int) -> Chart | None:
    points = [(far, tar) for far, tar in _points(roc) if far > 0]
    text = "Share of genuine pairs accepted against the share of impostors accepted, the latter on a logarithmic axis."
    chart = _against_far("ROC", text, "TAR", points, impostors)
    return None if chart is None else replace(chart, limits=(0.0, 1.0))


def _det(roc: dict[str, Any], impostors: int) -> Chart | None:
    points = [(far, 1 - tar) for far, tar in _points(roc) if far > 0 and tar < 1]
    text = "Share of genuine pairs rejected against the share of impostors accepted, both on logarithmic axes."
    chart = _against_far("DET", text, "FRR", points, impostors)
    return None if chart is None else replace(chart, log=frozenset({"x", "y"}))


def _against_far(title: str, text: str, up: str, points: Sequence[tuple[float, float]], impostors: int) -> Chart | None:
    if len(points) < 2:
        return None
    shades, x_is = _unmeasured(impostors), frozenset({"x"})
    data = columns(("FAR", up), points)
    return Chart(title, f"{text} {_SHADED}", data, x="FAR", y=up, mark="line", log=x_is, shades=shades)


_SHADED = f"Shaded: fewer than {RELIABLE} false accepts, and to the left of that less than one; too few to trust."


def _unmeasured(impostors: int) -> list[Shade]:
    one = 1 / impostors
    few = min(1.0, RELIABLE * one)
    return [
        Shade(one / 3, one, "less than one false accept: cannot be measured"),
        Shade(one / 3, few, f"fewer than {RELIABLE} false accepts: unreliable"),
    ]


def _points(roc: dict[str, Any]) -> list[tuple[float, float]]:
    return list(zip(roc.get("far", []), roc.get("tar", []), strict=True))
