"""One embedding job in a process of its own: a model file, its inputs, a file of vectors.

The child (`tripleteval.keras.child`) reads one JSON object on stdin and answers with JSON lines on stdout.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import IO, Any

import msgspec

from tripleteval import errors
from tripleteval.errors import BackendError, EvalError
from tripleteval.keras.progress import Progress

_PATIENCE = 10


class Job(msgspec.Struct, frozen=True):
    """What `tripleteval embed` asks for.

    Attributes:
        model: File or folder of the model.
        data: Folder of pictures, or ``.npy`` file of inputs.
        into: ``.parquet`` or ``.npy`` file to write.
        overwrite: Whether it may be replaced.
        trust: Whether the user vouches for a model that cannot be checked.
        custom_objects: Python file with layers of the model.
        batch_size: Items per step.
        labels: File of labels, for inputs in a ``.npy`` file.
        size: Height and width of the input, where the model does not say.
        scale: What the values are multiplied by; those of pictures are from 0 to 255.
        resize: ``"bilinear"`` or ``"nearest"``.
        bit_depth: 8 or 16.
        on_bad: ``"refuse"`` or ``"skip"`` a picture that cannot be read.
        memory: Bytes the process may use.
    """

    model: str
    data: str
    into: str
    overwrite: bool = False
    trust: bool = False
    custom_objects: str | None = None
    batch_size: int = 64
    labels: str | None = None
    size: tuple[int, int] | None = None
    scale: float = 1.0
    resize: str = "bilinear"
    bit_depth: int = 8
    on_bad: str = "refuse"
    memory: int = 16 * 2**30


def run(job: Job, tell: Progress) -> dict[str, Any]:
    """Do the job in a child process; return its ``rows``, ``dim`` and ``counts``.

    Raises:
        EvalError: Whatever went wrong in the child, as it was raised there.
        BackendError: The child died (E702).
    """
    hidden = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
    environment = {name: value for name, value in os.environ.items() if name.lower() not in hidden}
    command = [sys.executable, "-m", "tripleteval.keras.child"]
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(  # noqa: S603  # our own module
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
        ) as child:
            try:
                result = _followed(child, job, tell)
            except BaseException:
                _end(child)
                raise
        if result is None:
            raise _died(child.returncode, job, complaints)
        return result


def _followed(child: subprocess.Popen[bytes], job: Job, tell: Progress) -> dict[str, Any] | None:
    """Hand over the job, pass on what the child says, and return its result; ``None`` where it gave none."""
    if child.stdin is None or child.stdout is None:
        raise ValueError("a child without pipes")
    with suppress(BrokenPipeError), child.stdin as stdin:
        stdin.write(msgspec.json.encode(job))
    result: dict[str, Any] | None = None
    for line in child.stdout:
        said = json.loads(line)
        if "error" in said:
            raise _rebuilt(said["error"])
        if "result" in said:
            result = said["result"]
        else:
            tell(*said["progress"])
    return result


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child to stop, so that it removes what it began to write; where it does not, make it."""
    if child.stdout is not None:
        child.stdout.close()  # it may be waiting for us to read
    child.terminate()
    try:
        child.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


def _rebuilt(said: dict[str, str]) -> EvalError:
    kind = getattr(errors, said["kind"])
    if kind is errors.MissingExtra:  # built of other parts
        kind = errors.ParameterError
    error: EvalError = kind(said["code"], said["found"], where=said["where"], fix=said["fix"])
    return error


def _died(code: int, job: Job, complaints: IO[bytes]) -> BackendError:
    complaints.seek(0)
    lines = complaints.read()[-4000:].decode(errors="replace").strip().splitlines()
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    last = f"; its last words: {lines[-1][:200]}" if lines else ""
    fix = f"it may use {job.memory / 2**30:.3g} GiB: give a larger --memory, or a smaller --batch-size"
    return BackendError("E702", f"the process that ran the model {how}{last}", where=job.model, fix=fix)
