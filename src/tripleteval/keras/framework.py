"""Importing Keras: once, without the noise that its backend makes, and with a sentence where it is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tripleteval.errors import MissingExtra, ParameterError

_BACKENDS = ("torch", "jax")  # that no extra of ours brings


def require_keras(what: str, *, extra: str = "tensorflow") -> Any:
    """Return the module ``keras``, with its backend ready to compute.

    Args:
        what: Who needs it, for the error.
        extra: By which name, or names, to install it.

    Raises:
        MissingExtra: Keras is not installed (E103).
        ParameterError: The backend it is told to use is not (E103).
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _silent_stderr():
            import keras

            keras.ops.zeros(1)  # where there is no GPU, the first tensor complains
    except ImportError as error:
        missing = error.name or "keras"
        backend = missing.partition(".")[0]
        if backend in _BACKENDS:
            raise ParameterError(
                "E103",
                f"{what} needs {backend!r}, the backend that Keras is told to use, which is not installed",
                where=f"KERAS_BACKEND={os.environ['KERAS_BACKEND']}" if "KERAS_BACKEND" in os.environ else "keras.json",
                fix=f"install it with: pip install {backend}; or use another backend, such as KERAS_BACKEND=tensorflow",
            ) from None
        raise MissingExtra(what, missing, extra=extra) from None
    return keras


@contextmanager
def _silent_stderr() -> Iterator[None]:
    # TensorFlow 2.21 logs about the CPU and CUDA before it reads TF_CPP_MIN_LOG_LEVEL.
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
