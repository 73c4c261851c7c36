"""What to do is said to whoever calls: an option of the command line beside the argument of Python, never alone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tripleteval"
# Reached from the command line only: the process of `tripleteval embed`, `runs` and `demo`; --head is Ray's own.
COMMANDS = {"child", "job", "model_file", "model_scan", "history", "demo", "ray_map"}
FILES = [f for f in sorted(SOURCE.rglob("*.py")) if f.parent.name != "cli" and f.stem not in COMMANDS]


def _texts(tree: ast.AST) -> list[str]:
    """Return the strings of a file as they are read, without docstrings, nor options that stand alone."""
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    parts |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    plain = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in parts]
    return texts + [text for text in plain if isinstance(text, str) and not re.fullmatch(r"--[a-z-]+", text)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_an_option_stands_beside_its_argument(file):
    texts = [text for text in _texts(ast.parse(file.read_text(encoding="utf-8"))) if re.search(r"--[a-z]{2}", text)]
    assert [text for text in texts if not re.search(r"\b[a-z_]+=", text)] == []
