"""Handwritten characters: learn five alphabets, and be judged on five others that were never seen.

Run it: python examples/omniglot.py FOLDER, where FOLDER holds images_background_small1.zip and
images_background_small2.zip of https://github.com/brendenlake/omniglot/tree/master/python (MIT licence). It takes
some minutes on two cores, and runs as well with KERAS_BACKEND=jax or KERAS_BACKEND=torch.
"""

from __future__ import annotations

import argparse
import io
import os
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

import tripleteval as te
from tripleteval.keras import (
    BalancedBatches,
    EvaluateEmbeddings,
    TripletSemiHardLoss,
    embed,
    embed_to_file,
    triplet_composition,
)

import keras  # isort: skip  # after tripleteval.keras, which silences what TensorFlow prints on import
from keras import layers  # isort: skip

SIZE, MARGIN, SEED = 28, 0.3, 7
SHOWN = ("hit_rate@1", "recall@10", "map@r", "triplet_accuracy", f"triplet_satisfied@margin={MARGIN}")


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 28, 28) drawings, ink 1 and paper 0, and the character (alphabet/character) of each."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        pictures = [Image.open(io.BytesIO(archive.read(name))).convert("L").resize((SIZE, SIZE)) for name in names]
    drawings = 1 - np.stack([np.asarray(picture, np.float32) for picture in pictures]) / 255
    return drawings, np.array(["/".join(name.split("/")[1:3]) for name in names])


def turned(drawings: np.ndarray, characters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the drawings in all four quarter turns, each turn of a character a class of its own."""
    ways = [np.rot90(drawings, way, axes=(1, 2)) for way in range(4)]
    return np.concatenate(ways), np.concatenate([np.char.add(characters, f" {way}") for way in range(4)])


def moved(drawings: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return each drawing moved by up to two pixels, as (n, 28, 28, 1)."""
    shifts = random.integers(-2, 3, (len(drawings), 2))
    return np.stack([np.roll(one, shift, (0, 1)) for one, shift in zip(drawings, shifts, strict=True)])[..., None]


def network() -> keras.Model:
    """Return the tower: a drawing in, a unit vector of 64 coordinates out."""
    blocks = [
        layer
        for filters in (32, 64, 64, 64)
        for layer in (
            layers.Conv2D(filters, 3, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.MaxPooling2D(),
        )
    ]
    end = [layers.Flatten(), layers.Dense(64), layers.UnitNormalization()]
    return keras.Sequential([keras.Input((SIZE, SIZE, 1)), *blocks, *end])


def main() -> None:
    """Train, and print what pixels, the untrained and the trained network are worth on unseen alphabets."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", nargs="?", default=os.environ.get("TRIPLETEVAL_DATA", "."), type=Path)
    options.add_argument("--epochs", type=int, default=20)
    options.add_argument("--batches", type=int, help="batches per epoch, to try it out; all by default")
    options.add_argument("--output", type=Path, help="folder for runs and for trained.parquet")
    given = options.parse_args()
    files = [next(given.folder.glob(f"**/images_background_small{number}.zip"), None) for number in (1, 2)]
    if None in files:
        raise SystemExit(f"no images_background_small1.zip and small2.zip in {given.folder}; see the top of this file")
    started = time.monotonic()
    (drawings, characters), unseen = map(read, files)
    queries = (unseen[0][..., None], unseen[1])

    keras.utils.set_random_seed(SEED)
    model = network()
    model.compile(keras.optimizers.Adam(2e-3), TripletSemiHardLoss(MARGIN), metrics=triplet_composition(MARGIN))
    pixels = te.Embeddings(unseen[0].reshape(len(unseen[0]), -1), unseen[1])
    sets = {"pixels": pixels, "untrained": embed(model, *queries)}
    classes, names = turned(drawings, characters)
    model.fit(
        BalancedBatches(names, 20, 8, seed=SEED, inputs=classes, transform=moved),
        epochs=given.epochs,
        steps_per_epoch=given.batches,
        # What it says about the unseen alphabets is only watched: nothing is chosen by it.
        callbacks=[
            EvaluateEmbeddings(queries, every=5, metrics=["hit_rate@1", "map@r"]),
            keras.callbacks.LearningRateScheduler(lambda epoch: 2e-3 * 0.5 ** (5 * epoch / given.epochs)),
        ],
        verbose=2,
    )
    sets["trained"] = embed(model, *queries)
    seconds = time.monotonic() - started

    runs = {name: te.evaluate(vectors, margins=(MARGIN,)) for name, vectors in sets.items()}
    if given.output:
        for name, run in runs.items():
            run.save(given.output / name, overwrite=True)
        embed_to_file(model, queries, given.output / "trained.parquet", overwrite=True)
    print(f"{len(names):,} drawings of {len(set(names)):,} classes, {seconds:.0f} s on {keras.backend.backend()}.")
    print(f"{len(unseen[0]):,} drawings of {len(set(unseen[1])):,} characters of other alphabets:")
    print(f"{'metric':32}{''.join(f'{name:>11}' for name in runs)}{'chance':>9}{'ceiling':>9}")
    for spelling in SHOWN:
        facts = runs["trained"].metrics[spelling]
        limits = [facts.get(limit) for limit in ("chance", "ceiling")]
        numbers = "".join(f"{run[spelling]:11.4f}" for run in runs.values())
        print(spelling.ljust(32) + numbers + "".join("" if limit is None else f"{limit:9.4f}" for limit in limits))


if __name__ == "__main__":
    main()
