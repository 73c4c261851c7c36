"""Evaluations where TensorBoard shows them: scalars over epochs.

TensorBoard's own records are written, so TensorFlow is not needed for any of this.
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
        from tensorboard.compat import tf  # without TensorFlow, a stand-in of its own for files
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError:
        raise MissingExtra("writing for TensorBoard", "tensorboard", extra="tensorflow") from None
    import socket
    import time

    def write(event: Any) -> None:
        writer.write(event.SerializeToString())

    # TensorBoard reads files in the order of their names and, where a step goes back, forgets the later ones. Its own
    # EventFileWriter puts the second into the name, and then a count, of which 10 stands before 9.
    second, rest = divmod(time.time_ns(), 10**9)
    name = f"events.out.tfevents.{second:010d}.{rest:09d}.{socket.gethostname()}.{os.getpid()}"
    tf.io.gfile.makedirs(os.fspath(folder))
    writer = RecordWriter(tf.io.gfile.GFile(f"{os.fspath(folder)}/{name}", "wb"))
    try:
        write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        yield lambda step, summary: write(Event(step=step, summary=summary, wall_time=time.time()))
    finally:
        writer.close()
