"""What is shipped: a typed wheel with its templates and no tests, and a source distribution that can be tested."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """Return the names in the wheel and in the source distribution, as built from here."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel, tarfile.open(next(folder.glob("*.tar.gz"))) as source:
        yield set(wheel.namelist()), {name.partition("/")[2] for name in source.getnames()}


def test_the_wheel_is_typed_and_brings_its_templates_and_licence(shipped):
    wheel, _ = shipped
    assert "tripleteval/py.typed" in wheel
    source = ROOT / "src"
    here = {str(file.relative_to(source)) for file in source.rglob("*") if file.suffix in (".html", ".css")}
    assert here
    assert here <= wheel
    assert any(name.endswith("licenses/LICENSE") for name in wheel)


def test_the_wheel_holds_the_package_and_nothing_else(shipped):
    wheel, _ = shipped
    assert {name.partition("/")[0].partition("-")[0] for name in wheel} == {"tripleteval"}
    assert not [name for name in wheel if "test" in name or "__pycache__" in name]


def test_the_source_distribution_can_be_tested(shipped):
    _, source = shipped
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "requirements/lock.txt"} <= source
    assert {"tests/house/test_build.py", "docs/generate.py", "src/tripleteval/__init__.py"} <= source
    assert not [name for name in source if "__pycache__" in name or name.startswith((".venv", "runs/"))]
