"""The projector of a run: vectors, what became of each query, and its picture; tests/keras asks TensorBoard itself."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tripleteval import Embeddings, Evaluation, evaluate
from tripleteval.cli import main
from tripleteval.data.material import Material
from tripleteval.report.projected_run import project

POINTS = np.array([[0.0], [1.0], [3.0], [7.0], [8.0], [12.0]])
LABELS = ["cat", "cat", "dog", "cat", "dog", "dog"]


@pytest.fixture
def shown(tmp_path: Path) -> tuple[Evaluation, Material]:
    """Six points, five of them with a picture, wider than high."""
    for row in range(5):
        Image.new("RGB", (40, 20), (40 * row, 0, 0)).save(tmp_path / f"{row}.png")
    names = [f"{row}.png" for row in range(6)]
    texts = [f"it is\t{row}" for row in range(6)]
    found = Embeddings(POINTS, LABELS, ids=names, name="pets", meta={"text": texts})
    return evaluate(found), Material(found, images=tmp_path, text_column="text")


def test_every_query_has_its_vector_what_became_of_it_and_its_picture(
    shown: tuple[Evaluation, Material], tmp_path: Path
) -> None:
    run, _ = shown
    folder = project(*shown, tmp_path / "logs")
    assert np.array_equal(np.frombuffer((folder / "queries.bytes").read_bytes(), "<f4")[:, None], POINTS)
    head, *rows = (line.split("\t") for line in (folder / "queries.tsv").read_text().splitlines())
    assert head == ["label", "id", "nearest", "text"]
    right = {row["query"]: row["relevant"] for row in run.neighbors.to_pylist() if row["rank"] == 1}
    assert rows == [[LABELS[row], f"{row}.png", "right" if right[row] else "wrong", f"it is {row}"] for row in range(6)]
    sprite = np.asarray(Image.open(folder / "queries.png"))
    assert sprite.shape == (120, 120, 4)
    side = 40
    fourth = sprite[side : 2 * side, side : 2 * side]
    assert abs(int(fourth[side // 2, side // 2, 0]) - 160) < 8
    assert fourth[0, 0, 3] == 0
    assert fourth[side // 2, 0, 3] == 255
    assert not sprite[side : 2 * side, 2 * side :].any()


def test_the_command_writes_a_folder_and_replaces_none_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("val.npz", embeddings=POINTS, labels=np.array(LABELS))
    evaluate(Embeddings(POINTS, LABELS, name="val.npz")).save("run")
    sets = ["--embeddings", "val.npz"]
    codes = []
    for arguments in (sets, sets, [*sets, "--overwrite"], []):
        done = CliRunner().invoke(main, ["export", "run", "projector", "-o", "logs", *arguments])
        codes.append((done.exit_code, done.stderr.split()[0]))
    assert codes == [(0, "6"), (4, "E611"), (0, "6"), (4, "E611")]
    assert sorted(os.listdir("logs")) == ["projector_config.pbtxt", "queries.bytes", "queries.tsv"]
    bare = CliRunner().invoke(main, ["export", "run", "projector", "-o", "other"])
    assert (bare.exit_code, bare.stderr.split()[0]) == (2, "E101")
    file = CliRunner().invoke(main, ["export", "run", "projector", "-o", "val.npz", *sets, "--overwrite"])
    assert (file.exit_code, file.stderr.split()[0]) == (4, "E611")
