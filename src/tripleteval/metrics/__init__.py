"""What is measured: each metric is one function of one kind of evidence, registered by its spelling.

A metric returns a `Column`: per query, the two halves of a ratio. Its value for a query is their
quotient; averaging over queries, over classes and over the pooled ratio all follow from the column.
What is one number of the whole space (`quantity`) returns a `Scalar` instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from tripleteval.arrays import AnyArray, Floats
from tripleteval.bounds import ANY, Bounds
from tripleteval.errors import ParameterError, nearest
from tripleteval.registry import Registry

Measure = Callable[..., Any]
Function = TypeVar("Function", bound=Callable[..., "Column"])
Whole = TypeVar("Whole", bound=Callable[..., "Scalar"])

_LISTING = "all are in docs/definitions.md"
SPACE_K = 10  # hubness is read at this k unless another one is asked for


class Column(NamedTuple):
    """One number per query, as a ratio; a query is undefined where ``whole`` is 0.

    Attributes:
        part: (queries,) int64 or float64.
        whole: (queries,) int64 or float64.
    """

    part: AnyArray
    whole: AnyArray

    def values(self) -> Floats:
        """Return (queries,) float64, NaN where undefined."""
        undefined = self.whole == 0
        return np.where(undefined, np.nan, self.part / np.where(undefined, 1, self.whole))


def nobody(queries: int) -> Column:
    """Return a column that is undefined for every query."""
    nothing = np.zeros(queries, np.int64)
    return Column(nothing, nothing)


class Scalar(NamedTuple):
    """One number of the whole space.

    Attributes:
        value: The number; ``None`` where it is undefined.
        n: What it rests on: vectors, points, pairs or runs.
        reason: Why it is undefined.
        sd: Standard deviation over repetitions, where it is a mean over some.
        details: What must be read with it, by name; JSON values.
    """

    value: float | None
    n: int
    reason: str = ""
    sd: float | None = None
    details: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Metric:
    """One metric family, as registered.

    Attributes:
        pattern: Spelling with the parameter's name, such as ``"recall@k"``.
        measure: Evidence (and the parameter's value, if any) to a `Column`, or to a `Scalar`.
        of: The kind of evidence it is a function of, such as ``"groups"``, ``"ranks"`` or ``"triplets"``.
        better: Whether ``"higher"`` or ``"lower"`` values are better; ``None`` for a description.
        headline: How the column becomes one number: ``"query"``, ``"pooled"`` or ``"median"``;
            ``"space"`` or ``"pairs"`` for a `Scalar`.
        pools: Whether the pooled ratio means something.
        default: Whether it is measured without being asked for.
        bounds: Between which values it lies, so that no interval leaves them.
    """

    pattern: str
    measure: Measure
    of: str
    better: Literal["higher", "lower"] | None
    headline: Literal["query", "pooled", "median", "space", "pairs"]
    pools: bool
    default: bool
    bounds: Bounds

    @property
    def parameter(self) -> str | None:
        """Name of the parameter: ``"k"``, ``"margin"``, ``"far"``, ``"fpir"``, ``"share"`` or ``None``."""
        return None if self.pattern == "map@r" else self.pattern.partition("@")[2] or None

    @property
    def of_space(self) -> bool:
        """Whether it is one number of the whole space, not one per query."""
        return self.headline == "space"

    @property
    def of_pairs(self) -> bool:
        """Whether it is one number of all genuine and impostor pairs."""
        return self.headline == "pairs"

    @property
    def of_queries(self) -> bool:
        """Whether each query has a value of its own."""
        return not (self.of_space or self.of_pairs)


METRICS: Registry[Metric] = Registry("tripleteval.metrics", "metric")


def metric(
    pattern: str,
    *,
    of: Literal["groups", "ranks", "triplets", "distances", "spread", "sphere"],
    better: Literal["higher", "lower"] | None,
    headline: Literal["query", "pooled", "median"] = "query",
    pools: bool = False,
    default: bool = True,
    bounds: Bounds = ANY,
) -> Callable[[Function], Function]:
    """Register the decorated function as a metric; see `Metric` for the fields."""

    def register(measure: Function) -> Function:
        METRICS.add(pattern)(Metric(pattern, measure, of, better, headline, pools, default, bounds))
        return measure

    return register


def quantity(
    pattern: str,
    *,
    of: str,
    better: Literal["higher", "lower"] | None,
    default: bool = True,
    headline: Literal["space", "pairs"] = "space",
    bounds: Bounds = ANY,
) -> Callable[[Whole], Whole]:
    """Register the decorated function, evidence to `Scalar`, as one number of the whole space, or of all pairs."""

    def register(measure: Whole) -> Whole:
        found = Metric(pattern, measure, of, better, headline, pools=False, default=default, bounds=bounds)
        METRICS.add(pattern)(found)
        return measure

    return register


class Named(NamedTuple):
    """A metric with its parameter filled in, such as ``recall@10``."""

    spelling: str
    metric: Metric
    value: Any = None

    def measure(self, evidence: Any) -> Any:
        """Return the metric's `Column`, or its `Scalar`, for this evidence."""
        return self.metric.measure(evidence) if self.value is None else self.metric.measure(evidence, self.value)


def spell(pattern: str, value: float | None = None) -> str:
    """Return the one spelling of a metric: ``recall@10``, ``easy@margin=0.2``, ``map@r``."""
    if value is None:
        return pattern
    if pattern.endswith("@k"):
        return f"{pattern[:-1]}{value}"
    return f"{pattern}={number(value)}"


def number(value: float) -> str:
    """Return the shortest text that reads back as ``value``, without a trailing ``.0``."""
    return repr(float(value)).removesuffix(".0")


def parse(spelling: str) -> Named:
    """Return the metric that ``spelling`` names; the inverse of `spell`.

    Raises:
        ParameterError: No metric is spelled so (E510).
    """
    if spelling in METRICS and METRICS[spelling].parameter is None:
        return Named(spelling, METRICS[spelling])
    by_number = re.fullmatch(r"(\w+@[a-z]+)=(-?[\d.]+(?:e[+-]?\d+)?)", spelling)
    by_k = re.fullmatch(r"(\w+@)(\d+)", spelling)
    for match, pattern, kind in ((by_number, "{}", float), (by_k, "{}k", int)):
        if match and (name := pattern.format(match[1])) in METRICS:
            value = kind(match[2])
            return Named(spell(name, value), METRICS[name], value)
    raise ParameterError("E510", f"unknown metric {spelling!r}", fix=nearest(spelling, METRICS.names(), _LISTING))


def known_as(spelling: str, known: Collection[str]) -> str:
    """Return how a metric is spelled where these are ``known``: tar@far=0.050 is tar@far=0.05; itself if it is none."""
    try:
        return spelling if spelling in known else parse(spelling).spelling
    except ParameterError:
        return spelling
