"""Whose pairs these are: the unit of inference of every item, and the pairs counted by it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Ints
from tripleteval.data.comparison import Comparison
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels, join
from tripleteval.distance.formula import Distance
from tripleteval.engine.genuine import Genuine
from tripleteval.engine.unit_pairs import UnitPass, block_sizes
from tripleteval.errors import LabelError
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.pair_intervals import Sure, cuts_for
from tripleteval.evaluation.progress import INTERVALS
from tripleteval.evaluation.settings import Settings
from tripleteval.metrics.operating import Operating
from tripleteval.uncertainty.stream import Stream

MOST_UNITS = 1024


class Owners(NamedTuple):
    """The unit of every item of a comparison.

    Attributes:
        asked: (queries,) int64, 0 to ``units`` − 1.
        searched: (gallery,) int64, in the same numbers.
        units: How many there are.
        noun: What one unit is called.
        names: Their names, in the order of their numbers; none where a unit is an item.
    """

    asked: Ints
    searched: Ints
    units: int
    noun: str
    names: tuple[str, ...] = ()


class Grouped(NamedTuple):
    """The units that pairs are counted by: those of the items or, where these are too many, groups of them.

    Attributes:
        noun: What one unit is called.
        names: Of each; of a group, what tells it from groups of other units.
        members: (groups,) int64, how many units it is made of.
    """

    noun: str
    names: tuple[str, ...]
    members: Ints


def sure_of(
    comparison: Comparison,
    curve: Operating,
    distance: Distance,
    settings: Settings,
    genuine: Genuine | None,
    means: Means,
) -> tuple[Sure, Grouped | None]:
    """Return the pairs of a comparison by unit, at the distances where its intervals are decided, and their names."""
    means.stage(INTERVALS)
    owners = owners_of(comparison, settings.unit)
    asked, searched = (grouped_units(codes, owners.units, settings.seed) for codes in (owners.asked, owners.searched))
    queries = _blocks(len(comparison.queries), settings.seed)
    gallery = queries if comparison.leave_one_out else _blocks(len(comparison.gallery), settings.seed)
    units = min(owners.units, MOST_UNITS)
    cuts = cuts_for(curve, settings.fars)
    engine = UnitPass(comparison, distance, cuts, asked, searched, units, queries, gallery)
    alone = owners.noun == "class"
    counts = engine.measure(means.mapping, genuine, means.progress)
    sure = Sure(counts, owners.units, owners.noun, alone, settings.confidence, settings.seed)
    return sure, _named(owners, settings.seed) if owners.names else None


def owners_of(comparison: Comparison, unit: str) -> Owners:
    """Return the unit of each item; an item without one class is its own."""
    queries, gallery = comparison.queries, comparison.gallery
    if unit == "group" and queries.groups is not None and gallery.groups is not None:
        return _owners(*_joined(queries.groups, gallery.groups, "groups"), "group")
    if unit == "class" and isinstance(queries.labels, Labels) and isinstance(gallery.labels, Labels):
        return _owners(*joint_classes(comparison), "class")
    rows = np.arange(len(queries))
    if comparison.leave_one_out:
        return _owners(rows, rows, (), "item")
    searched = np.arange(len(queries), len(queries) + len(gallery))
    has_own = comparison.own_row >= 0
    searched[comparison.own_row[has_own]] = rows[has_own]
    return _owners(rows, searched, (), "item")


def joint_classes(comparison: Comparison) -> tuple[Ints, Ints, tuple[Hashable, ...]]:
    """Return the class of each query, of each gallery item in the same numbers, and the classes, in their order.

    Raises:
        LabelError: An item without one label (E401).
    """
    return _joined(single_labels(comparison.queries), single_labels(comparison.gallery), "labels")


def single_labels(side: Embeddings) -> Labels:
    """Return the labels of a set, one per item.

    Raises:
        LabelError: An item without one label (E401).
    """
    if not isinstance(side.labels, Labels):
        fix = "an identity is one label: give one per item, with labels= (--labels, --gallery-labels)"
        raise LabelError("E401", "no single label per item", where=side.name, fix=fix)
    return side.labels


def _joined(one: Labels, two: Labels, what: str) -> tuple[Ints, Ints, tuple[Hashable, ...]]:
    left, right, known = join(one.classes, two.classes, what)
    return left[one.codes], right[two.codes], known


def _owners(asked: Ints, searched: Ints, known: tuple[Hashable, ...], noun: str) -> Owners:
    present, codes = np.unique(np.concatenate([asked, searched]), return_inverse=True)
    names = tuple(str(known[code]) for code in present.tolist()) if known else ()
    return Owners(codes[: len(asked)], codes[len(asked) :], len(present), noun, names)


def _named(owners: Owners, seed: int) -> Grouped:
    if owners.units <= MOST_UNITS:
        return Grouped(owners.noun, owners.names, np.ones(owners.units, np.int64))
    groups = grouped_units(np.arange(owners.units), owners.units, seed)
    members = places_of(groups, MOST_UNITS)
    names = tuple(digest([owners.names[unit] for unit in units.tolist()]) for units in members)
    return Grouped(owners.noun, names, np.array([len(units) for units in members]))


def places_of(codes: Ints, count: int) -> list[Ints]:
    """Return, for each code below ``count``, where it stands, ascending."""
    ends = np.cumsum(np.bincount(codes, minlength=count))
    return np.split(np.argsort(codes, kind="stable"), ends[:-1])


def digest(members: list[Any]) -> str:
    """Return a name that only a group of the same members has."""
    return f"sha256:{hashlib.sha256(json.dumps(members).encode()).hexdigest()[:32]}"


def grouped_units(codes: Ints, units: int, seed: int) -> Ints:
    """Return the codes; of more than `MOST_UNITS` units, random groups alike in size take their place."""
    if units <= MOST_UNITS:
        return codes
    group = np.empty(units, np.int64)
    group[_shuffled(units, seed, "groups of units")] = np.arange(units) % MOST_UNITS
    return group[codes]


def _blocks(rows: int, seed: int) -> list[Ints]:
    ends = np.cumsum(block_sizes(rows))
    return np.split(_shuffled(rows, seed, "pairs of units")[: ends[-1]], ends[:-1])


def _shuffled(count: int, seed: int, purpose: str) -> Ints:
    return np.argsort(Stream(seed, purpose).shares(count), kind="stable")
