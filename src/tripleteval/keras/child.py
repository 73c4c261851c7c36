"""The other side of `tripleteval.keras.job`: loads a model that may be hostile, and embeds with it.

It has no proxy settings, a limit on memory and, while it loads the model, on processor time. That keeps accidents
small; a process that runs somebody else's code can still do what the user can.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from tripleteval.errors import DataError, EvalError, ParameterError
from tripleteval.keras.job import Job

_LOADING_SECONDS = 300
_CHANNELS = (1, 3, 4)

Say = Callable[[dict[str, Any]], None]


def embed_data(model: Any, job: Job, say: Say) -> None:
    """Embed what the job names; say how far it is, and in the end what was written.

    Raises:
        ParameterError: The model does not say how large a picture is, and the job does not either (E308).
        DataError: Arrays of another shape than the model takes (E306).
    """
    from tripleteval.keras.embedding import embed_to_file

    data = _array(model, job) if Path(job.data).suffix.lower() == ".npy" else _folder(model, job)
    rows = 0

    def tell(done: int, total: int | None) -> None:
        nonlocal rows
        rows = done
        say({"progress": [done, total]})

    embed_to_file(model, data, job.into, batch_size=job.batch_size, overwrite=job.overwrite, progress=tell)
    say({"result": {"rows": rows, "counts": data.counts()}})


def _array(model: Any, job: Job) -> Any:
    from tripleteval.keras.array_file import ArrayFile

    data = ArrayFile(job.data, job.labels, scale=job.scale)
    wanted = getattr(model, "input_shape", None)
    if isinstance(wanted, tuple) and not _fits(data.shape[1:], wanted[1:]):
        found = f"inputs of shape {data.shape} for a model that takes {wanted}"
        raise DataError("E306", found, where=job.data, fix="save them in the shape of the model's input")
    return data


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(side in {None, found} for found, side in zip(shape, wanted, strict=True))


def _folder(model: Any, job: Job) -> Any:
    from tripleteval.keras.image_folder import ImageFolder
    from tripleteval.keras.pictures import Pictures

    height, width, channels, first = _shape(model, job)
    pictures = Pictures(height, width, channels, job.scale, job.resize, job.bit_depth, channels_first=first)
    return ImageFolder(job.data, pictures, on_bad=job.on_bad)


def _shape(model: Any, job: Job) -> tuple[int, int, int, bool]:
    """Return height, width and channels of a picture, and whether the channels come first, as PyTorch has them."""
    shape = getattr(model, "input_shape", None)
    height, width, channels = shape[1:] if isinstance(shape, tuple) and len(shape) == 4 else (None, None, None)
    first = height in _CHANNELS and channels not in _CHANNELS
    if first:
        channels, height, width = height, width, channels
    if job.size is not None:
        height, width = job.size
    if height is None or width is None:
        found = f"an input of shape {shape}, which does not say how large a picture is"
        raise ParameterError("E308", found, where=job.model, fix="give --size HEIGHTxWIDTH")
    return height, width, channels or 3, first


def _main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwind, so that what was begun is removed
    # What libraries print must not end up among our lines.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(what: dict[str, Any]) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    _limit(job.memory)
    try:
        _run(job, say)
    except EvalError as error:
        parts = {"kind": type(error).__name__, "code": error.code, "found": error.found}
        say({"error": {**parts, "where": error.where, "fix": error.fix}})


def _run(job: Job, say: Say) -> None:
    from tripleteval.keras.model_file import load_model

    custom = None if job.custom_objects is None else Path(job.custom_objects)
    model = load_model(Path(job.model), trust=job.trust, custom_objects=custom)
    if hasattr(model, "predict_on_batch"):
        from tripleteval.keras.tower import embedding_tower

        model = embedding_tower(model)
    _unlimited_time()
    embed_data(model, job, say)


def _limit(memory: int) -> None:
    with suppress(ImportError):  # Windows has no such limits
        import resource

        limits = ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, _LOADING_SECONDS))
        for what, most in limits:
            hard = resource.getrlimit(what)[1]
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _unlimited_time() -> None:
    with suppress(ImportError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


if __name__ == "__main__":
    _main()
