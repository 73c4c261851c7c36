"""One process at a time, and the dead do not stand in the way."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tripleteval.errors import ResourceError
from tripleteval.journal import lock
from tripleteval.journal.lock import hold

HOLD = "import sys, time; from tripleteval.journal.lock import hold; hold(__import__('pathlib').Path(sys.argv[1]))"


def test_two_at_a_time_are_refused_and_one_after_the_other_are_not(tmp_path):
    held = hold(tmp_path)
    with pytest.raises(ResourceError, match=rf"E803 process {os.getpid()} on .* since 2"):
        hold(tmp_path)
    held.release()
    hold(tmp_path).release()
    assert os.listdir(tmp_path) == []


def test_a_folder_that_was_moved_away_meanwhile_has_nothing_to_give_back(tmp_path):
    (tmp_path / "here").mkdir()
    held = hold(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    held.release()
    assert (tmp_path / "there" / "lock-1").exists()


def test_a_process_that_was_killed_holds_nothing(tmp_path):
    code = f"{HOLD}; print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(ResourceError, match=f"process {process.pid} "):
            hold(tmp_path)
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, though nobody has asked how it ended
        hold(tmp_path).release()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        ({"started": "1"}, True),  # the number of a process that is gone, given to another one since
        ({"boot": "another"}, True),
        ({"host": "elsewhere"}, False),
        ({"host": "elsewhere", "pid": 2**22 + 1}, False),
        ({"pid": "x"}, False),
    ],
)
def test_who_holds_it_is_told_by_more_than_a_number(tmp_path, change, stale):
    (tmp_path / "lock-7").write_text(json.dumps(lock._me() | change))
    if stale:
        held = hold(tmp_path)
        assert sorted(os.listdir(tmp_path)) == ["lock-7", "lock-8"]
        held.release()
        assert os.listdir(tmp_path) == []
    else:
        with pytest.raises(ResourceError, match=r"E803 .*remove 'lock-7'"):
            hold(tmp_path)
        assert os.listdir(tmp_path) == ["lock-7"]


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="processes have no names to be read here")
def test_a_process_of_any_name_is_known_by_when_it_started(tmp_path):
    name = Path("/proc/self/comm")
    before = name.read_bytes()
    try:
        name.write_bytes("né) Z 1".encode())
        held = hold(tmp_path)
        with pytest.raises(ResourceError, match=rf"E803 process {os.getpid()} on "):
            hold(tmp_path)
        held.release()
    finally:
        name.write_bytes(before.strip())


def _race(folder, start, results):
    start.wait()
    try:
        hold(folder)
    except ResourceError:
        results.put(0)
    else:
        results.put(1)
    start.wait()  # alive until everybody has tried


def test_of_many_at_once_at_most_one_is_let_in(tmp_path):
    context, many = multiprocessing.get_context("fork"), 8
    for turn in range(5):
        folder = tmp_path / str(turn)
        folder.mkdir()
        (folder / "lock-1").write_text(json.dumps(lock._me() | {"started": "1"}))
        start, results = context.Barrier(many), context.SimpleQueue()
        racers = [context.Process(target=_race, args=(folder, start, results)) for _ in range(many)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert sum(results.get() for _ in racers) <= 1
