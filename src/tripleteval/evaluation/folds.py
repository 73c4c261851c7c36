"""Folds of pairs that share no identity: those that were given, checked, or made from the pairs themselves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.bounds import SHARE
from tripleteval.data.labels import encode
from tripleteval.errors import LabelError, ParameterError, counted
from tripleteval.uncertainty.interval import FEWEST, Interval, none_of
from tripleteval.uncertainty.proportion import all_or_none
from tripleteval.uncertainty.quantiles import half_width

_USUAL = 10
_MORE = "give 2 or more: the threshold of a fold is chosen on the others"
_SEPARATE = "give pairs of more separate identities"


class Folds(NamedTuple):
    """A fold for every pair.

    Attributes:
        codes: (pairs,) int64, 0 to F − 1.
        names: (F,) what each is called.
        grouped: Whether they were made here.
    """

    codes: Ints
    names: list[Any]
    grouped: bool


def folds_of(folds: Any, who: Ints, named: list[Any]) -> Folds:
    """Return the folds that were given, or as many as were asked for.

    Args:
        folds: (pairs,) a name each, or how many to make.
        who: (pairs, 2) int64, the identities of each pair.
        named: What each identity is called.

    Raises:
        LabelError: Not one fold per pair (E401), or no name for one (E402, E403).
        ParameterError: Fewer than two folds (E520), an identity in several (E520), or fewer groups of pairs
            without a common identity than folds (E520).
    """
    if isinstance(folds, (int, np.integer)) and not isinstance(folds, bool):
        return _grouped(int(folds), who)
    given = encode(folds, "folds")
    if len(given) != len(who):
        raise LabelError("E401", f"{len(given):,} folds for {len(who):,} pairs", where="folds", fix="give one per pair")
    present, codes = np.unique(given.codes, return_inverse=True)
    if len(present) < 2:
        raise ParameterError("E520", "a single fold", where="folds", fix=_MORE)
    _require_disjoint(codes, who, named, names := [given.classes[code] for code in present.tolist()])
    return Folds(codes, names, grouped=False)


def connected(who: Ints, links: Ints) -> Ints:
    """Return the group of each identity in ``who``, 0 and up: those that links join, directly or through others.

    Args:
        who: Any shape of int64 >= 0.
        links: (links, 2) int64.
    """
    root = np.arange(max(int(who.max()), int(links.max(initial=0))) + 1)
    while True:  # a few rounds: each group joins the lowest that it is linked to
        ends = root[links]
        if (ends[:, 0] == ends[:, 1]).all():
            return np.unique(root[who], return_inverse=True)[1].reshape(who.shape)
        np.minimum.at(root, ends, ends.min(axis=1, keepdims=True))
        while (root != root[root]).any():
            root = root[root]


def _require_disjoint(codes: Ints, who: Ints, named: list[Any], names: list[Any]) -> None:
    seen = np.unique(np.stack([who.reshape(-1), np.repeat(codes, 2)], axis=1), axis=0)
    shared = np.flatnonzero(np.diff(seen[:, 0]) == 0)
    if len(shared):
        identity, fold = seen[shared[0]]
        count = len(np.unique(seen[shared, 0]))
        other = names[seen[shared[0] + 1, 1]]
        raise ParameterError(
            "E520",
            f"{counted(count, 'identity')} in more than one fold; first: {named[identity]!r} in {names[fold]!r} "
            f"and {other!r}",
            where="folds",
            fix=_fix(who),
        )


def _fix(who: Ints) -> str:
    """Return what can be done about folds that share an identity; they cannot be more than there are groups."""
    groups = int(connected(who[:, 0], who).max()) + 1
    if groups < 2:
        return f"no folds can part these pairs, which all hang together: {_SEPARATE}"
    count = min(groups, _USUAL)
    return f"move the pairs of an identity into one fold, or let folds={count} (--folds {count}) group them"


def _grouped(count: int, who: Ints) -> Folds:
    if count < 2:
        raise ParameterError("E520", f"folds={count}", where="folds", fix=_MORE)
    group = connected(who[:, 0], who)
    sizes = np.bincount(group)
    if len(sizes) < count:
        raise ParameterError(
            "E520",
            f"{count} folds for {counted(len(sizes), 'group')} of pairs that share no identity with each other",
            where="folds",
            fix=f"ask for at most folds={len(sizes)} (--folds {len(sizes)})" if len(sizes) > 1 else _SEPARATE,
        )
    loads, fold_of = np.zeros(count, np.int64), np.zeros(len(sizes), np.int64)
    for largest in np.lexsort((np.arange(len(sizes)), -sizes)).tolist():
        fold_of[largest] = int(np.argmin(loads))
        loads[fold_of[largest]] += sizes[largest]
    return Folds(fold_of[group], list(range(count)), grouped=True)


def with_fold_interval(entries: dict[str, dict[str, Any]], confidence: float) -> dict[str, dict[str, Any]]:
    """Return the entries, a mean over folds with the t interval of its standard error.

    Folds share what their thresholds are chosen on, so that it is approximate; under 5 folds there is none. An accuracy
    of 0 or 1 has the rule of three over folds.
    """
    found = {}
    for name, entry in entries.items():
        if "se" not in entry:
            continue
        folds = len(entry["folds"])
        if folds < FEWEST:
            found[name] = entry | none_of(folds, "fold").entry()
            continue
        if entry["value"] in (0.0, 1.0):
            found[name] = (
                entry | Interval(*all_or_none(entry["value"], folds, confidence), "rule of three", folds).entry()
            )
            continue
        half = half_width(entry["se"], folds, confidence)
        ends = SHARE.cut(entry["value"] - half, entry["value"] + half)
        found[name] = entry | Interval(*ends, "t", folds).entry()
    return entries | found
