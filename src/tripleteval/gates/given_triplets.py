"""A baseline of given triplets: values are compared, since such a run keeps no units to draw differences by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.measure import entry_of
from tripleteval.errors import ParameterError, nearest
from tripleteval.gates.requirement import Asked

# What a triplet is, as far as a run keeps it; the rest of its table is what was measured.
_IDENTITY = ("triplet", "anchor", "positive", "negative", "weight")


def of_given_triplets(run: Evaluation) -> bool:
    """Return whether a run is one of `evaluate_triplets`."""
    return "triplets" in run.settings


def by_value(
    run: Evaluation, baseline: Evaluation, asked: Sequence[Asked], *, paired: bool
) -> dict[str, dict[str, Any]]:
    """Return the difference of each number that was asked for, run minus baseline, without an interval.

    Raises:
        ParameterError: An end of an interval was asked for (E101), a number that the baseline does not have (E510),
            or other triplets (E512).
    """
    for each in asked:
        if each.bound != "value":
            found = f"{each.bound}({each.metric}) against a baseline of given triplets, which has no such interval"
            raise ParameterError("E101", found, where="no_worse= (--no-worse)", fix=f"ask for {each.metric}")
        if each.metric not in baseline.metrics:
            found = f"no metric {each.metric!r} in the baseline"
            raise ParameterError("E510", found, fix=nearest(each.metric, baseline.metrics))
    if paired and _identity(run) != _identity(baseline):
        fix = "evaluate both on the same triplets, or say that they are others: paired=False (--unpaired)"
        raise ParameterError("E512", "a baseline of other triplets", fix=fix)
    return {each.metric: entry_of((baseline, run), each.metric) for each in asked}


def _identity(run: Evaluation) -> dict[str, list[Any]]:
    table = run.per_query
    if table is None:
        return {}
    return {name: table[name].to_pylist() for name in _IDENTITY if name in table.column_names}
