"""Ctrl-C and SIGTERM in the middle of the work: an exit code within a moment, and nothing by halves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ENDS = {signal.SIGINT: (130, "interrupted, nothing was saved"), signal.SIGTERM: (143, "")}
# A map that says when every thread is in the middle of an order that takes far longer than anybody would wait.
SLOW = """
import os, threading, tripleteval.engine.kernel_cpu, tripleteval.engine.kernel_reference
from tripleteval.cli import main
from tripleteval.engine import maps
def forever(order):
    os.write(1, b"working\\n")  # one write: threads that print at the same moment do not share a line
    threading.Event().wait(600)
real = maps.threads
maps.threads = lambda count: lambda function, items: real(count)(forever, items)
main(prog_name="tripleteval")
"""


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("sent", ENDS)
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_ends_the_work_at_once_and_leaves_an_older_run_alone(contents, sent, times):
    before = contents()
    command = [sys.executable, "-W", "error", "-c", SLOW, "evaluate", "val.npz", "--output", "kept", "--overwrite"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "working\n"
            for _ in range(times):
                process.send_signal(sent)
            _, said = process.communicate(timeout=60)  # far less than the order takes, however busy the machine is
        finally:
            process.kill()
    exit_code, words = ENDS[sent]
    assert process.returncode == exit_code
    assert "Traceback" not in said
    assert said.strip() == words
    assert contents() == before


def test_a_big_run_is_interrupted_where_it_is(folder):
    """The same without any stand-in, on a set that takes minutes by the reference kernel."""
    import numpy as np

    np.savez("big.npz", vectors=np.random.default_rng(0).normal(size=(20_000, 64)), labels=np.arange(20_000) % 200)
    command = [sys.executable, "-m", "tripleteval.cli", "evaluate", "big.npz", "--kernel", "reference", "--memory"]
    before = set(os.listdir(folder))
    ours, theirs = os.openpty()
    with subprocess.Popen([*command, "64MiB"], stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        shown = b""
        while b"comparing" not in shown:  # the bar is there: the comparison has begun
            shown += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        try:
            printed, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    os.close(ours)
    assert (process.returncode, printed) == (130, "")
    assert set(os.listdir(folder)) == before
    assert not Path("runs").exists()
