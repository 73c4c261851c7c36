"""PostgreSQL with pgvector: the table as it is, asked in a read-only transaction.

1. The connection string is a secret: it is never shown, and messages that might quote it are not passed on.
2. Names of tables and columns are quoted, values are bound, settings come from a fixed list.
3. Settings hold for one transaction; nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any
from weakref import finalize

from tripleteval.arrays import AnyArray
from tripleteval.errors import BackendError, MissingExtra, ParameterError, nearest
from tripleteval.search import Grid, Params

OPERATORS = {"euclidean": "<->", "sqeuclidean": "<->", "cosine": "<=>"}
SETTINGS = (
    "hnsw.ef_search",
    "hnsw.iterative_scan",
    "hnsw.max_scan_tuples",
    "ivfflat.iterative_scan",
    "ivfflat.max_probes",
    "ivfflat.probes",
    "enable_indexscan",
    "enable_seqscan",
)
_USUAL: dict[str, Grid] = {
    "hnsw": {"hnsw.ef_search": (40, 100, 400)},
    "ivfflat": {"ivfflat.probes": (1, 10, 40)},
}
_INDEXES = """
    SELECT c.relname, a.amname, pg_relation_size(c.oid)
    FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am a ON a.oid = c.relam
    JOIN pg_attribute t ON t.attrelid = x.indrelid AND t.attnum = ANY (x.indkey)
    WHERE x.indrelid = %s::regclass AND t.attname = %s
"""
_TYPE = "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s"


class Pgvector:
    """A table with a vector column, for `tripleteval.evaluate_search` to ask.

    Args:
        dsn: Connection string; empty leaves everything to ``PGHOST``, ``PGSERVICE`` and their kin.
        table: Table, or ``schema.table``.
        vector_column: Of type ``vector`` or ``halfvec``.
        id_column: What the gallery's ids are.
        distance: ``"euclidean"``, ``"sqeuclidean"`` or ``"cosine"``.
        where: Columns and the values they must have, bound; the gallery must be exported with the same filter.
        params: Further settings that hold for every query, such as ``{"hnsw.iterative_scan": "strict_order"}``.
        timeout: Seconds one query may take.
        name: What tables call it; several tables of one run need names of their own.

    Raises:
        MissingExtra: psycopg is not installed (E103).
        ParameterError: An unknown distance or setting (E510).
        BackendError: No connection, or no such table or column (E706).
    """

    settings: tuple[str, ...] = SETTINGS

    def __init__(
        self,
        dsn: str = "",
        *,
        table: str,
        vector_column: str = "embedding",
        id_column: str = "id",
        distance: str = "euclidean",
        where: Mapping[str, Any] | None = None,
        params: Params | None = None,
        timeout: float = 60.0,
        name: str = "pgvector",
    ) -> None:
        if distance not in OPERATORS:
            raise ParameterError("E510", f"unknown distance {distance!r}", fix=nearest(distance, OPERATORS))
        self.name, self.distance, self.table, self._fixed = name, distance, table, dict(params or {})
        _require_known(self._fixed)
        try:
            import psycopg
        except ImportError:
            raise MissingExtra("the pgvector backend", "psycopg", extra="postgres") from None
        self._psycopg, self._columns, self._where = psycopg, (id_column, vector_column), dict(where or {})
        self._connection = _connected(psycopg, dsn, timeout)
        self.close = finalize(self, self._connection.close)  # closed when nobody holds the store any more, or before
        self._facts = self._look(psycopg)

    def __repr__(self) -> str:
        return f"Pgvector(dsn='***', table={self.table!r})"

    @property
    def faithful(self) -> bool:
        """Whether it ranks by distances true to float32."""
        return bool(self._facts["type"] == "vector")

    @property
    def grid(self) -> Grid:
        """What may be set, with usual values for the index there is; with a filter also what remedies it."""
        usual: dict[str, tuple[Any, ...]] = {}
        for index in self._facts["indexes"]:
            usual |= _USUAL.get(index["method"], {})
            if self._where and index["method"] in _USUAL and self._iterates:
                usual[f"{index['method']}.iterative_scan"] = ("off", "relaxed_order")
        return {**usual, **{name: (value,) for name, value in self._fixed.items()}}

    @property
    def _iterates(self) -> bool:
        return tuple(map(int, self._facts["pgvector"].split(".")[:2])) >= (0, 8)

    def search(self, vectors: AnyArray, k: int, params: Params) -> Iterator[list[str]]:
        """Yield the ids each vector finds, one query after another on one connection.

        Raises:
            BackendError: The server refuses, or takes too long (E704).
        """
        query = self._query()
        bound = list(self._where.values())
        with self._transaction(params) as cursor:
            for vector in vectors:
                text = "[" + ",".join(map(repr, vector.tolist())) + "]"
                cursor.execute(query, [*bound, text, k])
                yield [str(found) for (found,) in cursor.fetchall()]

    def stored(self, ids: Sequence[str]) -> dict[str, list[float]]:
        """Return the vectors under these ids."""
        sql = self._psycopg.sql
        identity, vector = map(sql.Identifier, self._columns)
        query = sql.SQL("SELECT {0}::text, {1}::text FROM {2} WHERE {0}::text = ANY (%s)").format(
            identity, vector, self._named()
        )
        with self._transaction({}) as cursor:
            cursor.execute(query, [list(ids)])
            return {found: [float(value) for value in text.strip("[]").split(",")] for found, text in cursor.fetchall()}

    def describe(self) -> dict[str, Any]:
        """Return versions, rows and indexes."""
        return {**self._facts, "where": sorted(self._where), "table": self.table}

    def _transaction(self, params: Params) -> Any:
        return _Transaction(self.name, self._psycopg, self._connection, {**self._fixed, **params})

    def _named(self) -> Any:
        return self._psycopg.sql.Identifier(*self.table.split("."))

    def _query(self) -> Any:
        sql = self._psycopg.sql
        identity, vector = map(sql.Identifier, self._columns)
        tests = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in self._where]
        return sql.SQL("SELECT {} FROM {} {} ORDER BY {} {} %s::{} LIMIT %s").format(
            identity,
            self._named(),
            sql.SQL("WHERE ") + sql.SQL(" AND ").join(tests) if tests else sql.SQL(""),
            vector,
            sql.SQL(OPERATORS[self.distance]),
            sql.Identifier(self._facts["type"]),
        )

    def _look(self, psycopg: Any) -> dict[str, Any]:
        sql = psycopg.sql
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                table = self._named().as_string(self._connection)
                version = cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
                kind = cursor.execute(_TYPE, [table, self._columns[1]]).fetchone()
                indexes = cursor.execute(_INDEXES, [table, self._columns[1]]).fetchall()
                rows = cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(self._named())).fetchone()
        except psycopg.Error as error:
            raise _unusable(_first_line(error), self.table) from None
        if version is None or kind is None or kind[0] not in {"vector", "halfvec"}:
            found = (
                "no pgvector in this database" if version is None else f"column {self._columns[1]!r} holds no vectors"
            )
            raise _unusable(found, self.table)
        return {
            "pgvector": version[0],
            "postgresql": self._connection.info.parameter_status("server_version"),
            "type": kind[0],
            "rows": rows[0],
            "indexes": [{"name": name, "method": method, "bytes": size} for name, method, size in indexes],
        }


class _Transaction:
    """A read-only transaction with settings of its own; the server's refusal becomes an E704."""

    def __init__(self, name: str, psycopg: Any, connection: Any, params: Params) -> None:
        self.name, self.psycopg, self.connection, self.params = name, psycopg, connection, params

    def __enter__(self) -> Any:
        self.block = self.connection.transaction(force_rollback=True)
        self.block.__enter__()
        self.cursor = self.connection.cursor()
        try:
            self.cursor.execute("SELECT '[1]'::vector")  # loads the library, and with it the names of its settings
            for name, value in self.params.items():
                self.cursor.execute("SELECT set_config(%s, %s, true)", [name, str(value)])
        except self.psycopg.Error as error:
            self.__exit__(type(error), error, None)
        return self.cursor

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.block.__exit__(kind, error, at)
        if isinstance(error, self.psycopg.Error):
            where = f"backend {self.name}" + "".join(f" {name}={value}" for name, value in self.params.items())
            raise BackendError(
                "E704",
                f"the server refused: {_first_line(error)}",
                where=where,
                fix="change the settings, or the table",
            ) from None


def _connected(psycopg: Any, dsn: str, timeout: float) -> Any:
    options = f"-c default_transaction_read_only=on -c statement_timeout={int(1000 * timeout)}"
    try:
        return psycopg.connect(dsn, connect_timeout=10, options=options, autocommit=True, prepare_threshold=None)
    except psycopg.ProgrammingError:  # its message quotes the string
        raise _unusable("a connection string that cannot be read", "the connection string") from None
    except psycopg.Error as error:
        raise _unusable(_masked(_first_line(error), psycopg, dsn), "the connection string") from None


def _masked(said: str, psycopg: Any, dsn: str) -> str:
    secrets = psycopg.conninfo.conninfo_to_dict(dsn)
    for name in ("password", "sslpassword", "passfile"):
        if secrets.get(name):
            said = said.replace(str(secrets[name]), "***")
    return said


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _unusable(found: str, where: str) -> BackendError:
    return BackendError(
        "E706", f"the store cannot be asked: {found}", where=where, fix="check server, table and column"
    )


def _require_known(params: Params) -> None:
    for name in params:
        if name not in SETTINGS:
            raise ParameterError("E510", f"unknown pgvector setting {name!r}", fix=nearest(name, SETTINGS))
