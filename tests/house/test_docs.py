"""The documents are true: generated pages are current, README blocks print what they say, links lead somewhere."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tripleteval.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# These set up the environment or need the network; CI itself starts with `make test`.
NOT_RUN_HERE = ("make ", "pip ", "git ", "cd ")
COMMANDS = main.list_commands(click.Context(main))


def _commands(block: str) -> list[str]:
    """Return the commands of a shell block, continued lines joined and comments dropped."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def _run(language: str, block: str, folder: Path) -> str:
    """Run one README block in ``folder`` and return what it printed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    programs = [[sys.executable, "-W", "error", "-c", block]]
    if language == "sh":
        programs = [["bash", "-c", line] for line in _commands(block) if not line.startswith(NOT_RUN_HERE)]
    printed = ""
    for program in programs:
        done = subprocess.run(
            program, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
        )
        assert done.returncode == 0, done.stdout + done.stderr
        printed += done.stdout
    return printed


def test_every_readme_block_runs_and_prints_what_it_says(tmp_path):
    """Blocks run in order in one folder; a ``text`` block is what the block before it printed, ``…`` for any text."""
    printed = ""
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {"python", "sh", "text"} <= {language for language, _ in blocks}
    for language, block in blocks:
        if language in ("python", "sh"):
            printed = _run(language, block, tmp_path)
        elif language == "text":
            said, found = (
                "\n".join(line.rstrip() for line in text.splitlines()).replace("…", "...") for text in (block, printed)
            )
            assert doctest.OutputChecker().check_output(said, found, doctest.ELLIPSIS), found


# It needs data that is not part of the project: tests/keras/test_examples.py runs it where they are.
WITH_DATA = ROOT / "examples" / "omniglot.py"
EXAMPLES = sorted(set((ROOT / "examples").glob("*.py")) - {WITH_DATA})


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.name)
def test_every_example_runs(script, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_generated_pages_are_what_the_generator_writes_now():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for page, text in generate.pages().items():
        assert page.read_text(encoding="utf-8") == text, "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name):
    command = main.get_command(click.Context(main), name)
    # With the names of the group: click keeps the help option that the first context asks for.
    names = ["-h", "--help"]
    shown = command.get_help(click.Context(command, info_name=f"tripleteval {name}", help_option_names=names))
    assert "Examples:" in shown
    assert f"tripleteval {name}" in shown.partition("Examples:")[2]
    undocumented = [p.name for p in command.params if isinstance(p, click.Option) and not (p.help or p.show_default)]
    assert undocumented == []
