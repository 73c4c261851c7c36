"""A run that is killed and resumed ends with the numbers it would have had, or says why it cannot."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tripleteval as te
from tripleteval.engine import maps, mutual, onlookers, pair_ruler, plan
from tripleteval.errors import ResourceError
from tripleteval.journal import folder as journal
from tripleteval.journal.folder import Journal, unfinished

KILLS = int(os.environ.get("TRIPLETEVAL_KILLS", "24"))
N = 160
RNG = np.random.default_rng(0)
POINTS, CLASSES = RNG.normal(size=(N, 4)), np.arange(N) % 12
GALLERY = te.Embeddings(RNG.normal(size=(100, 4)), np.arange(100) % 12)


class PulledPlugError(Exception):
    """The run ends here."""


@pytest.fixture(autouse=True)
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep everything from the first moment on, in small orders; watch where a way of that name is tested."""
    if getattr(request.node, "callspec", None) and request.node.callspec.params.get("way") == "watched sweep":
        monkeypatch.setattr(pair_ruler, "COARSE_PAIRS", 0)
        monkeypatch.setattr(pair_ruler, "CAPACITY", 500)
        monkeypatch.setattr(onlookers, "_MOST_LISTED", 2.0)
    monkeypatch.setattr(journal, "AFTER", 0.0)
    monkeypatch.setattr(journal, "_SHARE", 1e9)
    monkeypatch.setattr(plan, "MOST_QUERIES", 16)
    monkeypatch.setattr(plan, "MOST_QUERIES_MUTUAL", 30)


def interrupted(run: Path, after: int, *args: Any, shares: bool = False, workers: int = 1, **how: Any) -> bool:
    """Evaluate with a journal until so many things were computed; return whether that was everything."""
    count = 0

    def short_map(function: Any, items: Any) -> Iterator[Any]:
        nonlocal count
        for item in items:
            count += 1
            if count > after:
                raise PulledPlugError
            yield function(item)

    short_map.shares_memory, short_map.workers = shares, workers
    try:
        te.evaluate(*args, resume=run, map=short_map, **how)
    except PulledPlugError:
        return False
    return True


WAYS = {
    "orders": {"gallery": GALLERY},
    "sweep": {"kernel": "cpu"},
    "watched sweep": {"kernel": "cpu"},
    "all evidence": {"gallery": GALLERY, "metrics": ["silhouette", "alignment", "uniformity"], "calibrate_on": 0.5},
    "relevance": {"relevance": np.equal.outer(CLASSES, CLASSES[::-1])[:, :100] * 1, "gallery": GALLERY},
}


def given(way: str) -> tuple[Any, ...]:
    return (POINTS,) if way == "relevance" else (POINTS, CLASSES)


@pytest.mark.parametrize("way", WAYS)
def test_interrupted_after_every_step_it_ends_as_it_would_have(way, tmp_path):
    how = WAYS[way]
    want = te.evaluate(*given(way), **how)
    for after in range(1, 1000, 11):
        run = tmp_path / str(after)
        done = interrupted(run, after, *given(way), shares="sweep" in way, **how)
        found = te.evaluate(*given(way), resume=run, map=None if "sweep" in way else map, **how)
        assert found.result_hash == want.result_hash
        assert found.per_query.equals(want.per_query)
        if done:
            break
    assert after > 10


def test_it_ends_as_it_would_have_when_interrupted_again_and_again(tmp_path):
    want = te.evaluate(POINTS, CLASSES, gallery=GALLERY).result_hash
    tries = 0
    while not interrupted(tmp_path / "run", 3, POINTS, CLASSES, gallery=GALLERY):
        tries += 1
    assert tries >= 5
    assert te.evaluate(POINTS, CLASSES, gallery=GALLERY, resume=tmp_path / "run").result_hash == want


def test_precision_may_be_reached_in_several_sittings(tmp_path, monkeypatch):
    monkeypatch.setattr("tripleteval.evaluation.sampling.FIRST", 40)
    how = {"gallery": GALLERY, "precision": 0.001}
    want = te.evaluate(POINTS, CLASSES, **how).result_hash
    while not interrupted(tmp_path / "run", 4, POINTS, CLASSES, **how):
        pass
    assert te.evaluate(POINTS, CLASSES, resume=tmp_path / "run", **how).result_hash == want


@pytest.mark.parametrize("way", ["orders", "sweep", "watched sweep", "pairs by value"])
def test_nothing_finished_is_computed_again(way, tmp_path, monkeypatch):
    whose = te.Embeddings(POINTS, CLASSES, groups=np.arange(N) % 2)
    how = WAYS.get(way, {"kernel": "cpu", "by": "group"})
    want = te.evaluate(whose, resume=tmp_path / "run", **how).result_hash

    def never(*_: Any) -> None:
        raise AssertionError("computed again")

    for place in ("measure.Reading.__call__", "measure.Reading.read"):
        monkeypatch.setattr(f"tripleteval.evaluation.{place}", never)
    for engine in ("pairs.PairPass", "decisions.DecisionPass"):
        monkeypatch.setattr(f"tripleteval.engine.{engine}.__call__", never)
    monkeypatch.setattr(mutual, "_meet", never)
    assert te.evaluate(whose, resume=tmp_path / "run", **how).result_hash == want


@pytest.mark.parametrize("way", ["orders", "sweep", "watched sweep"])
def test_memory_threads_and_kernel_may_change_the_cut_stays(way, tmp_path):
    how = WAYS[way]
    want = te.evaluate(POINTS, CLASSES, **how)
    interrupted(tmp_path / "run", 12, POINTS, CLASSES, shares="sweep" in way, **how)
    found = te.evaluate(
        POINTS, CLASSES, resume=tmp_path / "run", **how | {"memory": "16MiB", "threads": 3, "kernel": "auto"}
    )
    assert found.result_hash == want.result_hash


def cluster(function: Any, items: Any) -> Iterator[Any]:
    """A map whose workers have a memory of their own each."""
    return map(function, items)


cluster.workers = 3  # type: ignore[attr-defined]
WHERE: dict[str, dict[str, Any]] = {"a cluster": {"map": cluster}, "threads": {"threads": 2}}


@pytest.mark.parametrize("way", ["orders", "all evidence"])
@pytest.mark.parametrize("begun", WHERE)
def test_begun_on_a_cluster_it_goes_on_in_one_process_and_the_other_way_round(way, begun, tmp_path):
    how = WAYS[way] | {"memory": "64MiB"}
    want = te.evaluate(POINTS, CLASSES, **how).result_hash
    (elsewhere,) = (WHERE[name] for name in WHERE if name != begun)
    of_cluster = begun == "a cluster"
    for after in range(3, 1000, 7):
        run = tmp_path / str(after)
        began = {"shares": not of_cluster, "workers": 3 if of_cluster else 2}
        done = interrupted(run, after, POINTS, CLASSES, **how, **began)
        assert te.evaluate(POINTS, CLASSES, resume=run, **how, **elsewhere).result_hash == want
        if done:
            break
    assert after > 10


@pytest.mark.parametrize("begun", WHERE)
def test_what_was_finished_on_a_cluster_is_not_computed_again_in_one_process(begun, tmp_path, monkeypatch):
    how = {"gallery": GALLERY, "memory": "16MiB"}
    (elsewhere,) = (WHERE[name] for name in WHERE if name != begun)
    want = te.evaluate(POINTS, CLASSES, resume=tmp_path / "run", **how, **WHERE[begun]).result_hash
    monkeypatch.setattr("tripleteval.evaluation.measure.Reading.__call__", None)
    monkeypatch.setattr("tripleteval.engine.pairs.PairPass.__call__", None)
    assert te.evaluate(POINTS, CLASSES, resume=tmp_path / "run", **how, **elsewhere).result_hash == want


def test_killed_at_random_moments_nothing_is_torn_wrong_or_done_again(tmp_path):
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(KILLS), "1", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] >= KILLS
    assert (found["wrong"], found["again"], found["left"]) == (0, 0, 0)


CHANGES = {
    "settings.ks": {"ks": (1, 2)},
    "settings.seed": {"seed": 1},
    "settings.sample": {"sample": 50},
    "settings.distance": {"distance": "cosine"},
    "inputs[0].sha256": {"queries": POINTS + 1e-9},
    "inputs[0].rows": {"queries": POINTS[:-1], "labels": CLASSES[:-1]},
    "inputs[1].sha256": {"gallery": te.Embeddings(GALLERY.vectors, np.arange(100) % 11)},
    "settings.calibrate_on": {"calibrate_on": 0.5},
}


@pytest.mark.parametrize("field", CHANGES)
def test_something_else_is_refused_by_what_differs(field, tmp_path):
    same = {"queries": POINTS, "labels": CLASSES, "gallery": GALLERY}
    interrupted(tmp_path / "run", 4, **same)
    before = contents(tmp_path)
    with pytest.raises(ResourceError, match=r"E805 .*was .*, is .*remove that folder") as refused:
        te.evaluate(**same | CHANGES[field], resume=tmp_path / "run")
    assert f"{field} was " in refused.value.found
    assert refused.value.where.endswith("run.unfinished")
    assert contents(tmp_path) == before


def test_a_run_of_another_version_is_refused(tmp_path, monkeypatch):
    interrupted(tmp_path / "run", 4, POINTS, CLASSES, gallery=GALLERY)
    monkeypatch.setattr("tripleteval.evaluation.keeping.version", lambda _: "99.0")
    with pytest.raises(ResourceError, match=r"E805 .*tripleteval was '[^']+', is '99\.0'"):
        te.evaluate(POINTS, CLASSES, gallery=GALLERY, resume=tmp_path / "run")


def test_blocks_that_met_in_one_process_do_not_go_on_elsewhere(tmp_path):
    interrupted(tmp_path / "run", 12, POINTS, CLASSES, kernel="cpu", shares=True)
    with pytest.raises(ResourceError, match="E805 .*in one process"):
        te.evaluate(POINTS, CLASSES, kernel="cpu", resume=tmp_path / "run", map=map)


def test_two_at_a_time_are_refused(tmp_path):
    holding = Journal(tmp_path / "run")
    te.evaluate(POINTS, CLASSES, gallery=GALLERY, resume=holding)  # closes it
    interrupted(tmp_path / "run", 4, POINTS, CLASSES, gallery=GALLERY)
    holding._hold()
    with pytest.raises(ResourceError, match=f"E803 process {os.getpid()} on "):
        te.evaluate(POINTS, CLASSES, gallery=GALLERY, resume=tmp_path / "run")
    holding.close()
    te.evaluate(POINTS, CLASSES, gallery=GALLERY, resume=tmp_path / "run")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["journal", "standing-1"])
def test_damaged_anywhere_the_numbers_are_right_or_refused(name, tmp_path):
    """One byte in ten places changed, or everything from there on lost."""
    few = {"queries": POINTS[:60], "labels": CLASSES[:60] % 6, "gallery": GALLERY}
    want = te.evaluate(**few).result_hash
    interrupted(tmp_path / "run", 8, **few)
    whole = tmp_path / "whole"
    shutil.copytree(unfinished(tmp_path / "run"), whole)
    size, refused = (whole / name).stat().st_size, 0
    for place in range(0, size, max(size // 10, 1)):
        for cut in (False, True):
            shutil.rmtree(unfinished(tmp_path / "run"))
            shutil.copytree(whole, unfinished(tmp_path / "run"))
            with open(unfinished(tmp_path / "run") / name, "r+b") as file:
                file.seek(place)
                byte = file.read(1)
                file.seek(place)
                file.truncate() if cut else file.write(bytes([byte[0] ^ 0x10]))
            try:
                assert te.evaluate(**few, resume=tmp_path / "run").result_hash == want
            except ResourceError as error:
                assert (error.code, error.where) == ("E804", str(unfinished(tmp_path / "run")))  # noqa: PT017
                refused += 1
    assert (refused > 0) == (name == "journal")


def test_saving_the_run_removes_its_journal_and_no_other(tmp_path):
    run = te.evaluate(POINTS, CLASSES, gallery=GALLERY, resume=tmp_path / "run")
    other = te.evaluate(POINTS, CLASSES, gallery=GALLERY, ks=(1,))
    other.save(tmp_path / "run")
    assert unfinished(tmp_path / "run").exists()
    run.save(tmp_path / "run", overwrite=True)
    assert os.listdir(tmp_path) == ["run"]


def test_a_run_saved_by_a_process_that_ended_then_is_not_saved_again(tmp_path, monkeypatch):
    """The same lines, given again: its files stay, its journal goes."""
    same = {"queries": POINTS, "labels": CLASSES, "gallery": GALLERY}
    with monkeypatch.context() as patch:
        patch.setattr("tripleteval.runs.finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            te.evaluate(**same, resume=tmp_path / "run").save(tmp_path / "run")
    assert sorted(os.listdir(tmp_path)) == ["run", "run.unfinished"]
    before = contents(tmp_path / "run")
    with pytest.raises(ResourceError, match="E801 something is there already"):
        te.evaluate(**same, ks=(1,)).save(tmp_path / "run")
    te.evaluate(**same, resume=tmp_path / "run").save(tmp_path / "run")
    assert os.listdir(tmp_path) == ["run"]
    assert contents(tmp_path / "run") == before


def test_a_short_run_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "AFTER", 3600.0)
    te.evaluate(POINTS, CLASSES, gallery=GALLERY, resume=tmp_path / "run")
    te.evaluate(POINTS, CLASSES, kernel="cpu", resume=tmp_path / "run")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("way", ["orders", "sweep"])
def test_whichever_write_fails_the_numbers_are_there_and_what_is_left_is_sound(way, tmp_path, monkeypatch):
    want = te.evaluate(POINTS, CLASSES, **WAYS[way]).result_hash
    real, failed = os.write, 0
    for at in (1, 2, 4, 9, 20, 50):
        calls = 0

        def write(descriptor: int, data: Any, at: int = at) -> int:
            nonlocal calls
            calls += 1
            if calls >= at:
                real(descriptor, bytes(memoryview(data)[:3]))
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(descriptor, data)

        kept = Journal(tmp_path / str(at))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", write)
            assert te.evaluate(POINTS, CLASSES, resume=kept, **WAYS[way]).result_hash == want
        if kept.failure is not None:
            failed += 1
            assert (kept.failure.code, "No space left" in kept.failure.found) == ("E801", True)
        assert te.evaluate(POINTS, CLASSES, resume=tmp_path / str(at), **WAYS[way]).result_hash == want
    assert failed >= 4


def test_python_is_warned_of_a_journal_that_failed(tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(RuntimeWarning, match="could not be resumed: E801"):
        te.evaluate(POINTS, CLASSES, gallery=GALLERY, resume=tmp_path / "file" / "run")


def test_threads_are_no_more_than_memory_was_cut_for(tmp_path, monkeypatch):
    te.evaluate(POINTS, CLASSES, gallery=GALLERY, threads=1, resume=tmp_path / "run")
    asked = []
    real = maps.threads
    monkeypatch.setattr("tripleteval.evaluation.keeping.threads", lambda count: (asked.append(count), real(count))[1])
    te.evaluate(POINTS, CLASSES, gallery=GALLERY, threads=4, resume=tmp_path / "run")
    assert asked == [1]


@pytest.mark.parametrize(("memory", "running"), [("1GiB", 1), ("3GiB", 3)])
def test_of_what_a_cluster_began_as_many_threads_run_as_memory_holds_workers(memory, running, tmp_path, monkeypatch):
    te.evaluate(POINTS, CLASSES, gallery=GALLERY, map=cluster, resume=tmp_path / "run")
    asked = []
    real = maps.threads
    monkeypatch.setattr("tripleteval.evaluation.keeping.threads", lambda count: (asked.append(count), real(count))[1])
    te.evaluate(POINTS, CLASSES, gallery=GALLERY, threads=4, memory=memory, resume=tmp_path / "run")
    assert asked == [running]


def test_a_run_that_is_complete_is_refused_before_anything_is_computed(tmp_path):
    run, told = tmp_path / "run", []
    te.evaluate(POINTS, CLASSES, resume=run).save(run)
    for name in (run, str(run)):
        with pytest.raises(te.FileError, match="E604 a run that is complete") as caught:
            te.evaluate(POINTS, CLASSES, resume=name, progress=lambda *pairs: told.append(pairs))
        assert f"te.load({str(run)!r})" in caught.value.fix
    assert told == []
    assert te.load(run)["hit_rate@1"] == te.evaluate(POINTS, CLASSES)["hit_rate@1"]


def test_a_folder_with_nothing_in_it_is_no_run(tmp_path):
    assert te.evaluate(POINTS, CLASSES, resume=tmp_path)["hit_rate@1"] >= 0
