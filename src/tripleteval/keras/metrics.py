"""What to watch in a batch: streaming metrics for ``compile(metrics=[...])``, of labels and embeddings.

They see the triplets of one batch at a time, so they depend on how batches are made, and are no substitute for
`EvaluateEmbeddings`, which sees all. Their counts are exact up to 2**50.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import keras
from keras import ops

from tripleteval.errors import ParameterError, nearest
from tripleteval.keras.geometry import classes, pairs, pairwise, poison, precise, require_distance
from tripleteval.keras.losses import registered, require_margin

_CARRY = 2**20
_KINDS = ("easy", "semi_hard", "hard")


class _Count:
    """A count kept exactly in two int32 variables of a metric: float32 stops counting at 2**24."""

    def __init__(self, metric: keras.metrics.Metric, name: str) -> None:
        self._low, self._high = (
            metric.add_variable((), initializer="zeros", dtype="int32", name=f"{name}_{part}")
            for part in ("low", "high")
        )

    def add(self, mask: Any) -> None:
        """Count the true values of a mask of less than 2**31 elements."""
        number = ops.sum(ops.cast(mask, "int32"))
        low = self._low + number % _CARRY
        self._high.assign(self._high + number // _CARRY + low // _CARRY)
        self._low.assign(low % _CARRY)

    def value(self) -> Any:
        """Return the count as float32."""
        return ops.cast(self._high, "float32") * _CARRY + ops.cast(self._low, "float32")


Held = Callable[[Any, Any, float], list[Any]]


class _TripletShare(keras.metrics.Metric):
    """The share of the valid triplets of all batches for which something holds.

    ``held`` takes d(a,p), d(a,n) and the margin and returns two masks; each triplet in one of them counts half.
    """

    def __init__(self, held: Held, margin: float, distance: str, name: str) -> None:
        super().__init__(name=name, dtype="float32")
        if require_margin(margin) == "soft":
            raise ParameterError("E505", "margin='soft'", where=name, fix="give a number, 0 or more")
        self._held, self.margin, self.distance = held, margin, require_distance(distance)
        self._halves, self._all = _Count(self, "halves"), _Count(self, "all")
        self._poison = self.add_variable((), initializer="zeros", dtype="float32", name="poison")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count the triplets of a batch: (n,) labels and (n, dim) embeddings.

        Raises:
            ParameterError: Weights are given (E512).
        """
        _require_unweighted(sample_weight, self.name)
        vectors = precise(y_pred)
        distance = pairwise(vectors, self.distance)
        positive, negative = pairs(classes(y_true, y_pred), vectors)
        valid = ops.logical_and(ops.expand_dims(positive, 2), ops.expand_dims(negative, 1))
        for held in self._held(ops.expand_dims(distance, 2), ops.expand_dims(distance, 1), self.margin):
            self._halves.add(ops.logical_and(valid, held))
        self._all.add(valid)
        self._poison.assign(self._poison + poison(y_true, vectors))

    def result(self) -> Any:
        """Return the share, from 0 to 1; 0 before there is any triplet, NaN after a NaN or infinite vector."""
        return self._halves.value() / 2 / ops.maximum(self._all.value(), 1.0) + self._poison

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return {"margin": self.margin, "distance": self.distance, "name": self.name}


def _require_unweighted(weights: Any, name: str) -> None:
    if weights is not None:
        raise ParameterError(
            "E512",
            "sample or class weights, where the metric is of triplets",
            where=name,
            fix="compile it under metrics=, not weighted_metrics=",
        )


def _beyond(d_ap: Any, d_an: Any, margin: float) -> list[Any]:
    beyond = d_ap + margin < d_an
    return [beyond, beyond if margin else d_ap <= d_an]


def _of_kind(kind: str, d_ap: Any, d_an: Any, margin: float) -> list[Any]:
    easy, hard = d_ap + margin < d_an, d_an <= d_ap
    held = {"easy": easy, "hard": hard, "semi_hard": ops.logical_not(ops.logical_or(easy, hard))}[kind]
    return [held, held]


@registered
class TripletAccuracy(_TripletShare):
    """Share of the triplets of each batch whose positive is nearer than their negative, by more than the margin.

    At margin 0 a tie counts half, as in ``triplet_accuracy``; beyond, the test is strict, as in
    ``triplet_satisfied@margin``.

    Args:
        margin: In the unit of the distance, 0 or more.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        name: In the logs.

    Range [0, 1], higher is better, 0.5 by chance at margin 0; 0 where no batch has a triplet.

    Raises:
        ParameterError: An impossible margin (E505) or an unknown distance (E510).

    Source:
        Schroff, Kalenichenko & Philbin 2015 (FaceNet), section 3.1, equation 1.
    """

    def __init__(self, margin: float = 0.0, distance: str = "euclidean", name: str = "triplet_accuracy") -> None:
        super().__init__(_beyond, margin, distance, name)


@registered
class TripletComposition(_TripletShare):
    """Share of the triplets of each batch that are easy, semi-hard or hard.

    Easy: d(a,p) + margin < d(a,n). Semi-hard: d(a,p) < d(a,n) ≤ d(a,p) + margin. Hard: d(a,n) ≤ d(a,p). The three
    shares sum to 1; a metric has one number, so there are three metrics: `triplet_composition` makes them.

    Args:
        kind: ``"easy"``, ``"semi_hard"`` or ``"hard"``.
        margin: In the unit of the distance, 0 or more.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        name: In the logs; by default ``kind``.

    Range [0, 1]; 0 where no batch has a triplet.

    Raises:
        ParameterError: An impossible margin (E505), an unknown kind or distance (E510).

    Source:
        Schroff, Kalenichenko & Philbin 2015 (FaceNet), section 3.2; the boundaries are those of ``easy@margin``.
    """

    def __init__(
        self,
        kind: Literal["easy", "semi_hard", "hard"],
        margin: float = 0.2,
        distance: str = "euclidean",
        name: str | None = None,
    ) -> None:
        if kind not in _KINDS:
            raise ParameterError("E510", f"kind={kind!r}", fix=nearest(str(kind), _KINDS))
        super().__init__(partial(_of_kind, kind), margin, distance, name or kind)
        self.kind = kind

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return {**super().get_config(), "kind": self.kind}


def triplet_composition(margin: float = 0.2, distance: str = "euclidean") -> list[TripletComposition]:
    """Return the three metrics ``easy``, ``semi_hard`` and ``hard``."""
    return [TripletComposition(kind, margin, distance) for kind in ("easy", "semi_hard", "hard")]


@registered
class EmbeddingCollapse(keras.metrics.Metric):
    """How far the impostors of each batch are from being a margin apart.

    1 − (mean distance of impostors) / margin, not below 0, averaged over batches: 1 where all embeddings are one
    point, so that the loss is the margin whatever is done; 0 where items of different classes are, on average, at
    least the margin apart. A network that starts near 1 has only begun; one that goes there is collapsing.

    Args:
        margin: Of the loss, in the unit of the distance, above 0.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        name: In the logs.

    Range [0, 1], lower is better; batches of one class do not count; 0 before any counts.

    Raises:
        ParameterError: An impossible margin (E505) or an unknown distance (E510).

    Source:
        Hermans, Beyer & Leibe 2017 (training that collapses to one point).
    """

    def __init__(self, margin: float = 0.2, distance: str = "euclidean", name: str = "embedding_collapse") -> None:
        super().__init__(name=name, dtype="float32")
        if require_margin(margin) in {"soft", 0}:
            raise ParameterError("E505", f"margin={margin!r}", where=name, fix="give a number above 0")
        self.margin, self.distance = margin, require_distance(distance)
        self._sum = self.add_variable((), initializer="zeros", dtype="float32", name="sum")
        self._batches = _Count(self, "batches")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch: (n,) labels and (n, dim) embeddings.

        Raises:
            ParameterError: Weights are given (E512).
        """
        _require_unweighted(sample_weight, self.name)
        vectors = precise(y_pred)
        _, negative = pairs(classes(y_true, y_pred), vectors)
        number = ops.sum(ops.cast(negative, "float32"))
        apart = ops.sum(ops.where(negative, ops.cast(pairwise(vectors, self.distance), "float32"), 0.0))
        counted = number > 0
        share = ops.maximum(1.0 - apart / ops.maximum(number, 1.0) / self.margin, 0.0)
        self._sum.assign(self._sum + ops.where(counted, share, 0.0) + poison(y_true, vectors))
        self._batches.add(counted)

    def result(self) -> Any:
        """Return the mean over batches; NaN after a NaN or infinite vector."""
        return self._sum / ops.maximum(self._batches.value(), 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return {"margin": self.margin, "distance": self.distance, "name": self.name}
