"""What is kept comes back bit for bit, and nothing that is read can be anything else than what was listed."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import pytest

import tripleteval as te
from tripleteval.errors import ResourceError
from tripleteval.evaluation import measure, verification
from tripleteval.evaluation.keeping import KINDS
from tripleteval.evaluation.measure import Reading
from tripleteval.evidence.decisions import Decisions
from tripleteval.journal.records import decode, encode


def there_and_back(value: Any) -> Any:
    return decode(bytearray(b"".join(encode(value, KINDS))), KINDS)


def same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    if type(one) in KINDS.values() and not isinstance(one, tuple):
        return same(list(vars(one).values()), list(vars(two).values()))
    if isinstance(one, (list, tuple)):
        return type(one) is type(two) and len(one) == len(two) and all(map(same, one, two))
    return repr(one) == repr(two)


@pytest.mark.parametrize(
    "value",
    [
        [None, True, 0, -(2**90), 0.1, float("inf"), -0.0, float("nan"), "é\x00", [], (), ([1], (2,))],
        [np.array([[1.5, np.nan], [-0.0, np.inf]]), np.zeros((0, 3), np.float32), np.array([True, False, True])],
        [np.arange(5, dtype=np.int16), np.array(3, np.uint8), np.arange(12).reshape(3, 4).T, np.arange(3, dtype=">i4")],
    ],
)
def test_values_come_back(value):
    found = there_and_back(value)
    assert same(found, [v.astype(v.dtype.newbyteorder("=")) if isinstance(v, np.ndarray) else v for v in value])
    assert all(array.flags.aligned and array.flags.writeable for array in found if isinstance(array, np.ndarray))


def test_everything_that_orders_give_comes_back(monkeypatch):
    """The results of a real run with every kind of evidence, as they are joined and merged."""
    seen: list[Any] = []
    for module, name in ((measure, "join"), (verification, "operating")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda value, *rest, real=real: (seen.append(value), real(value, *rest))[1])
    real = Reading.read
    monkeypatch.setattr(Reading, "read", lambda self, value, order: (seen.append(value), real(self, value, order))[1])
    monkeypatch.setattr(Decisions, "merge", lambda _, other: (seen.append(other), other)[1])
    points = np.random.default_rng(0).integers(-3, 4, (60, 2)).astype(float)
    te.evaluate(points, np.arange(60) % 9, metrics=["silhouette", "uniformity"], calibrate_on=0.5)
    assert {type(value).__name__ for value in seen} == {"list", "Evidence", "Pairs", "Decisions"}
    for value in seen:
        assert same(there_and_back(value), value)


def test_what_is_not_listed_is_not_kept():
    for value in ({"a": 1}, object(), np.array([object()]), np.datetime64("2020-01-01"), {1, 2}):
        with pytest.raises((TypeError, ValueError)):
            b"".join(encode(np.array([value]) if isinstance(value, np.datetime64) else value, KINDS))


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "os.system", "fields": ["true"]},
        {"kind": "Column", "fields": [1, 2, 3, 4]},
        {"array": "|O", "shape": [1]},
        {"array": "<f8", "shape": [10**12]},
        {"array": "<f8", "shape": [-1]},
        {"array": "nonsense", "shape": [1]},
        {"metric": "no such metric"},
        {"unknown": 1},
    ],
)
def test_a_record_of_anything_else_is_refused(document):
    text = json.dumps(document).encode()
    with pytest.raises(ResourceError, match="E804"):
        decode(bytearray(len(text).to_bytes(8, "little") + text), KINDS)


def test_garbage_is_refused():
    for data in (b"", b"\xff" * 40, os.urandom(64), b"".join(encode([1, 2], KINDS)) + b"more"):
        with pytest.raises(ResourceError, match="E804"):
            decode(bytearray(data), KINDS)
