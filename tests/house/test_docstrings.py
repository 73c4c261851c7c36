"""Everything public says what it is, every metric says where it comes from, and every example is true."""

from __future__ import annotations

import ast
import doctest
import importlib
from pathlib import Path

import pytest

import tripleteval
from tripleteval.metrics import METRICS

SOURCE = Path(tripleteval.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))


def _public(tree: ast.AST, inside: str = "") -> list[tuple[str, bool]]:
    """Return (name, has a docstring) of public classes, functions and methods."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        found.append((inside + node.name, ast.get_docstring(node) is not None))
        if isinstance(node, ast.ClassDef):
            found += _public(node, f"{node.name}.")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_everything_public_has_a_docstring(file):
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree)
    assert [name for name, documented in _public(tree) if not documented] == []


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_states_its_range_and_its_source(name):
    text = METRICS[name].measure.__doc__
    assert "Range " in text
    assert "Source:\n" in text


@pytest.mark.parametrize(
    "file", [f for f in FILES if ">>> " in f.read_text()], ids=lambda f: str(f.relative_to(SOURCE))
)
def test_every_example_is_true(file):
    dotted = ".".join(("tripleteval", *file.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    result = doctest.testmod(importlib.import_module(dotted))
    assert result.failed == 0
    assert result.attempted > 0
