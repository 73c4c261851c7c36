"""What was compared, what was left out and why: the block printed above every table."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, row_blocks
from tripleteval.data.comparison import Comparison
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels, LabelSets
from tripleteval.data.stored import StoredVectors
from tripleteval.errors import counted, plural
from tripleteval.evaluation.intake import Intake
from tripleteval.evaluation.measure import Facts
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.summary import total


def account(comparison: Comparison, facts: Facts, settings: Settings, taken: dict[str, Intake]) -> dict[str, Any]:
    """Return the accounting: integers only, the same however the work was cut."""
    queries, gallery = comparison.queries, comparison.gallery
    own = int((comparison.own_row >= 0).sum())
    valid = facts.positives + facts.negatives
    halves = 2 if comparison.leave_one_out else 1  # both (a, b) and (b, a) were seen
    sampled = {} if comparison.drawn is None else {"sampled_from": len(taken["queries"].embeddings)}
    return {
        "queries": len(queries),
        **sampled,
        "evaluated": int((facts.positives > 0).sum()),
        "skipped": {"no_relevant": int((facts.positives == 0).sum())},
        "gallery": len(gallery),
        "classes": _classes(gallery),
        "singletons": _singletons(gallery),
        "self_matches_removed": own,
        "ignored_pairs": total(facts.removed) - own,
        "dropped": {side: intake.dropped for side, intake in taken.items() if intake.dropped},
        "zero_vectors": {side: intake.zero_rows for side, intake in taken.items()},
        "zero_distance_pairs": {
            "same": total(facts.coincident_same) // halves,
            "different": total(facts.coincident_different) // halves,
        },
        "pairs_compared": total(valid),
        "triplets": total(facts.positives * facts.negatives),
        "anchors": int(((facts.positives > 0) & (facts.negatives > 0)).sum()),
        "k_clipped": {str(k): int((valid < k).sum()) for k in settings.ks if (valid < k).any()},
    }


def notes(
    comparison: Comparison, facts: Facts, settings: Settings, accounting: dict[str, Any], taken: dict[str, Intake]
) -> list[str]:
    """Return what a careful colleague would remark, in sentences."""
    found = list(_unknown_label(settings, taken))
    counts = accounting
    if counts["triplets"] == 0:
        found.append(
            "Degenerate: no query has a negative (one class only); retrieval numbers are all 1 and mean nothing."
        )
    if counts["k_clipped"]:
        listed = ", ".join(f"k={k} for {counted(n, 'query')}" for k, n in counts["k_clipped"].items())
        found.append(f"k is larger than what can be found and was clipped: {listed} (precision@k still divides by k).")
    same, different = counts["zero_distance_pairs"].values()
    collapsed = same + different >= max(counts["pairs_compared"] / (2 if comparison.leave_one_out else 1), 1)
    if collapsed:
        found.append("Collapsed: all vectors are identical, so every number is its chance level.")
    elif different:
        found.append(f"{counted(different, 'pair')} of identical vectors under different labels; {same:,} under one.")
    if not (comparison.leave_one_out or collapsed):
        again = (facts.coincident_same > 0) | (facts.coincident_different > 0)
        again &= comparison.own_row < 0  # where that is known, the own row was left out
        found.extend(found_again(int(again.sum()), counts["queries"]))
    skipped = counts["skipped"]["no_relevant"]
    if skipped:
        found.append(
            f"{skipped:,} of {counted(counts['queries'], 'query')} with nothing relevant to find: not evaluated, but "
            "left in the gallery as distractors."
        )
    if settings.distance != "cosine":
        zeros = sum(counts["zero_vectors"].values())
        if zeros > 0.001 * (counts["queries"] + (0 if comparison.leave_one_out else counts["gallery"])):
            found.append(f"{counted(zeros, 'vector')} of nothing but zeros.")
    found.extend(_label_notes(comparison.gallery))
    return found


def found_again(again: int, asked: int, noun: str = "query", otherwise: str = "leave out the gallery") -> Iterator[str]:
    """Yield a remark where most queries meet their own vector in the gallery, as when they are rows of it."""
    if 2 * again >= max(asked, 1):
        yield (
            f"{again:,} of {counted(asked, noun)} with an item of the gallery at distance 0. If the {plural(noun)} are "
            "rows of the gallery, each finds itself and the numbers mean nothing: give the same ids to both, or "
            f"{otherwise}."
        )


def _unknown_label(settings: Settings, taken: dict[str, Intake]) -> Iterator[str]:
    """Yield a remark where the label to ignore stands nowhere."""
    dropped = any("ignored_label" in intake.dropped for intake in taken.values())
    if settings.ignore_label is not None and not dropped:
        yield f"No item has the label {settings.ignore_label!r} that was to be ignored; check its spelling."


def describe(embeddings: Embeddings) -> dict[str, Any]:
    """Return name, size, dtype and the sha256 of values and labels: what the numbers were made from."""
    digest = _digest(embeddings.vectors)
    for name in ("labels", "ids", "groups"):
        column = getattr(embeddings, name)
        if column is not None:
            digest.update(json.dumps([name, *map(str, column.classes)]).encode())
            parts = (column.indptr, column.codes) if isinstance(column, LabelSets) else (column.codes,)
            for part in parts:
                digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
    return {
        "name": embeddings.name,
        "rows": len(embeddings),
        "dim": embeddings.dim,
        "dtype": embeddings.vectors.dtype.name,
        "sha256": digest.hexdigest(),
    }


def _digest(vectors: AnyArray) -> Any:
    if isinstance(vectors, StoredVectors):
        vectors.require_unchanged()
        return vectors.digest()
    digest = hashlib.sha256()
    for rows in row_blocks(vectors):
        little = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
        digest.update(np.ascontiguousarray(little).tobytes())
    return digest


def _classes(gallery: Embeddings) -> int | None:
    return None if gallery.labels is None else int(np.count_nonzero(np.bincount(gallery.labels.codes)))


def _singletons(gallery: Embeddings) -> int | None:
    if not isinstance(gallery.labels, Labels):
        return None
    return int((np.bincount(gallery.labels.codes) == 1).sum())


def _label_notes(gallery: Embeddings) -> list[str]:
    if gallery.labels is None:
        return []
    classes = gallery.labels.classes
    found = []
    if -1 in classes or "-1" in classes:
        found.append("Label -1 is an ordinary class here; if it means unknown: ignore_label=-1 (--ignore-label -1).")
    text = [label for label in classes if isinstance(label, str)]
    for what, make in (
        ("surrounding spaces or letter case", lambda s: s.strip().casefold()),
        ("Unicode normalisation (NFC)", lambda s: unicodedata.normalize("NFC", s)),
    ):
        if text and len({make(label) for label in text}) < len(text):
            found.append(f"Some labels differ only by {what}; they are kept apart.")
    if any(_numeric_twins(text)):
        found.append("Some labels differ as text but are equal as numbers (such as 7 and 007); they are kept apart.")
    return found


def _numeric_twins(labels: list[str]) -> list[Hashable]:
    numbers = [int(label) for label in labels if label.isdecimal()]
    return list(set(numbers)) if len(set(numbers)) < len(numbers) else []
