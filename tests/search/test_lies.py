"""What a native library can do to us, done on purpose: every lie is caught, every death has a name and a row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from search.test_backends import question
from tripleteval.distance.formula import distance_for
from tripleteval.errors import BackendError, FileError, MissingExtra, ParameterError, ResourceError
from tripleteval.search import Backend, How, find_backend
from tripleteval.search.answers import neighbors
from tripleteval.search.contract import measured, require_contract
from tripleteval.search.files import SEAL, load, save, verified
from tripleteval.search.process import Searcher

LIES = {
    "gap": "a neighbour after the end of the list",
    "repeats": "a row twice",
    "beyond": "a row that does not exist",
    "below": "a row that does not exist",
    "not_a_number": "a distance that is not finite",
    "infinite": "a distance that is not finite",
    "negative": "a negative distance",
    "unsorted": "distances out of order",
    "wrong": "a wrong distance",
    "swapped": "a wrong distance",
    "floats": "rows float64",
    "too_few": "not (6, 4)",
}
DEATHS = {
    "aborts": ("E702", "signal SIGABRT"),
    "killed": ("E702", "signal SIGKILL"),
    "leaves": ("E702", "exit code 3"),
    "hangs": ("E703", "no answer within 1.5 seconds"),
}


@pytest.fixture
def asked():
    rng = np.random.default_rng(2)
    queries, gallery = (rng.uniform(-0.7, 0.7, size=(n, 4)).astype(np.float32) for n in (6, 40))
    queries[4, 0] = 0.75  # poison
    return question(queries, gallery)


def watched(name: str, **limits) -> Searcher:
    settings = {"timeout": 60.0, "memory": None, **limits}
    return Searcher(find_backend(f"search.fakes:{name}"), How({"M": 8}, 0, 1, 4), **settings)


def found_by(name: str, asked, **limits):
    with watched(name, **limits) as searcher:
        searcher.build(asked.searched)
        return neighbors(searcher, asked, 4, {"ef": 7})


@pytest.mark.parametrize(("name", "what"), LIES.items())
def test_a_lie_is_refused_with_backend_parameters_and_row(asked, name, what):
    with pytest.raises(BackendError) as caught:
        found_by(name, asked)
    assert caught.value.code == "E701"
    assert what in caught.value.found
    assert f"backend search.fakes:{name} (M=8 ef=7)" in caught.value.where
    if name not in {"unsorted", "wrong", "swapped", "floats", "too_few"}:
        assert "query row 2 (0-based)" in caught.value.where


@pytest.mark.parametrize(
    ("what", "place", "rows", "squared"),
    [
        ("a row that does not exist (4)", (2, 1), 4, None),
        ("a row that does not exist (-2)", (0, 3), -2, None),
        ("a neighbour after the end of the list (2)", (4, 1), -1, None),
        ("a row twice (3)", (3, 0), 3, None),
        ("a distance that is not finite (inf)", (1, 3), None, np.inf),
        ("a negative distance (-0.5)", (2, 0), None, -0.5),
        ("distances out of order (0.5)", (4, 2), None, 0.5),
    ],
)
def test_what_is_refused_is_named_by_its_value_how_often_it_is_there_and_its_first_query(what, place, rows, squared):
    found, far = np.tile(np.arange(4), (6, 1)), np.tile(np.arange(4.0), (6, 1))
    require_contract(found, far, (6, 4), 4, "backend fake")
    for query in (place[0], 5):  # and in the last list once more
        for values, value in ((found, rows), (far, squared)):
            if value is not None:
                values[query, place[1]] = value
    with pytest.raises(BackendError) as caught:
        require_contract(found, far, (6, 4), 4, "backend fake")
    assert f"{what} in 2 answers; first" in caught.value.found
    assert caught.value.where == f"backend fake, query row {place[0]} (0-based)"


LEAST = 100 * 2.0**-18  # of what float32 leaves of distances of 100


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (-LEAST, 50, None),
        (-1.01 * LEAST, 50, "a negative distance"),
        (100 + 1.1 * LEAST, 100, None),
        (100 + 1.2 * LEAST, 100, "distances out of order"),
    ],
)
def test_what_rounding_leaves_is_no_lie_and_a_list_may_end_early(first, second, refused):
    rows = np.tile([0, 1, -1, -1], (2, 1))
    far = np.array([[first, second, np.nan, -np.inf], [0, 100, np.nan, -np.inf]])
    with pytest.raises(BackendError, match=refused) if refused else nullcontext():
        require_contract(rows, far, (2, 4), 4, "backend fake")


def test_each_pair_is_measured_as_the_engine_does_however_many_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    queries, gallery = (rng.normal(size=(n, 3)).astype(np.float32) for n in (9, 20))
    rows = rng.permuted(np.tile(np.arange(-1, 20), (9, 1)), axis=1)[:, :4]
    rows[3] = -1
    distance = distance_for("euclidean", queries, gallery)
    true = np.square(queries[:, None].astype(float) - gallery[rows]).sum(axis=2)
    for at_once in (2**16, 8, 1):
        monkeypatch.setattr("tripleteval.search.contract._PAIRS_AT_ONCE", at_once)
        found = distance.from_squared(measured(rows, queries, gallery, distance))
        assert np.allclose(found, np.where(rows == -1, np.inf, np.sqrt(true)), rtol=1e-12)


@pytest.mark.parametrize(("name", "code", "how"), [(name, *said) for name, said in DEATHS.items()])
def test_a_death_or_a_hang_names_the_query_that_caused_it(asked, name, code, how):
    with pytest.raises(BackendError) as caught:
        found_by(name, asked, timeout=1.5 if name == "hangs" else 60.0)
    assert caught.value.code == code
    assert how in caught.value.found
    assert "query row 4 (0-based)" in caught.value.where


def test_a_slow_start_is_not_the_fault_of_an_index():
    with watched("honest", timeout=0.001) as searcher:  # no Python starts in a millisecond
        assert searcher.process.poll() is None


def test_what_a_library_raises_is_passed_on_in_words(asked):
    with pytest.raises(BackendError, match="E704 the library refused: RuntimeError: no space for edges"):
        found_by("refuses", asked)


def test_memory_has_a_limit(asked):
    with pytest.raises(BackendError, match="MemoryError"):
        found_by("greedy", asked, memory=2**30)


def test_missing_neighbours_are_nobody_and_the_others_stay(asked):
    honest, padded = found_by("honest", asked), found_by("pads", asked)
    assert padded.rows[2].tolist() == [*honest.rows[2, :3].tolist(), -1]
    assert np.isposinf(padded.squared[2, 3])
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(padded.rows[others], honest.rows[others])


def test_the_querys_own_id_never_comes_back(asked):
    itself = question(asked.gallery[:6], asked.gallery, np.arange(6))
    rows = found_by("own_id", itself).rows
    assert not (rows == np.arange(6)[:, None]).any()
    assert (rows >= 0).all()


def test_what_a_library_prints_is_not_taken_for_an_answer(asked):
    assert np.array_equal(found_by("chatty", asked).rows, found_by("honest", asked).rows)


def test_what_a_library_leaves_behind_goes_with_its_process(asked, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with watched("litters") as searcher:
        searcher.build(asked.searched)
        neighbors(searcher, asked, 4, {})
        assert len(list(tmp_path.rglob("litter*"))) == 1
    assert list(tmp_path.iterdir()) == []


# Holds an index, and is killed while that is at work for ten minutes.
ASKING = """
import numpy as np, threading
from search.test_lies import watched
with watched("hangs") as searcher:
    searcher.build(np.zeros((4, 4), np.float32))
    threading.Timer(0.5, lambda: print(searcher.folder.name, flush=True)).start()
    searcher.search(np.full((1, 4), 0.75, np.float32), 1, {})
"""


def test_nothing_is_left_of_an_index_whose_owner_was_killed(tmp_path):
    here = str(Path(__file__).parents[1])
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", ASKING], stdout=subprocess.PIPE, text=True, env=env) as owner:
        folder = Path(owner.stdout.readline().strip())
        assert folder.parent == tmp_path
        owner.kill()
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()  # it goes with the process, in the middle of what that was doing


def test_the_others_go_on_after_one_died(asked):
    with pytest.raises(BackendError):
        found_by("aborts", asked)
    assert (found_by("honest", asked).rows >= 0).all()


def test_a_library_that_is_not_there_is_named_with_the_line_that_installs_it():
    absent = Backend("nowhere", None, module="no_such_module", extra="search")
    with pytest.raises(MissingExtra, match=r"the nowhere backend needs .*pip install 'tripleteval\[search\]'"):
        absent.require_installed()


@pytest.mark.parametrize(
    "name", ["no_such_module:A", "search.fakes:nothing", "search.fakes:not_a_backend", "anoy", ":"]
)
def test_an_unknown_backend_is_refused(name):
    with pytest.raises(ParameterError, match="E510"):
        find_backend(name)


def test_a_misspelled_backend_gets_a_hint():
    with pytest.raises(ParameterError, match="did you mean 'annoy'"):
        find_backend("anoy")


def test_an_index_file_that_changed_never_reaches_the_library(asked, tmp_path):
    path = tmp_path / "index"
    with watched("honest") as searcher:
        searcher.build(asked.searched)
        sealed = save(searcher, path)
        assert verified(path) == sealed
        whole = path.read_bytes()
        for damaged in (whole[:-1], whole[:-1] + b"\0", b""):
            path.write_bytes(damaged)
            with pytest.raises(BackendError, match="E705"):
                load(searcher, path)
        path.write_bytes(whole)
        assert load(searcher, path) == sealed
        (tmp_path / f"index{SEAL}").write_text(json.dumps({"bytes": "many"}))
        with pytest.raises(BackendError, match="a seal that cannot be read"):
            load(searcher, path)
        with pytest.raises(FileError, match="E611"):
            save(searcher, path)
        with pytest.raises(FileError, match="E604"):
            load(searcher, tmp_path / "nothing")


def test_an_index_that_was_not_written_is_noticed(asked, tmp_path):
    with watched("forgets") as searcher:
        searcher.build(asked.searched)
        with pytest.raises(BackendError, match="there is no file"):
            save(searcher, tmp_path / "index")


def test_a_seal_that_cannot_be_written_is_an_error(asked, tmp_path, monkeypatch):
    def full(*_):
        raise ResourceError("E801", "it cannot be written")

    monkeypatch.setattr("tripleteval.search.files.atomic_write", full)
    with watched("honest") as searcher:
        searcher.build(asked.searched)
        with pytest.raises(ResourceError):
            save(searcher, tmp_path / "index")
