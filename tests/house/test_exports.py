"""The front door: few names, sorted, real, and free of charge."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tripleteval

DOOR = Path(tripleteval.__file__)
HEAVY = {"click", "faiss", "jax", "jinja2", "keras", "msgspec", "numba", "numpy", "pyarrow", "ray", "rich"}
HEAVY |= {"scipy", "sklearn", "tensorflow", "torch"}


def _loaded_by(code: str) -> set[str]:
    """Return which heavy modules a fresh interpreter holds after ``code``."""
    report = f"{code}\nimport sys\nprint(*sorted(set(sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_there_are_few_names_and_they_are_sorted():
    assert tripleteval.__all__ == sorted(set(tripleteval.__all__))
    assert len(tripleteval.__all__) <= 25


@pytest.mark.parametrize("name", tripleteval.__all__)
def test_every_name_leads_somewhere(name):
    found = getattr(tripleteval, name)
    assert found.__name__ == name
    assert found.__doc__


def test_what_type_checkers_see_is_what_there_is():
    block = next(
        node
        for node in ast.parse(DOOR.read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        name.asname: (statement.module, name.name)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
    }
    assert seen == {name: (f"tripleteval.{home}", name) for name, home in tripleteval._HOMES.items()}


def test_dir_shows_the_public_names():
    assert dir(tripleteval) == tripleteval.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        tripleteval.evalute  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    assert _loaded_by("import tripleteval") == set()


def test_asking_the_command_line_for_help_loads_only_the_command_line():
    code = "from tripleteval.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert _loaded_by(code) <= {"click"}


def test_evaluating_arrays_loads_no_framework():
    code = "import tripleteval\ntripleteval.evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])"
    assert _loaded_by(code) <= {"numpy", "pyarrow"}
