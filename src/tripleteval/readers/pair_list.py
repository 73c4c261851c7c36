"""Lists of pairs: a table of two items and whether they are the same, or LFW's ``pairs.txt``."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tripleteval.data.embeddings import Embeddings
from tripleteval.errors import FileError, counted
from tripleteval.readers.column_file import read_columns
from tripleteval.readers.delimited import lines
from tripleteval.readers.files import Name, opened

FIRST, SECOND, SAME = "id_a", "id_b", "same"
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


class PairList(NamedTuple):
    """Pairs as a file names them.

    Attributes:
        firsts: The first item of each pair.
        seconds: The second.
        same: Whether they are the same.
        folds: The fold of each pair, if the file has any.
    """

    firsts: Any
    seconds: Any
    same: Any
    folds: Any


def read_pairs(path: Name, folds: str | None = None) -> PairList:
    """Return the pairs in a file.

    Args:
        path: A table (.csv, .tsv, .parquet) with the columns ``id_a``, ``id_b`` and ``same``, or a ``.txt`` as
            LFW's ``pairs.txt``: the number of folds and of pairs of either kind per fold, then a line
            ``name 1 4`` per pair of one person, ``name 1 other 2`` per pair of two.
        folds: Column of a table that names the fold of each pair.

    Raises:
        FileError: The file cannot be read (E601-E610), or lacks a column (E605).
    """
    if Path(path).suffix.lower() == ".txt":
        return _lfw(path)
    nouns = dict.fromkeys((FIRST, SECOND, SAME), "ids") | ({} if folds is None else {folds: "groups"})
    firsts, seconds, same, *fold = read_columns(path, nouns)
    return PairList(firsts, seconds, same, fold[0] if fold else None)


def matched(names: Any, embeddings: Embeddings) -> Any:
    """Return what the pairs call an item as the embeddings, whose ids are text, do.

    A name that is no id but the name of the picture in just one of them, ``Ann_0001`` in ``lfw/Ann/Ann_0001.jpg``,
    is that id.
    """
    if embeddings.ids is None or not all(isinstance(name, str) for name in names):
        return names
    pictures: dict[str, list[str]] = {}
    for identity in map(str, embeddings.ids.classes):
        pictures.setdefault(_picture(identity), []).append(identity)
    single = {name: identities[0] for name, identities in pictures.items() if len(identities) == 1}
    exact = set(embeddings.ids.classes)
    return [name if name in exact else single.get(name, name) for name in names]


def _picture(identity: str) -> str:
    path = PurePosixPath(identity)
    return path.stem if path.suffix.lower() in PICTURES else path.name  # the dot in mr.smith ends no name of a file


def _lfw(path: Name) -> PairList:
    with opened(path) as source:
        rows = [(number, line.split()) for number, line in enumerate(lines(source), start=1) if line.strip()]
        where = source.path
    folds, per_kind = _header(rows[0][1] if rows else [], where)
    body = rows[1:]
    if len(body) != folds * 2 * per_kind:
        found = f"{counted(len(body), 'pair')}, where the first line promises {folds} × 2 × {per_kind:,}"
        raise FileError("E601", found, where=where, fix="fetch the file again")
    firsts, seconds, same = [], [], []
    for number, cells in body:
        if len(cells) not in (3, 4) or not cells[1].isdecimal() or not cells[-1].isdecimal():
            found = f"{' '.join(cells)[:60]!r} on line {number}"
            raise FileError("E608", found, where=where, fix="write 'name 1 4' or 'name 1 other 2'")
        firsts.append(_image(cells[0], cells[1]))
        seconds.append(_image(cells[0] if len(cells) == 3 else cells[2], cells[-1]))
        same.append(len(cells) == 3)
        _require_room(same, per_kind, number, where)
    return PairList(firsts, seconds, same, [i // (2 * per_kind) for i in range(len(body))] if folds > 1 else None)


def _require_room(same: list[bool], per_kind: int, line: int, where: str) -> None:
    """Refuse the last pair where its fold has as many of its kind as the first line promises."""
    fold, place = divmod(len(same) - 1, 2 * per_kind)
    if same[-place - 1 :].count(same[-1]) > per_kind:
        kind = "one person" if same[-1] else "two persons"
        raise FileError(
            "E601",
            f"a pair of {kind} on line {line:,}, beyond the {per_kind:,} that the first line gives fold {fold + 1:,}",
            where=where,
            fix="a fold has as many pairs of one person as of two; fetch the file again, or write a table .csv",
        )


def _header(cells: list[str], where: str) -> tuple[int, int]:
    if len(cells) in (1, 2) and all(cell.isdecimal() and int(cell) > 0 for cell in cells):
        return (1, int(cells[0])) if len(cells) == 1 else (int(cells[0]), int(cells[1]))
    found = f"the first line is {' '.join(cells)[:60]!r}"
    raise FileError("E608", found, where=where, fix="LFW's pairs.txt starts with '10 300'; name a table .csv")


def _image(name: str, number: str) -> str:
    return f"{name}_{int(number):04d}"
