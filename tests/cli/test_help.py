"""Help is quick, complete and true: every example of every page is one that our own parser takes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tripleteval.cli import COMMANDS, main

# A pipe, a comment or a redirection ends what is ours; ``echo '…' >> file`` of the completion page holds it in quotes.
_OURS = re.compile(r"""tripleteval(?: (?:"[^"\n]*"|'[^'\n]*'|[^|>\n)"'])*)?""")
_PAGES = {"": main, **{name: main.get_command(click.Context(main), name) for name in COMMANDS}}
# What --help of a command may load: the command line itself, and nothing that takes a second.
_HEAVY = ["faiss", "jax", "jinja2", "keras", "msgspec", "numba", "numpy", "pyarrow", "ray", "rich"]
_HEAVY += ["scipy", "sklearn", "tensorflow", "torch"]


def _examples(page: click.Command) -> list[list[str]]:
    """Return the arguments of every example on a page of help."""
    block = (page.help or "").partition("Examples:\n")[2].partition("\n\n")[0].replace("\\\n", " ")
    return [shlex.split(found)[1:] for line in block.splitlines() for found in _OURS.findall(line)[:1]]


EXAMPLES = [(name, example) for name, page in _PAGES.items() for example in _examples(page)]


def test_every_page_has_examples_and_every_line_is_one():
    for name, page in _PAGES.items():
        assert _examples(page), name
    assert len(EXAMPLES) >= 14
    assert ["evaluate", "val.parquet", "--json", "-"] in [example for _, example in EXAMPLES]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=lambda value: " ".join(value) if value else "tripleteval")
def test_every_example_parses(name, example):
    context = main.make_context("tripleteval", list(example), resilient_parsing=False)
    chosen, command, rest = main.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None
    assert name in ("", chosen)
    parsed = command.make_context(chosen, rest, parent=context)
    assert parsed.args == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_and_reads_json_errors(run, name):
    result = run(name, "-h")
    assert (result.exit_code, result.stderr) == (0, "")
    for parameter in _PAGES[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert all(spelling in result.stdout for spelling in parameter.opts)
    assert "--json-errors" in result.stdout


def test_the_help_of_all_names_every_command_and_exit_code(run):
    shown = run("--help").stdout
    assert all(name in shown and what in " ".join(shown.split()) for name, what in COMMANDS.items())
    codes = shown.partition("Exit codes:")[2]
    named = {int(code) for code in re.findall(r"\b\d+\b", codes.partition("Options:")[0])}
    assert named == {0, 1, 2, 3, 4, 5, 6, 70, 130, 141, 143}


def test_the_line_about_a_command_is_the_first_line_of_its_help():
    for name, what in COMMANDS.items():
        assert (_PAGES[name].help or "").partition("\n\n")[0] == what


def test_output_has_one_short_form_wherever_it_is():
    having = {name: p.opts for name, page in _PAGES.items() for p in page.params if "--output" in p.opts}
    assert {"evaluate", "triplets", "pairs", "identify", "search", "compare", "embed", "report"} <= set(having)
    assert all("-o" in spellings for spellings in having.values()), having


@pytest.mark.parametrize(
    ("name", "option", "said"),
    [
        ("identify", "--gallery", "[required]"),
        ("evaluate", "--gallery", "by default the queries themselves"),
        ("evaluate", "--metric", "map@100"),
        ("evaluate", "--relevance", "columns in this order, whatever their names"),
        ("embed", "--output", "NAME.labels.npy"),
        ("search", "--overwrite", "folder"),
    ],
)
def test_an_option_says_what_it_takes_and_what_it_writes(name, option, said):
    (found,) = [p for p in _PAGES[name].params if option in p.opts]
    assert said in found.help


def test_examples_need_no_package_that_is_built_from_source():
    assert [example for _, example in EXAMPLES if {"annoy", "hnswlib"} & set(example)] == []


def test_the_report_on_the_banking_run_is_made_from_what_it_was_evaluated_from(run):
    rows = [{"embedding": [float(row % 4), 1 + row / 40], "label": row % 4, "text": str(row)} for row in range(40)]
    table = pa.Table.from_pylist([{**row, "split": ("train", "test")[place % 8 < 4]} for place, row in enumerate(rows)])
    pq.write_table(table, "banking.parquet")
    about = [example for name, example in EXAMPLES if name and "banking.parquet" in example]
    assert [example[0] for example in about] == ["evaluate", "report"]
    for example in about:
        done = run(*example)
        assert done.exit_code == 0, done.stderr
    assert Path("report.html").stat().st_size > 1000


def test_nothing_asked_is_help_and_a_usage_error(run):
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Commands:" in result.stderr


def test_the_version_is_that_of_the_package(run):
    from importlib.metadata import version

    assert run("--version").stdout == f"tripleteval {version('tripleteval')}\n"


def test_the_package_is_a_program():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tripleteval", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tripleteval ")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_is_printed_without_importing_anything_heavy(arguments):
    """In a fresh interpreter in which the heavy modules cannot be imported at all."""
    code = (
        f"import sys\nfor name in {_HEAVY!r}: sys.modules[name] = None\n"
        f"from tripleteval.cli import main\nmain({arguments!r}, prog_name='tripleteval')"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
