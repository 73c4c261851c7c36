"""Files elsewhere, by URL: ``file://``, ``s3://``, ``gs://`` and whatever else Arrow or fsspec can open."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from tripleteval.errors import FileError, MissingExtra

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")


def is_url(name: object) -> bool:
    """Return whether a name is a URL, and not a path of this machine."""
    return isinstance(name, str) and _SCHEME.match(name) is not None


@contextmanager
def opened(url: str) -> Iterator[tuple[IO[bytes], Callable[[], tuple[int, int]]]]:
    """Open a file for reading at any place; the second value tells its size, and when it was modified.

    Raises:
        FileError: There is no such file, or it cannot be reached (E604).
        MissingExtra: fsspec, or its package for this kind of URL, is not installed (E103).
    """
    from pyarrow.fs import FileType

    system, path = _system(url)

    def look() -> tuple[int, int]:
        facts = _asked(url, lambda: system.get_file_info(path))
        if facts.type == FileType.NotFound:
            raise FileError("E604", "no file there", where=url, fix="check the URL")
        if not facts.is_file:
            fix = f"give a pattern for the files in it, such as '{url.rstrip('/')}/*.parquet'"
            raise FileError("E604", "a folder, not a file", where=url, fix=fix)
        return facts.size, facts.mtime_ns or 0

    look()
    with _asked(url, lambda: system.open_input_file(path)) as file:
        yield file, look


def listed(url: str) -> list[str]:
    """Return the URLs of all files directly in the folder that ``url`` is, or none where it is no folder."""
    from pyarrow.fs import FileSelector, FileType

    system, path = _system(url)
    if _asked(url, lambda: system.get_file_info(path)).type != FileType.Directory:
        return []
    found = _asked(url, lambda: system.get_file_info(FileSelector(path)))
    return [f"{url.rstrip('/')}/{facts.base_name}" for facts in found if facts.is_file]


def _system(url: str) -> tuple[Any, str]:
    from pyarrow import ArrowException, fs

    try:
        found: tuple[Any, str] = fs.FileSystem.from_uri(url)
    except (ArrowException, ValueError, OSError) as error:
        return _through_fsspec(url, error)
    return found


def _through_fsspec(url: str, error: Exception) -> tuple[Any, str]:
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    scheme = url.partition(":")[0]
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtra(f"a {scheme}:// URL", "fsspec", extra="remote") from error
    try:
        system, path = url_to_fs(url)
    except ImportError as missing:
        raise MissingExtra(f"a {scheme}:// URL", missing.name or scheme, extra="remote") from missing
    except ValueError as unknown:
        fix = "known are file, s3, gs and what fsspec has a package for"
        raise FileError("E604", f"a URL that cannot be opened: {unknown}", where=url, fix=fix) from unknown
    return PyFileSystem(FSSpecHandler(system)), path


def _asked(url: str, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (OSError, ValueError) as error:
        reason = (str(error) or os.strerror(getattr(error, "errno", 0) or 0)).splitlines()[0]
        raise FileError("E604", f"the URL cannot be opened: {reason}", where=url, fix="check it, and access") from error
