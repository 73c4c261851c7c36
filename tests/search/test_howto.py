"""The page on approximate search says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tripleteval.search import BACKENDS

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "search.md").read_text(encoding="utf-8")


def test_its_python_runs(tmp_path):
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", block]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The cheapest setting that costs at most 0.5 points of recall@10 is ")
    assert (tmp_path / "search" / "pareto.svg").exists()


def test_it_lists_every_backend_and_every_parameter():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for name, backend in BACKENDS.items():
        (row,) = [line for line in rows if f"`{name}`" in line.split("|")[1]]
        assert [param for param in backend.grid if f"`{param}`" not in row] == [], name
        assert f"`{backend.extra}`" in row or not backend.extra
