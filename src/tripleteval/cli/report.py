"""``tripleteval report``: run folders into a page, or into text for pull requests and model cards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from tripleteval.cli.material import material_options, read_material
from tripleteval.cli.output import quiet_option
from tripleteval.cli.paths import PATH, require_new_file
from tripleteval.errors import FileError, ParameterError, one_line, printable

if TYPE_CHECKING:
    from tripleteval.data.evaluation import Evaluation
    from tripleteval.data.search_evaluation import SearchEvaluation
    from tripleteval.data.section import Section

# Name of the file by default, and what its beginning holds: only a report of ours is replaced unasked.
_FORMATS = {
    "html": ("report.html", b'<meta name="generator" content="tripleteval">'),
    "md": ("report.md", b"<!-- made by tripleteval -->"),
    "model-index": ("model-index.yaml", b"# made by tripleteval"),
    "eval-results": ("eval-results.yaml", b"# made by tripleteval"),
}


@click.command("report")
@click.argument("runs", nargs=-1, required=True, type=PATH, metavar="RUN...")
@click.option(
    "-o", "--output", type=PATH, metavar="FILE", help="File to write, by default report.html; - prints text formats."
)
@click.option("--format", "kind", type=click.Choice(list(_FORMATS)), default="html", show_default=True, help="Form.")
@material_options
@click.option("--enrolment", is_flag=True, help="Identification against items enrolled per class.")
@click.option("--report-budget", default="5MB", show_default=True, help="What all pictures together may take.")
@click.option("--model", metavar="NAME", help="Name of the model, for model-index.")
@click.option("--dataset", metavar="NAME", help="Name or Hub id of the data, for model-index and eval-results.")
@click.option("--overwrite", is_flag=True, help="Replace FILE even if it is not a report of ours.")
@quiet_option
@click.option("--json-errors", is_flag=True, expose_value=False, help="Print errors as one JSON object on stderr.")
def command(runs: tuple[str, ...], output: str | None, kind: str, overwrite: bool, quiet: bool, **chosen: Any) -> None:
    """Write a page, Markdown or model-card results about one run, or several side by side.

    RUN is a folder that evaluate made, or one that search made: what approximate search would cost.
    The page is one file; it asks nothing of the network and may be mailed or archived. With the embeddings of
    the run (and --gallery, --where as they were evaluated) it has a map, and pictures or texts of what failed.
    The other forms are Markdown, and results for a model card on the Hugging Face Hub.

    \b
    Examples:
        tripleteval report runs/val -o report.html
        tripleteval report runs/val --embeddings val.parquet --images photos/ --image-column path
        tripleteval report runs/banking --embeddings banking.parquet --where "split = 'test'" \\
            --gallery banking.parquet --gallery-where "split = 'train'" --text-column text
        tripleteval report runs/baseline runs/candidate --embeddings val.parquet --images photos/ -o compared.html
        tripleteval report runs/val runs/val-search -o report.html
        tripleteval report runs/val --format md -o - | gh pr comment --body-file -
        tripleteval report runs/val --format model-index --model siamese --dataset org/pets
    """  # noqa: D301  # \b is how click keeps lines as they are
    from tripleteval.disk import atomic_write
    from tripleteval.report import search_folder
    from tripleteval.runs import RUN, TABLES, load

    name, mark = _FORMATS[kind]
    path = name if output is None else output
    if path == "-" and kind == "html":
        raise ParameterError("E101", "a page on stdout", fix="name a file with -o")
    files = (RUN, *TABLES, search_folder.SEARCH, *search_folder.TABLES)
    inputs = [*runs, *(os.path.join(run, name) for run in runs for name in files)]
    inputs += [chosen[name] for name in ("embeddings", "gallery", "labels", "gallery_labels") if chosen[name]]
    if path != "-":
        require_new_file(path, tuple(inputs), overwrite=overwrite or _is_report(path, mark))
    named = [(printable(os.path.normpath(run)), run) for run in runs]
    of_search = [os.path.lexists(os.path.join(run, search_folder.SEARCH)) for run in runs]
    loaded = [(name, load(run)) for (name, run), is_search in zip(named, of_search, strict=True) if not is_search]
    searches = [
        (name, search_folder.load(run)) for (name, run), is_search in zip(named, of_search, strict=True) if is_search
    ]
    written = _written(loaded, searches, kind, chosen)
    if path == "-":
        click.echo(written, nl=False)
        return
    atomic_write(os.path.realpath(path), written.encode())
    if not quiet:
        click.echo(f"written to {one_line(path)}", err=True)


def _written(
    loaded: list[tuple[str, Evaluation]],
    searches: list[tuple[str, SearchEvaluation]],
    kind: str,
    chosen: dict[str, Any],
) -> str:
    if kind == "html":
        from tripleteval.data.budget import parse_memory
        from tripleteval.report.html import page

        budget = parse_memory(chosen.pop("report_budget"))
        materials = read_material([evaluation for _, evaluation in loaded], chosen)
        return page(loaded, searches=searches, materials=materials, judged=_judged(loaded), budget=budget)
    if kind == "md":
        from tripleteval.report.markdown import markdown

        return markdown(loaded, searches, _judged(loaded))
    if searches:
        raise ParameterError("E101", f"--format {kind} with a folder that search made", fix="give one evaluated run")
    return _card(loaded, kind, model=chosen["model"], dataset=chosen["dataset"])


def _judged(loaded: list[tuple[str, Evaluation]]) -> Section | None:
    """Return what comparing two runs of the same queries finds, the first being the one to beat."""
    if len(loaded) != 2:
        return None
    from dataclasses import replace

    from tripleteval.differences.door import compare
    from tripleteval.differences.sections import sections

    (first, before), (second, after) = loaded
    try:
        verdict = sections(compare(before, after, names=(first, second)))[0]
    except ParameterError:
        return None  # not the same queries: the page lists both without judging
    return replace(verdict, title="Is the second better?")


def _card(loaded: list[tuple[str, Evaluation]], kind: str, *, model: str | None, dataset: str | None) -> str:
    from tripleteval.report.model_card import eval_results, model_index

    if len(loaded) > 1:
        raise ParameterError("E101", f"--format {kind} with several runs", fix="give one run")
    (name, evaluation) = loaded[0]
    data = dataset or str(evaluation.inputs[0].get("name", "embeddings"))
    if kind == "eval-results":
        return eval_results(evaluation, dataset=data)
    return model_index(evaluation, model=model or os.path.basename(name), dataset=data)


def _is_report(path: str, mark: bytes) -> bool:
    """Return whether the file is a report of ours, which a new one may replace unasked."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return mark in file.read(4096)
    except OSError as error:
        raise FileError("E611", f"it cannot be read: {error.strerror}", where=path, fix="give a new name") from None
