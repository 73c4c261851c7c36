"""May the gallery stay as it is when the model is replaced: queries of the new model in the gallery of the old one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.data.origin import origin_of, remember
from tripleteval.differences.identities import of_identities
from tripleteval.differences.result import Differences
from tripleteval.errors import DataError, ParameterError
from tripleteval.evaluation.door import evaluate
from tripleteval.metrics import parse

_LIKE = (
    *("distance", "ks", "margins", "ties", "average", "ignore", "ignore_label", "nonfinite", "zero_rows"),
    *("unit", "confidence", "seed"),
)


def crossed(a: Evaluation, queries: Any, gallery: Any) -> Evaluation:
    """Return what queries of a new model find in the gallery of the old one, measured as the old run was.

    Without a gallery of its own, the old run searched every item among the others: then the old embeddings are the
    gallery, and the item that a query is, known by its id (by its row, where neither side has ids), is not found.

    Args:
        a: The run of the old model.
        queries: `Embeddings` of its queries by the new model.
        gallery: `Embeddings` of its gallery by the old model.

    Raises:
        DataError: The models differ in dimension (E306), or vectors that cannot be evaluated (E2xx, E3xx).
        ParameterError: Only one of the two, something else than `Embeddings`, or a run that `evaluate` did not
            make (E101); queries that have other relevant items than in the run (E512).
    """
    if not isinstance(queries, Embeddings) or not isinstance(gallery, Embeddings):
        found = "queries of the new model and a gallery of the old one are not both given as Embeddings"
        raise ParameterError("E101", found, fix="give both, or neither")
    if "ks" not in a.settings or of_identities(a):
        raise ParameterError("E101", "a run without rankings", fix="compare runs that tripleteval evaluate made")
    if queries.dim != gallery.dim:
        raise DataError(
            "E306",
            f"queries of {queries.dim} dimensions by the new model, a gallery of {gallery.dim} by the old one",
            where=f"{queries.name} and {gallery.name}",
            fix="a gallery can only stay where both models have the same number of dimensions",
        )
    if len(a.inputs) == 1 and queries.ids is None and gallery.ids is None and len(queries) == len(gallery):
        queries, gallery = _by_row(queries), _by_row(gallery)
    settings: dict[str, Any] = {name: a.settings[name] for name in _LIKE}
    asked = [parse(name) for name in a.settings["metrics"]]
    settings["metrics"] = [n.spelling for n in asked if n.metric.of_queries]
    if a.per_query is not None and a.per_query.num_rows < len(queries):
        settings["sample"] = a.per_query.num_rows
    run = evaluate(queries, gallery=gallery, verification=False, neighbors=0, **settings)
    _require_the_same_task(a, run)
    return run


def with_gain(found: Differences, new: Evaluation) -> Differences:
    """Return the comparison with ``update_gain`` beside each number.

    It is the share of the new model's improvement that is there before the gallery is embedded again: 0 for
    none, 1 for all of it, negative where the old gallery makes things worse. ``None`` where the new model, with
    a gallery of its own, does not improve.

    Source:
        Shen, Xiong, Xia & Soatto 2020, "Towards Backward-Compatible Representation Learning", equation 5.
    """
    entries = {}
    for name, entry in found.metrics.items():
        whole = new.metrics[name]["value"] if name in new else None
        gain = None
        if None not in (whole, entry["a"], entry["b"]) and _improves(whole - entry["a"], entry["better"]):
            gain = (entry["b"] - entry["a"]) / (whole - entry["a"])
        entries[name] = entry | {"update_gain": gain}
    return replace(found, metrics=entries)


def _improves(change: float, better: str | None) -> bool:
    return change > 0 if better == "higher" else change < 0 if better == "lower" else False


def _by_row(side: Embeddings) -> Embeddings:
    numbered = Embeddings(
        side.vectors, side.labels, ids=list(range(len(side))), groups=side.groups, name=side.name, meta=side.meta
    )
    remember(numbered, origin_of(side))
    return numbered


def _require_the_same_task(a: Evaluation, run: Evaluation) -> None:
    counts = {what: [each.accounting[what] for each in (a, run)] for what in ("queries", "gallery", "classes")}
    tables = [each.per_query for each in (a, run) if each.per_query is not None]
    counts |= {f"{what} items in all": [sum(t[what].to_pylist()) for t in tables] for what in ("relevant", "valid")}
    for what, (one, other) in counts.items():
        if one != other:
            raise ParameterError(
                "E512",
                f"{other:,} {what} across the models, {one:,} in the run of the old one",
                where="backward compatibility",
                fix="give the queries and the gallery that the runs were evaluated on, with their labels and ids",
            )
