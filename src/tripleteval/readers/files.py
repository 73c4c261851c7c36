"""Opening a file so that it can neither hang us, lie about what it is, nor change under our hands."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, cast

from tripleteval.errors import EvalError, FileError, ResourceError
from tripleteval.readers import remote

Name = str | os.PathLike[str]

_NAMES_COMPARED = 10_000
_SIGNATURES = (
    (b"\x93NUMPY", "a NumPy .npy array"),
    (b"PK\x03\x04", "a zip archive, as .npz files are"),
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"BZh", "bzip2-compressed"),
    (b"\xfd7zXZ\0", "xz-compressed"),
    (b"(\xb5/\xfd", "zstd-compressed"),
    (b"version https://git-lfs.github.com/", "a git-LFS pointer; the data itself was never fetched"),
)
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|head)", re.IGNORECASE)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_REMEDIES = {"gzip": "gunzip", "bzip2": "bunzip2", "xz": "unxz", "zstd": "unzstd"}


class Stamp(NamedTuple):
    """What tells one content of a file from another without reading it.

    Attributes:
        size: In bytes.
        modified: Nanoseconds.
        changed: Nanoseconds; also where somebody sets the time of modification back. 0 where it is not known.
        file: Which file it is, where names may be given to another one.
    """

    size: int
    modified: int
    changed: int = 0
    file: tuple[int, ...] = ()

    @classmethod
    def of(cls, facts: os.stat_result) -> Stamp:
        """Return the stamp of a file that the operating system knows."""
        return cls(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, (facts.st_dev, facts.st_ino))


@dataclass(frozen=True)
class Source:
    """An open regular file, with what it looked like when it was opened.

    Attributes:
        path: As the caller wrote it; what errors call the file.
        file: Unbuffered, positioned at the start.
        stamp: When it was opened.
        look: Returns the stamp of the open file now.
    """

    path: str
    file: io.FileIO
    stamp: Stamp
    look: Callable[[], Stamp]

    @property
    def size(self) -> int:
        """Bytes when it was opened."""
        return self.stamp.size

    def changed(self) -> bool:
        """Return whether the file was written to or cut since it was opened."""
        now = self.look()
        return (now.size, now.modified) != (self.stamp.size, self.stamp.modified)

    def require_unchanged(self, rows: int) -> None:
        """Refuse what was read from a file that somebody writes to; ``rows`` were read so far.

        Raises:
            FileError: The file is not what it was when it was opened (E610).
        """
        if self.changed():
            raise file_changed(self.path, f"somewhere in its first {rows:,} rows")


@contextmanager
def opened(path: Name) -> Iterator[Source]:
    """Open a regular file; whatever a parser throws inside comes out as one sentence about the file.

    Raises:
        FileError: The path does not lead to a readable regular file (E604), the file is cut or corrupt
            (E601), or it changed while it was read (E610).
        ResourceError: What the file claims to hold does not fit into memory (E802).
    """
    if remote.is_url(path):
        with _opened_url(os.fspath(path)) as source:
            yield source
        return
    require_regular_file(path)
    # A path may turn into a FIFO between the check and the opening; O_NONBLOCK keeps that from hanging.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _no_access(path, error) from None
    with io.FileIO(descriptor) as file:
        facts = os.fstat(descriptor)
        _require_regular(facts, path)
        look = lambda: Stamp.of(os.fstat(descriptor))  # noqa: E731  # it is a function of this file
        source = Source(os.fspath(path), file, Stamp.of(facts), look)
        with _in_words(source):
            yield source


@contextmanager
def reopened(path: Name, stamp: Stamp, detail: str) -> Iterator[Source]:
    """Open a file again whose rows are read bit by bit; ``detail`` says which of them an error is about.

    Raises:
        FileError: It is not the file it was, before or after the reading, or no longer there (E610).
    """
    try:
        with opened(path) as source:
            if source.stamp != stamp:
                raise file_changed(source.path, detail)
            yield source
            if source.look() != stamp:
                raise file_changed(source.path, detail)
    except FileError as error:
        if error.code == "E604":
            raise file_changed(os.fspath(path), f"{detail}; {error.found}") from error
        raise


def absolute(path: Name) -> Name:
    """Return a name of the same file that holds in any current folder, such as that of a worker."""
    return path if remote.is_url(path) else os.path.abspath(path)


@contextmanager
def _opened_url(url: str) -> Iterator[Source]:
    with remote.opened(url) as (file, look):
        stamp = Stamp(*look())
        # Not a FileIO, but it has what readers use of one.
        source = Source(url, cast(io.FileIO, file), stamp, lambda: Stamp(*look()))
        with _in_words(source):
            yield source


def require_regular_file(path: Name) -> None:
    """Refuse what cannot be read to its end: a missing path, a folder, a pipe, a device, a loop of links.

    Raises:
        FileError: E604; a missing path comes with the nearest names in its folder.
    """
    try:
        facts = Path(path).stat()
    except (OSError, ValueError) as error:
        raise _no_access(path, error) from None
    _require_regular(facts, path)


def require_content(source: Source, signature: bytes = b"") -> None:
    """Refuse a file that starts like something else than its name says.

    Args:
        source: The open file; its position is left at the start.
        signature: What the content must start with; nothing for text.

    Raises:
        FileError: The content is of another kind (E602), a pickle (E603), or there is none (E601).
    """
    start = source.file.read(512)
    source.file.seek(0)
    if not start:
        raise FileError("E601", "an empty file", where=source.path, fix="write it again; nothing was saved")
    if signature and start.startswith(signature):
        return
    if len(start) < len(signature) and signature.startswith(start):
        raise FileError(
            "E601",
            f"a file of {len(start)} bytes, cut within its signature",
            where=source.path,
            fix="write or download it again",
        )
    kind = real_content(start)
    if kind == "a Python pickle":
        raise FileError(
            "E603", "a Python pickle, which can run any code", where=source.path, fix="save it with np.save"
        )
    if signature or kind:
        found = f"content that is not what the name says: it is {kind or f'unknown and starts with {start[:8]!r}'}"
        raise FileError("E602", found, where=source.path, fix=_remedy(kind))


def real_content(start: bytes) -> str:
    """Return what a file that starts so really is, or nothing where that is not known."""
    if _PAGE.match(start):
        return "an HTML or XML page, as a failed download leaves behind"
    if _PICKLE.match(start):
        return "a Python pickle"
    return next((kind for signature, kind in _SIGNATURES if start.startswith(signature)), "")


def _remedy(kind: str) -> str:
    if "git-LFS" in kind:
        return "run: git lfs pull"
    if "page" in kind:
        return "download it again, and look at the page for the reason"
    tool = _REMEDIES.get(kind.partition("-")[0])
    return f"unpack it first, with {tool}" if tool else "rename it to what it is, or write it again"


@contextmanager
def _in_words(source: Source) -> Iterator[None]:
    # Parsers fed with damaged bytes raise nearly anything: BadZipFile, zlib.error, EOFError, KeyError,
    # NotImplementedError, ArrowException … The file is to blame, and that is what the reader needs to know.
    try:
        yield
    except EvalError:
        raise
    except MemoryError as error:
        raise ResourceError(
            "E802", f"more than fits into memory ({_first_line(error)})", where=source.path, fix="read it with blocks()"
        ) from error
    except Exception as error:
        if source.changed():
            raise file_changed(source.path, _first_line(error)) from error
        raise FileError(
            "E601",
            f"the file is cut or corrupt: {_first_line(error)}",
            where=source.path,
            fix="write or download it again",
        ) from error


def _first_line(error: Exception) -> str:
    unsaid = "the data end too early" if isinstance(error, EOFError) else type(error).__name__
    return (str(error).strip().splitlines() or [unsaid])[0][:300]


def file_changed(path: str, detail: str) -> FileError:
    """Return the error about a file that somebody writes to while it is read (E610)."""
    return FileError(
        "E610",
        f"the file changed while it was read: {detail}",
        where=path,
        fix="wait until it is written completely, or read a copy",
    )


def _require_regular(facts: os.stat_result, path: Name) -> None:
    if stat.S_ISREG(facts.st_mode):
        return
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe (FIFO)", stat.S_IFSOCK: "a socket"}
    kind = kinds.get(stat.S_IFMT(facts.st_mode), "a device")
    fix = "name one file in it" if stat.S_ISDIR(facts.st_mode) else "save the data to a regular file first"
    raise FileError("E604", f"{kind}, not a regular file", where=os.fspath(path), fix=fix)


def _no_access(path: Name, error: OSError | ValueError) -> FileError:
    if isinstance(error, FileNotFoundError) and (link := _broken_link(Path(path))):
        return FileError(
            "E604",
            f"a link to {os.readlink(link)!r}, which is not there",
            where=os.fspath(path),
            fix="fetch or mount what it stands for, or name the file itself",
        )
    reason = getattr(error, "strerror", None) or str(error)
    fix = _nearest_names(Path(path)) if isinstance(error, FileNotFoundError) else "check the path and who may read it"
    if os.fspath(path) == "-":
        fix = "standard input is not read: save it to a file first, whose name says what it is"
    return FileError("E604", f"the path cannot be opened: {reason}", where=os.fspath(path), fix=fix)


def _broken_link(path: Path) -> Path | None:
    """Return the link, the file or one of its folders, that leads nowhere."""
    return next((part for part in (path, *path.parents) if part.is_symlink() and not part.exists()), None)


def _nearest_names(path: Path) -> str:
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_NAMES_COMPARED), strict=False)]
    except OSError:
        return f"the folder {str(path.parent)!r} cannot be read either"
    close = get_close_matches(path.name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else "no file of a similar name is there"
