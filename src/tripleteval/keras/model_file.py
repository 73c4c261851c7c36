"""A model from a file, as safely as its format allows."""

from __future__ import annotations

import importlib.util
import inspect
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tripleteval.errors import FileError, MissingExtra
from tripleteval.keras.framework import require_keras
from tripleteval.keras.model_scan import WEIGHTS, scan
from tripleteval.keras.weights_scan import scan_weights
from tripleteval.readers.files import opened, require_content

_ONNX_TYPES = {"tensor(float16)": "float16", "tensor(float)": "float32", "tensor(double)": "float64"}
_TRUST = "if you know where it comes from, --trust-model; better, save it anew with model.save('model.keras')"


def load_model(path: Path, *, trust: bool = False, custom_objects: Path | None = None) -> Any:
    """Return the model in a file, without its optimizer.

    A ``.keras`` file is scanned first and loaded in safe mode, an ``.onnx`` file runs in onnxruntime. A ``.h5``
    file and a SavedModel may hold code that nothing can check, so they need ``trust``.

    Args:
        path: ``.keras``, ``.onnx``, ``.h5``, or the folder of a SavedModel.
        trust: Whether the user vouches for a file that cannot be checked.
        custom_objects: Python file that defines layers of the model; it is run.

    Returns:
        A Keras model; or, from ONNX and SavedModel, a function from a batch to an array with ``input_shape``.

    Raises:
        FileError: The file is none of these (E602), is damaged (E601), unsafe (E603, E606), needs a class that is
            not known here (E612), or cannot be loaded (E612).
        MissingExtra: Keras, or onnxruntime, is not installed (E103).
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        return _from_saved_model(path, trust=trust)
    if suffix == ".onnx":
        return _from_onnx(path)
    if suffix in {".h5", ".hdf5"}:
        with opened(path) as source:
            require_content(source, b"\x89HDF\r\n\x1a\n")
            if not trust:
                raise FileError("E603", "an HDF5 model, whose layers can run any code", where=str(path), fix=_TRUST)
    elif suffix != ".keras":
        known = "known: .keras, .onnx, and with --trust-model .h5 and SavedModel folders"
        raise FileError("E602", f"a model that ends in {path.suffix!r}", where=str(path), fix=known)
    else:
        with opened(path) as source:
            require_content(source, b"PK\x03\x04")
    return _from_keras(path, custom_objects, scanned=suffix == ".keras")


def _from_keras(path: Path, custom_objects: Path | None, *, scanned: bool) -> Any:
    classes: dict[str, Any] = {}
    if custom_objects is not None:
        classes = _defined_in(custom_objects)
    if scanned:
        scan(path, classes)
        with opened(path) as source, zipfile.ZipFile(source.file) as archive, archive.open(WEIGHTS) as weights:
            scan_weights(weights, f"{WEIGHTS} in {path}")
    keras = require_keras("a Keras model")
    try:
        return keras.saving.load_model(path, custom_objects=classes, compile=False, safe_mode=True)
    except Exception as error:
        said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
        fix = "load it once with the Keras that saved it; layers of your own need --custom-objects"
        raise FileError("E612", f"Keras cannot load it: {said}", where=str(path), fix=fix) from error


def _defined_in(path: Path) -> dict[str, Any]:
    """Run the user's file; return the layers and models in it, by plain and by registered name."""
    keras = require_keras("custom objects")
    spec = importlib.util.spec_from_file_location("tripleteval_custom_objects", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileError("E604", "no Python file", where=str(path), fix="name the .py file that defines the layers")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, keras.layers.Layer)]
    return {name: kind for kind in found for name in (kind.__name__, keras.saving.get_registered_name(kind))}


def _from_saved_model(path: Path, *, trust: bool) -> Any:
    if not (path / "saved_model.pb").is_file():
        raise FileError("E602", "a folder without saved_model.pb", where=str(path), fix="name a .keras file")
    if not trust:
        raise FileError("E603", "a SavedModel, whose graph can read and write files", where=str(path), fix=_TRUST)
    keras = require_keras("a SavedModel")
    for endpoint in ("serve", "serving_default"):
        try:
            layer = keras.layers.TFSMLayer(str(path), call_endpoint=endpoint)
            break
        except Exception as error:  # noqa: BLE001  # whatever TensorFlow raises, the other name may work
            reason = str(error).splitlines()[0]
    else:
        raise FileError("E612", f"it cannot be loaded: {reason}", where=str(path), fix="export it with model.export")
    return _Function(layer, None)


def _from_onnx(path: Path) -> Any:
    with opened(path):  # a regular file, or E604
        pass
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra("an ONNX model", "onnxruntime", extra="onnx") from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        said = str(error).splitlines()[0][:300]
        raise FileError(
            "E612", f"onnxruntime cannot load it: {said}", where=str(path), fix="export it again"
        ) from error
    given, *others = session.get_inputs()
    if others:
        raise FileError("E613", f"a model with {1 + len(others)} inputs", where=str(path), fix="export the tower alone")
    shape = tuple(size if isinstance(size, int) else None for size in given.shape)
    kind = _ONNX_TYPES.get(given.type)  # it casts nothing itself
    return _Function(lambda batch: _single(session.run(None, {given.name: np.asarray(batch, kind)})), shape)


def _single(outputs: Any) -> Any:
    return outputs[0] if len(outputs) == 1 else outputs


class _Function:
    """A function from a batch to its embeddings that knows the shape of its input, where the file says it."""

    def __init__(self, function: Any, input_shape: tuple[int | None, ...] | None) -> None:
        self._function, self.input_shape = function, input_shape

    def __call__(self, batch: Any) -> Any:
        return self._function(batch)
