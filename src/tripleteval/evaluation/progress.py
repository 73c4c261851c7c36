"""Several passes over pairs, told as one journey whose length is known when it begins."""

from __future__ import annotations

from collections.abc import Callable

from tripleteval.data.comparison import Comparison, SharedClass
from tripleteval.engine.genuine import few
from tripleteval.engine.unit_pairs import Meetings
from tripleteval.evaluation.settings import Settings

Progress = Callable[[int, int], None]

COMPARING = "comparing"
FIRST_LOOK = "first look"
SPACE = "measuring the space"
INTERVALS = "intervals"
DONE = "done"


class Journey:
    """Adds up what passes report one after another, each from 0 to its own end.

    Args:
        progress: Called with the pairs done and the pairs in all, over all passes.
        whole: Pairs in all, as planned. Where less is needed, the rest counts as done at the end.
    """

    def __init__(self, progress: Progress, whole: int) -> None:
        self._progress, self._whole = progress, whole
        self._done = self._last = 0
        self._stage, self._tell_stage = COMPARING, getattr(progress, "stage", None)

    def __call__(self, done: int, whole: int) -> None:
        """Take the report of the pass that is running."""
        self._done += done - self._last
        self._last = 0 if done == whole else done
        self._whole = max(self._whole, self._done)
        self._progress(self._done, self._whole)

    def resumed(self, pairs: int) -> None:
        """Say that so many pairs of the next report were compared before this run began, and took it no time."""
        tell = getattr(self._progress, "resumed", None)
        if tell is not None and pairs:
            tell(pairs)

    def stage(self, name: str) -> None:
        """Say what is done from now on: pairs are compared, or something takes its time that counts none, or few."""
        if self._tell_stage is not None and name != self._stage:
            self._tell_stage(name)
            self._progress(self._done, self._whole)
        self._stage = name

    def end(self) -> None:
        """Say that nothing is left to do."""
        known, self._done = self._done == self._whole, self._whole
        self.stage(DONE)
        if self._tell_stage is None and not known:
            self._progress(self._whole, self._whole)


def pairs_ahead(comparison: Comparison, sides: tuple[Comparison, ...], settings: Settings) -> int:
    """Return how many pairs all passes of an evaluation compare, at the most.

    Args:
        comparison: What is evaluated.
        sides: Who thresholds are chosen on, and who they are judged on, if so.
        settings: What is measured.
    """
    queries = len(comparison.queries)
    most = queries if settings.sample is None else min(settings.sample, queries)
    whole = most * len(comparison.gallery)
    of_pairs = any(name.metric.of == "pairs" for name in settings.named())
    if of_pairs and isinstance(comparison.rule, SharedClass):
        closer = not few(comparison)  # a pass of its own then looks closer at what matters
        whole += (1 + closer + len(settings.by)) * most * len(comparison.gallery)
        lone = comparison.leave_one_out and most == queries and settings.precision is None  # a sample is a side
        whole += Meetings.planned(most, len(comparison.gallery), lone=lone).pairs
    return whole + sum(len(side.queries) * len(side.gallery) for side in sides)
