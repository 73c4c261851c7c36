"""Evaluations where TensorBoard shows them: scalars over epochs.

TensorBoard's own writer is used, so TensorFlow is not needed for any of this.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tripleteval.data.evaluation import Evaluation
from tripleteval.errors import MissingExtra
from tripleteval.metrics.names import safe_name

Folder = str | os.PathLike[str]


class TensorBoardEmbeddings(keras.callbacks.Callback):
    """Write what an `EvaluateEmbeddings` measures to TensorBoard; it must stand after it in the list.

    Args:
        evaluate: The callback whose evaluations are written.
        folder: Where TensorBoard looks; keep it beside the folders of ``keras.callbacks.TensorBoard``.
        metrics: Which metrics, by spelling; by default all.
    """

    def __init__(self, evaluate: Any, folder: Folder, *, metrics: Sequence[str] = ()) -> None:
        super().__init__()
        self.evaluate, self.folder, self.metrics = evaluate, Path(folder), tuple(metrics)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras passes it
        """Write the evaluation of this epoch, where there is one."""
        if epoch in self.evaluate.evaluations:
            write_scalars(self.evaluate.evaluations[epoch], self.folder, epoch, metrics=self.metrics)


def write_scalars(evaluation: Evaluation, folder: Folder, step: int, *, metrics: Sequence[str] = ()) -> None:
    """Write one value per metric, tagged ``tripleteval/recall_at_10`` and the like.

    Args:
        evaluation: What was measured; an undefined number is left out.
        folder: Log folder; a new event file is added to it.
        step: Epoch or step the values belong to.
        metrics: Which metrics, by spelling; by default all.

    Raises:
        MissingExtra: TensorBoard is not installed (E103).
        ParameterError: A metric that was not measured (E510).
    """
    with events(folder) as write:
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        for spelling in metrics or evaluation:
            if not np.isnan(evaluation[spelling]):
                write(step, scalar_pb(f"tripleteval/{safe_name(spelling)}", evaluation[spelling]))


@contextmanager
def events(folder: Folder) -> Iterator[Any]:
    """Yield a function of a step and a summary that writes to a new event file.

    Raises:
        MissingExtra: TensorBoard is not installed (E103).
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError:
        raise MissingExtra("writing for TensorBoard", "tensorboard", extra="tensorflow") from None
    import time

    writer = EventFileWriter(os.fspath(folder))
    try:
        yield lambda step, summary: writer.add_event(Event(step=step, summary=summary, wall_time=time.time()))
    finally:
        writer.close()
