"""A small Siamese network on handwritten digits, evaluated before and after training, in under a minute.

The network learns from the digits 0 to 5 and is judged on 6 to 9, which it has never seen: that is what a
Siamese network is for. Each digit stands at a random place of an empty canvas, so comparing pixels fails and
there is something to learn. All images are real (the 8 × 8 digits that scikit-learn brings along).
"""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Table
from tripleteval.errors import MissingExtra, ResourceError, visible
from tripleteval.evaluation.door import evaluate
from tripleteval.keras.framework import require_keras
from tripleteval.keras.progress import shown
from tripleteval.report.layout import Fitted, Wrapped

EXTRAS = "tensorflow,stats,report"
SEED = 7
UNSEEN = (6, 7, 8, 9)
CANVAS = 14
DIM = 32
MARGIN = 0.2
EPOCHS = 5
LEFT = ("untrained", "trained", "untrained.npz", "trained.npz", "report.html")
CLASSES_PER_BATCH, IMAGES_PER_CLASS = 12, 8

ROWS = (
    "hit_rate@1",
    "recall@10",
    "map@r",
    "mrr",
    "triplet_accuracy",
    "triplet_satisfied@margin=0.2",
    "easy@margin=0.2",
    "semi_hard@margin=0.2",
    "hard@margin=0.2",
)
# Of two unrelated distances either is the smaller one.
CHANCE = {"triplet_accuracy": 0.5}


def run(output: Path, *, quick: bool = False) -> None:
    """Train, evaluate, print one table and leave run folders, vectors and a report in ``output``.

    Args:
        output: Folder for ``untrained/``, ``trained/``, their vectors and ``report.html``; an earlier demo
            in it is replaced.
        quick: A few steps of training only, to see that everything works.

    Raises:
        MissingExtra: TensorFlow, Keras or scikit-learn is not installed (E103).
        ResourceError: ``output`` cannot be written, or holds something else (E801).
    """
    from rich.text import Text

    from tripleteval.report.console import screen

    _require_room(output)
    images, labels = _digits()
    unseen = np.isin(labels, UNSEEN)
    canvases = _placed(images[unseen], np.random.default_rng(SEED))
    network, untrained, trained = _train(images[~unseen], labels[~unseen], canvases, quick=quick)
    vectors = {"pixels": _unit(canvases.reshape(len(canvases), -1)), "untrained": untrained, "trained": trained}
    runs = {name: _evaluate(name, found, labels[unseen]) for name, found in vectors.items()}
    _save(output, runs, vectors, labels[unseen])

    console = screen()
    what = (
        f"A Siamese network of {network.count_params():,} weights, trained on the digits 0 to 5 and "
        f"evaluated on {int(unseen.sum())} images of the digits 6 to 9, which it has never seen."
    )
    console.print(Wrapped(Text(what)), "", Fitted(_table(runs)), "")
    vectors_file = visible(shlex.quote(str(output / "trained.npz")))
    for line in (
        f"Open        {visible(str(output / 'report.html'))}",
        f"Run again   tripleteval evaluate {vectors_file}",
        "Your own    tripleteval evaluate --help",
    ):
        # Text, not a string: a path may hold [brackets], which rich reads as mark-up.
        console.print(Text(line), soft_wrap=True)


def _require_room(output: Path) -> None:
    """Refuse, before a minute of training, a folder in which something else would be replaced.

    Raises:
        ResourceError: It is a run, holds what no demo left there, or cannot be written (E801).
    """
    from tripleteval.report.search_folder import SEARCH
    from tripleteval.runs import RUN, require_free

    there = {entry.name for entry in os.scandir(output)} if output.is_dir() else set()
    found = ""
    if os.path.lexists(output) and not output.is_dir():
        found = "not a folder"
    elif there & {RUN, SEARCH}:
        found = "a run folder, into which nothing else may go"
    elif (theirs := sorted(there.intersection(LEFT))) and not any((output / n / RUN).is_file() for n in LEFT[:2]):
        found = f"a folder that holds {theirs[0]!r}, which no demo left there"
    if found:
        raise ResourceError("E801", found, where=str(output), fix="name a new folder with --output")
    for name in LEFT[:2]:
        require_free(output / name, overwrite=True)


def _digits() -> tuple[Floats, Ints]:
    """Return (1797, 8, 8) images with values from 0 to 1, and the digit each shows."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtra("the demo", "sklearn", extra=EXTRAS) from None
    found = load_digits()
    return found.images / 16, found.target.astype(np.int64)


def _placed(images: Floats, random: np.random.Generator) -> Floats:
    """Return (n, 14, 14) canvases, each with its image at a random place."""
    size = images.shape[1]
    canvases = np.zeros((len(images), CANVAS, CANVAS))
    for canvas, image, (top, left) in zip(
        canvases, images, random.integers(0, CANVAS - size + 1, (len(images), 2)), strict=True
    ):
        canvas[top : top + size, left : left + size] = image
    return canvases


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _training_classes(images: Floats, labels: Ints) -> tuple[Floats, Ints]:
    """Return the images with their quarter turns and mirror images, each a class of its own.

    Six classes are too few to learn from, and a 4 on its side is no 4. A 0 or a 1 looks much the same turned.
    """
    turned, classes = [images], [8 * labels]
    some = ~np.isin(labels, (0, 1))
    for way in range(1, 8):
        rotated = np.rot90(images[some], way % 4, axes=(1, 2))
        turned.append(rotated.transpose(0, 2, 1) if way >= 4 else rotated)
        classes.append(8 * labels[some] + way)
    return np.concatenate(turned), np.concatenate(classes)


def _train(images: Floats, labels: Ints, unseen: Floats, *, quick: bool) -> tuple[Any, Floats, Floats]:
    """Return the network, and its vectors of the unseen images before and after training."""
    keras = require_keras("the demo", extra=EXTRAS)
    from tripleteval.keras import BalancedBatches, TripletAllLoss, embed

    keras.utils.set_random_seed(SEED)
    network = _tower(keras)
    network.compile(keras.optimizers.Adam(1e-3), loss=TripletAllLoss(MARGIN))
    vectors = partial(embed, network, unseen[..., None], progress=False)
    before = vectors().vectors
    turned, classes = _training_classes(images, labels)
    batches = BalancedBatches(
        classes,
        CLASSES_PER_BATCH,
        IMAGES_PER_CLASS,
        SEED,
        inputs=turned,
        transform=lambda some, random: _placed(some, random)[..., None],
    )
    with shown("Training a Siamese network on the digits 0 to 5", progress=True) as tell:
        seen = iter(range(1, 10**6))
        steps = 10 if quick else EPOCHS * len(batches)
        each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: tell(next(seen), steps))
        network.fit(
            batches,
            epochs=1 if quick else EPOCHS,
            steps_per_epoch=steps if quick else None,
            shuffle=False,
            verbose=0,
            callbacks=[each],
        )
    return network, before, vectors().vectors


def _tower(keras: Any) -> Any:
    """Return the tower that all three images of a triplet go through: canvas in, unit vector out."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((CANVAS, CANVAS, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(128, 3, padding="same", activation="relu"),
            layers.GlobalMaxPooling2D(),  # what is there counts, not where
            layers.Dense(DIM),
            layers.UnitNormalization(),
        ]
    )


def _evaluate(name: str, vectors: Floats, labels: Ints) -> Evaluation:
    curve = np.linspace(-1.0, 1.0, 41).round(2).tolist()
    return evaluate(Embeddings(vectors, labels, name=name), margins=(MARGIN,), margin_curve=curve)


def _save(output: Path, runs: dict[str, Evaluation], vectors: dict[str, Floats], labels: Ints) -> None:
    from tripleteval.disk import atomic_write
    from tripleteval.report.html import page

    for name in ("untrained", "trained"):
        runs[name].save(output / name, overwrite=True)
        np.savez(output / f"{name}.npz", embeddings=vectors[name], labels=labels)
    html = page([(name, runs[name]) for name in ("untrained", "trained")])
    atomic_write(output / "report.html", html.encode())


def _table(runs: dict[str, Evaluation]) -> Table:
    heads = (*runs, "chance", "ceiling")
    rows = []
    for spelling in ROWS:
        facts = runs["trained"].metrics[spelling]
        limits = [facts.get("chance", CHANCE.get(spelling)), facts.get("ceiling")]
        numbers = [run[spelling] for run in runs.values()] + limits
        rows.append((spelling, *("" if number is None else f"{number:.4f}" for number in numbers)))
    return Table(("metric", *heads), rows, frozenset(heads))
