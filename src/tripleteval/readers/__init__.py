"""Files into Embeddings: one reader per format, registered by suffix, block by block.

1. A file that is not what it says, is cut, or changes while it is read is an error; nothing is guessed.
2. Nothing is unpickled, ever.
3. Labels never pass through a float, and text is never taken for a missing value.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tripleteval.arrays import require_plausible
from tripleteval.data.budget import parse_memory
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.origin import Origin
from tripleteval.errors import DataError, FileError, ParameterError, printable
from tripleteval.readers.assembly import Beside, Given, assembled, given_columns, require_beside, require_files
from tripleteval.readers.block import Block, Reader, Request, merged, require_length
from tripleteval.readers.files import Name, opened
from tripleteval.readers.shards import Names, called, is_several, shards
from tripleteval.readers.stored_set import embeddings_on_disk, parts_on_disk, require_alike
from tripleteval.readers.where import parse_filter
from tripleteval.registry import Registry

READERS: Registry[Reader] = Registry("tripleteval.readers", "file format")

ColumnNames = tuple[str | None, str | None, str | None]
Counts = list[tuple[str, int]]  # files, and how many rows each has

_COLUMNS = ("label_column", "id_column", "group_column")
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib")
_INSTEAD = {
    (".gz", ".bz2", ".xz", ".zst", ".zip"): "unpack it first",
    (".txt", ".dat", ".vec"): "name a table with a header .csv or .tsv, or save the array with numpy.save",
    (".json",): "write one object per line, and name it .jsonl",
    (".xlsx", ".xls", ".ods"): "save the sheet as CSV",
    (".feather", ".arrow", ".ipc", ".orc"): "write it as Parquet",
    (".h5", ".hdf5", ".mat", ".safetensors", ".tfrecord"): "save its arrays with numpy.savez",
}


def read(
    path: Names,
    *,
    labels: Any = None,
    ids: Any = None,
    groups: Any = None,
    embedding_column: str | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
    group_column: str | None = None,
    where: str | None = None,
    name: str | None = None,
    allow_huge: bool = False,
    memory: str | int | None = "1GiB",
) -> Embeddings:
    """Read a set of embeddings from a file or many: ``.npy``, ``.npz``, ``.parquet``, ``.csv``, ``.tsv`` or ``.jsonl``.

    Args:
        path: A regular file; the suffix says the format, and the content must agree. Or several files of one set:
            a folder, a pattern such as ``"gallery/part-*.parquet"``, or a list. Rows come in the order of the names
            (numbers in them read as numbers), whatever order they are listed in. Also as a URL: ``file://``,
            ``s3://``, ``gs://`` and what fsspec can open.
        labels: Class of each row, as an array or as the path of a second file: ``.npy``, ``.txt`` (one value per line)
            or a table. Several files are a folder, a pattern or a list of `pathlib.Path`: a list of text is labels.
            Takes the place of labels in the file itself.
        ids: Likewise, the identity of each item.
        groups: Likewise, the camera, session or listing.
        embedding_column: Column (array, in ``.npz``) of vectors; in ``.csv`` that of lists, or what the names of the
            coordinates start with. By default ``embedding`` or ``vector``, or the only candidate.
        label_column: Column of labels, in this file or in that of ``labels``; by default ``label`` or ``class``.
        id_column: Column of ids; by default ``id``.
        group_column: Column of groups; by default ``group``, ``camera`` or ``session``.
        where: Rows to keep, such as ``"split = 'test' and year >= 2020"``; a row without a value never passes.
            Labels from elsewhere still have one value per row of the file.
        name: What errors and reports call this set; by default the name of the file.
        allow_huge: Accept magnitudes beyond 1e18, which usually betray bytes read in the wrong order.
        memory: What an evaluation may use. Vectors in ``.npy`` or Parquet that take more than half of it stay on
            disk (`StoredVectors`), and are read row by row when they are needed; ``None`` reads everything.

    Returns:
        The rows in the order of the files. Columns that are neither vectors, labels, ids nor groups are in
        ``meta``: Arrow arrays from Parquet, arrays from ``.npz``, lists from text and where files differ in type.

    Raises:
        FileError: The file cannot be opened, is not what it says, is cut, or lacks a column (E601-E610).
        DataError: Its vectors are unusable (E201-E206, E301-E305), or not alike in all files (E306).
        LabelError: Its labels, ids or groups are (E401-E408).
        ParameterError: The filter or the choice of columns is impossible (E101).
    """
    files, name = _found(path), called(path) if name is None else name
    names = (label_column, id_column, group_column)
    given, beside = given_columns((labels, ids, groups), names)
    request = _request(embedding_column, names, given, where)
    stored = None if memory is None else parts_on_disk(files, request, beside, parse_memory(memory))
    if stored is not None:
        require_files((labels, ids, groups), given, sum(part.rows for part in stored), stored[0].dim, _where(files))
        return embeddings_on_disk(stored, given, beside, request, name, allow_huge=allow_huge)
    parts, stop, counts = [], 0, Counts()
    for block in _blocks(files, request, beside, counts, allow_huge=allow_huge):
        stop = block.stop
        if len(block.rows):
            parts.append(block)
    require_files((labels, ids, groups), given, stop, parts[0].vectors.shape[-1], _where(files))
    if request.where:
        for noun, column in given.items():
            require_length(noun, len(column), stop, _where(files))
    whole = merged(parts)
    origin = Origin.of(counts).take(whole.rows if request.where else None)
    return assembled(whole, given, beside, origin, name)


def blocks(
    path: Names,
    rows: int = 65536,
    *,
    labels: Any = None,
    ids: Any = None,
    groups: Any = None,
    embedding_column: str | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
    group_column: str | None = None,
    where: str | None = None,
    name: str | None = None,
    allow_huge: bool = False,
) -> Iterator[Embeddings]:
    """Return an iterator over a set in stretches of at most ``rows`` rows, for what does not fit into memory.

    Takes what `read` takes; labels, ids and groups from elsewhere are held whole. What only the whole file
    can show, an id used twice or a cut at the end, shows late or not at all.

    Raises:
        ParameterError: ``rows`` is not positive (E101); and, while iterating, whatever `read` raises.
    """
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise ParameterError("E101", f"rows={rows!r}", fix="give a whole number, 1 or more")
    files, name = _found(path), called(path) if name is None else name
    names = (label_column, id_column, group_column)
    given, beside = given_columns((labels, ids, groups), names)
    request = _request(embedding_column, names, given, where, rows)
    return _assembled_blocks(files, request, given, beside, name, allow_huge=allow_huge)


def _request(
    embedding: str | None, names: ColumnNames, given: Given, where: str | None, rows: int | None = None
) -> Request:
    wanted = {"embedding_column": embedding, **dict(zip(_COLUMNS, names, strict=True)), "where": where}
    for option, value in wanted.items():
        if value is not None and not isinstance(value, str):
            raise ParameterError("E101", f"{option}={value!r}", fix="give it as text")
    tests = () if where is None else parse_filter(where)
    return Request(embedding, *names, frozenset(given), tests, rows)


def _found(path: Names) -> list[Name]:
    return shards(path, tuple(READERS.names()) if is_several(path) else ())


def _where(files: list[Name]) -> str:
    return str(files[0]) + (f" and {len(files) - 1:,} more files" if len(files) > 1 else "")


def _blocks(
    files: list[Name], request: Request, beside: Beside, counts: Counts, *, allow_huge: bool
) -> Iterator[Block]:
    """Yield the rows of all files; ``counts`` gets how many each file has, as far as it was read."""
    kept, start = 0, 0
    first: Block | None = None
    for place, path in enumerate(files):
        stop = 0
        counts.append((printable(str(path)), 0))
        with opened(path) as source:
            for block in _reader(path)(source, request):
                stop = block.stop
                counts[-1] = (counts[-1][0], stop)
                source.require_unchanged(stop)
                if not allow_huge:
                    require_plausible(block.vectors, block.rows, source.path)
                first = first or block
                if len(block.rows) and len(files) > 1:
                    _require_alike(block, str(path), first, str(files[0]))
                kept += len(block.rows)
                yield block._replace(rows=block.rows + start, stop=start + stop)
        require_beside(beside, place, len(files), stop, str(path))
        start += stop
    if not kept:
        found, fix = (
            ("no row passes the filter", "check its spelling")
            if request.where
            else ("no rows", "check what wrote the file")
        )
        raise DataError("E301", found, where=_where(files), fix=fix)


def _require_alike(block: Block, path: str, first: Block, first_path: str) -> None:
    if block.columns.keys() != first.columns.keys():
        here, there = (", ".join(each.columns) or "vectors only" for each in (block, first))
        found = f"columns of {here} here, of {there} in {first_path}"
        raise FileError("E605", found, where=path, fix="files of one set have the same columns")
    if len(first.rows):
        mine, known = ((b.vectors.shape[-1], b.vectors.dtype) for b in (block, first))
        require_alike(mine, path, known, first_path)


def _assembled_blocks(
    files: list[Name], request: Request, given: Given, beside: Beside, name: str, *, allow_huge: bool
) -> Iterator[Embeddings]:
    stop, counts = 0, Counts()
    for block in _blocks(files, request, beside, counts, allow_huge=allow_huge):
        stop = block.stop
        for noun, column in given.items():
            if len(column) < stop:
                require_length(noun, len(column), stop, _where(files))
        if len(block.rows):
            yield assembled(block, given, beside, Origin.of(counts).take(block.rows), name)
    for noun, column in given.items():
        require_length(noun, len(column), stop, _where(files))


def _reader(path: Name) -> Reader:
    suffix = Path(path).suffix.lower()
    if suffix in READERS:
        return READERS[suffix]
    if suffix in _PICKLES:
        found = f"a {suffix} file holds Python pickles, which can run any code; they are never read"
        fix = "export the array where you trust the file: numpy.save('embeddings.npy', tensor.numpy())"
    else:
        found = f"the unknown suffix {suffix!r}" if suffix else "a name without a suffix that says the format"
        instead = next((fix for others, fix in _INSTEAD.items() if suffix in others), "")
        fix = f"{instead}{'; ' if instead else ''}known: {', '.join(READERS.names())}"
    raise FileError("E602", found, where=str(path), fix=fix)
