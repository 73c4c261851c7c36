"""Python never calls what is compiled without a way in for it: that would end the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tripleteval"
WAYS = {"entry", "inner", "quick"}


def _ways(function: ast.stmt) -> set[str]:
    if not isinstance(function, ast.FunctionDef):
        return set()
    return {ast.unparse(decorator) for decorator in function.decorator_list} & WAYS


def _modules() -> dict[str, ast.Module]:
    return {file.stem: ast.parse(file.read_text()) for file in sorted((SOURCE / "engine").glob("*.py"))}


def _closed(modules: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """Return the module and name of each function that only compiled code may call."""
    return {
        (module, statement.name)
        for module, tree in modules.items()
        for statement in tree.body
        if isinstance(statement, ast.FunctionDef) and _ways(statement) - {"entry"}
    }


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield (node.module or "").rpartition(".")[2], alias.name


def test_only_compiled_code_names_what_only_compiled_code_may_call():
    modules = _modules()
    closed = _closed(modules)
    assert len(closed) > 20
    wrong = []
    for module, tree in modules.items():
        here = {name for where, name in closed & {*_imported(tree), *((module, name) for _, name in closed)}}
        for statement in tree.body:
            if not _ways(statement) and not isinstance(statement, ast.ImportFrom):
                names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
                wrong += [f"{module}: {name}" for name in names & here]
    assert wrong == []


def test_no_other_room_names_them():
    closed = _closed(_modules())
    others = [file for file in SOURCE.rglob("*.py") if file.parent.name != "engine"]
    found = {file.name: closed & set(_imported(ast.parse(file.read_text()))) for file in others}
    assert {name: names for name, names in found.items() if names} == {}
