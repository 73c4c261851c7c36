"""A sweep that goes on where it was interrupted: its map remembers which blocks have met, and what they counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from itertools import islice
from typing import Any, cast

import numpy as np

from tripleteval.engine.frame import Frame
from tripleteval.engine.maps import Item, Map, Result
from tripleteval.engine.mutual import Standing
from tripleteval.journal.page import Page


class SweepMap:
    """The map of a sweep (`engine.mutual.sweep`), which calls it twice: to stand blocks up, and to let them meet.

    Tallies only add up, so those of the first meetings, and how many these were, are all there is to know.

    Args:
        mapping: Where the work is done.
        page: Where tallies are left now and then.
        frame: Returns the frame in which the limits of a block are lowered.
        told: Told of the pairs that were compared before.
    """

    shares_memory = True

    def __init__(self, mapping: Map, page: Page[Any], frame: Callable[[], Frame], told: Callable[[int], None]) -> None:
        self._mapping, self._page, self._frame, self._told = mapping, page, frame, told
        self._standing: list[Standing] | None = None
        self._done = 0

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """Return what the map returns: blocks as they stood, then nothing for those that have met, and the rest."""
        if self._standing is not None:
            return self._meet(function, items)
        blocks = list(self._mapping(function, items))
        self._standing = cast(list[Standing], blocks)
        self._restore(self._standing)
        return blocks

    def _restore(self, standing: list[Standing]) -> None:
        found = self._page.standing()
        if found is None:
            return
        self._done, tallies = found
        for side, kept in zip(standing, tallies, strict=True):
            for field in fields(kept):
                np.copyto(getattr(side.tally, field.name), getattr(kept, field.name))
            side.limits.lower(side.seeds, side.tally.squared, self._frame())

    def _meet(self, function: Callable[[Item], Result], pairs: Iterable[Item]) -> Iterator[Result]:
        rest, done = iter(pairs), self._done
        tallies = [side.tally for side in self._standing or ()]
        for one, two in islice(cast(Iterator[tuple[Standing, Standing]], rest), done):
            self._told((1 if one is two else 2) * len(one.tally.negatives) * len(two.tally.negatives))
            yield cast(Result, [])  # nothing is left to add
        for counted in self._mapping(function, rest):
            yield counted
            done += 1  # by now it has been added
            self._page.stand(done, tallies)
        self._page.stand(done, tallies, last=True)
