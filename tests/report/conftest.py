"""Evaluations that reports are made of."""

from __future__ import annotations

import numpy as np
import pytest

from tripleteval import (
    Embeddings,
    Evaluation,
    evaluate,
    evaluate_identification,
    evaluate_pairs,
    evaluate_triplets,
)

POINTS = [[0.0], [1.0], [3.0], [7.0], [8.0], [12.0]]


@pytest.fixture(scope="session")
def run() -> Evaluation:
    """Six points of two classes, with ids."""
    ids = [f"item-{row}" for row in range(6)]
    found = Embeddings(POINTS, ["cat", "cat", "dog", "cat", "dog", "dog"], ids=ids, name="pets")
    return evaluate(found, ks=(1, 2), margins=(0.5, 2.0), margin_curve=[-1, 0.5])


@pytest.fixture(scope="session")
def given() -> Evaluation:
    """Two given triplets, without queries, classes or neighbours."""
    return evaluate_triplets([[0.0], [0.0]], [[1.0], [3.0]], [[2.0], [2.0]], margins=(0.5,))


@pytest.fixture(scope="session")
def collapsed() -> Evaluation:
    """Every vector the same."""
    return evaluate(np.zeros((8, 3)), [0, 0, 1, 1] * 2)


@pytest.fixture(scope="session")
def one_class() -> Evaluation:
    """Nothing to confuse anything with: no triplet exists."""
    return evaluate(POINTS, [0] * 6)


@pytest.fixture(scope="session")
def paired() -> Evaluation:
    """240 given pairs of 40 people in 5 folds that share nobody."""
    rows = np.arange(120)
    vectors = np.random.default_rng(0).normal(size=(40, 3))[rows // 3]
    people = Embeddings(vectors + 0.5 * np.random.default_rng(1).normal(size=(120, 3)), name="faces")
    fold = rows // 24
    others = np.concatenate([rows // 3 * 3 + (rows + 1) % 3, fold * 24 + (rows + 9) % 24])
    one, same = np.concatenate([rows, rows]), np.repeat([True, False], 120)
    return evaluate_pairs(one, others, same, embeddings=people, folds=fold[one])


@pytest.fixture(scope="session")
def identified() -> Evaluation:
    """Probes of 20 enrolled people and of 10 strangers."""
    people = np.arange(30)
    gallery = Embeddings(people[:20, None] * 1.0, people[:20], name="enrolled")
    return evaluate_identification(Embeddings(people[:, None] * 0.9, people, name="probes"), gallery)
