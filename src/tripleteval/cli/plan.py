"""``tripleteval plan``: what an evaluation will take, before it is started."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from tripleteval.cli.paths import PATH, require_new_file
from tripleteval.cli.reading import read_sets, reading_options
from tripleteval.errors import ParameterError

if TYPE_CHECKING:
    from tripleteval.data.section import Section
    from tripleteval.evaluation.forecast import Forecast, Rates

_ON_DISK = "1B"  # a budget in which nothing is held: only headers and labels are read


@click.command("plan")
@click.argument("file", type=PATH, metavar="FILE")
@reading_options
@click.option("--sample", type=int, metavar="N", help="Ask N queries only, as evaluate would.")
@click.option("--workers", type=int, help="How many compute at once; by default one per core here.")
@click.option("--gflops", default="auto", show_default=True, metavar="auto|N",
              help="What one worker compares per second; auto measures this machine.")  # fmt: skip
@click.option("--memory", default="1GiB", show_default=True, help="Memory to use, of all workers together.")
@click.option("--json", "json_", type=PATH, metavar="-|FILE", help="Write the JSON document; - prints it alone.")
@click.option("--overwrite", is_flag=True, help="Replace the JSON file that is there.")
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(file: str, **chosen: Any) -> None:
    """Say what an evaluation would take: pairs, bytes read, memory and time.

    Headers and labels are read, and some rows to measure for a few seconds how fast this machine is. Nothing is
    evaluated. Where it would take long, a sample of the queries is proposed.

    \b
    Examples:
        tripleteval plan 'gallery/part-*.parquet'
        tripleteval plan probe.npy --labels probe.txt --gallery gallery/ --workers 32 --memory 128GiB
        tripleteval plan 'gallery/part-*.npy' --sample 10000 --gflops 40 --json - | jq .all.seconds
    """  # noqa: D301  # \b is how click keeps lines as they are
    workers, gflops, sample = chosen.pop("workers"), _gflops(chosen.pop("gflops")), chosen.pop("sample")
    memory, json_, overwrite = chosen.pop("memory"), chosen.pop("json_"), chosen.pop("overwrite")
    if json_ not in {None, "-"}:
        require_new_file(json_, (file,), overwrite=overwrite)
    from tripleteval.data.budget import parse_memory
    from tripleteval.engine.maps import thread_count
    from tripleteval.evaluation.forecast import forecast, measured, proposed, size_of, with_gflops

    if workers is not None and workers < 1:
        raise ParameterError("E101", f"--workers {workers}", fix="give a whole number, 1 or more")
    budget, workers = parse_memory(memory), thread_count(workers)
    by_label = chosen.pop("relevance") is None
    queries, gallery = read_sets(file, chosen, memory=_ON_DISK)
    size = size_of(queries, gallery, sample)
    rates = measured(queries, gallery, by_label=by_label)
    if gflops is not None:
        rates = with_gflops(rates, size.dim, gflops)
    how: dict[str, Any] = {"workers": workers, "memory": budget}
    whole, fewer = forecast(size, rates, **how), proposed(size, rates, **how)
    found = {"all": whole.to_dict(), "sample": fewer and fewer.to_dict(), "seconds_of_one_core": rates._asdict()}
    document = json.dumps(found, indent=1, allow_nan=False)
    if json_ not in {None, "-"}:
        from tripleteval.disk import atomic_write

        atomic_write(os.path.realpath(json_), f"{document}\n".encode())
    if json_ == "-":
        click.echo(document)
        return
    from tripleteval.report.console import draw, screen

    console = screen()
    for line in draw(_said(whole, fewer, rates, budget, sample)):
        console.print(line)


def _gflops(text: str) -> float | None:
    try:
        given = None if text == "auto" else float(text)
    except ValueError:
        given = -1.0
    if given is not None and not 0 < given < 1e9:
        raise ParameterError("E101", f"--gflops {text!r}", fix="give auto, or a number of GFLOP/s such as 40")
    return given


def _said(whole: Forecast, fewer: Forecast | None, rates: Rates, budget: int, sample: int | None) -> Section:
    from tripleteval.data.section import Section, Table
    from tripleteval.evaluation.forecast import half_width
    from tripleteval.readers.stored_set import SHARE

    speed = 2 * whole.dim / rates.pair / 1e9
    sizes = f"{whole.queries:,} queries × {whole.gallery:,} items × {whole.dim} dimensions"
    worth = f"{speed:.0f}" if speed >= 10 else f"{speed:.2g}"
    text = f"{sizes}, {whole.workers} workers, each worth {worth} GFLOP/s of bare matrix products."
    columns = [("all queries" if sample is None or sample > whole.queries else f"--sample {whole.queries}", whole)]
    if fewer is not None:
        columns.append((f"--sample {fewer.queries}", fewer))
        share = f"a share is then known to about ±{half_width(fewer.queries):.1%}, less where queries of a class agree"
        text += f"\nAll of them take {_time(whole.seconds)}. A sample is the wise answer: {share}."
    vectors = whole.bytes_read / (whole.blocks + 2)
    if vectors <= budget * SHARE:
        text += f"\nVectors of {_bytes(vectors)} fit: they are read once and held. Bytes read are of such as do not."
    if whole.least_memory > budget:
        needed = _bytes(whole.least_memory)
        text += f"\nA budget of {_bytes(budget)} is too little: so many queries and workers need {needed}."
    rows = [
        ("pairs", [f"{found.pairs:,}" for _, found in columns]),
        ("readings of the gallery", [f"{found.blocks + 2:,}" for _, found in columns]),
        ("bytes read", [_bytes(found.bytes_read) for _, found in columns]),
        ("memory needed", [_bytes(found.least_memory) for _, found in columns]),
        ("memory per worker", [_bytes(found.bytes_per_worker) for _, found in columns]),
        ("time", [_time(found.seconds) for _, found in columns]),
        ("verification adds", [_time(found.verification_seconds) for _, found in columns]),
    ]
    heads = ("", *(name for name, _ in columns))
    table = Table(heads, [(name, *cells) for name, cells in rows], frozenset(heads[1:]))
    return Section("Plan", text, tables=[table])


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:,.3g} {unit}" if count < 1000 else f"{count:,.0f} {unit}"


def _time(seconds: float) -> str:
    for length, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.1f} seconds"
