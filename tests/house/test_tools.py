"""One command proves everything: format, style, types and floors are tests like any other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tripleteval

ROOT = Path(__file__).resolve().parents[2]
# import-linter: its cache does not notice that an imported module has come into being.
TOOLS = {
    "ruff format": ["ruff", "format", "--check", "--quiet"],
    "ruff check": ["ruff", "check", "--quiet", "--output-format", "concise"],
    "mypy": ["mypy", "--no-error-summary"],
    "lint-imports": ["lint-imports", "--no-logo", "--no-cache"],
}


@pytest.mark.parametrize("name", TOOLS)
def test_the_tool_has_nothing_to_say(name):
    program, *arguments = TOOLS[name]
    command = [str(Path(sys.executable).parent / program), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_that_is_tested_is_the_code_beside_the_tests():
    assert Path(tripleteval.__file__).is_relative_to(ROOT / "src")
