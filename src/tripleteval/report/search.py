"""What there is to say about approximate search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tripleteval.data.search_evaluation import SearchEvaluation
from tripleteval.data.section import Chart, Level, Section, Table
from tripleteval.evaluation.search_entries import chosen
from tripleteval.report.wording import label, whole

_WORST = 5
_MOST = 10


def sections(search: SearchEvaluation, *, brief: bool = False) -> Iterator[Section]:
    """Yield the verdict with the table of settings, what failed, who is hurt, and how it was measured.

    ``brief`` is for a terminal, which has no charts and one screen.
    """
    by = search.settings["judge_by"]
    level: Level = "good" if chosen(search, by, search.settings["tolerance"])[1] else "warning"
    charts = [] if brief else _plot(search, by)
    yield Section("What would approximate search cost?", search.verdict, [_table(search, by)], level, charts)
    failed = [entry for entry in search if "error" in entry]
    if failed:
        said = "\n".join(
            f"{e['label']}: {e['error']['code']} {e['error']['found']}; {e['error']['where']} ({e['error']['fix']})"
            for e in failed
        )
        yield Section("Did not run", said, level="warning")
    hurt = _hurt(search, by)
    if hurt is not None:
        yield hurt
    if not brief:
        yield from _out_of_reach(search)
    yield from _stores(search)
    threads = search.environment.get("threads")
    yield Section(
        "How it was measured",
        "\n".join([_asked(search.facts, search.settings["k"]), _timed(search, threads), *search.notes]),
    )


def _ran(search: SearchEvaluation) -> list[dict[str, Any]]:
    return [entry for entry in search if "error" not in entry]


def _plot(search: SearchEvaluation, by: str) -> list[Chart]:
    """Return loss against speed, a line per backend; nothing where fewer than two settings ran."""
    ran = [entry for entry in _ran(search) if entry["metrics"][by]["loss"] is not None]
    if len(ran) < 2:
        return []
    across, up = "queries per second", f"points of {by} lost"
    told = [entry["metrics"][by] for entry in ran]
    data = {
        across: [entry["speed"]["queries_per_second"] for entry in ran],
        up: [100 * each["loss"] for each in told],
        "from": [_hundredfold(each.get("low")) for each in told],
        "to": [_hundredfold(each.get("high")) for each in told],
        "setting": [label(entry["label"]) for entry in ran],
        "backend": [label(entry["backend"]) for entry in ran],
        "on the front": ["yes" if entry["pareto"] else "no" for entry in ran],
    }
    text = "Right is fast, low is good: one dot per setting, joined by backend."
    logarithmic = frozenset({"x"})
    return [Chart("Loss against speed", text, data, x=across, y=up, mark="line", color="backend", log=logarithmic)]


def _hundredfold(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _table(search: SearchEvaluation, by: str) -> Table:
    share = f"{100 * search.settings['confidence']:g} % interval"
    other = _other(search)
    task = (f"loss of {by}", share, "queries/s")
    rest = ("recall of neighbours", f"loss of {other}", "p50 ms", "p99 ms", "build s", "MB")
    terms = {f"loss of {name}": name for name in (by, other)}
    rows = [_row(entry, by, other) for entry in _ran(search)]
    return Table(("front", "setting", *task, *rest), rows, frozenset((*task, *rest)), terms)


def _row(entry: dict[str, Any], by: str, other: str) -> tuple[str, ...]:
    lost, speed = entry["metrics"][by], entry["speed"]
    spread = entry["seeds"]["tie_aware_recall"]
    around = f" ±{(max(spread) - min(spread)) / 2:.4f}" if len(spread) > 1 else ""
    size = entry["build"]["file_bytes"]
    return (
        "*" if entry["pareto"] else "",
        entry["label"],
        _points(lost["loss"]),
        "–" if lost.get("low") is None else f"{_points(lost['low'])} … {_points(lost['high'])}",
        f"{speed['queries_per_second']:,.0f}",
        f"{entry['overlap']['tie_aware_recall']:.4f}{around}",
        _points(entry["metrics"][other]["loss"]),
        f"{speed['p50_ms']:.3f}",
        "–" if speed["p99_ms"] is None else f"{speed['p99_ms']:.3f}",
        "–" if entry["build"]["seconds"] is None else f"{entry['build']['seconds']:.1f}",
        "–" if size is None else f"{size / 1e6:,.1f}",
    )


def _other(search: SearchEvaluation) -> str:
    """Return the second metric of the table: the first hit, or recall where that is judged by already."""
    return f"recall@{search.settings['k']}" if search.settings["judge_by"] == "hit_rate@1" else "hit_rate@1"


def _points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _hurt(search: SearchEvaluation, by: str) -> Section | None:
    """Return which classes lose most under the setting that the verdict names."""
    table, best = search.per_class, _named(search, by)
    if table is None or best is None or best["label"] not in table.column_names:
        return None
    name = best["label"]
    rows = [row for row in zip(*(table[c].to_pylist() for c in ("label", "queries", name)), strict=True) if row[2]]
    rows.sort(key=lambda row: -row[2])
    shown = [(label(named), whole(queries), _points(lost)) for named, queries, lost in rows[:_WORST] if lost > 0]
    dark = best["unreached"]["items"]
    text = (
        f"Classes that lose most {by} with {name}, the setting named above; "
        f"{dark:,.0f} items of true lists are in none of its lists."
    )
    heads = ("class", "queries", "points lost")
    return Section("Which classes does the index hurt?", text, [Table(heads, shown, frozenset(heads[1:]))])


def _named(search: SearchEvaluation, by: str) -> dict[str, Any] | None:
    """Return the setting that the verdict names, if it loses anything."""
    named, _ = chosen(search, by, search.settings["tolerance"])
    return named if named is not None and named["metrics"][by]["loss"] > 0 else None


def _out_of_reach(search: SearchEvaluation) -> Iterator[Section]:
    """Yield how many items each setting cannot find, and those that the worst of them is missed for most."""
    counts = {entry["label"]: float(entry["unreached"]["items"]) for entry in _ran(search)}
    table = search.unreached
    if table is None or not any(counts.values()):
        return
    import pyarrow.compute as pc

    worst = max(counts, key=lambda name: counts[name])
    named = [name for name in ("id", "label") if name in table.column_names]
    heads = [*([] if "id" in named else ["gallery row"]), *named, "true lists"]
    of = {"gallery row": "gallery", "true lists": "true_lists"}
    rows = [
        [label(row[of.get(head, head)]) for head in heads]
        for row in table.filter(pc.equal(table["setting"], worst)).slice(0, _MOST).to_pylist()
    ]
    text = (
        "Items that stand among the nearest of some query and in no list of the index: they are as good as deleted. "
        f"Below, how many there are by setting (mean over seeds), and the {len(rows)} that {worst} misses most often."
    )
    by_setting = Table(["setting", "items"], [[label(n), f"{c:,.0f}"] for n, c in counts.items()], frozenset({"items"}))
    missed = Table(heads, rows, frozenset(of))
    yield Section("Out of reach", text, [by_setting, missed])


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
    own = ", the query itself left out" if facts["own_rows_left_out"] else ""
    return (
        f"{facts['queries']:,} queries asked {facts['gallery']:,} items of {facts['dim']} dimensions for their {k} "
        f"nearest{own}; the truth is exact in float64. On the front (*) are settings that no other beats in both "
        "loss and speed. Recall of neighbours is the share of the true lists that was found, whatever is as far "
        "counting alike; losses are in points, hundredths of the metric."
    )


def _timed(search: SearchEvaluation, threads: Any) -> str:
    speeds = [entry["speed"] for entry in _ran(search)]
    if not speeds:
        return "Nothing was timed."
    one = speeds[0]
    return (
        f"queries/s: batches of {one['batch']:,} on {threads} thread{'s' if threads != 1 else ''}, median of "
        f"{one['repeats']}; milliseconds: one query at a time; p99 takes 1,000 queries. ± is half the range over seeds."
    )
