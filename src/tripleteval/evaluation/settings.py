"""The settings of an evaluation, checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tripleteval.distance.formula import DISTANCES
from tripleteval.errors import ParameterError, nearest
from tripleteval.metrics import METRICS, SPACE_K, Metric, Named, parse, spell
from tripleteval.metrics.ties import TIES

AVERAGES = ("query", "class", "pooled")
UNITS = ("class", "query", "group")
MOST_MARGINS = 200
_LARGEST_MARGIN = 1e300  # the losses of a hundred million triplets that miss it can be added up
QUANTILES = (0.05, 0.5, 0.95)  # of the distances of genuine and of impostor pairs
_SUCH = {"confidence": 0.95, "precision": 0.01, "share": 0.5}


@dataclass(frozen=True)
class Settings:
    """Everything that may change a number, and nothing else: this is part of the result's hash."""

    distance: str = "euclidean"
    ks: tuple[int, ...] = (1, 5, 10)
    margins: tuple[float, ...] = (0.2,)
    margin_curve: tuple[float, ...] = ()
    fars: tuple[float, ...] = (0.1, 0.01, 0.001)
    verification: bool = True
    calibrate_on: float | str | None = None
    ties: str = "expected"
    average: str = "query"
    ignore: str | None = None
    ignore_label: str | None = None
    nonfinite: str = "refuse"
    zero_rows: str = "refuse"
    neighbors: int = 10
    metrics: tuple[str, ...] = ()
    confidence: float = 0.95
    unit: str = "class"
    seed: int = 0
    sample: int | None = None
    precision: float | None = None
    by: tuple[str, ...] = ()

    def named(self) -> list[Named]:
        """Return every metric to be measured: the default ones at each k and margin, then those asked for."""
        values: dict[str | None, Sequence[float | None]] = {
            "k": self.ks,
            "margin": self.margins,
            "far": self.fars,
            "share": QUANTILES,
            None: (None,),
        }
        found = {
            name.spelling: name
            for pattern, metric in METRICS.items()
            if metric.default and (self.verification or not metric.of_pairs)
            for name in (_named(pattern, value) for value in _usual(metric, values))
        }
        if self.calibrate_on is not None:
            judged = (_named(f"{rate}@far", far) for rate in ("transfer_far", "transfer_frr") for far in self.fars)
            found.update((name.spelling, name) for name in judged)
        found.update((name.spelling, name) for name in map(parse, self.metrics))
        # The order of the files, then that of registration: the same whichever file was imported first.
        return sorted(found.values(), key=lambda name: name.metric.measure.__module__)

    def kept_neighbors(self) -> int:
        """Return how many neighbours the pass must keep: those shown, and one more than hubness looks at."""
        ks = [int(name.value) for name in self.named() if name.metric.of == "hubs"]
        return max([self.neighbors, *(k + 1 for k in ks)])


def check(**given: Any) -> Settings:
    """Return the settings, in one canonical form.

    Raises:
        ParameterError: k is not a positive whole number (E308), a margin is negative or beyond 1e300 (E505), or
            a name is unknown (E510), confidence or precision is no share (E505), or the seed is no whole number (E511).
    """
    given = asdict(Settings()) | given
    given["ks"] = tuple(sorted({_whole("k", k, least=1) for k in _listed(given["ks"])}))
    given["neighbors"] = _whole("neighbors", given["neighbors"], least=0)
    given["metrics"] = tuple(parse(spelling).spelling for spelling in _listed(given["metrics"]))
    asked = [parse(spelling) for spelling in given["metrics"]]
    for name in asked:
        if name.metric.parameter == "k":
            _whole("k", name.value, least=1)
        elif name.metric.parameter == "share":
            _share("share", name.value)
    wanted = [name.value for name in asked if name.metric.parameter == "margin"]
    given["margins"] = _numbers("margin", [*_listed(given["margins"]), *wanted], least=0.0)
    wanted = [name.value for name in asked if name.metric.parameter == "far"]
    given["fars"] = rates("far", [*_listed(given["fars"]), *wanted])
    given["verification"] = bool(given["verification"])
    other = given["calibrate_on"]
    given["calibrate_on"] = other if other is None or isinstance(other, (bool, int, float)) else "given"
    given["margin_curve"] = _numbers("margin", _listed(given["margin_curve"]))
    for what, known in (("distance", DISTANCES), ("ties", TIES), ("average", AVERAGES), ("unit", UNITS)):
        if given[what] not in known:
            raise ParameterError("E510", f"{what}={given[what]!r}", fix=nearest(str(given[what]), known))
    given["confidence"] = _share("confidence", given["confidence"])
    given["seed"] = _seed(given["seed"])
    if given["sample"] is not None:
        given["sample"] = _whole("sample", given["sample"], least=1)
    if given["precision"] is not None:
        given["precision"] = _share("precision", given["precision"])
    given["by"] = tuple(dict.fromkeys(map(str, _listed(given["by"]))))
    label = given["ignore_label"]
    given["ignore_label"] = None if label is None else str(label)
    return Settings(**given)


def _usual(metric: Metric, values: dict[str | None, Sequence[float | None]]) -> Sequence[float | None]:
    return (SPACE_K,) if metric.of_space and metric.parameter == "k" else values[metric.parameter]


def _share(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value < 1:
        raise ParameterError("E505", f"{what}={value!r}", fix=f"give a number between 0 and 1, such as {_SUCH[what]}")
    return float(value)


def _seed(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ParameterError("E511", f"seed={value!r}", fix="give a whole number, 0 or more")
    return int(value)


def rates(what: str, values: Any) -> tuple[float, ...]:
    """Return rates in (0, 1], each once, the largest first.

    Raises:
        ParameterError: One is no number, or outside (0, 1] (E505).
    """
    for value in _listed(values):
        real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if not real or not 0 < value <= 1:
            raise ParameterError("E505", f"{what}={value!r}", fix="give a rate above 0, at most 1, such as 0.001")
    return tuple(sorted({float(value) for value in _listed(values)}, reverse=True))


def _named(pattern: str, value: float | None) -> Named:
    return parse(spell(pattern, value))


def _listed(values: Any) -> list[Any]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        return [values]
    return list(values)


def _whole(what: str, value: Any, *, least: int) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ParameterError("E308", f"{what}={value!r}", fix=f"give a whole number, {least} or more")
    return int(value)


def _numbers(what: str, values: list[Any], *, least: float = -math.inf) -> tuple[float, ...]:
    for value in values:
        real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if not real or not abs(value) <= _LARGEST_MARGIN or value < least:
            ends = "from 0 to 1e300; negative margins belong to margin_curve of evaluate"
            fix = f"give a number {ends if least == 0 else 'between -1e300 and 1e300'}"
            raise ParameterError("E505", f"{what}={value!r}", fix=fix)
    distinct = tuple(sorted({float(value) + 0.0 for value in values}))
    if len(distinct) > MOST_MARGINS:
        raise ParameterError("E505", f"{len(distinct):,} margins", fix=f"give at most {MOST_MARGINS}")
    return distinct
