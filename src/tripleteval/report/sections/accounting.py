"""What was compared, and what was left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.report.sections import section
from tripleteval.report.wording import label, whole

_WORDS = {
    "sampled_from": "queries they were drawn from",
    "evaluated": "queries evaluated",
    "skipped/no_relevant": "queries skipped: nothing relevant to find",
    "gallery": "gallery items",
    "mated": "probes of enrolled identities",
    "non_mated": "probes of strangers",
    "skipped/mate_removed": "probes skipped: enrolled with nothing but themselves",
    "mated_identities": "enrolled identities among the probes",
    "non_mated_identities": "strangers among the probes",
    "templates": "items they are enrolled with",
    "singletons": "classes with one item only",
    "self_matches_removed": "self-matches removed",
    "ignored_pairs": "pairs ignored by rule",
    "zero_distance_pairs/same": "pairs at distance zero, same label",
    "zero_distance_pairs/different": "pairs at distance zero, different label",
    "near_ties_rechecked": "near ties re-checked in float64",
    "pairs_compared": "pairs compared",
    "anchors": "distinct anchors",
    "duplicates": "given more than once",
    "degenerate_dropped": "triplets dropped: one row named twice",
    "zero_distance/positive": "triplets with anchor and positive at distance zero",
    "zero_distance/negative": "triplets with anchor and negative at distance zero",
}
_GROUPS = {
    "dropped": "rows dropped from {}",
    "zero_vectors": "zero vectors in {}",
    "k_clipped": "queries that can find fewer than k={}",
    "skipped": "queries skipped: {}",
}
# Zero is worth saying where a reader would wonder; elsewhere it is noise.
_SAID_WHEN_ZERO = {"skipped/no_relevant", "zero_distance_pairs/same", "zero_distance_pairs/different"}


@section("accounting", place=50)
def accounting(evaluation: Evaluation) -> Section | None:
    """List every count, in words."""
    rows = [
        [_words(path), whole(value)]
        for path, value in _flat(evaluation.accounting)
        if value or (value == 0 and path in _SAID_WHEN_ZERO | {"queries", "evaluated"})
    ]
    return Section("What was counted", "", [Table(["what", "count"], rows, frozenset({"count"}))]) if rows else None


def _flat(counts: dict[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in counts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{within}{name}/")
        else:
            yield f"{within}{name}", value


def _words(path: str) -> str:
    group, _, rest = path.partition("/")
    if path in _WORDS:
        return _WORDS[path]
    if rest and group in _GROUPS:
        return label(_GROUPS[group].format(rest.replace("/", ": ").replace("_", " ")))
    return label(path.replace("_", " ").replace("/", ": "))
