"""Small files, small functions, and names that say what is inside."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median, quantiles

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tripleteval"
FILES = sorted(SOURCE.rglob("*.py"))
NAMELESS = {"utils", "util", "helpers", "helper", "base", "common", "misc", "core", "manager", "tools"}


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of the body without its docstring."""
    first = 1 if ast.get_docstring(function) is not None else 0
    if len(function.body) == first:
        return 0
    return (function.end_lineno or 0) - function.body[first].lineno + 1


def _functions() -> dict[str, int]:
    return {
        f"{file.relative_to(SOURCE)}:{node.name}": _body_lines(node)
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_files_are_short():
    lines = {str(file.relative_to(SOURCE)): len(file.read_text().splitlines()) for file in FILES}
    assert {name: n for name, n in lines.items() if n > 400} == {}
    assert median(lines.values()) < 150


def test_functions_are_short():
    lengths = _functions()
    assert {name: n for name, n in lengths.items() if n > 60} == {}
    assert median(lengths.values()) <= 8
    assert quantiles(lengths.values(), n=10)[-1] <= 25


def test_no_file_is_named_after_nothing():
    assert [str(file) for file in FILES if file.stem.strip("_") in NAMELESS] == []
