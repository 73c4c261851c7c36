"""The task's own metrics on lists that end at k, the same way for the true list and for an index's.

A metric may look at no more than the list: ``recall@5`` of a list of ten is what it is on the full ranking.
What needs the full ranking is refused. Items that were not found come after the list, so absent places are
non-relevant; ideal gains and R count everything relevant, found or not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tripleteval.arrays import Bools, Floats, Ints
from tripleteval.errors import ParameterError
from tripleteval.evaluation.search_truth import Relevance
from tripleteval.metrics import Column, Named, parse
from tripleteval.metrics.ties import TieGroups
from tripleteval.search.contract import NOBODY, Found

AT_R = ("map@r", "r_precision")


def usual(k: int, most_relevant: int) -> list[Named]:
    """Return the metrics measured without being asked for.

    Args:
        k: Length of the lists.
        most_relevant: The largest R of a query; up to k, the metrics at R are known too.
    """
    spellings = [f"recall@{k}", "hit_rate@1", f"hit_rate@{k}", f"precision@{k}", f"map@{k}", f"ndcg@{k}", f"mrr@{k}"]
    return [parse(spelling) for spelling in dict.fromkeys([*spellings, *(AT_R if most_relevant <= k else ())])]


def asked_for(spellings: Sequence[str], k: int, most_relevant: int) -> list[Named]:
    """Return the metrics of these spellings.

    Raises:
        ParameterError: A metric that a list of ``k`` cannot give (E510).
    """
    found = [parse(spelling) for spelling in spellings]
    for name in found:
        within = name.metric.parameter == "k" and name.value <= k
        if name.metric.of != "groups" or not (within or (name.spelling in AT_R and most_relevant <= k)):
            raise ParameterError(
                "E510",
                f"{name.spelling} cannot be read off lists of {k} neighbours",
                fix=f"ask for a metric at k <= {k}, such as map@{k}"
                + (f"; {name.spelling} needs lists of {most_relevant}" if name.spelling in AT_R else ""),
            )
    return found


def columns(names: Sequence[Named], found: Found, relevance: Relevance, valid: Ints) -> dict[str, Column]:
    """Return each metric's column over all queries."""
    parts = []
    for some, known in relevance.blocks():
        groups = tie_groups_of_lists(found.take(some), known, valid[some])
        parts.append([name.measure(groups) for name in names])
    joined = [Column(*map(np.concatenate, zip(*each, strict=True))) for each in zip(*parts, strict=True)]
    return {name.spelling: column for name, column in zip(names, joined, strict=True)}


def tie_groups_of_lists(found: Found, relevance: Relevance, valid: Ints) -> TieGroups:
    """Return the tie groups of lists, with one last group of everything that is not in the list.

    Items of a list at one distance come in random order among themselves, unless the order is the index's own.
    A tie that the end of the list cuts is cut here too: what stands beyond is not known of an index's list, so it
    is not used of the true one.
    """
    queries, k = found.rows.shape
    there = found.rows != NOBODY
    fresh = there.copy()
    fresh[:, 1:] &= (found.squared[:, 1:] != found.squared[:, :-1]) | found.as_returned
    query, first = np.nonzero(fresh)
    group = np.cumsum(fresh.ravel()).reshape(fresh.shape) - 1
    relevant = relevance.gains > 0
    size = np.bincount(group[there], minlength=len(query))
    hits = np.bincount(group[there], weights=relevant[there], minlength=len(query)).astype(np.int64)
    seen: Ints = np.cumsum(relevant, axis=1) - relevant
    left = relevance.relevant - relevant.sum(axis=1)
    some, rest = hits > 0, np.flatnonzero(left > 0)
    order = np.argsort(np.concatenate([query[some], rest]), kind="stable")

    def joined(listed: Ints, beyond: Ints) -> Ints:
        return np.concatenate([listed[some], beyond[rest]]).astype(np.int64)[order]

    per_group = joined(hits, left)
    return TieGroups(
        query=joined(query, np.arange(queries)),
        before=joined(first, np.full(queries, k)),
        size=joined(size, np.maximum(valid - k, left)),
        relevant=per_group,
        found=joined(seen[query, first], relevance.relevant - left),
        gains=_gains(relevance, relevant),
        positives=relevance.relevant,
        valid=valid,
    )


def _gains(relevance: Relevance, relevant: Bools) -> Floats:
    """Return the gain of each positive, those in the list first."""
    if relevance.grades is None:
        return np.ones(int(relevance.relevant.sum()))
    gains, first = [], 0
    for query, count in enumerate(relevance.relevant.tolist()):
        listed = relevance.gains[query][relevant[query]]
        gains += [listed, _without(relevance.grades[first : first + count], listed)]
        first += count
    return np.concatenate(gains)


def _without(everything: Floats, listed: Floats) -> Floats:
    """Return the multiset difference: the gains of what was not found."""
    values, inverse = np.unique(np.concatenate([everything, listed]), return_inverse=True)
    counts = np.bincount(inverse[: len(everything)], minlength=len(values))
    counts -= np.bincount(inverse[len(everything) :], minlength=len(values))
    return np.repeat(values, counts)
