"""Identities on two sides: who thresholds are chosen on, and who they are judged on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tripleteval.arrays import Bools
from tripleteval.data.comparison import Comparison, SharedClass
from tripleteval.data.embeddings import Embeddings
from tripleteval.errors import ParameterError, counted
from tripleteval.evaluation.pair_units import single_labels
from tripleteval.evaluation.relevance import compare
from tripleteval.evaluation.settings import Settings

FEWEST = 2  # identities on either side: one has no impostors


class Split(NamedTuple):
    """Who thresholds are chosen on, and who they are judged on; no identity is on both sides."""

    chosen_on: Comparison
    judged_on: Comparison


def split_of(comparison: Comparison, calibrate_on: Any, settings: Settings) -> Split:
    """Return the two sides.

    Args:
        comparison: What is evaluated.
        calibrate_on: `Embeddings` of other identities, or the share of the identities to choose thresholds on.
        settings: How pairs are ignored, and the seed that a share is drawn with.

    Raises:
        LabelError: An item without one label (E401).
        ParameterError: Relevance is explicit (E101), a share is outside (0, 1) or leaves a side fewer than two
            identities (E505), or a set shares identities with what is evaluated (E520).
    """
    queries, gallery = comparison.queries, comparison.gallery
    if not isinstance(comparison.rule, SharedClass):
        found = "calibrate_on with explicit relevance, which does not say who is who"
        raise ParameterError("E101", found, fix="give labels instead")
    if isinstance(calibrate_on, Embeddings):
        _require_strangers(calibrate_on, {*present(queries), *present(gallery)})
        return Split(compare(calibrate_on, None, ignore=settings.ignore, relevance=None), comparison)
    share = calibrate_on
    if isinstance(share, bool) or not isinstance(share, (int, float, np.number)) or not 0 < share < 1:
        raise ParameterError("E505", f"calibrate_on={share!r}", fix="give Embeddings, or a share between 0 and 1")
    known = sorted({*present(queries), *present(gallery)}, key=lambda label: (type(label).__name__, str(label)))
    count = round(float(share) * len(known))
    if not FEWEST <= count <= len(known) - FEWEST:
        found = f"calibrate_on={share!r} takes {count:,} of {len(known):,} identities"
        raise ParameterError("E505", found, fix=f"each side needs {FEWEST}, better 20 or more")
    drawn = np.random.Generator(np.random.PCG64(settings.seed)).permutation(len(known))[:count]
    taken = {known[place] for place in drawn.tolist()}
    return Split(*(_part(comparison, taken, settings, inside=inside) for inside in (True, False)))


def present(side: Embeddings) -> list[Any]:
    """Return the labels that occur, each once."""
    labels = single_labels(side)
    return [labels.classes[code] for code in np.unique(labels.codes).tolist()]


def _part(comparison: Comparison, taken: set[Any], settings: Settings, *, inside: bool) -> Comparison:
    queries = comparison.queries.take(_of(comparison.queries, taken) == inside)
    gallery = None
    if not comparison.leave_one_out:
        gallery = comparison.gallery.take(_of(comparison.gallery, taken) == inside)
    return compare(queries, gallery, ignore=settings.ignore, relevance=None)


def _of(side: Embeddings, taken: set[Any]) -> Bools:
    labels = single_labels(side)
    return np.array([label in taken for label in labels.classes], dtype=bool)[labels.codes]


def _require_strangers(other: Embeddings, evaluated: set[Any]) -> None:
    shared = [label for label in present(other) if label in evaluated]
    if shared:
        raise ParameterError(
            "E520",
            f"{counted(len(shared), 'identity')} both calibrated and judged on; first: {shared[0]!r}",
            where="calibrate_on",
            fix="give other identities, or a share such as 0.5",
        )
