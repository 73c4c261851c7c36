"""What a name stands for: a file, a folder of files, a pattern, or several of these, in one order.

The order is that of the names, numbers in them read as numbers. It is the order of the rows of the set, so it must
not depend on how a shell, a file system or a caller happens to list the files.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

from tripleteval.errors import FileError, ParameterError, printable
from tripleteval.readers import remote
from tripleteval.readers.files import Name, opened

Names = Name | Sequence[Name]

_PATTERN = re.compile(r"[*?\[]")
_NUMBER = re.compile(r"(\d+)")
_SHOWN = 3  # names in a folder that an error lists


def is_several(name: Names) -> bool:
    """Return whether a name may stand for more than one file."""
    if not isinstance(name, (str, os.PathLike)):
        return True
    if remote.is_url(name):
        return _is_pattern(name) or not Path(name).suffix
    return os.path.isdir(name) or _is_pattern(name)


def shards(name: Names, suffixes: Sequence[str]) -> list[Name]:
    """Return the files that a name stands for, in the order of their rows.

    Args:
        name: A file; a folder, for all files in it that end in one of ``suffixes``; a pattern such as
            ``gallery/part-*.parquet``; a URL of any of these; or several of them in a list.
        suffixes: Of the files looked for in a folder.

    Raises:
        FileError: A folder or a pattern without a single file (E604), or with files of several kinds (E602).
        ParameterError: A file given twice, an empty list, or something that is no path (E101).
    """
    wrong = [one for one in (name if isinstance(name, (list, tuple)) else [name]) if not _is_path(one)]
    if wrong:
        fix = "give text, a pathlib.Path, or a list of them"
        raise ParameterError("E101", f"a path of type {type(wrong[0]).__name__}", fix=fix)
    if isinstance(name, (str, os.PathLike)):
        found = _expanded(name, suffixes)
    else:
        found = [file for one in name for file in _expanded(one, suffixes)]
    if not found:
        raise ParameterError("E101", "an empty list of files", fix="name at least one")
    found = sorted(found, key=_natural)
    for one, two in pairwise(found):
        if os.fspath(one) == os.fspath(two):
            raise ParameterError("E101", "a file given twice", where=os.fspath(one), fix="name each file once")
    return found


def called(name: Names) -> str:
    """Return what the set in these files is called where nobody says."""
    if isinstance(name, (str, os.PathLike)):
        return printable(Path(name).name)
    return called(os.path.dirname(os.fspath(name[0])) or name[0])


def size_of(name: Name) -> int:
    """Return the size of a file in bytes.

    Raises:
        FileError: It cannot be opened (E604).
    """
    with opened(name) as source:
        return source.size


def _is_path(name: object) -> bool:
    return isinstance(name, (str, os.PathLike))


def _expanded(name: Name, suffixes: Sequence[str]) -> list[Name]:
    if not is_several(name):
        return [name]
    text = os.fspath(name)
    if remote.is_url(text):
        return _remote(text, suffixes)
    if os.path.isdir(text):
        return _of_one_kind(text, [os.path.join(text, entry) for entry in _entries(text)], suffixes)
    base = os.path.dirname(text)
    while base and not os.path.isdir(base):
        base = os.path.dirname(base)
    # A folder that is there, such as "photos [2]", is no pattern.
    found = [file for file in glob.glob(glob.escape(base) + text[len(base) :]) if os.path.isfile(file)]
    if not found:
        raise FileError(
            "E604", "a pattern that no file matches", where=text, fix="check the folder, and put it in quotes"
        )
    return list(found)


def _remote(url: str, suffixes: Sequence[str]) -> list[Name]:
    if not _is_pattern(url):
        files = remote.listed(url)
        return _of_one_kind(url, files, suffixes) if files else [url]
    folder, _, pattern = url.rpartition("/")
    found = [file for file in remote.listed(folder) if fnmatch(file.rpartition("/")[2], pattern)]
    if not found:
        raise FileError("E604", "a pattern that no file matches", where=url, fix="check the folder and its access")
    return list(found)


def _of_one_kind(folder: str, files: list[str], suffixes: Sequence[str]) -> list[Name]:
    kinds: dict[str, list[Name]] = {}
    for file in files:
        base, suffix = os.path.basename(file), Path(file).suffix.lower()
        if suffix in suffixes and base[0] not in "._":
            kinds.setdefault(suffix, []).append(file)
    if not kinds:
        raise _without_files(folder, files, suffixes)
    if len(kinds) > 1:
        found = f"a folder with files of several kinds: {', '.join(sorted(kinds))}"
        raise FileError("E602", found, where=folder, fix=f"give a pattern, such as '{folder}/*{min(kinds)}'")
    return next(iter(kinds.values()))


def _without_files(folder: str, files: list[str], suffixes: Sequence[str]) -> FileError:
    fix = f"name a file that ends in {', '.join(suffixes)}, or a folder with such files in it"
    holds = [repr(printable(os.path.basename(file))) for file in sorted(files)]
    more = f" and {len(holds) - _SHOWN:,} more" if len(holds) > _SHOWN else ""
    what = f"it holds {', '.join(holds[:_SHOWN])}{more}" if holds else "it is empty"
    if not remote.is_url(folder) and (deeper := _within(folder, suffixes)):
        what, fix = "folders in it have some", f"give a pattern, such as '{folder}/{deeper}'"
    return FileError("E604", f"a folder without files of a known kind; {what}", where=folder, fix=fix)


def _within(folder: str, suffixes: Sequence[str]) -> str:
    """Return a pattern for the files in folders of this folder, or of those, or nothing."""
    patterns = (f"{inner}*{suffix}" for inner in ("*/", "*/*/") for suffix in suffixes)
    return next((each for each in patterns if next(Path(folder).glob(each), None)), "")


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise FileError(
            "E604", f"a folder that cannot be read: {error.strerror}", where=folder, fix="check access"
        ) from None


def _is_pattern(name: Name) -> bool:
    return bool(_PATTERN.search(os.fspath(name))) and not os.path.lexists(name)


def _natural(name: Name) -> tuple[list[str | int], str]:
    text = os.fspath(name)
    parts = _NUMBER.split(text)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], text
