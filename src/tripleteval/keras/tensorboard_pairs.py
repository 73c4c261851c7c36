"""Genuine and impostor pairs in TensorBoard: their distances, and the precision and recall of a threshold.

Both look at all pairs among some rows, drawn without replacement: a picture needs no more.
"""

from __future__ import annotations

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels
from tripleteval.distance.pairwise import pairwise_distances
from tripleteval.errors import LabelError
from tripleteval.keras.tensorboard import Folder, events

_ROWS, _THRESHOLDS = 1000, 201


def write_distances(
    embeddings: Embeddings, folder: Folder, step: int, *, distance: str = "euclidean", rows: int = _ROWS, seed: int = 0
) -> None:
    """Write histograms of the distances between items of one class, and of different classes.

    Args:
        embeddings: With one label per row.
        folder: Log folder; a new event file is added to it.
        step: Epoch or step they belong to.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        rows: All pairs of so many rows are shown.
        seed: Of the draw.

    Raises:
        MissingExtra: TensorBoard is not installed (E103).
        LabelError: No single label per row (E401).
    """
    with events(folder) as write:
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb

        for name, values in zip(("genuine", "impostor"), pair_distances(embeddings, distance, rows, seed), strict=True):
            write(step, histogram_pb(f"tripleteval/{name}_distances", values, buckets=60))


def pair_distances(embeddings: Embeddings, distance: str, rows: int, seed: int) -> tuple[Floats, Floats]:
    """Return the distances of the genuine and of the impostor pairs among ``rows`` rows drawn at random.

    Raises:
        LabelError: No single label per row (E401).
    """
    if not isinstance(embeddings.labels, Labels):
        raise LabelError("E401", "no single label per row", where=embeddings.name, fix="give each vector one label")
    drawn = np.random.default_rng(seed).permutation(len(embeddings))[:rows]
    vectors, codes = embeddings.vectors[drawn], embeddings.labels.codes[drawn]
    apart = np.asarray(pairwise_distances(vectors, vectors, distance=distance))
    first, second = np.triu_indices(len(drawn), 1)
    values, genuine = apart[first, second], codes[first] == codes[second]
    return values[genuine], values[~genuine]


def write_pr_curve(
    embeddings: Embeddings, folder: Folder, step: int, *, distance: str = "euclidean", rows: int = _ROWS, seed: int = 0
) -> None:
    """Write the curve of precision over recall of "these two are of one class, for they are this near".

    Threshold t of TensorBoard's 201 from 0 to 1 stands for the distance (1 − t) · d, where d is that of the farthest
    pair; pairs at that distance, or nearer, are taken for genuine. Precision depends on how many pairs are genuine,
    so compare curves of the same items only. (TensorBoard has no page for ROC curves; `tripleteval report` draws one.)

    Args:
        embeddings: With one label per row.
        folder: Log folder; a new event file is added to it.
        step: Epoch or step it belongs to.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        rows: All pairs of so many rows are looked at.
        seed: Of the draw.

    Raises:
        MissingExtra: TensorBoard is not installed (E103).
        LabelError: No single label per row (E401).
    """
    with events(folder) as write:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.pr_curve.metadata import create_summary_metadata
        from tensorboard.util.tensor_util import make_tensor_proto

        curve = precision_recall(*pair_distances(embeddings, distance, rows, seed))
        value = Summary.Value(
            tag="tripleteval/same_class",
            tensor=make_tensor_proto(curve.astype(np.float32)),
            metadata=create_summary_metadata(
                "pairs of one class", "threshold t: distance (1 − t) · farthest", _THRESHOLDS
            ),
        )
        write(step, Summary(value=[value]))


def precision_recall(genuine: Floats, impostor: Floats) -> Floats:
    """Return the (6, 201) rows that TensorBoard draws: TP, FP, TN, FN, precision and recall at each threshold.

    Precision is 1 where nothing is accepted, recall 0 where there is nothing genuine.
    """
    farthest = max((values.max() for values in (genuine, impostor) if len(values)), default=0.0)
    accepted = np.linspace(farthest, 0.0, _THRESHOLDS)
    true, false = (np.searchsorted(np.sort(values), accepted, side="right") for values in (genuine, impostor))
    precision = np.where(true + false > 0, true / np.maximum(true + false, 1), 1.0)
    recall = true / max(len(genuine), 1)
    return np.stack([true, false, len(impostor) - false, len(genuine) - true, precision, recall]).astype(np.float64)
