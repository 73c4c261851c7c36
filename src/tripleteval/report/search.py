"""What there is to say about approximate search, and the folder it is kept in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripleteval.data.search_evaluation import SearchEvaluation
from tripleteval.data.section import Section, Table
from tripleteval.disk import new_file, place, sync_folder, temporary, write_file, writing
from tripleteval.errors import ResourceError
from tripleteval.report.search_plot import pareto_svg

if TYPE_CHECKING:
    import pyarrow as pa

_WORST = 5


def sections(search: SearchEvaluation) -> Iterator[Section]:
    """Yield what to print: the verdict, the table of settings, what failed, who is hurt, and notes."""
    k, by = search.settings["k"], search.settings["judge_by"]
    yield Section("What would approximate search cost?", search.verdict, (_table(search, by),), level="good")
    failed = [entry for entry in search if "error" in entry]
    if failed:
        said = "\n".join(
            f"{e['label']}: {e['error']['code']} {e['error']['found']} ({e['error']['fix']})" for e in failed
        )
        yield Section("Did not run", said, level="warning")
    hurt = _hurt(search, by)
    if hurt is not None:
        yield hurt
    yield from _stores(search)
    threads = search.environment.get("threads")
    yield Section("How it was measured", "\n".join([_asked(search.facts, k), _timed(search, threads), *search.notes]))


def save(search: SearchEvaluation, folder: Path) -> Path:
    """Write ``search.json``, ``classes.parquet``, ``unreached.parquet`` and ``pareto.svg`` into a new folder.

    Raises:
        ResourceError: The folder exists, or cannot be written (E801).
    """
    tables = {"classes.parquet": search.per_class, "unreached.parquet": search.unreached}
    with writing(folder):
        _require_free(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary(folder) as temp:
            os.mkdir(temp)  # noqa: PTH102  # as runs does it: what is promised is a system call
            for name, table in tables.items():
                if table is not None:
                    _write_table(temp / name, table)
            write_file(temp / "pareto.svg", pareto_svg(search).encode())
            text = json.dumps(search.to_dict(), indent=1, allow_nan=False)
            write_file(temp / "search.json", f"{text}\n".encode())
            sync_folder(temp)
            place(temp, folder, lambda: _require_free(folder))
    return folder


def _require_free(folder: Path) -> None:
    if os.path.lexists(folder):
        raise ResourceError("E801", "something is there already", where=str(folder), fix="give a new name")


def _write_table(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    with new_file(path) as sink:
        pq.write_table(table, sink)
        sink.finish()


def _table(search: SearchEvaluation, by: str) -> Table:
    ran = [entry for entry in search if "error" not in entry]
    share = f"{100 * search.settings['confidence']:g} %"
    columns = ("", "setting", "recall of neighbours", f"loss of {by}", share, f"loss of {_other(search)}")
    speed = ("queries/s", "p50 ms", "p99 ms", "build s", "MB")
    rows = [_row(entry, by, _other(search)) for entry in ran]
    return Table((*columns, *speed), rows, numeric=frozenset((*columns[2:], *speed)))


def _row(entry: dict[str, Any], by: str, other: str) -> tuple[str, ...]:
    lost, first, speed = entry["metrics"][by], entry["metrics"][other], entry["speed"]
    spread = entry["seeds"]["tie_aware_recall"]
    around = f" ±{(max(spread) - min(spread)) / 2:.4f}" if len(spread) > 1 else ""
    size = entry["build"]["file_bytes"]
    return (
        "*" if entry["pareto"] else "",
        entry["label"],
        f"{entry['overlap']['tie_aware_recall']:.4f}{around}",
        _points(lost["loss"]),
        "–" if lost.get("low") is None else f"{_points(lost['low'])} … {_points(lost['high'])}",
        _points(first["loss"]),
        f"{speed['queries_per_second']:,.0f}",
        f"{speed['p50_ms']:.3f}",
        "–" if speed["p99_ms"] is None else f"{speed['p99_ms']:.3f}",
        "–" if entry["build"]["seconds"] is None else f"{entry['build']['seconds']:.1f}",
        "–" if size is None else f"{size / 1e6:,.1f}",
    )


def _other(search: SearchEvaluation) -> str:
    """Return the second metric of the table: the first hit, or recall where that is judged by already."""
    return f"recall@{search.settings['k']}" if search.settings["judge_by"] == "hit_rate@1" else "hit_rate@1"


def _points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}".replace("-0.00", "0.00")


def _hurt(search: SearchEvaluation, by: str) -> Section | None:
    """Return which classes lose most under the fastest setting on the front."""
    table = search.per_class
    front = [entry for entry in search if entry.get("pareto") and (entry["metrics"][by]["loss"] or 0) > 0]
    if table is None or not front:
        return None
    label = max(front, key=lambda entry: entry["speed"]["queries_per_second"])["label"]
    rows = [row for row in zip(*(table[c].to_pylist() for c in ("label", "queries", label)), strict=True) if row[2]]
    rows.sort(key=lambda row: -row[2])
    shown = [(name, f"{queries:,}", _points(lost)) for name, queries, lost in rows[:_WORST] if lost > 0]
    dark = next(entry for entry in search if entry["label"] == label)["unreached"]["items"]
    text = f"Classes that lose most {by} with {label}; {dark:,.0f} items of true lists are in none of its lists."
    return Section(
        "Who is hurt", text, (Table(("class", "queries", "points lost"), shown, frozenset(("queries", "points lost"))),)
    )


def _stores(search: SearchEvaluation) -> Iterator[Section]:
    """Yield, for every store that was asked, what it is, and what of it no longer is what was exported."""
    stores = {entry["backend"]: entry for entry in search if "store" in entry}
    for name, entry in stores.items():
        facts = entry["store"]
        indexes = ", ".join(f"{i['name']} ({i['method']})" for i in facts["indexes"]) or "none: every row is compared"
        said = [f"{facts['rows']:,} rows; indexes on the vectors: {indexes}."]
        wrong = facts["rows_absent"] + facts["rows_stale"]
        if wrong:
            said.append(
                f"Of {facts['rows_compared']} exported rows looked up, {facts['rows_absent']} are not there and "
                f"{facts['rows_stale']} hold another vector: export again before believing the losses."
            )
        short = [e for e in search if e["backend"] == name and "error" not in e and e["overlap"]["missing"] > 0]
        said += [f"{e['label']} returned {100 * e['overlap']['missing']:.0f} % too few rows." for e in short]
        yield Section(f"The store: {name}", "\n".join(said), level="warning" if wrong or short else "plain")


def _asked(facts: dict[str, Any], k: int) -> str:
    own = ", itself left out" if facts["own_rows_left_out"] else ""
    return (
        f"{facts['queries']:,} queries asked {facts['gallery']:,} items of {facts['dim']} dimensions for their {k} "
        f"nearest{own}; the truth is exact in float64. * marks settings that no other beats in both loss and speed."
    )


def _timed(search: SearchEvaluation, threads: Any) -> str:
    speeds = [entry["speed"] for entry in search if "error" not in entry]
    if not speeds:
        return "Nothing was timed."
    one = speeds[0]
    return (
        f"queries/s: batches of {one['batch']:,} on {threads} thread{'s' if threads != 1 else ''}, median of "
        f"{one['repeats']}; milliseconds: one query at a time; p99 takes 1,000 queries. ± is half the range over seeds."
    )
