"""The folder of a search evaluation: written in one step, and read back as it was or refused."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from tripleteval.data.search_evaluation import SCHEMA, SearchEvaluation
from tripleteval.report.search_plot import pareto_svg
from tripleteval.runs import Contents, file_shape, read_document, read_tables, require_free, write_folder

SEARCH = "search.json"
TABLES = {"classes.parquet": "per_class", "unreached.parquet": "unreached"}
_PLOT = "pareto.svg"
CONTENTS = Contents(SEARCH, SCHEMA, frozenset({SEARCH, *TABLES, _PLOT}))


def save(search: SearchEvaluation, folder: Path, *, overwrite: bool = False) -> Path:
    """Write ``search.json``, ``classes.parquet``, ``unreached.parquet`` and ``pareto.svg`` into a folder.

    Args:
        search: What to keep.
        folder: A path where nothing is yet.
        overwrite: Replace such a folder (or an empty one) by the new one, in one step.

    Raises:
        ResourceError: Something is there that is not replaced, or it cannot be written (E801).
    """
    require = partial(require_free, folder, overwrite=overwrite, contents=CONTENTS)
    require()
    tables = {name: t for name, attribute in TABLES.items() if (t := getattr(search, attribute)) is not None}
    plot = {_PLOT: pareto_svg(search).encode()}
    write_folder(folder, SEARCH, search.to_dict(), tables, require, further=plot)
    return folder


def load(folder: str | Path) -> SearchEvaluation:
    """Return the search evaluation that a folder holds.

    Raises:
        FileError: It is not such a folder (E604).
        ResourceError: A file is missing or is not what was written (E804), or a newer tripleteval made it (E806).
    """
    path = Path(folder)
    document = read_document(path / SEARCH, SCHEMA, _shape(), TABLES)
    tables = {TABLES[name]: table for name, table in read_tables(path, document).items()}
    told = {name: value for name, value in document.items() if name not in {"schema", "files", "checksum"}}
    return SearchEvaluation(**told, **tables)


@cache
def _shape() -> Any:
    """Return what ``search.json`` must look like where sections read it, as a type."""
    import msgspec

    number = float | None
    loss = msgspec.defstruct("Loss", [("loss", number), ("low", number, None), ("high", number, None)])
    speed = msgspec.defstruct(
        "Speed",
        [("queries_per_second", float), ("p50_ms", float), ("p99_ms", number), ("batch", int), ("repeats", int)],
    )
    error = msgspec.defstruct("Error", [("code", str), ("found", str), ("fix", str)])
    entry = msgspec.defstruct(
        "Entry",
        [
            ("label", str),
            ("backend", str),
            ("pareto", bool, False),
            ("overlap", dict[str, number], {}),
            ("metrics", dict[str, loss], {}),  # type: ignore[valid-type]
            ("speed", speed | None, None),
            ("build", dict[str, number], {}),
            ("seeds", dict[str, int | list[float]], {}),
            ("unreached", dict[str, float], {}),
            ("error", error | None, None),
            ("store", dict[str, Any] | None, None),
        ],
    )
    settings = msgspec.defstruct(
        "Settings", [("k", int), ("judge_by", str), ("tolerance", float), ("confidence", float)]
    )
    facts = msgspec.defstruct("Facts", [("queries", int), ("gallery", int), ("dim", int), ("own_rows_left_out", int)])
    fields: list[tuple[str, Any]] = [
        ("schema", str),
        ("verdict", str),
        ("entries", list[entry]),  # type: ignore[valid-type]
        ("facts", facts),
        ("settings", settings),
        ("inputs", list[dict[str, Any]]),
        ("notes", list[str]),
        ("environment", dict[str, Any]),
        ("files", dict[str, file_shape()]),  # type: ignore[misc]
        ("checksum", str),
    ]
    return msgspec.defstruct("Search", fields, forbid_unknown_fields=True)
