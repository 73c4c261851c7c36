"""Made data for benchmarks: labelled clusters on the unit sphere, and a line about the machine."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from typing import Any

import numpy as np


def clusters(n: int, dim: int, classes: int, noise: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, dim) float32 unit vectors and their labels: class centres N(0, I) plus ``noise`` N(0, I)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    points = rng.normal(size=(classes, dim)).astype(np.float32)[labels]
    points += noise * rng.normal(size=(n, dim)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True), labels


def report(**figures: Any) -> None:
    """Print one JSON line, with the machine beside the figures."""
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    versions = {name: version(name) for name in ("tripleteval", "numpy", "numba")}
    print(json.dumps({**figures, **machine, **versions}), flush=True)
