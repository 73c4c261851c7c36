"""``tripleteval embed``: the whole way from a model file to embeddings, through a child process."""

from __future__ import annotations

import json
import os

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import layers
from PIL import Image

import tripleteval as te
from tripleteval.cli import main
from tripleteval.errors import BackendError
from tripleteval.keras.job import Job, run


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Write pictures of two classes, a Siamese model and a hostile one."""
    folder = tmp_path_factory.mktemp("embed")
    random = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(3):
            values = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(values).save(folder / "photos" / name / f"{number}.png")
    keras.utils.set_random_seed(0)
    tower = keras.Sequential([keras.Input((8, 8, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(4)])
    inputs = [keras.Input((8, 8, 3)) for _ in range(3)]
    keras.Model(inputs, keras.ops.stack([tower(one) for one in inputs], axis=1)).save(folder / "siamese.keras")
    tower.save(folder / "tower.keras")
    keras.Sequential([keras.Input((8, 8, 3)), layers.Lambda(lambda x: x * 2)]).save(folder / "hostile.keras")
    return folder


def invoked(*arguments):
    return CliRunner().invoke(main, ["embed", *map(str, arguments)])


def test_a_siamese_model_and_a_folder_become_a_file_that_evaluate_reads(home, tmp_path):
    ran = invoked(home / "siamese.keras", home / "photos", "-o", tmp_path / "val.parquet")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout == ""
    assert ran.stderr == f"6 embeddings in {tmp_path / 'val.parquet'}\n"
    found = te.read(tmp_path / "val.parquet")
    tower = keras.saving.load_model(home / "tower.keras")
    pictures = np.stack([np.asarray(Image.open(home / "photos" / name)) for name in found.ids.values()])
    assert np.allclose(found.vectors, tower.predict_on_batch(pictures.astype("float32")), atol=1e-5)
    assert found.labels.values() == ["ant"] * 3 + ["bee"] * 3
    assert te.evaluate(found).accounting["queries"] == 6


def test_a_hostile_model_is_refused_with_the_reason_and_leaves_nothing(home, tmp_path):
    ran = invoked(home / "hostile.keras", home / "photos", "-o", tmp_path / "val.parquet", "--json-errors")
    assert ran.exit_code == 4
    said = json.loads(ran.stderr)
    assert said["code"] == "E603"
    assert "Lambda" in said["found"]
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused_before_anything_is_loaded(home, tmp_path):
    (tmp_path / "there.npy").write_bytes(b"")
    for output, said in (("there.npy", "E611"), ("val.csv", "E602"), ("no/val.npy", "E611")):
        ran = invoked(home / "missing.keras", home / "photos", "-o", tmp_path / output)
        assert ran.exit_code == 4
        assert said in ran.stderr
    assert "E308" in invoked("m.keras", "p", "-o", tmp_path / "v.npy", "--size", "64").stderr


def test_a_child_has_limits_and_no_proxy_and_where_it_dies_it_is_an_error_with_its_last_words(
    home, tmp_path, monkeypatch
):
    monkeypatch.setenv("HTTPS_PROXY", "http://localhost:1")
    monkeypatch.setenv("KERAS_BACKEND", "numpy")  # which is there soonest
    (tmp_path / "dies.py").write_text(
        "import json, os, resource\n"
        "said = [resource.getrlimit(resource.RLIMIT_DATA)[0], resource.getrlimit(resource.RLIMIT_CPU)[0],\n"
        "        sorted(name for name in os.environ if 'proxy' in name.lower())]\n"
        f"open({str(tmp_path / 'said.json')!r}, 'w').write(json.dumps(said))\n"
        "os.write(2, b'I did what I could')\nos.kill(os.getpid(), 9)\n"
    )
    job = Job(
        str(home / "tower.keras"),
        str(home / "photos"),
        str(tmp_path / "val.npy"),
        custom_objects=str(tmp_path / "dies.py"),
        memory=2**34,
    )
    with pytest.raises(BackendError, match="E702 .* was killed by SIGKILL; its last words: .*I did what I could"):
        run(job, lambda *_: None)
    assert json.loads((tmp_path / "said.json").read_text()) == [2**34, 300, []]
    assert os.environ["HTTPS_PROXY"]


def onnx_tower(path, shape, axes):
    """Write a model that needs no Keras: the mean over some axes, that is of each channel."""
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=0)],
        "tower",
        [value("x", onnx.TensorProto.FLOAT, shape)],
        [value("y", onnx.TensorProto.FLOAT, ["n", 3])],
        [onnx.numpy_helper.from_array(np.array(axes), "axes")],
    )
    opset = [onnx.helper.make_opsetid("", 18)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def tower(tmp_path_factory):
    return onnx_tower(tmp_path_factory.mktemp("onnx") / "tower.onnx", ["n", 8, 8, 3], [1, 2])


def test_an_interrupted_job_leaves_nothing(tower, tmp_path):
    def interrupted(_done, _whole):
        raise KeyboardInterrupt

    # What is said of so many batches exceeds a pipe, so that the child cannot be done before it is interrupted.
    np.save(tmp_path / "inputs.npy", np.zeros((20_000, 8, 8, 3), "uint8"))
    job = Job(str(tower), str(tmp_path / "inputs.npy"), str(tmp_path / "val.npy"), batch_size=1)
    with pytest.raises(KeyboardInterrupt):
        run(job, interrupted)
    assert [file.name for file in tmp_path.iterdir()] == ["inputs.npy"]


def test_an_array_of_inputs_is_embedded_with_its_labels(tower, tmp_path):
    inputs = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3))
    np.save(tmp_path / "inputs.npy", inputs)
    (tmp_path / "labels.txt").write_text("".join(f"class {n % 2}\n" for n in range(7)))
    options = ["--labels", tmp_path / "labels.txt", "--batch-size", 3]
    ran = invoked(tower, tmp_path / "inputs.npy", *options, "-o", tmp_path / "val.parquet")
    assert (ran.exit_code, ran.stderr) == (0, f"7 embeddings in {tmp_path / 'val.parquet'}\n")
    found = te.read(tmp_path / "val.parquet")
    assert np.allclose(found.vectors, inputs.mean(axis=(1, 2)), rtol=1e-5)
    assert found.labels.values() == [f"class {n % 2}" for n in range(7)]


def test_an_array_that_does_not_fit_is_refused_with_the_reason(home, tower, tmp_path):
    np.save(tmp_path / "small.npy", np.zeros((4, 6, 6, 3), "float32"))
    ran = invoked(tower, tmp_path / "small.npy", "-o", tmp_path / "val.npy")
    assert ran.exit_code == 3
    assert "E306" in ran.stderr
    assert "inputs of shape (4, 6, 6, 3) for a model that takes (None, 8, 8, 3)" in ran.stderr
    for arguments, said in (
        ([tmp_path / "small.npy", "--size", "6x6", "-o", tmp_path / "val.npy"], "--size for an array of inputs"),
        ([home / "photos", "--labels", "l.txt", "-o", tmp_path / "val.npy"], "--labels for a folder of pictures"),
        ([tmp_path / "small.npy", "--overwrite", "-o", tmp_path / "small.npy"], "the output is one of the inputs"),
    ):
        assert said in invoked(tower, *arguments).stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.npy"]


@pytest.mark.parametrize(
    ("shape", "axes", "size"),
    [
        (["n", 3, 8, 8], [2, 3], ()),
        (["n", 3, "h", "w"], [2, 3], ("--size", "8x8")),
        (["n", 8, 8, 3], [1, 2], ()),
        (["n", 3, 3, 3], [1, 2], ()),  # it could be either: the channels are last
    ],
    ids=str,
)
def test_a_model_from_onnx_gets_pictures_with_the_channels_where_it_has_them(tmp_path, shape, axes, size):
    model = onnx_tower(tmp_path / "tower.onnx", shape, axes)
    side = 3 if shape[1:] == [3, 3, 3] else 8
    for name in "ab":
        (tmp_path / "photos" / name).mkdir(parents=True)
        pixels = np.random.default_rng(ord(name)).integers(0, 256, (side, side, 3)).astype("uint8")
        Image.fromarray(pixels).save(tmp_path / "photos" / name / "one.png")
    ran = invoked(model, tmp_path / "photos", *size, "-o", tmp_path / "val.parquet")
    assert ran.exit_code == 0, ran.stderr
    found = te.read(tmp_path / "val.parquet")
    expected = [np.asarray(Image.open(tmp_path / "photos" / name)).mean(axis=(0, 1)) for name in found.ids.values()]
    assert np.allclose(found.vectors, expected, rtol=1e-5)


def test_a_model_that_takes_no_pictures_is_told_which_layouts_there_are(tmp_path):
    (tmp_path / "photos" / "a").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), "uint8")).save(tmp_path / "photos" / "a" / "one.png")
    model = onnx_tower(tmp_path / "tower.onnx", ["n", 7, 8, 8], [2, 3])
    said = invoked(model, tmp_path / "photos", "-o", tmp_path / "val.parquet").stderr
    assert "E308" in said
    assert "(n, height, width, channels) or (n, channels, height, width)" in said
