"""The same files on the other backends, each in a process of its own, because Keras has one backend per process."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

HERE = Path(__file__).parent
CHECKS = [
    HERE / "test_losses.py",
    HERE / "test_metrics.py",
    f"{HERE / 'test_sampling.py'}::test_keras_trains_on_it_and_goes_through_the_epochs",
    f"{HERE / 'test_callbacks.py'}::test_training_does_not_notice",
]
# These compile most and differ least, or have nothing to do with the backend: one is enough.
LEFT_OUT = ("on_a_line", "slope", "item", "refused", "serialisation", "is_loaded_with_it")
QUICK = "--xla_backend_optimization_level=0"  # JAX compiles many small things, each used once or twice
OTHERS = sorted({"tensorflow", "jax", "torch"} - {keras.backend.backend()})


@pytest.mark.skipif("PYTEST_BACKENDS" in os.environ, reason="this is the process of one backend already")
@pytest.mark.parametrize("backend", OTHERS)
def test_losses_metrics_batches_and_the_callback_hold_on(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    chosen = " and ".join(f"not {word}" for word in LEFT_OUT)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", chosen, *map(str, CHECKS)]
    done = subprocess.run(
        command,
        cwd=HERE.parents[1],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTEST_BACKENDS": "one", "XLA_FLAGS": QUICK},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
