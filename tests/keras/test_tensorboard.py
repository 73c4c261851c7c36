"""TensorBoard: what is written is what TensorBoard itself serves."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import subprocess
import sys
import time
import urllib.request

import keras
import numpy as np
import pytest
from PIL import Image

import tripleteval as te
from tripleteval.errors import DataError, LabelError
from tripleteval.keras.callbacks import EvaluateEmbeddings
from tripleteval.keras.losses import TripletSemiHardLoss
from tripleteval.keras.projector import export_projector
from tripleteval.keras.tensorboard import TensorBoardEmbeddings, write_scalars
from tripleteval.keras.tensorboard_pairs import pair_distances, precision_recall, write_distances, write_pr_curve

pytestmark = pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")

RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(size=(30, 4))
LABELS = [f"class {n}" for n in np.arange(30) % 3]
IDS = [f"photo\t{n}\n" for n in range(30)]
PICTURES = RANDOM.integers(0, 256, (30, 5, 6), dtype=np.uint8)
VAL = te.Embeddings(VECTORS, LABELS, ids=IDS)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Write everything into one log folder, start TensorBoard on it, and return a function that asks it."""
    logs = tmp_path_factory.mktemp("logs")
    run = te.evaluate(VAL)
    for step in (0, 1):
        write_scalars(run, logs / "val", step, metrics=["recall@10", "easy@margin=0.2"])
        write_distances(VAL, logs / "val", step)
        write_pr_curve(VAL, logs / "val", step)
    export_projector(VAL, logs / "val", pictures=PICTURES, name='the "val" set')
    # Without TensorFlow, which takes long to import and is not needed to read this.
    start = "import sys; sys.modules['tensorflow'] = None; from tensorboard.main import run_main; run_main()"
    command = [sys.executable, "-c", start, "--logdir", str(logs), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stderr)
        address = next(match[0] for match in found if match)

        def ask(path):
            with urllib.request.urlopen(f"{address}/data/plugin/{path}", timeout=30) as answer:  # noqa: S310  # ours
                return answer.read()

        yield ask
        server.terminate()


def test_steps_written_within_a_second_are_read_in_their_order(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = te.evaluate(VAL, verification=False)
    for step in range(12):
        write_scalars(run, tmp_path, step, metrics=["mrr"])
    read = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0})
    read.Reload()
    assert [event.step for event in read.Tensors("tripleteval/mrr")] == list(range(12))


def asked(served, path, ready):
    """Return what TensorBoard says, once it has read the logs."""
    for _ in range(120):
        said = json.loads(served(path))
        if ready in said:
            return said
        time.sleep(0.5)
    raise AssertionError(f"{ready} never came: {said}")


def test_scalars_are_served_under_safe_names(served):
    run = te.evaluate(VAL)
    tags = asked(served, "scalars/tags", "val")["val"]
    assert set(tags) == {"tripleteval/recall_at_10", "tripleteval/easy_at_margin_0_2"}
    points = json.loads(served("scalars/scalars?run=val&tag=tripleteval/recall_at_10"))
    assert [step for _, step, _ in points] == [0, 1]
    assert points[1][2] == pytest.approx(run["recall@10"])


def test_histograms_count_every_pair(served):
    asked(served, "histograms/tags", "val")
    for name, number in (("genuine", 3 * 45), ("impostor", 435 - 3 * 45)):
        points = json.loads(served(f"histograms/histograms?run=val&tag=tripleteval/{name}_distances"))
        assert sum(count for _, _, count in points[0][2]) == number


def test_the_precision_and_recall_of_every_threshold_are_served(served):
    asked(served, "pr_curves/tags", "val")
    (_, last) = json.loads(served("pr_curves/pr_curves?run=val&tag=tripleteval/same_class"))["val"]
    genuine, impostor = pair_distances(VAL, "euclidean", 30, seed=0)
    limit = 0.25 * max(genuine.max(), impostor.max())  # at threshold 0.75, the 151st of 201
    true, false = (genuine <= limit).sum(), (impostor <= limit).sum()
    assert 0 < true < len(genuine)
    assert last["thresholds"][150] == pytest.approx(0.75)
    assert (last["true_positives"][150], last["false_positives"][150]) == (true, false)
    assert (last["true_negatives"][150], last["false_negatives"][150]) == (len(impostor) - false, len(genuine) - true)
    assert last["precision"][150] == pytest.approx(true / (true + false))
    assert last["recall"][150] == pytest.approx(true / len(genuine))
    assert (last["recall"][0], last["precision"][0]) == (1.0, pytest.approx(135 / 435))


def test_precision_and_recall_at_their_ends():
    curve = precision_recall(np.array([0.0, 1.0]), np.array([1.0, 4.0]))
    assert curve[:, 0].tolist() == [2, 2, 0, 0, 0.5, 1.0]
    assert curve[:, -1].tolist() == [1, 0, 2, 1, 1.0, 0.5]
    assert precision_recall(np.array([1.0]), np.array([2.0]))[4:, -1].tolist() == [1.0, 0.0]
    assert precision_recall(np.array([]), np.array([2.0]))[5].max() == 0.0


def test_the_projector_serves_the_vectors_the_labels_and_the_pictures(served):
    asked(served, "projector/runs", "val")
    run = "val"
    (entry,) = json.loads(served(f"projector/info?run={run}"))["embeddings"]
    assert entry["tensorName"] == 'the "val" set'
    assert entry["tensorShape"] == [30, 4]
    name = "name=the%20%22val%22%20set"
    tensor = np.frombuffer(served(f"projector/tensor?run={run}&{name}"), "<f4").reshape(30, 4)
    assert np.array_equal(tensor, VECTORS.astype("float32"))
    lines = served(f"projector/metadata?run={run}&{name}").decode().splitlines()
    assert lines[:2] == ["label\tid", "class 0\tphoto 0 "]
    assert len(lines) == 31
    assert entry["sprite"]["singleImageDim"] == [6, 5]
    sprite = np.asarray(Image.open(io.BytesIO(served(f"projector/sprite_image?run={run}&{name}"))))
    assert sprite.shape == (30, 36)
    assert np.array_equal(sprite[5:10, 6:12], PICTURES[7])


def test_the_callback_writes_what_was_evaluated(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", TripletSemiHardLoss(), run_eagerly=True)
    classes = np.arange(30) % 3
    measured = EvaluateEmbeddings((VECTORS, classes), metrics=["mrr"], every=2)
    model.fit(
        VECTORS,
        classes,
        epochs=3,
        verbose=0,
        callbacks=[measured, TensorBoardEmbeddings(measured, tmp_path, metrics=["mrr"])],
    )
    for epoch in (0, 2):
        assert epoch in measured.evaluations
    written = []
    for file in sorted(tmp_path.iterdir()):
        events = EventAccumulator(str(file)).Reload()
        written += [(event.step, event.tensor_proto.float_val[0]) for event in events.Tensors("tripleteval/mrr")]
    assert sorted(step for step, _ in written) == [0, 2]
    assert dict(written)[2] == pytest.approx(measured.evaluations[2]["mrr"])


def test_distances_are_those_of_all_pairs_of_the_rows_drawn():
    genuine, impostor = pair_distances(VAL, "euclidean", 30, seed=0)
    apart = np.linalg.norm(VECTORS[:, None] - VECTORS[None], axis=2)
    same = np.equal.outer(LABELS, LABELS)
    upper = np.triu(np.ones((30, 30), bool), 1)
    assert np.allclose(np.sort(genuine), np.sort(apart[same & upper]))
    assert np.allclose(np.sort(impostor), np.sort(apart[~same & upper]))
    assert sum(map(len, pair_distances(VAL, "cosine", 10, seed=1))) == 45


def test_one_column_has_no_header_and_floats_are_ink(tmp_path):
    export_projector(te.Embeddings(VECTORS, LABELS), tmp_path, pictures=np.ones((30, 2, 2, 3)) * 0.5)
    assert (tmp_path / "embeddings.tsv").read_text().splitlines() == LABELS
    assert np.asarray(Image.open(tmp_path / "embeddings.png"))[0, 0].tolist() == [128, 128, 128]
    export_projector(te.Embeddings(VECTORS), tmp_path / "bare")
    assert sorted(file.name for file in (tmp_path / "bare").iterdir()) == ["embeddings.bytes", "projector_config.pbtxt"]


def test_the_impossible_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"E305 pictures of shape \(29, 5, 6, 1\) for 30 vectors"):
        export_projector(VAL, tmp_path, pictures=PICTURES[:29])
    with pytest.raises(DataError, match="E206 30 pictures of 2000 × 10"):
        export_projector(VAL, tmp_path, pictures=np.zeros((30, 2000, 10), np.uint8))
    with pytest.raises(LabelError, match="E401"):
        write_distances(te.Embeddings(VECTORS), tmp_path, 0)
