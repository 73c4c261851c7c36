"""Model files: what could run code or lead elsewhere is refused by name, before Keras sees it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from tripleteval.errors import FileError
from tripleteval.keras.embedding import embed
from tripleteval.keras.model_file import load_model
from tripleteval.keras.model_scan import scan

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
INPUTS = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype("float32")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Save a model with a bit of everything that is harmless."""
    inputs = keras.Input((8, 8, 3))
    x = layers.RandomFlip()(layers.Rescaling(1 / 255)(inputs))
    x = layers.Conv2D(4, 3, activation=keras.activations.gelu, kernel_regularizer=keras.regularizers.L2(1e-3))(x)
    x = keras.ops.relu(layers.BatchNormalization()(x) * 2 - 1)
    x = layers.UnitNormalization()(layers.Dense(3, dtype="mixed_float16")(layers.GlobalAveragePooling2D()(x)))
    model = keras.Model(inputs, keras.Sequential([keras.Input((3,)), layers.Dense(2)])(x))
    model.compile("adam", "mse")
    path = tmp_path_factory.mktemp("models") / "good.keras"
    model.save(path)
    return path, model


@pytest.fixture
def changed(good, tmp_path):
    """Return a function that writes the good file with some members changed, added or left out."""

    def write(members=(), without=(), config=None, extra=()):
        path = tmp_path / "changed.keras"
        with zipfile.ZipFile(good[0]) as old, zipfile.ZipFile(path, "w") as new:
            for member in old.infolist():
                content = dict(members).get(member.filename, old.read(member))
                if config is not None and member.filename == CONFIG:
                    whole = json.loads(content)
                    config(whole)
                    content = json.dumps(whole)
                if member.filename not in without:
                    new.writestr(member.filename, content)
            for name, content in extra:
                new.writestr(name, content)
        return path

    return write


def layer(**entry):
    """Return a change of the configuration: its second layer becomes another one."""
    return lambda whole: whole["config"]["layers"][1].update(entry)


def weights(write):
    """Return HDF5 bytes, written by ``write``."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        write(file)
    return memory.getvalue()


def test_a_harmless_model_is_loaded_without_its_optimizer(good):
    path, model = good
    loaded = load_model(path)
    assert np.allclose(loaded.predict_on_batch(INPUTS), model.predict_on_batch(INPUTS), atol=1e-3)
    assert not loaded.compiled


def test_a_lambda_saved_by_keras_itself_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(FileError, match="E603 a layer of class 'Lambda', which can run any code"):
        load_model(tmp_path / "lambda.keras")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"class_name": "Lambda", "module": "keras.layers"}, "class 'Lambda'"),
        ({"class_name": "TFSMLayer", "module": "keras.layers"}, "class 'TFSMLayer'"),
        ({"class_name": "TorchModuleWrapper", "module": "keras.layers"}, "TorchModuleWrapper"),
        ({"class_name": "function", "module": "builtins", "config": "eval"}, "function 'eval' of module 'builtins'"),
        ({"class_name": "function", "module": "keras.utils", "config": "get_file"}, "function 'get_file'"),
        ({"class_name": "system", "module": "os", "registered_name": "system"}, "'system' of the module 'os'"),
        ({"class_name": "Popen", "module": "subprocess"}, "'Popen' of the module 'subprocess'"),
        ({"class_name": ["x"], "module": "keras.layers"}, "a class named"),
        ({"config": {"vocabulary": "/etc/passwd"}}, "reads the file '/etc/passwd'"),
        ({"config": {"inner": [{"filepath": "http://localhost/x"}]}}, "http://localhost/x"),
    ],
)
def test_a_configuration_that_could_run_code_or_read_files_is_refused(changed, entry, said):
    with pytest.raises(FileError, match="E603") as caught:
        load_model(changed(config=layer(**entry)))
    assert said in caught.value.found


def test_only_the_outermost_compile_config_is_ignored(changed):
    hostile = {"loss": {"class_name": "function", "module": "os", "config": "system"}}
    scan(changed(config=lambda whole: whole.update(compile_config=hostile)))
    with pytest.raises(FileError, match="E603"):
        scan(changed(config=lambda whole: whole["config"]["layers"][-1].update(compile_config=hostile)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../../escape.txt", "points outside the archive"),
        ("/etc/cron.d/job", "points outside the archive"),
        ("C:\\boot.ini", "points outside the archive"),
        ("assets/../../x", "points outside the archive"),
        ("payload.pkl", "a member that no Keras model has"),
        (CONFIG, "two members named 'config.json'"),
    ],
)
def test_a_member_that_does_not_belong_there_is_refused(changed, name, said):
    if name == CONFIG:
        with pytest.warns(UserWarning, match="Duplicate name"):
            path = changed(extra=[(name, "{}")])
    else:
        path = changed(extra=[(name, "x")])
    with pytest.raises(FileError, match="E603") as caught:
        load_model(path)
    assert said in caught.value.found


def test_a_link_a_bomb_and_a_tower_of_brackets_are_refused(changed):
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = 0o120777 << 16
    with pytest.raises(FileError, match="E603 a symbolic link"):
        scan(changed(extra=[(link, "/etc/passwd")]))
    path = changed()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(65 * 2**20))
    with pytest.raises(FileError, match="E606"):
        scan(path)
    with pytest.raises(FileError, match="E606 a configuration nested deeper than 64"):
        scan(changed(members={CONFIG: "[" * 100_000 + "]" * 100_000}))
    with pytest.raises(FileError, match="E602 an archive without model.weights.h5"):
        scan(changed(without=[WEIGHTS]))
    with pytest.raises(FileError, match="E601"):
        scan(changed(members={CONFIG: '{"class_name": '}))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda file: file.__setitem__("w", h5py.ExternalLink("/etc/passwd", "/x")), "ExternalLink from /w"),
        (lambda file: file.__setitem__("w", h5py.SoftLink("/x")), "SoftLink from /w"),
        (
            lambda file: file.create_dataset("w", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
            "stored in the file '/etc/passwd'",
        ),
        (
            lambda file: file.create_virtual_dataset("w", h5py.VirtualLayout((4,), "u1")),
            "a view of other files",
        ),
    ],
)
def test_weights_that_lead_elsewhere_are_refused(changed, write, said):
    with pytest.raises(FileError, match="E603 weights that lead elsewhere") as caught:
        load_model(changed(members={WEIGHTS: weights(write)}))
    assert said in caught.value.found


def test_weights_that_unpack_without_end_or_are_none_are_refused(changed):
    bomb = weights(lambda file: file.create_dataset("w", (2**40,), "f4", chunks=(2**20,)))
    with pytest.raises(FileError, match="E606 /w, which declares 4,398,046,511,104 bytes and stores 0"):
        load_model(changed(members={WEIGHTS: bomb}))
    with pytest.raises(FileError, match="E601 weights that are cut or corrupt"):
        load_model(changed(members={WEIGHTS: b"no weights"}))


def test_files_that_are_not_what_they_say(tmp_path, good):
    for name, content, code in (
        ("empty.keras", b"", "E601 an empty file"),
        ("pointer.keras", b"version https://git-lfs.github.com/spec/v1\n", "E602 .* git-LFS pointer"),
        ("model.pt", b"PK\x03\x04", "E602 a model that ends in '.pt'"),
        ("cut.keras", good[0].read_bytes()[:2000], "E601"),
        ("old.h5", b"\x89HDF\r\n\x1a\n", "E603 an HDF5 model, whose layers can run any code"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FileError, match=code):
            load_model(tmp_path / name)
    with pytest.raises(FileError, match="E604"):
        load_model(tmp_path / "missing.keras")
    (tmp_path / "saved").mkdir()
    with pytest.raises(FileError, match="E602 a folder without saved_model.pb"):
        load_model(tmp_path / "saved")
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(FileError, match="E603 a SavedModel, whose graph can read and write files"):
        load_model(tmp_path / "saved")


def test_layers_of_ones_own_are_named_and_may_be_brought_along(tmp_path: Path):
    source = "import keras\nclass Twice(keras.layers.Layer):\n    def call(self, x):\n        return x * 2\n"
    (tmp_path / "mine.py").write_text(source)
    scope = {"__name__": "mine"}
    exec(compile(source, "mine.py", "exec"), scope)  # noqa: S102  # our own two lines
    keras.Sequential([keras.Input((2,)), scope["Twice"]()]).save(tmp_path / "model.keras")
    with pytest.raises(FileError, match="E612 the class 'Twice' of the module 'mine' is not known here"):
        load_model(tmp_path / "model.keras")
    model = load_model(tmp_path / "model.keras", custom_objects=tmp_path / "mine.py")
    assert model.predict_on_batch(np.ones((1, 2), "float32")).tolist() == [[2.0, 2.0]]


def test_what_the_user_vouches_for_is_loaded(tmp_path):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("a SavedModel is TensorFlow's")
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2)])
    expected = model.predict_on_batch(INPUTS)
    model.save(tmp_path / "old.h5")
    model.export(tmp_path / "saved", verbose=False)
    for name in ("old.h5", "saved"):
        loaded = load_model(tmp_path / name, trust=True)
        assert np.allclose(embed(loaded, INPUTS).vectors, expected, atol=1e-5)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"nothing")
    with pytest.raises(FileError, match="E612 it cannot be loaded"):
        load_model(tmp_path / "broken", trust=True)


def test_onnx_runs_without_keras(tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("GlobalAveragePool", ["x"], ["p"]), onnx.helper.make_node("Flatten", ["p"], ["y"])],
        "tower",
        [value("x", onnx.TensorProto.FLOAT, ["n", 8, 8, 3])],
        [value("y", onnx.TensorProto.FLOAT, ["n", 8])],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "tower.onnx")
    model = load_model(tmp_path / "tower.onnx")
    assert model.input_shape == (None, 8, 8, 3)
    assert np.allclose(model(INPUTS), INPUTS.mean(axis=(2, 3)), atol=1e-6)
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(FileError, match="E612 onnxruntime cannot load it"):
        load_model(tmp_path / "broken.onnx")
