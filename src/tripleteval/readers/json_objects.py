"""Lines of JSON and the objects on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tripleteval.errors import FileError
from tripleteval.readers.delimited import lines
from tripleteval.readers.files import Source

_HOW = 'write one object per line, such as {"embedding": [0.1, 0.2], "label": "a"}'


class Item(NamedTuple):
    """An object and the 1-based line it stands on."""

    line: int
    values: dict[str, Any]


def objects(source: Source) -> Iterator[Item]:
    """Yield the objects of a file; blank lines are left out.

    Raises:
        FileError: A line that holds no JSON object (E608).
    """
    import msgspec

    for number, line in enumerate(lines(source), start=1):
        if not line.strip():
            continue
        try:
            values = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            found = f"no JSON on line {number}: {error}"
            raise FileError("E608", found, where=source.path, fix=_HOW) from None
        if not isinstance(values, dict):
            found = f"line {number} holds {'a list' if isinstance(values, list) else repr(values)[:40]}, not an object"
            raise FileError("E608", found, where=source.path, fix=_HOW)
        yield Item(number, values)
