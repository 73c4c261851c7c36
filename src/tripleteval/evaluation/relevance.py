"""Build the `Comparison`: whose classes match whose, who is the query itself, who is ignored."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tripleteval.arrays import Floats, Ints
from tripleteval.data.comparison import Comparison, Graded, Lists, SharedClass, owners, rows_by_class
from tripleteval.data.embeddings import Embeddings
from tripleteval.data.labels import Labels, LabelSets, encode, join
from tripleteval.errors import DataError, LabelError, ParameterError, counted, nearest

IGNORE = (None, "group")
_BLOCK = 512
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_KINDS = (
    "pass a matrix, {query id: {gallery id: grade}}, {query id: [gallery id, …]}, or an Arrow table of query id, "
    "gallery id and, if graded, grade"
)


def compare(queries: Embeddings, gallery: Embeddings | None, *, ignore: str | None, relevance: Any) -> Comparison:
    """Return who is compared with whom, and what counts.

    Args:
        queries: Who asks.
        gallery: Who is searched; ``None`` searches every query among the others.
        ignore: ``"group"`` removes gallery items with the query's label and the query's group.
        relevance: Explicit grades: a (queries, gallery) dense or sparse matrix, a
            ``{query id: {gallery id: grade}}`` mapping (or, without grades, ``{query id: [gallery id, …]}``), or a
            table of query id, gallery id, grade.

    Raises:
        LabelError: Labels missing on a side (E401), labels, ids or groups of different kinds (E403), or no query with
            anything relevant to find (E406).
        DataError: Fewer than two items (E302), relevance that is none of these (E203), of the wrong shape (E306) or
            with grades below 1 (E508).
        ParameterError: An unknown ignore rule (E510), or ids or groups that are not there (E101).
    """
    if ignore not in IGNORE:
        raise ParameterError("E510", f"ignore={ignore!r}", fix=nearest(str(ignore), ["group"]))
    searched = queries if gallery is None else gallery
    if gallery is None and len(queries) < 2:
        raise DataError("E302", "a single item", where=queries.name, fix="at least two items of one class are needed")
    rule = _by_label(queries, searched) if relevance is None else _explicit(relevance, queries, searched)
    ignored = _same_group(queries, searched) if ignore == "group" else None
    comparison = Comparison(queries, searched, rule, own_rows(queries, searched), ignored)
    _require_something_to_find(comparison)
    return comparison


def _require_something_to_find(comparison: Comparison) -> None:
    queries = len(comparison.queries)
    for start in range(0, queries, _BLOCK):  # the first block nearly always ends this
        stop = min(start + _BLOCK, queries)
        positives, _ = comparison.positives(start, stop, comparison.removed(start, stop))
        if len(positives.rows):
            return
    raise LabelError(
        "E406",
        f"none of {counted(queries, 'query')} has anything relevant to find",
        where=comparison.gallery.name,
        fix="at least one class needs two items (or one on each side); check that the labels are not ids",
    )


def own_rows(queries: Embeddings, gallery: Embeddings) -> Ints:
    """Return the gallery row that is each query itself, -1 where there is none."""
    if gallery is queries:
        return np.arange(len(queries))
    own = np.full(len(queries), -1, np.int64)
    if queries.ids is not None and gallery.ids is not None:
        row = {identity: position for position, identity in enumerate(gallery.ids.values())}
        own[:] = [row.get(identity, -1) for identity in queries.ids.values()]
        left, right = queries.ids.classes, gallery.ids.classes
        if type(left[0]) is not type(right[0]) and not set(map(str, left)).isdisjoint(map(str, right)):
            join(left, right, f"ids of {queries.name} and {gallery.name}")  # 7 and "7": each would find itself
    return own


def _by_label(queries: Embeddings, gallery: Embeddings) -> SharedClass:
    asked, searched = _required_labels(queries), _required_labels(gallery, of_gallery=gallery is not queries)
    if isinstance(asked, LabelSets) is not isinstance(searched, LabelSets):
        raise LabelError(
            "E403",
            "one label per item on one side, several on the other",
            where=f"{queries.name} and {gallery.name}",
            fix="give both sides sets of labels",
        )
    return _shared(asked, searched, f"labels of {queries.name} and {gallery.name}")


def _same_group(queries: Embeddings, gallery: Embeddings) -> SharedClass:
    """Return the rule "same label and same group": every such pair is a class of its own."""
    where = f"groups of {queries.name} and {gallery.name}"
    asked, searched = _with_group(queries), _with_group(gallery)
    if queries.groups is not None and gallery.groups is not None:
        join(queries.groups.classes, gallery.groups.classes, where)  # paired with labels, 7 and "7" just differ
    return _shared(asked, searched, f"labels and {where}")


def _with_group(side: Embeddings) -> Labels | LabelSets:
    labels, groups = side.labels, side.groups
    if labels is None or groups is None:
        raise ParameterError(
            "E101",
            f"ignore='group' but no {'groups' if groups is None else 'labels'} in {side.name}",
            fix="give them, or name the column of the camera, session or listing: group_column= (--group-column)",
        )
    counts = np.diff(labels.indptr) if isinstance(labels, LabelSets) else np.ones(len(labels), np.int64)
    pairs = labels.codes * len(groups.classes) + np.repeat(groups.codes, counts)
    fused = encode(pairs)
    classes = tuple(
        (labels.classes[p // len(groups.classes)], groups.classes[p % len(groups.classes)])
        for p in (int(str(c)) for c in fused.classes)
    )
    if isinstance(labels, LabelSets):
        return LabelSets(labels.indptr, fused.codes, classes)
    return Labels(fused.codes, classes)


def _shared(asked: Labels | LabelSets, searched: Labels | LabelSets, where: str) -> SharedClass:
    left, right, classes = join(asked.classes, searched.classes, where)
    of_query, in_gallery = _lists(asked, left), _lists(searched, right)
    return SharedClass(of_query, rows_by_class(in_gallery.rows, len(classes), owners(in_gallery)))


def _lists(labels: Labels | LabelSets, code: Ints) -> Lists:
    indptr = labels.indptr if isinstance(labels, LabelSets) else np.arange(len(labels) + 1)
    return Lists(indptr, code[labels.codes])


def _required_labels(side: Embeddings, *, of_gallery: bool = False) -> Labels | LabelSets:
    if side.labels is None:
        option = "--gallery-labels" if of_gallery else "--labels"
        raise LabelError(
            "E401",
            "vectors without labels",
            where=side.name,
            fix=f"give labels= ({option} FILE), or relevance= (--relevance); or name their column{_besides(side)} with "
            "label_column= (--label-column)",
        )
    return side.labels


def _besides(side: Embeddings) -> str:
    listed = ", ".join(map(repr, list(side.meta)[:12]))
    return f", of {listed}," if listed else ""


def _explicit(relevance: Any, queries: Embeddings, gallery: Embeddings) -> Graded:
    """Return explicit grades as lists of gallery rows per query."""
    query, row, grade = _triples(relevance, queries, gallery)
    if len(grade) and not np.isfinite(grade).all():
        raise DataError("E201", "a grade that is not finite", where="relevance", fix="grades are 0, or 1 and above")
    listed = grade != 0
    query, row, grade = query[listed], row[listed], grade[listed]
    if len(grade) and grade.min() < 1:
        raise DataError(
            "E508",
            f"a relevance grade of {grade.min():g}",
            where="relevance",
            fix="an item is relevant from grade 1 on; use 0 for irrelevant items and whole steps above",
        )
    order = np.lexsort((row, query))
    query, row, grade = query[order], row[order], grade[order]
    twice = (np.diff(query) == 0) & (np.diff(row) == 0)
    if twice.any():
        raise DataError(
            "E508",
            f"{counted(int(twice.sum()), 'pair')} graded twice; first: query row {query[:-1][twice][0]}, "
            f"gallery row {row[:-1][twice][0]} (0-based)",
            where="relevance",
            fix="keep one grade per pair",
        )
    counts = np.bincount(query, minlength=len(queries))
    return Graded(Lists(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), row), grade)


def _triples(relevance: Any, queries: Embeddings, gallery: Embeddings) -> tuple[Ints, Ints, Floats]:
    if isinstance(relevance, Mapping):
        listed = [(q, g, grade) for q, found in relevance.items() for g, grade in _graded(found).items()]
        asked, found, grades = ([triple[i] for triple in listed] for i in range(3))
        return _by_id(asked, found, grades, queries=queries, gallery=gallery)
    if hasattr(relevance, "column_names"):  # an Arrow table: query id, gallery id and, if present, grade
        if relevance.num_columns < 2:
            raise DataError("E306", "a table of a single column", where="relevance", fix=_KINDS)
        columns = [relevance.column(i).to_pylist() for i in range(min(3, relevance.num_columns))]
        grades = columns[2] if len(columns) > 2 else [1] * len(columns[0])
        return _by_id(columns[0], columns[1], grades, queries=queries, gallery=gallery)
    expected = (len(queries), len(gallery))
    dense = relevance if hasattr(relevance, "tocoo") else _numbers(relevance)
    if tuple(dense.shape) != expected:
        raise DataError(
            "E306", f"relevance of shape {tuple(dense.shape)}", where="relevance", fix=f"pass shape {expected}"
        )
    if hasattr(relevance, "tocoo"):
        sparse = relevance.tocoo()
        return sparse.row.astype(np.int64), sparse.col.astype(np.int64), sparse.data.astype(np.float64)
    query, row = np.nonzero(dense)
    return query, row, dense[query, row]


def _by_id(
    asked: list[Any], found: list[Any], grades: list[Any], *, queries: Embeddings, gallery: Embeddings
) -> tuple[Ints, Ints, Floats]:
    query = _rows_of(asked, queries, "query")
    row = _rows_of(found, gallery, "gallery")
    return query, row, _numbers(grades)


def _graded(found: Any) -> Mapping[Any, Any]:
    if isinstance(found, Mapping):
        return found
    if isinstance(found, (list, tuple, set, frozenset)):
        return dict.fromkeys(found, 1)
    raise DataError("E203", f"{reprlib.repr(found)}, where gallery ids were expected", where="relevance", fix=_KINDS)


def _numbers(grades: Any) -> Floats:
    try:
        return np.asarray(grades, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("E203", "grades that are no numbers", where="relevance", fix=_KINDS) from None


def _require_ids(ids: list[Any], what: str) -> None:
    if any(isinstance(identity, (float, np.floating)) for identity in ids):  # 2.0**53 would be found as 2**53
        fix = "floats merge ids beyond 2**53: write them as integers or text"
        raise LabelError("E403", f"{what} ids that are floating-point numbers", where="relevance", fix=fix)
    if wrong := [identity for identity in ids if isinstance(identity, (list, dict))]:
        found = f"{what} ids of type {type(wrong[0]).__name__}, where each names one item"
        raise LabelError("E408", found, where="relevance", fix=_KINDS)


def _rows_of(ids: list[Any], side: Embeddings, what: str) -> Ints:
    if side.ids is None:
        fix = "give ids=, or name their column: id_column= (--id-column)"
        raise ParameterError("E101", f"relevance by id, but {side.name} has no ids", fix=fix)
    position = {identity: row for row, identity in enumerate(side.ids.values())}
    _require_ids(ids, what)
    if any(isinstance(identity, bytes) for identity in ids):
        ids = list(encode(ids, f"{what} ids of the relevance").values())  # as those of the embeddings became text
    if isinstance(side.ids.classes[0], int):  # a file of text has no integers
        ids = [int(i) if isinstance(i, str) and _INTEGER.fullmatch(i) else i for i in ids]
    unknown = [identity for identity in ids if identity not in position]
    if unknown:
        raise LabelError(
            "E409",
            f"{counted(len(unknown), f'{what} id')} of the relevance not in {side.name}; first: {unknown[0]!r}",
            where="relevance",
            fix="check that both were made from the same data",
        )
    return np.array([position[identity] for identity in ids], dtype=np.int64)
