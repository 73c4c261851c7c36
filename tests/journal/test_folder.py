"""A journal by itself: when it is written, what a disk that refuses may cost, and whose it is."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tripleteval.errors import ResourceError
from tripleteval.journal import folder
from tripleteval.journal.folder import Journal, belongs, finish, unfinished

SETTINGS: dict[str, Any] = {"ks": [1, 5]}
INPUTS: list[dict[str, Any]] = [{"name": "queries"}]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time, which only the test moves."""
    now = [100.0]
    monkeypatch.setattr(folder.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a run that is being made."""
    return tmp_path / "not yet" / "runs" / "run"


def begun(run: Path, settings: dict[str, Any] = SETTINGS, **how: Any) -> Journal:
    """Return a journal that is at work."""
    found = Journal(run, **how)
    found.begin(lambda: {"settings": settings, "inputs": INPUTS}, {"cut": 7}, {})
    return found


def kept(run: Path, clock: list[float], orders: int = 1) -> Journal:
    """Return a journal that has written down so many orders of its first pass."""
    found = begun(run)
    clock[0] += folder.AFTER
    for order in range(orders):
        found.append(0, (order,), [order, "x" * order])
    return found


def test_nothing_is_written_in_the_first_seconds_and_all_of_it_then(run, clock):
    short = begun(run)
    short.append(0, (0,), "first")
    short.stand(0, 1, "sum", last=True)
    clock[0] += folder.AFTER - 0.1
    short.append(0, (1, 2), "second")
    assert (short.kept, unfinished(run).exists()) == (False, False)
    clock[0] += 0.1
    short.append(1, (0,), "third")
    short.close()
    again = begun(run)
    assert again.kept
    assert [again.read(*at) for at in ((0, (0,)), (0, (1, 2)), (1, (0,)))] == ["first", "second", "third"]
    assert not again.known(1, (1, 2))
    again.close()


def test_what_is_added_up_is_written_after_what_it_is_made_of(run, clock):
    at_work = begun(run)
    at_work.append(0, (0,), "first")
    clock[0] += 1.0
    at_work.stand(0, 1, 10, last=False)
    clock[0] += folder.AFTER - 1.0
    at_work.stand(0, 1, 10, last=False)
    at_work.close()
    again = begun(run)
    assert (again.read(0, (0,)), again.standing(0)) == ("first", (1, 10))
    again.close()


def test_what_a_pass_has_added_up_is_written_now_and_then_and_when_it_is_complete(run, clock, monkeypatch):
    real = os.replace

    def slow(*paths: Any) -> None:
        clock[0] += 1.0  # of which no more than a fiftieth of the time may be
        real(*paths)

    at_work = kept(run, clock)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", slow)
        at_work.stand(0, 1, 10, last=False)
    assert at_work.standing(0) == (1, 10)
    clock[0] += 49.0
    at_work.stand(0, 2, 20, last=False)
    assert at_work.standing(0) == (1, 10)
    clock[0] += 1.0
    at_work.stand(0, 3, 30, last=False)
    assert at_work.standing(0) == (3, 30)
    clock[0] += folder.AFTER - 0.1
    at_work.stand(0, 4, 40, last=False)
    assert at_work.standing(0) == (3, 30)
    at_work.stand(0, 5, 50, last=True)
    assert at_work.standing(0) == (5, 50)
    assert at_work.standing(1) is None
    os.rename(unfinished(run) / "standing-0", unfinished(run) / "standing-1")
    assert at_work.standing(1) is None  # of another pass
    (unfinished(run) / "standing-1").write_bytes(b"torn")
    assert at_work.standing(1) is None
    at_work.close()


def test_what_another_process_has_added_up_under_this_name_is_not_taken_for_ours(run, clock):
    ours = begun(run)
    other = kept(run, clock)
    other.stand(0, 1, 10, last=True)
    assert (other.standing(0), ours.standing(0)) == ((1, 10), None)
    other.close()


def test_what_a_disk_takes_piece_by_piece_comes_back_and_a_torn_end_is_cut_off(run, clock, monkeypatch):
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(memoryview(data)[:7])))
        kept(run, clock, orders=3).close()
    with open(unfinished(run) / "journal", "ab") as file:
        file.write(b"\nframe 00")
    again = begun(run)
    again.append(0, (3,), "behind it")
    again.close()
    third = begun(run)
    assert [third.read(0, (order,)) for order in range(4)] == [[0, ""], [1, "x"], [2, "xx"], "behind it"]
    third.close()


def test_a_file_is_on_disk_before_it_gets_its_name_and_orders_once_a_second(run, clock, monkeypatch):
    synced: list[int] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(os.fstat(descriptor).st_ino), sync(descriptor)))

    def checked(source: Path, target: Path) -> None:
        assert os.stat(source).st_ino in synced
        replace(source, target)

    monkeypatch.setattr(os, "replace", checked)
    at_work = kept(run, clock)
    at_work.stand(0, 1, 10, last=True)
    names = [os.stat(unfinished(run) / name).st_ino for name in ("journal", "standing-0")]
    assert {names[1], os.stat(run.parent).st_ino} < {*synced}
    before = synced.count(names[0])
    for step, expected in ((0.9, 0), (0.1, 1), (0.9, 1), (0.1, 2)):
        clock[0] += step
        at_work.append(0, (9, synced.count(names[0]), int(clock[0] * 10)), "result")
        assert synced.count(names[0]) - before == expected
    at_work.close()


def test_a_disk_that_refuses_costs_what_came_after_and_not_what_was_kept(run, clock, monkeypatch):
    at_work = kept(run, clock, orders=2)
    real = os.write

    def full(descriptor: int, data: Any) -> int:
        real(descriptor, bytes(memoryview(data)[:3]))
        raise OSError(errno.ENOSPC, "No space left on device")

    size = (unfinished(run) / "journal").stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        at_work.append(0, (2,), "lost")
    assert isinstance(at_work.failure, ResourceError)
    assert (unfinished(run) / "journal").stat().st_size == size
    at_work.append(0, (3,), "not kept any more")
    at_work.stand(0, 4, "nor this", last=True)
    at_work.close()
    again = begun(run)
    assert [again.known(0, (order,)) for order in range(4)] == [True, True, False, False]
    assert (again.read(0, (1,)), again.standing(0)) == ([1, "x"], None)
    again.append(0, (2,), "found")
    again.close()
    third = begun(run)
    assert third.read(0, (2,)) == "found"
    third.close()


def test_a_disk_that_refuses_at_first_leaves_nothing_behind(run, clock, monkeypatch):
    at_work = begun(run)
    clock[0] += folder.AFTER
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
        at_work.append(0, (0,), "lost")
    assert (at_work.failure.code, at_work.kept, os.listdir(run.parent)) == ("E801", False, [])


def test_a_plan_holds_until_it_is_begun_afresh(run, clock):
    kept(run, clock).close()
    again = Journal(run)
    assert again.begin(lambda: {"settings": SETTINGS, "inputs": INPUTS}, {"cut": 8}, {}) == {"cut": 7}
    again.close()
    afresh = Journal(run, afresh=True)
    assert afresh.begin(lambda: {"settings": {}, "inputs": INPUTS}, {"cut": 8}, {}) == {"cut": 8}
    assert (afresh.known(0, (0,)), afresh.kept, unfinished(run).exists()) == (False, False, False)
    clock[0] += folder.AFTER
    afresh.append(0, (1,), "new")
    afresh.close()
    third = begun(run, {})
    assert (third.known(0, (0,)), third.read(0, (1,))) == (False, "new")
    third.close()


def test_only_the_journal_of_that_very_run_is_removed_and_only_when_nobody_is_at_work(run, clock, monkeypatch):
    at_work = kept(run, clock)
    assert not finish(run, SETTINGS, INPUTS)  # it is held
    at_work.close()
    for settings, inputs in (({"ks": [1]}, INPUTS), (SETTINGS, [])):
        assert not belongs(run, settings, inputs)
        assert not finish(run, settings, inputs)
    assert (unfinished(run) / "journal").exists()
    assert finish(run, {"ks": (1, 5)}, INPUTS)  # as JSON has it
    assert (os.listdir(run.parent), finish(run, SETTINGS, INPUTS)) == ([], False)
    kept(run, clock).close()
    with monkeypatch.context() as patch:
        patch.setattr(folder.shutil, "rmtree", lambda *_, **__: None)  # as if killed there: the journal went first
        assert finish(run, SETTINGS, INPUTS)
    assert belongs(run, {}, [])
    begun(run).close()  # begins anew
    assert os.listdir(run.parent) == []


def test_a_damaged_journal_belongs_to_nobody(run, clock):
    kept(run, clock).close()
    (unfinished(run) / "journal").write_bytes(b"no frame at all")
    assert not finish(run, SETTINGS, INPUTS)
    with pytest.raises(ResourceError, match="E804 a journal whose first frame is damaged") as caught:
        begun(run)
    assert caught.value.where == str(unfinished(run))
    assert finish(run, SETTINGS, INPUTS) is False  # and it is not held any more either
    with pytest.raises(ResourceError, match="E804"):
        begun(run)


def test_a_name_that_was_taken_meanwhile_is_given_up_for_another(run, clock):
    names = iter([run.with_name("run-2"), run.with_name("run-3")])
    at_work = begun(run, elsewhere=lambda: next(names))
    for name in ("run", "run-2"):
        unfinished(run.with_name(name)).mkdir(parents=True)
    clock[0] += folder.AFTER
    at_work.append(0, (0,), "result")
    assert at_work.run == run.with_name("run-3")
    assert [os.listdir(unfinished(run.with_name(name))) for name in ("run", "run-2")] == [[], []]
    at_work.discard()
    assert sorted(os.listdir(run.parent)) == ["run-2.unfinished", "run.unfinished"]
