"""Triplet losses for ``compile(loss=...)``.

``TripletSemiHardLoss``, ``TripletHardLoss`` and ``TripletAllLoss`` take the labels and the embeddings of a batch,
and find the triplets in it; ``TripletMarginLoss`` takes triplets as they are given. Margins are in the unit of the
distance. On the unit sphere a margin m under cosine is 2m under sqeuclidean; under euclidean there is no such rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import keras
import numpy as np
from keras import ops

from tripleteval.errors import DataError, ParameterError, nearest
from tripleteval.keras.geometry import between, classes, pairs, pairwise, poison, precise, require_distance
from tripleteval.keras.mining import Margin, batch_all, batch_hard, hinge, semi_hard

registered = keras.saving.register_keras_serializable(package="tripleteval")

_MEANS = ("nonzero", "all")


_ADDONS = {
    "distance_metric": "write distance='euclidean' for 'L2', 'sqeuclidean' for 'squared-L2', 'cosine' for 'angular'",
    "soft": "write margin='soft' for True, and leave it out for False",
}


class _TripletLoss(keras.losses.Loss):
    """What every loss here has: a margin, a distance, and a configuration that makes it again."""

    def __new__(cls, *_: Any, **given: Any) -> Self:
        for name in given.keys() & _ADDONS.keys():
            found = f"{name}={given[name]!r}, an argument of TensorFlow Addons"
            raise ParameterError("E510", found, where=cls.__name__, fix=_ADDONS[name])
        made: Self = super().__new__(cls)
        return made

    def __init__(self, margin: Margin, distance: str, name: str) -> None:
        # At least float32: float16 holds neither squared distances nor sums over triplets.
        super().__init__(name=name, dtype="float64" if keras.config.floatx() == "float64" else "float32")
        self.margin, self.distance = require_margin(margin), require_distance(distance)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        return {"margin": self.margin, "distance": self.distance, "name": self.name}


class _BatchLoss(_TripletLoss):
    """A loss that finds its triplets in the batch: ``mine`` is one of `tripleteval.keras.mining`."""

    def __init__(self, mine: Callable[..., Any], margin: Margin, distance: str, name: str) -> None:
        super().__init__(margin, distance, name)
        self._mine = mine

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch.

        Raises:
            DataError: Labels are not one column, or embeddings not a matrix (E304).
            LabelError: Not one label per embedding (E401).
            ParameterError: Weights are given, one per item, where the loss is a mean over triplets (E512).
        """
        if sample_weight is not None:
            raise ParameterError(
                "E512",
                "sample or class weights, where the loss is a mean over triplets",
                where=self.name,
                fix="leave them out; how often a class is seen is up to BalancedBatches",
            )
        # A product, so that the gradient is NaN as well, and the optimizer of mixed precision skips the step.
        return ops.multiply(super().__call__(classes(y_true, y_pred), y_pred), 1.0 + poison(y_true, y_pred))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number, as (1,), for (n,) float labels and (n, dim) embeddings; 0 where there is no triplet.

        Not a scalar, because Keras shares out between replicas only what it averages itself.
        """
        vectors = precise(y_pred)
        cost = self._mine(pairwise(vectors, self.distance), *pairs(y_true, vectors), margin=self.margin)
        return ops.reshape(cost, (1,))


@registered
class TripletSemiHardLoss(_BatchLoss):
    """For each genuine pair of a batch, the nearest negative that is farther than the positive.

    The value is that of TensorFlow Addons' loss of this name: mean over the genuine pairs of
    max(0, d(a,p) − d(a,n) + margin), with the farthest negative where none is farther than the positive.

    Args:
        margin: In the unit of the distance, 0 or more; ``"soft"`` for log(1 + exp(d(a,p) − d(a,n))).
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        name: What Keras calls it.

    Takes labels (n,) and embeddings (n, dim); range [0, ∞), lower is better; 0 without a valid triplet, NaN where a
    label is NaN or the squared length of a vector not finite. Rows that a mask of Keras leaves out are in no triplet.

    Raises:
        ParameterError: An impossible margin (E505) or an unknown distance (E510).

    Source:
        Schroff, Kalenichenko & Philbin 2015 (FaceNet), section 3.2.
    """

    def __init__(self, margin: Margin = 0.2, distance: str = "euclidean", name: str = "triplet_semi_hard_loss") -> None:
        super().__init__(semi_hard, margin, distance, name)


@registered
class TripletHardLoss(_BatchLoss):
    """For each anchor of a batch, its farthest positive and its nearest negative.

    Args:
        margin: In the unit of the distance, 0 or more; ``"soft"`` for log(1 + exp(d(a,p) − d(a,n))).
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        name: What Keras calls it.

    Takes labels (n,) and embeddings (n, dim); range [0, ∞), lower is better; 0 without a valid triplet, NaN where a
    label is NaN or the squared length of a vector not finite. Rows that a mask of Keras leaves out are in no triplet.
    Anchors without a positive or a negative do not count.

    Raises:
        ParameterError: An impossible margin (E505) or an unknown distance (E510).

    Source:
        Hermans, Beyer & Leibe 2017, section 2 ("batch hard").
    """

    def __init__(self, margin: Margin = 0.2, distance: str = "euclidean", name: str = "triplet_hard_loss") -> None:
        super().__init__(batch_hard, margin, distance, name)


@registered
class TripletAllLoss(_BatchLoss):
    """Every valid triplet of a batch.

    Args:
        margin: In the unit of the distance, 0 or more; ``"soft"`` for log(1 + exp(d(a,p) − d(a,n))).
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        mean: ``"nonzero"`` averages over the triplets that cost something, so that the easy ones do not drown
            the rest; ``"all"`` over all. The nonzero mean may rise while training succeeds.
        name: What Keras calls it.

    Takes labels (n,) and embeddings (n, dim); range [0, ∞), lower is better; 0 without a valid triplet, NaN where a
    label is NaN or the squared length of a vector not finite. Rows that a mask of Keras leaves out are in no triplet.

    Raises:
        ParameterError: An impossible margin (E505), an unknown distance or mean (E510).

    Source:
        Hermans, Beyer & Leibe 2017, section 2 ("batch all").
    """

    def __init__(
        self,
        margin: Margin = 0.2,
        distance: str = "euclidean",
        mean: Literal["nonzero", "all"] = "nonzero",
        name: str = "triplet_all_loss",
    ) -> None:
        if mean not in _MEANS:
            raise ParameterError("E510", f"mean={mean!r}", fix=nearest(str(mean), _MEANS))
        super().__init__(partial(batch_all, nonzero=mean == "nonzero"), margin, distance, name)
        self.mean = mean

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        return {**super().get_config(), "mean": self.mean}


@registered
class TripletMarginLoss(_TripletLoss):
    """Triplets as they are given: the model returns anchor, positive and negative, stacked.

    Keras gives each of several outputs a loss of its own, so let the model return one:
    ``keras.ops.stack([anchor, positive, negative], axis=1)``. What it is given as y does not matter, but Keras
    insists on some: zeros will do.

    Args:
        margin: In the unit of the distance, 0 or more; ``"soft"`` for log(1 + exp(d(a,p) − d(a,n))).
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        name: What Keras calls it.

    Takes anything as y and (n, 3, dim) embeddings; the mean over the n triplets, weighted where weights are
    given; range [0, ∞), lower is better.

    Raises:
        ParameterError: An impossible margin (E505) or an unknown distance (E510).

    Source:
        Schroff, Kalenichenko & Philbin 2015 (FaceNet), section 3.1, equation 2.
    """

    def __init__(self, margin: Margin = 0.2, distance: str = "euclidean", name: str = "triplet_margin_loss") -> None:
        super().__init__(margin, distance, name)

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: ARG002  # Keras passes both
        """Return the (n,) cost of each triplet.

        Raises:
            DataError: Not three vectors per row (E304).
        """
        if len(y_pred.shape) != 3 or y_pred.shape[1] != 3:
            raise DataError(
                "E304",
                f"triplets of shape {tuple(y_pred.shape)}, not (n, 3, dim)",
                fix="return keras.ops.stack([anchor, positive, negative], axis=1)",
            )
        anchor, positive, negative = (y_pred[:, which] for which in range(3))
        return triplet_cost(anchor, positive, negative, self.margin, self.distance)


def triplet_cost(
    anchors: Any, positives: Any, negatives: Any, margin: Margin = 0.2, distance: str = "euclidean"
) -> Any:
    """Return the (n,) cost of given triplets, for a ``train_step`` of your own.

    Args:
        anchors: (n, dim) embeddings.
        positives: (n, dim) embeddings of items of the anchors' classes.
        negatives: (n, dim) embeddings of items of other classes.
        margin: In the unit of the distance, 0 or more; or ``"soft"``.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
    """
    margin, distance = require_margin(margin), require_distance(distance)
    return hinge(between(anchors, negatives, distance) - between(anchors, positives, distance), margin)


def require_margin(margin: Any) -> Margin:
    """Return ``margin`` if it is one.

    Raises:
        ParameterError: It is neither ``"soft"`` nor a finite number of 0 or more (E505).
    """
    if isinstance(margin, (np.floating, np.integer)):
        margin = float(margin)
    number = isinstance(margin, (int, float)) and not isinstance(margin, bool)
    if margin != "soft" and not (number and math.isfinite(margin) and margin >= 0):
        raise ParameterError("E505", f"margin={margin!r}", fix="give a number, 0 or more, or 'soft'")
    found: Margin = margin
    return found
