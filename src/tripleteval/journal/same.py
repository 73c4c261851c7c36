"""Whether what is asked now is what a journal was begun for, and if not, in what they differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tripleteval.errors import ResourceError

_MOST = 5  # differences that are told
_LETTERS, _ITEMS = 40, 6  # of a long value that are shown, from shortly before the first that differs
_BEFORE = 3


def require_same(kept: dict[str, Any], asked: dict[str, Any]) -> None:
    """Refuse to go on with something else.

    Args:
        kept: What the journal was begun for, as JSON; what it has beyond ``asked`` does not matter.
        asked: What is evaluated now and how, as JSON.

    Raises:
        ResourceError: They differ (E805); the first differences are named.
    """
    one, two = dict(_flat({name: kept.get(name) for name in asked})), dict(_flat(asked))
    differing = [name for name in {**one, **two} if one.get(name) != two.get(name)]
    if differing:
        pairs = [(name, *_apart(one.get(name), two.get(name))) for name in differing[:_MOST]]
        said = [f"{name} was {was}, is {now}" for name, was, now in pairs]
        if len(differing) > _MOST:
            said.append(f"and {len(differing) - _MOST:,} more")
        raise ResourceError(
            "E805",
            f"an unfinished run of something else: {'; '.join(said)}",
            fix="give the same files and options to resume it, or remove that folder to start again",
        )


def _apart(one: Any, two: Any) -> tuple[str, str]:
    """Return two values as text, of long ones the part in which they differ."""
    start = 0
    if type(one) is type(two) and isinstance(one, (str, list)):
        pairs = enumerate(zip(one, two, strict=False))
        start = next((place for place, (mine, other) in pairs if mine != other), min(len(one), len(two)))
    return _shown(one, start - _BEFORE), _shown(two, start - _BEFORE)


def _shown(value: Any, start: int) -> str:
    most = _LETTERS if isinstance(value, str) else _ITEMS
    if not isinstance(value, (str, list)) or len(value) <= most:
        return repr(value)
    start = max(0, min(start, len(value) - most))
    before, after = "…" * (start > 0), "…" * (start + most < len(value))
    if isinstance(value, str):
        return repr(f"{before}{value[start : start + most]}{after}")
    items = [before, *map(repr, value[start : start + most]), after]
    return f"[{', '.join(filter(None, items))}]"


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}".removeprefix("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{name}[{place}]")
    else:
        yield name, value
