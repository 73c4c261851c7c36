"""Every error tripleteval raises on purpose: what was found, where, and what to do.

EvalError
├── ParameterError (ValueError)     a setting, a margin, k, a pair or a triplet       exit 2
│   └── MissingExtra (ImportError)  an optional package is not installed
├── DataError (ValueError)          values, dtypes and shapes of vectors              exit 3
│   └── LabelError                  labels, ids and groups
├── FileError (OSError)             files that cannot be read, or are not what they say   exit 4
├── ResourceError (RuntimeError)    memory, disk, saved runs                          exit 5
└── BackendError (RuntimeError)     search libraries and workers                      exit 6
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


_NAMED = 12  # known names that a hint lists


class EvalError(Exception):
    """The root of every error raised on purpose; never raised itself.

    Args:
        code: Stable identifier such as ``"E201"``; the tables of ``docs/errors.md`` are sorted by it.
        found: What was found, in one clause.
        where: The argument, file, row or column it was found in.
        fix: What the reader can do about it.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, code: str, found: str, *, where: str = "", fix: str = "") -> None:
        self.code, self.found, self.where, self.fix = code, one_line(found), one_line(where), one_line(fix)
        super().__init__(" · ".join(part for part in (f"{code} {self.found}", self.where, self.fix) if part))

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle by their args; ours are keyword-only, and errors must travel back from workers.
        return _rebuild, (type(self), self.code, self.found, self.where, self.fix)

    def lines(self) -> str:
        """Return the four fields as the command line prints them, one per line."""
        named = (("found", self.found), ("where", self.where), ("fix", self.fix))
        return "\n".join([f"{self.code} {type(self).__name__}", *(f"  {n}: {t}" for n, t in named if t)])


class ParameterError(EvalError, ValueError):
    """A setting is impossible: codes E1xx (usage) and E5xx (parameters, pairs, triplets)."""

    exit_code = 2


class MissingExtra(ParameterError, ImportError):
    """An optional package is needed; ``extra`` is the name to install it by."""

    def __init__(self, what: str, module: str, *, extra: str) -> None:
        self.what, self.module, self.extra = what, module, extra
        super().__init__(
            "E103",
            f"{what} needs the Python module {module!r}, which is not installed",
            fix=f"install it with: pip install 'tripleteval[{extra}]'",
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_missing, (self.what, self.module, self.extra)


class DataError(EvalError, ValueError):
    """Vectors are unusable: codes E2xx (values, dtypes) and E3xx (shapes)."""

    exit_code = 3


class LabelError(DataError):
    """Labels, ids or groups are unusable: codes E4xx."""


class FileError(EvalError, OSError):
    """A file cannot be read, or is not what it says it is: codes E6xx."""

    exit_code = 4


class ResourceError(EvalError, RuntimeError):
    """Memory, disk or a saved run stands in the way: codes E8xx."""

    exit_code = 5


class BackendError(EvalError, RuntimeError):
    """A search library or a worker failed or broke its contract: codes E7xx."""

    exit_code = 6


def visible(text: str) -> str:
    """Return ``text`` with control, bidirectional and other invisible characters escaped, for terminals."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """Return what `visible` returns, line ends escaped too: the name of a file must not pose as a line of ours."""
    return visible(text).replace("\n", "\\n")


def printable(name: str) -> str:
    """Return the name of a file with bytes that are not UTF-8 percent-escaped; as they are, nothing can write them."""
    return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in name)


def nearest(name: str, known: Iterable[str], listing: str = "") -> str:
    """Return a hint: the closest known spelling, or else the first of them; ``listing`` says where to see all."""
    choices = sorted(known)
    if close := closest(name, choices):
        return f"{close} {listing}".rstrip()
    more = f" and {len(choices) - _NAMED:,} more" if len(choices) > _NAMED else ""
    return f"known: {', '.join(choices[:_NAMED])}{more}" + (f"; {listing}" if listing else "")


def closest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the closest known spelling, or nothing where none is close."""
    close = get_close_matches(name, sorted(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def counted(number: int, noun: str) -> str:
    """Return ``1 class``, ``2 classes``; of several words the last is counted."""
    return f"1 {noun}" if number == 1 else f"{number:,} {plural(noun)}"


def plural(noun: str) -> str:
    """Return ``classes`` for ``class``."""
    if noun.endswith(("class", "query", "ity")):
        return f"{noun}es" if noun.endswith("class") else f"{noun[:-1]}ies"
    return f"{noun}s"


def _rebuild(kind: type[EvalError], code: str, found: str, where: str, fix: str) -> EvalError:
    return kind(code, found, where=where, fix=fix)


def _rebuild_missing(what: str, module: str, extra: str) -> MissingExtra:
    return MissingExtra(what, module, extra=extra)
