"""The door: a run and what is required of it in, a `Gate` out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.door import compare
from tripleteval.differences.estimands import has_classes
from tripleteval.differences.result import Differences
from tripleteval.errors import ParameterError
from tripleteval.gates.requirement import Asked, Requirement, parse_asked, parse_requirement
from tripleteval.gates.result import Check, Gate
from tripleteval.metrics import number
from tripleteval.report.families import by_fold


def gate(
    run: Evaluation,
    require: Sequence[str] = (),
    *,
    baseline: Evaluation | None = None,
    no_worse: Sequence[str] = (),
    margin: float = 0.0,
    paired: bool = True,
    name: str = "run",
) -> Gate:
    """Check a run against requirements, and against a baseline on the same queries.

    Args:
        run: From `evaluate` or `load`.
        require: Such as ``"recall@10 >= 0.9"`` (the value), ``"low(map@r) >= 0.5"`` or ``"high(eer) <= 0.1"``
            (an end of its interval, so that chance cannot pass the gate).
        baseline: The run that must not be undercut, compared by the unit that `compare` takes by default.
        no_worse: Metrics in which the run may be worse than the baseline by ``margin`` at most: ``"map@r"`` by the
            values, ``"low(map@r)"`` by the interval of the paired difference (where lower is better: ``"high(...)"``).
        margin: In units of the metric, >= 0.
        paired: ``False`` if the baseline has other queries.
        name: What the run is called.

    Returns:
        A `Gate`: ``passed``, and one check each. A number that is undefined, or has no interval where its end
        was asked for, fails.

    Raises:
        ParameterError: Nothing was required, a requirement cannot be read, or ``no_worse`` without a baseline
            (E101); an unknown metric (E510); an impossible margin (E505); different queries (E512).
    """
    if not require and not no_worse:
        fix = "give require= (--require), such as 'recall@10 >= 0.9'"
        raise ParameterError("E101", "a gate without requirements", fix=fix)
    if (baseline is None) != (not no_worse):
        fix = "give both no_worse= (--no-worse) and baseline= (--baseline), or neither"
        raise ParameterError("E101", "no_worse and baseline belong together", fix=fix)
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not 0 <= margin < math.inf:
        raise ParameterError("E505", f"margin={margin!r}", fix="give a number, 0 or more")
    requirements = [parse_requirement(text, run) for text in require]
    checks = [_check(run, each, _unit(run))._replace(unreliable=_unsure(each.asked, run)) for each in requirements]
    baseline_unit = None
    if baseline is not None:
        asked = [parse_asked(text, run) for text in no_worse]
        for each in asked:
            _require_direction(each, run.metrics[each.metric].get("better"))
        found = _compared(run, baseline, asked, paired=paired, name=name)
        baseline_unit = str(found.settings["unit"])
        for each in asked:
            check = _against(each, found.metrics[each.metric], margin, baseline_unit)
            checks.append(check._replace(unreliable=_unsure(each, run, baseline)))
    return Gate(name, tuple(checks), run.result_hash, _unit(run), baseline_unit)


def _check(run: Evaluation, requirement: Requirement, unit: str) -> Check:
    entry = run.metrics[requirement.asked.metric]
    unit = _of("fold" if by_fold(requirement.asked.metric) else unit, entry)
    found = entry.get(requirement.asked.bound)
    ends = entry.get("low"), entry.get("high")
    missing = entry.get("reason") or entry.get("interval_reason") or "it has no interval"
    passed, reason = (False, str(missing)) if found is None else (requirement.holds(found), "")
    return Check(requirement.text, passed, found, *ends, reason, unit)


def _compared(run: Evaluation, baseline: Evaluation, asked: list[Asked], *, paired: bool, name: str) -> Differences:
    names = list(dict.fromkeys(each.metric for each in asked))
    return compare(
        baseline,
        run,
        metrics=names,
        primary=names[0],
        paired=paired,
        confidence=run.settings.get("confidence", 0.95),
        seed=run.settings.get("seed", 0),
        names=("the baseline", name),
    )


def _against(asked: Asked, entry: dict[str, Any], margin: float, unit: str) -> Check:
    change = entry["difference"] if asked.bound == "value" else entry[asked.bound]
    shown = asked.metric if asked.bound == "value" else f"{asked.bound}({asked.metric})"
    sign, limit = (">=", -margin) if entry["better"] == "higher" else ("<=", margin)
    text = f"{shown} − baseline {sign} {number(limit + 0.0)}"
    ends = entry["low"], entry["high"]
    unit = _of(entry.get("noun", unit), entry)
    if change is None:
        passed, reason = False, str(entry.get("reason", "undefined"))
    else:
        passed, reason = change >= limit if sign == ">=" else change <= limit, ""
    return Check(text, passed, change, *ends, reason, unit)


def _of(unit: str, entry: dict[str, Any]) -> str:
    """Return what the interval of a number draws again; nothing where it has none."""
    return "" if entry.get("low") is None else unit


def _unsure(asked: Asked, *runs: Evaluation) -> bool:
    return any(bool(run.metrics[asked.metric].get("unreliable")) for run in runs)


def _require_direction(asked: Asked, better: str | None) -> None:
    if better is None:
        found = f"no better or worse in {asked.metric}, which only describes"
        raise ParameterError("E101", found, where="no_worse= (--no-worse)", fix="name a metric with a direction")
    worst = "low" if better == "higher" else "high"
    if asked.bound not in ("value", worst):
        raise ParameterError(
            "E101",
            f"{asked.bound}({asked.metric}), where {better} is better",
            where="no_worse= (--no-worse)",
            fix=f"the end that must not be worse is {worst}({asked.metric})",
        )


def _unit(run: Evaluation) -> str:
    """Return what the intervals of a run draw again; without a single class per query every query is its own."""
    unit = str(run.settings.get("unit", "class"))
    table = run.per_query
    return "query" if unit == "class" and table is not None and not has_classes(table) else unit
