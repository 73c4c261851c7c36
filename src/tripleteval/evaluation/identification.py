"""Identification: probes and an enrolled gallery in, an `Evaluation` out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import Bools, Ints
from tripleteval.data.budget import parse_memory
from tripleteval.data.comparison import Comparison, Lists, SharedClass
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.data.labels import join
from tripleteval.distance.formula import Distance, distance_for
from tripleteval.engine import maps
from tripleteval.engine.run import choose_kernel
from tripleteval.engine.searches import Found, SearchPass, search_orders
from tripleteval.errors import DataError, ParameterError, counted, nearest
from tripleteval.evaluation.accounting import describe, found_again
from tripleteval.evaluation.door import environment
from tripleteval.evaluation.given_intake import fixed_by
from tripleteval.evaluation.identity_intervals import MATED, STRANGER, Whose, with_identity_intervals
from tripleteval.evaluation.intake import admit, require_comparable
from tripleteval.evaluation.intervals import interval_notes
from tripleteval.evaluation.pair_units import single_labels
from tripleteval.evaluation.relevance import own_rows
from tripleteval.evaluation.settings import check, rates
from tripleteval.evaluation.verification import entry
from tripleteval.metrics import Named, parse, spell
from tripleteval.metrics.identification import Searches

if TYPE_CHECKING:
    import pyarrow as pa

FUSIONS = ("min", "mean")
_FIXES = {  # nothing is dropped here, and there is always a gallery
    "E201": "remove these rows, with their labels",
    "E202": "remove these rows, with their labels, or use another distance",
    "E509": "give ids to both, or enrol other items than the probes",
}


def evaluate_identification(
    probes: Any,
    gallery: Any,
    *,
    ks: Sequence[int] = (1, 5, 10),
    fpirs: Sequence[float] = (0.1, 0.01),
    fusion: str = "min",
    distance: str = "euclidean",
    confidence: float = 0.95,
    seed: int = 0,
    memory: str | int = "1GiB",
    threads: int | None = None,
    map: maps.Map | None = None,  # noqa: A002  # an engine is a map
    kernel: str = "auto",
) -> Evaluation:
    """Measure how well probes are identified among the identities that a gallery enrols.

    A probe whose label is enrolled is mated; any other is a stranger, who should find nobody. Identities are
    ranked, not items: with several templates, an identity is as close as ``fusion`` says.

    Args:
        probes: `Embeddings` with one label per item.
        gallery: `Embeddings` with one label per item. Items whose ids stand on both sides are the same item,
            and never found.
        ks: Ranks of the closed-set rates.
        fpirs: Rates of false positives per search of a stranger, above 0 and at most 1.
        fusion: ``"min"`` for the closest template; ``"mean"`` enrols the mean vector of each identity, under
            cosine the mean of unit vectors.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``; thresholds are in its unit.
        confidence: Of the interval beside every number, in (0, 1). Its unit is the identity of a probe.
        seed: Of the resampling behind the intervals, >= 0.
        memory: What may be used beyond the input.
        threads: Worker threads; one per core by default. Ignored with ``map``.
        map: Where blocks of probes run; the built-in ``map`` runs them one by one.
        kernel: ``"auto"``, ``"cpu"``, ``"numpy"``, or ``"reference"`` to audit; the numbers are the same.

    Returns:
        An `Evaluation` whose ``per_query`` table has one row per probe. Without mated probes, or without
        strangers, the numbers that need them are NaN, with the reason in ``to_dict()``.

    Raises:
        DataError: Vectors that cannot be evaluated (E2xx, E3xx).
        LabelError: An item without one label (E401), labels or ids of different types (E403).
        ParameterError: A rank that is no whole number (E308), an impossible rate or confidence (E505), an unknown
            name (E510), an impossible seed (E511).
        ResourceError: ``memory`` does not hold a single probe (E802).

    Source:
        Grother & Phillips 2004; ISO/IEC 19795-1; spec C.7.

    Example:
        >>> enrolled = Embeddings([[0.0], [5.0]], ["ann", "bob"])
        >>> evaluate_identification(Embeddings([[1.0], [9.0]], ["ann", "cid"]), enrolled)["tpir@fpir=0.1"]
        1.0
    """
    started = time.monotonic()
    ranks, budgets = _checked(ks, fpirs, fusion, distance)
    how: dict[str, Any] = {"confidence": check(confidence=confidence).confidence, "seed": check(seed=seed).seed}
    workers = 1 if map is not None else maps.thread_count(threads)
    given = ((probes, "probes"), (gallery, "gallery"))
    held = [side if isinstance(side, Embeddings) else Embeddings(side, name=name) for side, name in given]
    with fixed_by(_FIXES):
        sides = [admit(side, distance=distance) for side in held]
        require_comparable(sides[0], sides[1], distance)
    asked, enrolled = (side.embeddings for side in sides)
    inputs = [describe(asked), describe(enrolled)]
    templates = len(enrolled)
    own, identity, names, who = _identities(asked, enrolled)
    removed = own_rows(asked, enrolled)
    if fusion == "mean":
        enrolled, identity, removed = _fused(enrolled, identity, names, removed, distance)
    fitted = distance_for(distance, asked.vectors, enrolled.vectors)
    engine = SearchPass(
        _comparison(asked, enrolled, removed),
        fitted,
        own,
        identity,
        len(names),
        choose_kernel(kernel, len(asked) * len(enrolled)),
    )
    orders = search_orders(engine.comparison, len(names), memory=parse_memory(memory), workers=workers)
    found = Found(*(np.concatenate(part) for part in zip(*(map or maps.threads(workers))(engine, orders), strict=True)))
    mated = np.isfinite(found.mate)
    strangers = (own < 0) & np.isfinite(found.best)
    searches = Searches(found.mate[mated], found.rank[mated], found.best[strangers], len(names), templates, ranks)
    named = _named(ranks, budgets)
    whose = Whose(*(np.unique(who[kind], return_inverse=True)[1] for kind in (mated, strangers)))
    entries = {name.spelling: entry(name, searches) for name in named}
    metrics = with_identity_intervals(entries, named, searches, whose, **how)
    settings: dict[str, Any] = {"identification": fusion, "distance": distance}
    return Evaluation(
        metrics=metrics,
        accounting={
            "probes": len(asked),
            "mated": int(mated.sum()),
            "non_mated": int(strangers.sum()),
            "skipped": {"mate_removed": int(((own >= 0) & ~mated).sum())},
            "mated_identities": whose.counts[0],
            "non_mated_identities": whose.counts[1],
            "identities": len(names),
            "templates": templates,
            "self_matches_removed": int((removed >= 0).sum()),
        },
        settings=settings | {"ks": list(ranks), "fpirs": list(budgets)} | how | {"unit": "identity"},
        inputs=inputs,
        notes=[
            *found_again(
                int(((found.best == 0) & (removed < 0)).sum()), len(asked), "probe", otherwise="enrol other items"
            ),
            *interval_notes(metrics, dict(zip((MATED, STRANGER), whose.counts, strict=True))),
        ],
        environment=environment(time.monotonic() - started),
        per_query=_table(asked, found, own >= 0, names),
    )


def _checked(ks: Any, fpirs: Any, fusion: str, distance: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    if fusion not in FUSIONS:
        raise ParameterError("E510", f"fusion={fusion!r}", fix=nearest(str(fusion), FUSIONS))
    return check(ks=ks, distance=distance).ks, rates("fpir", fpirs)


def _named(ks: tuple[int, ...], fpirs: tuple[float, ...]) -> list[Named]:
    found = [parse(spell("cmc@k", k)) for k in ks]
    return found + [parse(spell(f"{name}@fpir", rate)) for rate in fpirs for name in ("tpir", "threshold")]


def _identities(probes: Embeddings, gallery: Embeddings) -> tuple[Ints, Ints, list[Any], Ints]:
    """Return the place of each probe among the enrolled (-1 for strangers), that of each template, and their names.

    Last comes the label of each probe as a number, also that of strangers.
    """
    one, two = single_labels(probes), single_labels(gallery)
    left, right, classes = join(one.classes, two.classes, f"labels of {probes.name} and {gallery.name}")
    enrolled, identity = np.unique(right[two.codes], return_inverse=True)
    place = np.full(len(classes), -1, np.int64)
    place[enrolled] = np.arange(len(enrolled))
    who = left[one.codes]
    return place[who], identity, [classes[code] for code in enrolled.tolist()], who


def _fused(
    gallery: Embeddings, identity: Ints, names: list[Any], removed: Ints, distance: str
) -> tuple[Embeddings, Ints, Ints]:
    """Return one mean vector per identity.

    Raises:
        DataError: Under cosine, the directions of an identity cancel out (E202).
        ParameterError: A probe is itself one of the templates, which then cannot be taken out (E101).
    """
    if (removed >= 0).any():
        found = "fusion='mean' while probes are among the templates"
        raise ParameterError("E101", found, fix="enrol other items, or use fusion='min' (--fusion min)")
    vectors = np.asarray(gallery.vectors)
    prepared = Distance(distance).prepare(vectors).columns if distance == "cosine" else vectors.T
    sums = np.zeros((len(names), gallery.dim))
    np.add.at(sums, identity, prepared.T.astype(np.float64))
    nowhere = ~sums.any(axis=1)
    if distance == "cosine" and nowhere.any():
        count, first = int(nowhere.sum()), names[int(np.argmax(nowhere))]
        raise DataError(
            "E202",
            f"{counted(count, 'identity')} whose items cancel out; first: {first!r}",
            where=gallery.name,
            fix="enrol other items, or use fusion='min' (--fusion min)",
        )
    means = sums / np.bincount(identity, minlength=len(names))[:, None]
    return Embeddings(means, name=gallery.name), np.arange(len(names)), removed


def _comparison(probes: Embeddings, gallery: Embeddings, removed: Ints) -> Comparison:
    nothing = Lists(np.zeros(len(probes) + 1, np.int64), np.zeros(0, np.int64))
    return Comparison(probes, gallery, SharedClass(nothing, nothing), removed)


def _table(probes: Embeddings, found: Found, enrolled: Bools, names: list[Any]) -> pa.Table:
    import pyarrow as pa

    mated = np.isfinite(found.mate)
    columns: dict[str, Any] = {"probe": pa.array(np.arange(len(probes)))}
    for name, column in (("id", probes.ids), ("label", probes.labels)):
        if column is not None:
            columns[name] = pa.array([str(value) for value in column.values()])
    columns |= {
        "enrolled": pa.array(enrolled),
        "rank": pa.array(found.rank, mask=~mated),
        "mate_distance": pa.array(found.mate, mask=~mated),
        "best_distance": pa.array(found.best, mask=~np.isfinite(found.best)),
        "best_identity": pa.array([None if code < 0 else str(names[code]) for code in found.who.tolist()]),
    }
    return pa.table(columns)
