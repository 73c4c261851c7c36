"""How much of a share of the gallery's items is chance: their classes are drawn again, and who asks stays the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tripleteval.data.embeddings import Embeddings
from tripleteval.evaluation.intervals import NO_GROUPS, units_of, without_groups
from tripleteval.evaluation.settings import Settings
from tripleteval.metrics import Named
from tripleteval.metrics.hubness import Hubs
from tripleteval.uncertainty.interval import Interval, intervals
from tripleteval.uncertainty.sums import Sums

Entries = dict[str, dict[str, Any]]


def with_item_intervals(
    entries: Entries, named: Sequence[Named], hubs: Hubs, gallery: Embeddings, settings: Settings
) -> Entries:
    """Return the entries, those that are a share of items with ``low``, ``high``, ``interval`` and ``units``.

    Args:
        entries: By spelling.
        named: The numbers of the space.
        hubs: How often each item is found.
        gallery: Whose items they are.
        settings: ``unit``, ``confidence`` and ``seed``.
    """
    mine = [n for n in named if n.metric.pattern == "anti_hubs@k" and entries[n.spelling]["value"] is not None]
    if not mine:
        return entries
    if without_groups(gallery, settings.unit):
        none = Interval(None, None, None, 0, NO_GROUPS).entry()
        return entries | {name.spelling: entries[name.spelling] | none for name in mine}
    units = units_of(gallery, settings.unit)
    items = units.sum(np.ones(len(gallery), np.int64))
    shares = [Sums(units.sum(hubs[int(name.value)].times == 0), items, name.metric.bounds) for name in mine]
    noun = {"query": "item"}.get(units.noun, units.noun)
    drawn = intervals(shares, confidence=settings.confidence, seed=settings.seed, noun=noun)
    return entries | {n.spelling: entries[n.spelling] | i.entry() for n, i in zip(mine, drawn, strict=True)}
