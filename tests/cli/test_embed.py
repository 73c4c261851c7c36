"""``tripleteval embed``: what it refuses to write, before any model is opened."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize("there", ["out.npy", "out.parquet", "out.labels.npy"])
def test_a_file_that_is_there_is_replaced_only_when_asked(run, contents, there):
    Path(there).write_text("mine")
    before = contents()
    output = there.replace(".labels", "")
    refused = run("embed", "model.keras", "val.npy", "-o", output)
    assert (refused.exit_code, refused.stderr.split()[0]) == (4, "E611")
    assert f"where: {there}" in refused.stderr
    assert "give a new name, or --overwrite" in refused.stderr
    assert contents() == before


@pytest.mark.parametrize("output", ["val.npy", "given.npy", "model.keras"])
def test_no_input_is_replaced(run, contents, output):
    Path("model.keras").write_text("a model")
    Path("given.labels.npy").write_text("labels")
    before = contents()
    labels = ["--labels", "given.labels.npy"]
    refused = run("embed", "model.keras", "val.npy", *labels, "-o", output, "--overwrite")
    assert (refused.exit_code, refused.stderr.split()[0]) == (4, "E611")
    assert "one of the inputs" in refused.stderr
    assert contents() == before
