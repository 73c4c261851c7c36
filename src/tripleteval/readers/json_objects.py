"""Lines of JSON and the objects on them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tripleteval.errors import FileError
from tripleteval.readers.delimited import lines
from tripleteval.readers.files import Source

_HOW = 'write one object per line, such as {"embedding": [0.1, 0.2], "label": "a"}'
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?')  # whole strings, so that nothing inside one looks like a key


class Item(NamedTuple):
    """An object and the 1-based line it stands on."""

    line: int
    values: dict[str, Any]


def objects(source: Source) -> Iterator[Item]:
    """Yield the objects of a file; blank lines are left out.

    Raises:
        FileError: A line that holds no JSON object, or one with a key twice (E608).
    """
    import msgspec

    for number, line in enumerate(lines(source), start=1):
        if not line.strip():
            continue
        try:
            values = msgspec.json.decode(line)
            # Fewer keys than on the line: there are objects inside it, or one is there twice.
            if isinstance(values, dict) and sum(map(bool, _TEXT.findall(line))) > len(values):
                _require_once(line, number, source.path)
        except (msgspec.DecodeError, RecursionError) as error:
            found = f"no JSON on line {number}: {error}"
            raise FileError("E608", found, where=source.path, fix=_HOW) from None
        if not isinstance(values, dict):
            found = f"line {number} holds {'a list' if isinstance(values, list) else repr(values)[:40]}, not an object"
            raise FileError("E608", found, where=source.path, fix=_HOW)
        yield Item(number, values)


def _require_once(line: str, number: int, path: str) -> None:
    """Refuse a key that is there twice, of which a decoder would silently keep the last value."""

    def counted(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found = f"key {key!r} twice on line {number}"
                raise FileError("E608", found, where=path, fix="keep one of the two")
            seen.add(key)

    json.loads(line, object_pairs_hook=counted)
