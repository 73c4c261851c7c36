"""Is the space healthy: lengths, dimensions in use, hubs, and how far apart the classes are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.errors import counted
from tripleteval.metrics import SPACE_K
from tripleteval.report.sections import section
from tripleteval.report.wording import number, percent, whole

_READ_AS = {
    "effective_rank": "dimensions in use; 1 is a collapsed network",
    "rankme": "the same, as published for choosing models",
    "effective_rank_centred": "dimensions in use about the mean",
    "participation_ratio": "dimensions that share the variance",
    "intrinsic_dimension": "dimensions of the data close by",
    "intrinsic_dimension_linfit": "the same by a straight line",
    "anisotropy": "mean cosine of all pairs: 0 all round, 1 one direction",
    "norm_mean": "mean length of the vectors",
    "norm_cv": "spread of the lengths; 0 is normalised",
    "hubness": "skewness of how often items are found; above 2 is strong",
    "anti_hubs": "share of items that nobody finds",
    "largest_hub": "the most frequent neighbour, in multiples of the mean",
    "robin_hood": "share of places to move for all to be found alike",
    "bad_occurrences": "share of places taken by items that are not relevant",
    "intra_distance": "mean distance within classes",
    "inter_distance": "mean distance between classes",
    "separation_ratio": "within over between; lower is better",
    "silhouette": "−1 to 1, by the labels; higher is better",
    "davies_bouldin": "overlap of each class with its worst neighbour; lower is better",
    "calinski_harabasz": "scatter between over within; higher is better",
    "alignment": "mean squared distance of positives on the sphere; lower is better",
    "uniformity": "−8 to 0: how crowded the sphere is; lower is better",
    "ami": "k-means against the labels, mean over seeds; 0 by chance",
    "ari": "k-means against the labels, mean over seeds; 0 by chance",
    "nmi": "k-means against the labels; not 0 by chance, prefer ami",
    "purity": "items whose cluster is mostly of their class; rises with the number of clusters",
    "pairwise_f1": "pairs in one cluster against pairs of one class; prefer ari",
}


@section("space", place=35)
def space(evaluation: Evaluation) -> Section | None:
    """Say in words what the space is like, and list its numbers."""
    found = {name: e for name, e in evaluation.metrics.items() if name.partition("@")[0] in _READ_AS}
    if not evaluation.space or not found:
        return None
    order = list(_READ_AS)
    rows = [
        [name, _value(entry), _meaning(name, entry)]
        for name, entry in sorted(found.items(), key=lambda item: order.index(item[0].partition("@")[0]))
    ]
    text = " ".join(_sentences(evaluation))
    table = Table(["number", "value", "read as"], rows, frozenset({"value"}), {name: name for name in found})
    return Section("Is the space healthy?", text, [table])


def _value(entry: dict[str, Any]) -> str:
    return number(entry["value"]) + (f" ± {number(entry['sd'])}" if "sd" in entry else "")


def _meaning(name: str, entry: dict[str, Any]) -> str:
    return f"undefined: {entry.get('reason', '')}" if entry["value"] is None else _READ_AS[name.partition("@")[0]]


def _sentences(evaluation: Evaluation) -> Iterator[str]:
    facts, spectrum = evaluation.space, evaluation.space["spectrum"]
    values = {name: entry["value"] for name, entry in evaluation.metrics.items()}
    if spectrum["dims_90"] is None:
        yield "All vectors are identical."
    else:
        most, nearly_all = (_hold(spectrum[name]) for name in ("dims_90", "dims_99"))
        yield f"Of {counted(facts['dim'], 'dimension')}, {most} 90 % of the variance and {nearly_all} 99 %."
    if (spread := values.get("norm_cv")) is not None:
        unit = spread < 1e-3 and abs((values.get("norm_mean") or 0) - 1) < 1e-3
        varied = f"The lengths of the vectors vary by {percent(spread)} of the mean."
        yield "The vectors are normalised." if unit else varied
    if (never := values.get(f"anti_hubs@{SPACE_K}")) is not None:
        yield f"{percent(never)} of the items are among the {SPACE_K} nearest of nobody."


def _hold(dimensions: int) -> str:
    return f"{whole(dimensions)} {'holds' if dimensions == 1 else 'hold'}"
