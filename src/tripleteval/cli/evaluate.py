"""``tripleteval evaluate``: the main job."""

from __future__ import annotations

from typing import Any

import click

from tripleteval.cli.cluster import cluster, cluster_options
from tripleteval.cli.measuring import margin_curve, measuring_options
from tripleteval.cli.output import chosen_output, output_options
from tripleteval.cli.paths import PATH
from tripleteval.cli.progress import progress_bar, progress_option
from tripleteval.cli.reading import read_calibration, read_relevance, read_sets, reading_options
from tripleteval.cli.resuming import resumable, resume_option, unfinished_run


@click.command("evaluate")
@click.argument("file", type=PATH, metavar="FILE")
@reading_options
@measuring_options
@cluster_options
@resume_option
@progress_option
@output_options
def command(file: str, **chosen: Any) -> None:
    """Evaluate stored embeddings: retrieval and triplets, exactly.

    FILE holds the queries: .npy, .npz, .parquet, .csv, .tsv or .jsonl, or is a folder or a quoted pattern of these,
    or a URL. Vectors that take more than half of --memory stay on disk. Without --gallery every query is searched
    among the others. The table goes to stdout, the run into a new folder under runs/.

    \b
    Examples:
        tripleteval evaluate val.parquet
        tripleteval evaluate probe.npy --labels probe.txt --gallery gallery.npy --gallery-labels gallery.txt
        tripleteval evaluate banking.parquet --where "split = 'test'" \\
            --gallery banking.parquet --gallery-where "split = 'train'" --distance cosine
        tripleteval evaluate val.parquet -k 1 -k 100 --margin 0.2 --margin-curve -1:1:0.1 --metric map@100
        tripleteval evaluate faces.parquet --where "split = 'test'" --calibrate-on "split = 'val'" --far 0.001
        tripleteval evaluate 'gallery/part-*.parquet' --sample 5000 --no-verification --memory 1GiB
        tripleteval evaluate val.parquet --json - | jq '.values["map@r"]'
        tripleteval evaluate large.npy --labels large.txt --resume runs/large
        tripleteval evaluate probe.npy --labels probe.txt --gallery gallery.npy --gallery-labels gallery.txt --ray auto
    """  # noqa: D301  # \b is how click keeps lines as they are
    read_files = [chosen[name] for name in ("labels", "gallery", "gallery_labels", "relevance")]
    resume = chosen.pop("resume")
    output = chosen_output(file, read_files, chosen)
    if resume is not None:
        output = output.resuming(unfinished_run(resume))
    shown = chosen.pop("progress")
    output.require_possible()
    relevance = chosen.pop("relevance")
    calibrate_on = chosen.pop("calibrate_on")
    if calibrate_on is not None:
        calibrate_on = read_calibration(file, calibrate_on, chosen)
    queries, gallery = read_sets(file, chosen, memory=chosen["memory"])
    from tripleteval import evaluate

    journal = output.journal()
    where = cluster(chosen.pop("ray"), chosen.pop("ray_gpus"), chosen["threads"])
    with resumable(journal), where as mapping, progress_bar(output.quiet, shown, queries.dim) as progress:
        evaluation = evaluate(
            queries,
            gallery=gallery,
            relevance=None if relevance is None else read_relevance(relevance),
            margin_curve=margin_curve(chosen.pop("margin_curve")),
            calibrate_on=calibrate_on,
            map=mapping,
            resume=journal,
            progress=progress,
            **chosen,
        )
    output.deliver(evaluation, journal)
