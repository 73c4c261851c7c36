"""``tripleteval search``: what would approximate search cost?"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from tripleteval.cli.cluster import cluster, ray_option
from tripleteval.cli.measuring import confidence_option, distance_option
from tripleteval.cli.paths import PATH, require_apart, require_new_file
from tripleteval.cli.progress import progress_bar
from tripleteval.cli.reading import read_relevance, read_sets, reading_options
from tripleteval.disk import atomic_write
from tripleteval.errors import BackendError, ParameterError, ResourceError, one_line

if TYPE_CHECKING:
    from tripleteval.data.search_evaluation import SearchEvaluation
    from tripleteval.search.store import Store

_PIPED_WIDTH = 140
_SHOWN: dict[str, Any] = {"show_default": True}
_AGAIN = "May be repeated."
_HELD = "1GiB"  # a gallery of more than half of it stays on disk where it is cut into shards


@click.command("search")
@click.argument("file", type=PATH, metavar="FILE")
@reading_options
@click.option("--backend", "backends", multiple=True, metavar="NAME", help=f"Library to try. {_AGAIN}")
@click.option("--ladder", is_flag=True, help="Try float16, int8, pca, truncate and binary as well.")
@click.option(
    "--pgvector",
    "tables",
    multiple=True,
    metavar="TABLE",
    help=f"Ask this table too; PGHOST, PGSERVICE … say where it is. {_AGAIN}",
)
@click.option("--lancedb", "folders", multiple=True, metavar="DIR.lance", help=f"Ask this LanceDB table too. {_AGAIN}")
@click.option("--store-vectors", metavar="NAME", help="Its column of vectors; embedding, in LanceDB vector.")
@click.option("--store-ids", default="id", **_SHOWN, metavar="NAME", help="Its column of ids, those of the gallery.")
@click.option("--store-where", multiple=True, metavar="NAME=VALUE", help=f"Only its rows with this value. {_AGAIN}")
@click.option("-k", "--k", type=int, default=10, **_SHOWN, help="Neighbours per query.")
@click.option(
    "--param",
    "given",
    multiple=True,
    metavar="NAME=V,V",
    help=f"Values to try of a parameter, as efSearch=16,64. {_AGAIN}",
)
@distance_option
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help=f"One more, as precision@5. {_AGAIN}")
@click.option("--seeds", type=int, default=3, **_SHOWN, help="How often a randomised index is built.")
@click.option("--exact-sample", type=int, metavar="N", help="Make exact lists for N queries only.")
@click.option("--judge-by", metavar="NAME", help="Metric that settings are judged by; recall@k by default.")
@click.option("--tolerance", type=float, default=0.005, **_SHOWN, help="What the setting named first may cost of it.")
@confidence_option
@click.option("--repeats", type=int, default=5, **_SHOWN, help="How often a batch is timed.")
@click.option("--timeout", type=float, default=600.0, **_SHOWN, help="Seconds that one build or search may take.")
@click.option("--memory", help="Memory a library may use; by default 8 times its rows.")
@click.option("--threads", type=int, default=1, **_SHOWN, help="Threads for building and for batches.")
@click.option("--shards", type=int, default=1, **_SHOWN, help="Cut the gallery into so many indexes; merge answers.")
@ray_option("Build and ask indexes on a Ray cluster; local starts one on all cores.")
@click.option("--nonfinite", type=click.Choice(["refuse", "drop"]), default="refuse", **_SHOWN, help="Rows with NaN.")
@click.option(
    "--zero-rows",
    type=click.Choice(["refuse", "exclude"]),
    default="refuse",
    **_SHOWN,
    help="Zero vectors, under cosine.",
)
@click.option("-o", "--output", type=PATH, metavar="DIR", help="Folder to write: search.json, tables, pareto.svg.")
@click.option("--overwrite", is_flag=True, help="Replace the folder of a search, or the JSON file, that is there.")
@click.option("--json", "json_", type=PATH, metavar="-|FILE", help="Write the JSON document; - prints it alone.")
@click.option("--quiet", is_flag=True, help="No progress bar, nothing on stderr but errors.")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(file: str, given: Sequence[str], **chosen: Any) -> None:
    """Measure what approximate search loses in recall, and what it saves.

    FILE holds the queries, as for evaluate. NAME is annoy, faiss-flat, faiss-ivf, faiss-ivfpq, faiss-hnsw,
    hnswlib, usearch, scann, lancedb or exact; float16, int8, pca, truncate or binary for compressed vectors
    searched exactly; or package.module:NAME of your own.

    \b
    Examples:
        tripleteval search val.parquet --backend faiss-hnsw --backend usearch
        tripleteval search val.parquet --backend faiss-hnsw --param efSearch=16,64,256 --output hnsw
        tripleteval search probe.npy --labels probe.txt --gallery gallery.npy --gallery-labels gallery.txt \\
            --backend exact --ladder --param dim=32,64
        PGSERVICE=shop tripleteval search val.parquet --pgvector items --param hnsw.ef_search=40,400
        tripleteval search val.parquet --lancedb shop/items.lance --param refine_factor=0,10
        tripleteval search probe.parquet --gallery 'gallery/part-*.parquet' --backend faiss-hnsw --shards 16 --ray auto
    """  # noqa: D301  # \b is how click keeps lines as they are
    output, json_, quiet, overwrite = (chosen.pop(name) for name in ("output", "json_", "quiet", "overwrite"))
    relevance = chosen.pop("relevance")
    read_files = (file, *(chosen[name] for name in ("labels", "gallery", "gallery_labels")), relevance)
    if json_ not in {None, "-"}:
        require_new_file(json_, tuple(path for path in read_files if path), overwrite=overwrite)
    params = dict(map(_param, given))
    from tripleteval.search import LADDER

    chosen["backends"] = [*chosen["backends"], *(LADDER if chosen.pop("ladder") else ()), *_stores(chosen)]
    if output is not None:
        from tripleteval.report.search_folder import CONTENTS, SEARCH
        from tripleteval.runs import require_free

        require_free(output, overwrite=overwrite, contents=CONTENTS)
        if json_ not in {None, "-"}:
            require_apart(json_, output, SEARCH)
    queries, gallery = read_sets(file, chosen, of_gallery=_HELD if chosen["shards"] > 1 else None)
    from tripleteval import evaluate_search

    with cluster(chosen.pop("ray"), cpus=chosen["threads"]) as mapping, progress_bar(quiet) as progress:
        found = evaluate_search(
            queries,
            gallery=gallery,
            relevance=None if relevance is None else read_relevance(relevance),
            params=params,
            map=mapping,
            progress=progress,
            **chosen,
        )
    writes: list[Callable[[], object]] = []
    if output is not None:
        writes.append(lambda: _save(found, output, overwrite=overwrite, quiet=quiet))
    if json_ not in {None, "-"}:
        writes.append(lambda: atomic_write(os.path.realpath(json_), f"{_document(found)}\n".encode()))
    _deliver(found, writes, as_json=json_ == "-")


def _stores(chosen: dict[str, Any]) -> list[Store]:
    """Return the tables to ask, each under its own name where there are several of a kind."""
    tables, folders, vectors, where = (chosen.pop(n) for n in ("tables", "folders", "store_vectors", "store_where"))
    ids = chosen.pop("store_ids")
    if not (tables or folders):
        if where:
            raise ParameterError("E101", "--store-where without --pgvector or --lancedb", fix="name the table")
        return []
    tests = dict(_pair("--store-where", text) for text in where)
    how: dict[str, Any] = {"id_column": ids, "distance": chosen["distance"], "where": tests}
    how |= {} if vectors is None else {"vector_column": vectors}
    stores: list[Store] = []
    if tables:
        from tripleteval.search.pgvector import Pgvector

        names = _names("pgvector", tables)
        stores += [Pgvector(table=table, timeout=chosen["timeout"], name=names[table], **how) for table in names]
    if folders:
        from tripleteval.search.lance_table import LanceTable

        names = _names("lancedb table", folders)
        stores += [LanceTable(folder, name=names[folder], **how) for folder in names]
    return stores


def _names(kind: str, tables: Sequence[str]) -> dict[str, str]:
    return {table: kind if len(tables) == 1 else f"{kind} {table}" for table in tables}


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ParameterError("E101", f"{option} {text!r}", fix="give a name and what it is, such as efSearch=16,64,256")
    return name, value


def _param(text: str) -> tuple[str, list[Any]]:
    name, values = _pair("--param", text)
    return name, [_value(value) for value in values.split(",")]


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _save(found: SearchEvaluation, output: str, *, overwrite: bool, quiet: bool) -> None:
    found.save(output, overwrite=overwrite)
    if not quiet:
        click.echo(f"saved in {one_line(output)}", err=True)


def _deliver(found: SearchEvaluation, writes: Sequence[Callable[[], object]], *, as_json: bool) -> None:
    """Write, then print; a disk that is full must not cost the numbers."""
    failures: list[ResourceError] = []
    for write in writes:
        try:
            write()
        except ResourceError as error:
            failures.append(error)
    if as_json:
        click.echo(_document(found))
    else:
        from tripleteval.report.console import screen

        screen(_PIPED_WIDTH).print(found)
    if failures:
        raise failures[0]
    _require_any(found)


def _document(found: SearchEvaluation) -> str:
    return json.dumps(found.to_dict(), indent=1, allow_nan=False)


def _require_any(found: SearchEvaluation) -> None:
    """Refuse a search of which no setting ran, with the reason of the first; everything is written by then."""
    errors = [entry["error"] for entry in found if "error" in entry]
    if errors and len(errors) == len(found):
        first = errors[0]
        said = f"no setting ran, of {len(errors)} tried; the first: {first['found']}"
        raise BackendError(first["code"], said, where=first["where"], fix=first["fix"])
