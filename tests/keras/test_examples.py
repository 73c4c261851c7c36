"""The how-to page is one script that runs, and so is the example that needs data, where they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TRIPLETEVAL_DATA", ROOT.parent / "shared" / "data"))


def test_the_blocks_of_the_page_are_one_script(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "how-to" / "keras.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    script = "".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    exec(compile(script, "keras.md", "exec"), {"__name__": "page"})  # noqa: S102  # our own page
    assert "val_map_at_r" in capsys.readouterr().out
    assert (tmp_path / "all.parquet").exists()
    assert (tmp_path / "logs" / "projector_config.pbtxt").exists()


def test_omniglot_learns_something_in_a_few_batches(tmp_path):
    if not any(DATA.glob("**/images_background_small2.zip")):
        pytest.skip("Omniglot is not here; point TRIPLETEVAL_DATA at the folder that has it")
    few = ["--epochs", "1", "--batches", "3"]
    command = [sys.executable, ROOT / "examples" / "omniglot.py", DATA, *few, "--output", tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("map@r"))
    _, _, untrained, trained, _ = line.split()
    assert float(trained) > float(untrained)
    assert (tmp_path / "trained.parquet").exists()
