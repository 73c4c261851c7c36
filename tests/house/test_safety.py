"""What must not be in the source: ways to run somebody else's code, and addresses in the lock."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "src").rglob("*.py"))
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "os.system", "os.popen"}


def _imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_nothing_runs_foreign_code(file):
    tree = ast.parse(file.read_text())
    calls = _calls(tree)
    assert _imports(tree) & FORBIDDEN_IMPORTS == set()
    assert {ast.unparse(call.func) for call in calls} & FORBIDDEN_CALLS == set()
    for call in calls:
        for keyword in call.keywords:
            given = (keyword.arg, ast.unparse(keyword.value))
            assert given not in {("allow_pickle", "True"), ("shell", "True"), ("safe_mode", "False")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_an_exception_is_made_of_one_sentence(file):
    """A second positional argument of a builtin exception prints as a tuple."""
    raised = [n.exc for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Raise)]
    builtin = {"ValueError", "TypeError", "RuntimeError", "KeyError", "ImportError", "AttributeError", "IndexError"}
    wrong = [
        ast.unparse(call)
        for call in raised
        if isinstance(call, ast.Call) and ast.unparse(call.func) in builtin and len(call.args) > 1
    ]
    assert wrong == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_every_error_made_on_purpose_says_what_to_do(file):
    kinds = {"ParameterError", "DataError", "LabelError", "FileError", "ResourceError", "BackendError"}
    made = [call for call in _calls(ast.parse(file.read_text())) if ast.unparse(call.func) in kinds]
    assert [ast.unparse(call) for call in made if "fix" not in {keyword.arg for keyword in call.keywords}] == []


def test_the_lock_names_versions_and_hashes_but_no_address():
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    assert "://" not in lock
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links|trusted-host)", lock, re.MULTILINE)
    pins = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert lock.count("--hash=sha256:") >= len(pins)
