"""Vectors on a plane: principal components always, UMAP where it is asked for and installed."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from tripleteval.arrays import AnyArray, Floats
from tripleteval.errors import MissingExtra, ParameterError, nearest

METHODS = ("pca", "umap")
SEED = 0

_BLOCK = 65536


def projected(vectors: AnyArray, method: str = "pca", *, distance: str = "euclidean") -> Floats:
    """Return (n, 2) coordinates, the same every time.

    Args:
        vectors: (n, dim) embeddings.
        method: ``"pca"`` for the two directions of largest variance, or ``"umap"`` for neighbourhoods; under UMAP
            distances between groups mean nothing.
        distance: What UMAP takes for near; principal components are Euclidean.

    Raises:
        ParameterError: Another method (E510).
        MissingExtra: umap-learn is not installed.
    """
    if method not in METHODS:
        raise ParameterError("E510", f"unknown projection {method!r}", fix=nearest(method, METHODS))
    if method == "umap" and len(vectors) > 3:
        return _umap(vectors, distance)
    return _pca(vectors)


def explained(vectors: AnyArray, coordinates: Floats) -> float:
    """Return the share of the variance of the vectors that their principal coordinates keep."""
    whole = float(np.var(np.asarray(vectors, np.float64), axis=0).sum())
    return float(np.var(coordinates, axis=0).sum()) / whole if whole else 1.0


def _pca(vectors: AnyArray) -> Floats:
    mean = np.mean(vectors, axis=0, dtype=np.float64)
    dim = vectors.shape[1]
    scatter = np.zeros((dim, dim))
    for start in range(0, len(vectors), _BLOCK):
        centred = vectors[start : start + _BLOCK].astype(np.float64) - mean
        scatter += centred.T @ centred
    axes = np.linalg.eigh(scatter)[1][:, ::-1][:, :2]
    # An axis and its mirror image explain as much: the largest component points upwards.
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    flat = (vectors.astype(np.float64) - mean) @ axes
    return flat if dim > 1 else np.column_stack([flat, np.zeros(len(flat))])


def _umap(vectors: AnyArray, distance: str) -> Floats:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that a seed means one thread, which is what we want
        made = _umap_class()
        metric = "cosine" if distance == "cosine" else "euclidean"
        near = min(15, len(vectors) - 1)
        flat = made(n_neighbors=near, metric=metric, random_state=SEED, n_jobs=1).fit_transform(np.asarray(vectors))
    return np.asarray(flat, np.float64)


def _umap_class() -> Any:
    """Return umap-learn's class, without the TensorFlow of its parametric variant, which takes seconds to import.

    Whoever imports umap afterwards gets all of it.

    Raises:
        MissingExtra: umap-learn is not installed.
    """
    unwanted = "umap.parametric_umap"
    skipped = "umap" not in sys.modules and "tensorflow" not in sys.modules
    if skipped:
        sys.modules[unwanted] = None  # type: ignore[assignment]  # an import of it fails, which umap expects
    try:
        from umap import UMAP
    except ImportError:
        raise MissingExtra("a UMAP map", "umap", extra="map") from None
    finally:
        if skipped:
            for name in (unwanted, "umap"):
                sys.modules.pop(name, None)
    return UMAP
