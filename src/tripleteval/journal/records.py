"""Evidence as bytes and back, without pickle: a JSON document that says what is there, and the arrays behind it.

Only what is listed in ``kinds`` comes back as more than numbers, text, lists and arrays; nothing that is read can
name a type of its own.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tripleteval.arrays import AnyArray
from tripleteval.errors import ResourceError
from tripleteval.metrics import Named, parse

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

Kinds = Mapping[str, type]
_LENGTH = 8
_ALIGNED = 16  # so that arrays can be used where they lie
_NUMBERS = "biuf"


def encode(value: Any, kinds: Kinds) -> list[memoryview]:
    """Return a value as parts of bytes, which share memory with its arrays.

    Raises:
        TypeError: Something in it is of no kind that is listed.
    """
    arrays: list[AnyArray] = []
    text = json.dumps(_described(value, kinds, arrays), separators=(",", ":")).encode()
    text += b" " * (-(_LENGTH + len(text)) % _ALIGNED)
    parts = [memoryview(len(text).to_bytes(_LENGTH, "little") + text)]
    for array in arrays:
        parts += [array.reshape(-1).view(np.uint8).data, memoryview(bytes(-array.nbytes % _ALIGNED))]
    return parts


def described(data: Buffer) -> Any:
    """Return the document alone: what is there, without its arrays.

    Raises:
        ResourceError: It is not what `encode` writes (E804).
    """
    with _readable():
        return json.loads(bytes(memoryview(data)[_LENGTH : _begin(data)]))


def decode(data: bytearray, kinds: Kinds) -> Any:
    """Return what `encode` was given; its arrays share memory with ``data``.

    Raises:
        ResourceError: It is not what `encode` writes (E804).
    """
    document = described(data)
    with _readable():
        reader = _Reader(data, _begin(data), kinds)
        value = reader.value(document)
        if reader.offset != len(data):
            raise ValueError("something stands behind it")
        return value


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ResourceError("E804", f"a record that cannot be read ({error})", fix="start the run again") from None


def _begin(data: Buffer) -> int:
    return _LENGTH + int.from_bytes(memoryview(data)[:_LENGTH], "little")


def _described(value: Any, kinds: Kinds, arrays: list[AnyArray]) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in _NUMBERS:
        arrays.append(np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<")))
        return {"array": arrays[-1].dtype.str, "shape": list(value.shape)}
    if isinstance(value, Named):
        return {"metric": value.spelling}
    name = type(value).__name__
    if kinds.get(name) is type(value):
        return {"kind": name, "fields": [_described(field, kinds, arrays) for field in _fields(value)]}
    if type(value) in {list, tuple}:
        items = [_described(item, kinds, arrays) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    raise TypeError(f"a {name} is not kept")


def _fields(value: Any) -> list[Any]:
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return list(value)


class _Reader:
    """Walks along the arrays while it rebuilds what they belong to."""

    def __init__(self, data: bytearray, offset: int, kinds: Kinds) -> None:
        self._data, self.offset, self._kinds = data, offset, kinds

    def value(self, document: Any) -> Any:
        """Return what a part of the document describes."""
        if isinstance(document, list):
            return [self.value(item) for item in document]
        if not isinstance(document, dict):
            return document
        if "array" in document:
            return self._array(np.dtype(document["array"]), document["shape"])
        if "metric" in document:
            return parse(document["metric"])
        if "tuple" in document:
            return tuple(self.value(item) for item in document["tuple"])
        return self._kinds[document["kind"]](*[self.value(field) for field in document["fields"]])

    def _array(self, dtype: np.dtype[Any], shape: list[int]) -> AnyArray:
        if dtype.kind not in _NUMBERS or any(length < 0 for length in shape):
            raise ValueError(f"an array of {dtype} and shape {shape}")
        count = math.prod(shape)
        array = np.frombuffer(self._data, dtype, count, self.offset) if count else np.zeros(0, dtype)
        self.offset += array.nbytes + -array.nbytes % _ALIGNED
        return array.reshape(shape).astype(dtype.newbyteorder("="), copy=False)
