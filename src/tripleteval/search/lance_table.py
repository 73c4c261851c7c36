"""A LanceDB table that is there already: opened as it is, only ever read.

It is embedded, so it runs in our process, as a live store does: nothing is built, and no index file of a stranger is
opened. Names of columns are quoted, values too; settings come from a fixed list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tripleteval.arrays import AnyArray
from tripleteval.errors import BackendError, MissingExtra, ParameterError, nearest
from tripleteval.search import Grid, Params
from tripleteval.search.process import place

DISTANCES = {"euclidean": "l2", "sqeuclidean": "l2", "cosine": "cosine"}
SETTINGS = ("nprobes", "refine_factor", "ef", "prefilter", "bypass_vector_index")


class LanceTable:
    """A table with a vector column, for `tripleteval.evaluate_search` to ask.

    Args:
        path: Folder of the table, ``…/NAME.lance``.
        vector_column: A fixed-size list of floats.
        id_column: What the gallery's ids are: text or integers.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        where: Columns and the values they must have; the gallery must be exported with the same filter.
        params: Further settings that hold for every query, such as ``{"refine_factor": 10}``.
        name: What tables call it.

    The settings: ``nprobes``, ``refine_factor`` (0 for none), ``ef``, ``prefilter`` (1, or 0 to filter what the index
    returned) and ``bypass_vector_index`` (1 to compare every row).

    Raises:
        MissingExtra: LanceDB is not installed (E103).
        ParameterError: An unknown distance or setting (E510).
        BackendError: No such table or column (E706).
    """

    settings: tuple[str, ...] = SETTINGS

    def __init__(
        self,
        path: str | Path,
        *,
        vector_column: str = "vector",
        id_column: str = "id",
        distance: str = "euclidean",
        where: Mapping[str, Any] | None = None,
        params: Params | None = None,
        name: str = "lancedb table",
    ) -> None:
        if distance not in DISTANCES:
            raise ParameterError("E510", f"unknown distance {distance!r}", fix=nearest(distance, DISTANCES))
        for setting in params or {}:
            if setting not in SETTINGS:
                raise ParameterError("E510", f"unknown LanceDB setting {setting!r}", fix=nearest(setting, SETTINGS))
        self.name, self.distance, self._fixed = name, distance, dict(params or {})
        self._id, self._vector = id_column, vector_column
        self._table = _opened(Path(path))
        self._types = {field.name: field.type for field in self._table.schema}
        self._require_columns(id_column, vector_column, *(where or {}))
        self._where = " AND ".join(self._equal(column, value) for column, value in (where or {}).items())
        self._indexes = [found for found in self._table.list_indices() if found.columns == [vector_column]]

    @property
    def faithful(self) -> bool:
        """Whether it ranks by distances true to float32."""
        return all(found.index_type.lower().endswith("flat") for found in self._indexes)

    @property
    def grid(self) -> Grid:
        """What may be set, with usual values where there is an index."""
        usual: dict[str, tuple[Any, ...]] = {"refine_factor": (0, 10)} if self._indexes else {}
        return {**usual, **{name: (value,) for name, value in self._fixed.items()}}

    def search(self, vectors: AnyArray, k: int, params: Params) -> Iterator[list[str]]:
        """Yield the ids each vector finds, one query after another.

        Raises:
            BackendError: LanceDB refuses (E704).
        """
        chosen = {**self._fixed, **params}
        for vector in vectors:
            asked = self._table.search(vector, vector_column_name=self._vector)
            asked = asked.distance_type(DISTANCES[self.distance]).limit(k)
            with self._in_words(chosen):
                found = self._set(asked, chosen).select([self._id, "_distance"]).to_arrow()
            yield [str(value) for value in found[self._id].to_pylist()]

    def stored(self, ids: Sequence[str]) -> dict[str, list[float]]:
        """Return the vectors under these ids.

        Raises:
            BackendError: LanceDB refuses (E704).
        """
        listed = ", ".join(self._literal(self._id, value) for value in ids)
        asked = self._table.search().where(f"{_quoted(self._id)} IN ({listed})").limit(len(ids))
        with self._in_words({}):
            found = asked.select([self._id, self._vector]).to_arrow().to_pydict()
        return {str(one): vector for one, vector in zip(found[self._id], found[self._vector], strict=True)}

    def describe(self) -> dict[str, Any]:
        """Return versions, rows and indexes; rows that no index holds are compared one by one."""
        from importlib.metadata import version

        indexes = [
            {
                "name": found.name,
                "method": found.index_type,
                "bytes": found.size_bytes,
                "distance": self._table.index_stats(found.name).distance_type,
                "rows_outside": found.num_unindexed_rows,
            }
            for found in self._indexes
        ]
        return {
            "lancedb": version("lancedb"),
            "table": self._table.name,
            "rows": self._table.count_rows(),
            "where": self._where,
            "indexes": indexes,
        }

    @contextmanager
    def _in_words(self, chosen: Params) -> Iterator[None]:
        try:
            yield
        except (TypeError, ValueError, ArithmeticError, RuntimeError, OSError) as error:
            where = place(self.name, chosen)
            said = f"the table refused: {_first_line(error)}"
            raise BackendError("E704", said, where=where, fix="change the settings, or the table") from None

    def _set(self, asked: Any, chosen: Params) -> Any:
        if self._where:
            asked = asked.where(self._where, prefilter=bool(chosen.get("prefilter", 1)))
        if chosen.get("bypass_vector_index"):
            asked = asked.bypass_vector_index()
        for setting in ("nprobes", "refine_factor", "ef"):
            if chosen.get(setting):
                asked = getattr(asked, setting)(chosen[setting])
        return asked

    def _require_columns(self, *columns: str) -> None:
        absent = [column for column in columns if column not in self._types]
        if absent:
            raise _unusable(f"no column {absent[0]!r} among {', '.join(sorted(self._types))}", self._table.name)
        if getattr(self._types[self._vector], "list_size", 0) < 1:
            raise _unusable(f"column {self._vector!r} holds no vectors", self._table.name)

    def _equal(self, column: str, value: Any) -> str:
        return f"{_quoted(column)} = {self._literal(column, value)}"

    def _literal(self, column: str, value: Any) -> str:
        """Return a value as SQL, of the type of its column: a number can only be a number."""
        kind = str(self._types[column])
        if kind.startswith(("int", "uint", "float", "double", "halffloat")):
            try:
                return repr(int(value) if "int" in kind else float(value))
            except ValueError:
                raise ParameterError(
                    "E101", f"{value!r} for the column {column!r} of numbers", fix="give a number"
                ) from None
        return "'" + str(value).replace("'", "''") + "'"


def _opened(path: Path) -> Any:
    try:
        import lancedb
    except ImportError:
        raise MissingExtra("a LanceDB table", "lancedb", extra="lance") from None
    if path.suffix != ".lance" or not path.is_dir():
        raise _unusable("no folder that ends in .lance", str(path))
    try:
        return lancedb.connect(str(path.parent)).open_table(path.stem)
    except (ValueError, RuntimeError, OSError) as error:
        raise _unusable(_first_line(error), str(path)) from None


def _quoted(column: str) -> str:
    return "`" + column.replace("`", "``") + "`"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]


def _unusable(found: str, where: str) -> BackendError:
    return BackendError("E706", f"the store cannot be asked: {found}", where=where, fix="check table and column")
