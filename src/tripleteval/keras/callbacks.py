"""Evaluate while training: the numbers of the command line, where Keras looks for its own."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.errors import DataError, ParameterError, ResourceError
from tripleteval.evaluation.door import evaluate
from tripleteval.keras.collapse import CollapseWarning, collapsed, stuck
from tripleteval.keras.embedding import embed
from tripleteval.keras.tower import embedding_tower
from tripleteval.keras.validation import (
    DIVERGED,
    rehearse,
    require_answerable,
    require_one_space,
    require_settings,
    require_watchable,
)
from tripleteval.metrics import parse
from tripleteval.metrics.names import safe_name
from tripleteval.report.presets import measured, require_preset, with_preset


class EvaluateEmbeddings(keras.callbacks.Callback):
    """Evaluate a held-out set as ``tripleteval evaluate`` does, and add the numbers to the logs of the epoch.

    ``recall@10`` becomes ``val_recall_at_10``, so `EarlyStopping`, `ModelCheckpoint` and `ReduceLROnPlateau` can
    watch it; they must stand after this callback in the list, and usually need ``mode="max"``. In epochs that are
    not evaluated the numbers of the last evaluation are repeated. Where the network gives vectors that cannot be
    evaluated (not finite, or without a direction under cosine) the numbers are NaN, and a warning says why. Weights,
    optimizer, metrics and random state of the training are what they were.

    Memory: the embeddings of the validation data, and ``memory`` besides; never a distance matrix.

    Args:
        validation_data: (inputs, labels), a PyDataset, a tf.data.Dataset or an `ImageFolder`, as `embed` takes
            them; something that can be read again in every epoch.
        gallery: Likewise, who is searched; by default the validation data are, among themselves.
        every: Evaluate every so many epochs, beginning with the first that is trained, and the last one.
        metrics: Which metrics go into the logs, by spelling; by default all that are measured.
        preset: ``"face"``, ``"product"`` or ``"reid"``: the numbers that the command line prints first go into the
            logs, before ``metrics``, and come first in the reports of ``runs``. Of rates at several FARs all are in
            the logs (``val_tar_at_far_0_01``, …): which of them is reliable depends on how many items there are.
        tower: What turns an item into its vector; by default the model, or the tower that a Siamese model shares.
        runs: Folder in which every evaluation is saved, as ``epoch-0001`` and so on.
        overwrite: Whether those may replace what is there.
        prefix: Put before every name in the logs.
        batch_size: Items per step of embedding.
        warn: Whether to warn, once, that the space collapses.
        **settings: Whatever `tripleteval.evaluate` takes: ``distance``, ``ks``, ``margins``, ``memory``, ``threads``
            and so on. Distance and margin are by default those of the model's loss, where it has them.

    Attributes:
        evaluations: The `Evaluation` of each evaluated epoch, by its number from 0. Tables (``per_query`` and the
            like) are those of the last one alone, since they grow with the data; ``runs`` keeps all of them.

    Raises:
        ParameterError: ``every`` is no positive number (E308), or a metric, a setting or the preset is unknown (E510),
            or impossible, or asks for groups, a column or a share of identities that the data do not have (E101, E505).
        DataError: Data of no known kind (E203), or readable only once or without end (E301); vectors and a gallery of
            different dimensions (E306), when training begins.
        LabelError: Arrays without a label for each item, or with unusable ones (E401-E408).
        ResourceError: A run folder of an epoch to come is there already (E801), when training begins.
        FileError: The model gives no vector per item (E613), when training begins.

    Example:
        ``model.fit(batches, epochs=50, callbacks=[EvaluateEmbeddings((images, labels), metrics=["recall@10"]),
        keras.callbacks.EarlyStopping("val_recall_at_10", mode="max", patience=5)])``
    """

    def __init__(
        self,
        validation_data: Any,
        *,
        gallery: Any = None,
        every: int = 1,
        metrics: Sequence[str] | str = (),
        preset: str | None = None,
        tower: Any = None,
        runs: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        prefix: str = "val_",
        batch_size: int = 256,
        warn: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ParameterError("E308", f"every={every!r}", fix="give a whole number, 1 or more")
        self.validation_data, self.gallery, self.every, self.tower = validation_data, gallery, every, tower
        spellings = [metrics] if isinstance(metrics, str) else list(metrics)
        require_settings({"metrics": spellings, **settings})
        known = (require_watchable(data, name, batch_size) for data, name in self._sets())
        require_answerable(*known, alone=gallery is None, **settings)
        self.metrics, self.preset = [parse(spelling) for spelling in spellings], require_preset(preset)
        self.runs, self.overwrite = None if runs is None else Path(runs), overwrite
        self.prefix, self.batch_size, self.warn = prefix, batch_size, warn
        self.settings = settings
        self.evaluations: dict[int, Evaluation] = {}
        self._last: dict[str, float] = {}
        self._losses: list[float] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras passes it
        """Find the tower, and embed the first batch: what is wrong with either is better known now."""
        self._embedder = self.tower if self.tower is not None else embedding_tower(self.model)
        require_one_space(*(rehearse(self._embedder, data, name, self.batch_size) for data, name in self._sets()))
        self._last, self._begun = {}, False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras passes it
        """Refuse, before the first epoch of a training, run folders that are there already."""
        self.evaluations.pop(epoch, None)  # of another training
        if self._begun or self.runs is None or self.overwrite:
            return
        self._begun = True
        there = sorted(folder for folder in self.runs.glob("epoch-*") if folder.name > _folder(epoch - 1))
        if there:
            raise ResourceError(
                "E801",
                "something is there already",
                where=str(there[0]),
                fix="choose another folder, or overwrite=True",
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Evaluate, where it is this epoch's turn, and add the numbers to ``logs``."""
        last = epoch + 1 == (self.params or {}).get("epochs")
        if not self._last or epoch % self.every == 0 or last:
            self._evaluate(epoch)
        if logs is not None:
            self._losses.append(float(logs.get("loss", math.nan)))
            logs.update(self._last)
        self._warn(epoch)

    def _evaluate(self, epoch: int) -> None:
        try:
            evaluation = self._evaluated()
        except DataError as error:
            if error.code not in DIVERGED:
                raise
            asked = (self.prefix + safe_name(named.spelling) for named in self.metrics)
            self._last = dict.fromkeys([*self._last, *asked], math.nan)
            warnings.warn(f"epoch {epoch + 1} could not be evaluated: {error}", CollapseWarning, stacklevel=2)
            return
        for earlier, kept in self.evaluations.items():  # their tables are the one thing that grows with the data
            self.evaluations[earlier] = replace(kept, per_query=None, per_class=None, per_unit=None, neighbors=None)
        self.evaluations[epoch] = evaluation
        self._last = {self.prefix + safe_name(name): evaluation[name] for name in self._names(evaluation)}
        if self.runs is not None:
            self.runs.mkdir(parents=True, exist_ok=True)
            evaluation.save(self.runs / _folder(epoch), overwrite=self.overwrite)

    def _evaluated(self) -> Evaluation:
        sets = [
            data if data is None or isinstance(data, Embeddings) else self._embedded(data, name)
            for data, name in self._sets()
        ]
        return with_preset(evaluate(sets[0], gallery=sets[1], **self._settings()), self.preset)

    def _sets(self) -> tuple[tuple[Any, str], tuple[Any, str]]:
        return (self.validation_data, "validation data"), (self.gallery, "gallery")

    def _embedded(self, data: Any, name: str) -> Embeddings:
        return embed(self._embedder, data, batch_size=self.batch_size, progress=False, name=name)

    def _settings(self) -> dict[str, Any]:
        loss, trained = self._loss(), dict[str, Any]()
        if isinstance(getattr(loss, "distance", None), str):
            trained["distance"] = loss.distance
        if isinstance(getattr(loss, "margin", None), (int, float)):
            trained["margins"] = (loss.margin,)
        return {**trained, "metrics": [named.spelling for named in self.metrics], **self.settings}

    def _loss(self) -> Any:
        """Return the model's loss; of several, the first that has a distance."""
        losses = keras.tree.flatten(getattr(self.model, "loss", None))
        return next((loss for loss in losses if hasattr(loss, "distance")), losses[0] if losses else None)

    def _names(self, evaluation: Evaluation) -> list[str]:
        first = [] if self.preset is None else measured(evaluation, self.preset)
        return [*first, *(named.spelling for named in self.metrics)] or list(evaluation)

    def _warn(self, epoch: int) -> None:
        why = stuck(self._losses, getattr(self._loss(), "margin", None))
        if epoch in self.evaluations:
            why = collapsed(self.evaluations[epoch]) or why
        if why and self.warn:
            self.warn = False
            warnings.warn(f"epoch {epoch + 1}: {why}", CollapseWarning, stacklevel=2)


def _folder(epoch: int) -> str:
    return f"epoch-{epoch + 1:04d}"
