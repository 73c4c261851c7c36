"""Run folders: what comes back is what was saved; whatever fails, a folder is whole or not there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tripleteval import Embeddings, Evaluation, FileError, ResourceError, disk, evaluate, load, runs

POINTS = [[0.0], [1.0], [3.0], [7.0], [8.0], [12.0]]
OS_CALLS = ("mkdir", "open", "write", "fsync", "fstat", "close", "rename", "replace", "scandir", "rmdir", "stat")


@pytest.fixture(scope="module")
def run() -> Evaluation:
    ids = [f"item-{row}" for row in range(6)]
    labels = ["é", "é", "\x1b[1m", "é", "\x1b[1m", "\x1b[1m"]
    found = evaluate(Embeddings(POINTS, labels, ids=ids), margin_curve=[-1, 0.5])
    assert found.per_class is not None
    return replace(found, per_unit=found.per_class.select(["label"]))  # two classes are too few for one of its own


@pytest.fixture(scope="module")
def other() -> Evaluation:
    return evaluate(POINTS, [0, 0, 1, 1, 0, 1], distance="sqeuclidean")


@pytest.fixture(scope="module")
def small(run: Evaluation) -> Evaluation:
    assert run.per_class is not None
    kept = run.per_class.select(["label", "map@r"])
    return replace(run, per_query=None, per_class=kept, per_unit=None, neighbors=None)


@pytest.fixture
def folder(run: Evaluation, tmp_path: Path) -> Path:
    return run.save(tmp_path / "run")


def same(one: Evaluation, two: Evaluation) -> bool:
    tables = [(getattr(one, name), getattr(two, name)) for name in runs.TABLES.values()]
    return one.to_dict() == two.to_dict() and all(a is b is None or a.equals(b) for a, b in tables)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_loaded_is_what_was_saved(run: Evaluation, other: Evaluation, tmp_path: Path) -> None:
    for name, saved in (("a", run), ("b", other)):
        assert same(load(saved.save(tmp_path / "deep" / name)), saved)


def test_several_labels_per_item_and_ids_of_a_gallery_come_back(tmp_path: Path) -> None:
    queries = Embeddings(POINTS[:3], [{"a", "b"}, {"b"}, {"c"}], ids=[1, 2, 3])
    gallery = Embeddings(POINTS[3:], [{"a"}, {"c", "b"}, {"b"}], ids=[4, 5, 6])
    found = evaluate(queries, gallery=gallery)
    assert same(load(found.save(tmp_path / "sets")), found)


def test_an_evaluation_without_tables_is_one_file(run: Evaluation, tmp_path: Path) -> None:
    bare = replace(run, **dict.fromkeys(runs.TABLES.values()))
    assert os.listdir(bare.save(tmp_path / "bare")) == ["run.json"]
    assert same(load(tmp_path / "bare"), bare)


def test_integers_beyond_64_bits_stay_integers(run: Evaluation, tmp_path: Path) -> None:
    large = replace(run, accounting={**run.accounting, "triplets": 2**90 + 1})
    assert load(large.save(tmp_path / "large")).accounting["triplets"] == 2**90 + 1


def test_the_document_lists_the_checksum_and_size_of_every_table(folder: Path) -> None:
    files = json.loads((folder / "run.json").read_text())["files"]
    assert sorted(files) == sorted(set(os.listdir(folder)) - {"run.json"})
    for name, entry in files.items():
        data = (folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_is_there_is_never_written_over(run: Evaluation, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "taken")
    before = os.lstat(tmp_path / "taken")
    with pytest.raises(ResourceError, match="E801"):
        run.save(tmp_path / "taken")
    assert os.lstat(tmp_path / "taken") == before
    assert os.listdir(tmp_path) == ["taken"]


@pytest.mark.parametrize("system_can_exchange", [True, False])
def test_overwriting_puts_the_new_run_in_place_of_the_old(
    folder: Path, other: Evaluation, monkeypatch: pytest.MonkeyPatch, system_can_exchange: bool
) -> None:
    if not system_can_exchange:
        monkeypatch.setattr(disk, "_exchange", lambda *_: False)
    other.save(folder, overwrite=True)
    assert same(load(folder), other)
    assert os.listdir(folder.parent) == ["run"]


def test_an_empty_folder_may_be_overwritten(run: Evaluation, tmp_path: Path) -> None:
    assert same(load(run.save(tmp_path, overwrite=True)), run)


def foreign_folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.tex").write_text("years of work")


def run_with_a_page(path: Path) -> None:
    evaluate(POINTS, [0, 0, 1, 0, 1, 1]).save(path)
    (path / "report.html").write_text("written by hand")


def another_kind_of_run(path: Path) -> None:
    path.mkdir()
    (path / "run.json").write_text('{"schema": "somebody/else/1"}')


def link_to_a_run(path: Path) -> None:
    evaluate(POINTS, [0, 0, 1, 0, 1, 1]).save(path.with_name("real"))
    path.symlink_to("real")


@pytest.mark.parametrize("make", [foreign_folder, run_with_a_page, another_kind_of_run, link_to_a_run, Path.touch])
def test_overwriting_refuses_what_is_not_just_a_run(
    run: Evaluation, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "taken")
    before = content(tmp_path)
    with pytest.raises(ResourceError, match="E801"):
        run.save(tmp_path / "taken", overwrite=True)
    assert content(tmp_path) == before


class Failing:
    """The n-th call of any wrapped os function fails once, as a disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException) -> None:
        self.calls, self.at, self.error = 0, at, error
        for name in OS_CALLS:
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name)))

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.at:
                if function.__name__ == "close":  # POSIX: the descriptor is gone even so
                    function(*args, **named)
                raise self.error
            return function(*args, **named)

        return call


def every_failure(monkeypatch: pytest.MonkeyPatch, error: BaseException, act: Callable[[], Any]) -> Iterator[bool]:
    """Let call 1, 2, 3 … fail, until one run has no failure; yield whether it ended well."""
    for at in range(1, 1000):
        with monkeypatch.context() as patch:
            failing = Failing(patch, at, error)
            try:
                act()
            except ResourceError as raised:
                assert raised.code == "E801"  # noqa: PT017  # any other code is a failure of the test
                ended = False
            except KeyboardInterrupt:
                ended = False
            else:
                ended = True
        yield ended
        if failing.calls < at:
            return
    pytest.fail("it never ended")


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_whichever_call_fails_a_new_run_is_whole_or_not_there(
    small: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    target, endings = tmp_path / "run", []
    for ended in every_failure(monkeypatch, error, lambda: small.save(target)):
        endings.append(ended)
        assert target.exists() or not ended
        if target.exists():
            assert same(load(target), small)
            shutil.rmtree(target)
        assert os.listdir(tmp_path) == []
    assert endings.count(False) > 10
    assert endings[-1]


@pytest.mark.parametrize("system_can_exchange", [True, False])
def test_whichever_call_fails_an_overwritten_run_is_the_old_or_the_new_one(
    small: Evaluation, other: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system_can_exchange: bool
) -> None:
    other = replace(other, per_query=None, per_class=None, neighbors=None)
    if not system_can_exchange:
        monkeypatch.setattr(disk, "_exchange", lambda *_: False)
    target = small.save(tmp_path / "run")
    failed = 0
    for ended in every_failure(monkeypatch, OSError(errno.EIO, "broken"), lambda: other.save(target, overwrite=True)):
        failed += not ended
        found = load(target)
        assert same(found, other) or (not ended and same(found, small))
        assert os.listdir(tmp_path) == ["run"]
        small.save(target, overwrite=True)
    assert failed > 10


def test_whichever_call_fails_a_single_file_is_the_old_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "page.html"
    target.write_bytes(b"old")
    write = lambda: disk.atomic_write(target, b"new")  # noqa: E731
    for ended in every_failure(monkeypatch, OSError(errno.EIO, "broken"), write):
        assert target.read_bytes() == b"new" or (not ended and target.read_bytes() == b"old")
        assert os.listdir(tmp_path) == ["page.html"]
        target.write_bytes(b"old")


def test_a_full_disk_is_told_with_what_is_needed_and_what_is_free(
    run: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ResourceError, match=r"E801 .*No space left.*[\d,]+ bytes are needed, [\d,]+ bytes are free"):
        run.save(tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_shorter_than_what_was_written_is_not_believed(
    run: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # hnswlib on a full disk reports success; some network disks do too.
    monkeypatch.setattr(os, "write", lambda _, data: len(data))
    with pytest.raises(ResourceError, match="shorter than what was written"):
        run.save(tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_a_rename_that_reports_an_error_although_it_is_done_is_done(
    run: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def retried(source: Path, target: Path) -> None:
        rename(source, target)
        raise OSError(errno.ENOENT, "an NFS client sent it twice")

    monkeypatch.setattr(os, "rename", retried)
    assert same(load(run.save(tmp_path / "run")), run)


def test_a_run_that_appears_meanwhile_is_kept(
    run: Evaluation, other: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, rename = tmp_path / "run", disk._rename

    def late(source: Path, destination: Path) -> None:
        monkeypatch.setattr(disk, "_rename", rename)
        other.save(target)
        rename(source, destination)

    monkeypatch.setattr(disk, "_rename", late)
    with pytest.raises(ResourceError, match="E801"):
        run.save(target)
    assert same(load(target), other)
    assert os.listdir(tmp_path) == ["run"]


def damaged(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


@pytest.mark.parametrize("name", ["run.json", *runs.TABLES])
def test_a_damaged_file_is_named_and_never_used(folder: Path, run: Evaluation, name: str) -> None:
    good = (folder / name).read_bytes()
    step = max(1, len(good) // 150)
    for place in range(0, len(good), step):
        (folder / name).write_bytes(damaged(good, place))
        with pytest.raises((ResourceError, FileError)) as caught:
            load(folder)
        assert caught.value.code == "E804" or (name == "run.json" and caught.value.code in {"E604", "E806"})
    (folder / name).write_bytes(good)
    assert same(load(folder), run)


@pytest.mark.parametrize("name", runs.TABLES)
@pytest.mark.parametrize("damage", ["cut", "longer", "missing", "pipe", "folder"])
def test_a_table_that_is_not_what_was_saved_is_named(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    data = path.read_bytes()
    path.unlink()
    make: dict[str, Callable[[], Any]] = {
        "cut": lambda: path.write_bytes(data[:-1]),
        "longer": lambda: path.write_bytes(data + b"x"),
        "missing": lambda: None,
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    make[damage]()
    with pytest.raises(ResourceError, match=rf"E804 {name}.*{name}"):
        load(folder)


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change run.json as somebody would who knows how its checksum is made."""
    document = json.loads((folder / "run.json").read_text())
    change(document)
    document["checksum"] = runs._checksum(document)
    (folder / "run.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["values"]["map@r"].update(value=0.99),
        lambda d: d["values"]["map@r"].update(value="<script>"),
        lambda d: d["accounting"].update(queries="many"),
        lambda d: d["notes"].append(7),
        lambda d: d["files"].update({"../../secret": {"sha256": "", "bytes": 0}}),
        lambda d: d["files"].pop("queries.parquet") and d.update(result_hash=""),
        lambda d: d.update(extra=1),
        lambda d: d.pop("settings"),
        lambda d: d["inputs"][0].update(rows=-0.5),
    ],
)
def test_a_document_that_was_edited_is_refused(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    rewrite(folder, change)
    with pytest.raises(ResourceError, match=r"E804 run\.json"):
        load(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": NaN}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}", "\xff"])
def test_a_document_that_is_not_ours_is_an_error_and_never_a_crash(folder: Path, text: str) -> None:
    (folder / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ResourceError, match=r"E804 run\.json"):
        load(folder)


def test_a_run_of_a_newer_version_says_so(folder: Path) -> None:
    rewrite(folder, lambda d: d.update(schema="tripleteval/evaluation/2"))
    with pytest.raises(ResourceError, match="E806 .*newer.*upgrade"):
        load(folder)


@pytest.mark.parametrize(("document", "command"), [("search.json", "search"), ("compare.json", "compare")])
def test_what_another_command_left_is_called_by_its_name(document: str, command: str, tmp_path: Path) -> None:
    (tmp_path / document).write_text("{}", encoding="utf-8")
    with pytest.raises(FileError, match=f"E604 not a run folder, but what tripleteval {command} found"):
        load(tmp_path)


def test_what_is_not_a_run_folder_is_refused_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(FileError, match="E604 no such run folder .*did you mean 'run'"):
        load(folder.parent / "rnu")
    with pytest.raises(FileError, match="E604 not a run folder"):
        load(folder.parent)
    with pytest.raises(FileError, match="E604"):
        load(folder / "run.json")


def test_only_runs_are_named_beside_one_that_is_not_there(
    small: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.npy").touch()
    (tmp_path / "photos").mkdir()
    with pytest.raises(FileError, match="E604 no such run folder · nope · no run is there"):
        load("nope")
    small.save("mine")
    small.save("runs/val")
    (tmp_path / "runs" / ".val.old-1").mkdir()
    (tmp_path / "runs" / ".val.old-1" / "run.json").touch()
    known = ", ".join(["mine", os.path.join("runs", "val")])
    with pytest.raises(FileError, match=f"E604 no such run folder · nope · known: {re.escape(known)}$"):
        load("nope")
    with pytest.raises(FileError, match="did you mean 'val'[?]$"):
        load("runs/vall")


def test_an_overwrite_that_was_killed_between_two_renames_says_where_the_old_run_is(folder: Path) -> None:
    folder.rename(folder.with_name(".run.old-1-abcdef00"))
    with pytest.raises(FileError, match=r"E604 .*\.run\.old-1-abcdef00"):
        load(folder)


def test_what_killed_processes_left_behind_goes_after_a_day(run: Evaluation, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = {
        "stale": f".run.tmp-{gone.pid}-deadbeef",
        "fresh": f".run.tmp-{gone.pid}-deadbeee",
        "alive": f".run.tmp-{os.getpid()}-deadbeef",
        "another": f".other.tmp-{gone.pid}-deadbeef",
    }
    for what, name in names.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").touch()
        if what != "fresh":
            os.utime(tmp_path / name, (0, time.time() - 25 * 3600))
    run.save(tmp_path / "run")
    assert set(os.listdir(tmp_path)) == {"run", names["fresh"], names["alive"], names["another"]}


def test_a_new_folder_is_never_one_that_exists(tmp_path: Path) -> None:
    root, names = tmp_path / "runs", []
    for _ in range(3):
        runs.new_run_folder(root, "val").mkdir(parents=True)
    (root / "val-4").symlink_to("nowhere")
    names = sorted(os.listdir(root))
    assert names == ["val", "val-2", "val-3", "val-4"]
    assert runs.new_run_folder(root, "val") == root / "val-5"
    assert runs.new_run_folder(root, "") == root / "run"


def test_a_name_as_long_as_names_may_be_can_still_be_saved(run: Evaluation, tmp_path: Path) -> None:
    assert same(load(run.save(runs.new_run_folder(tmp_path, "ü" * 127))), run)


def test_a_folder_nobody_may_write_to_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "run", Path("/proc/nowhere/run")):
        with pytest.raises(ResourceError, match="E801 it cannot be written"):
            runs.require_free(path)
    runs.require_free(tmp_path / "a" / "b" / "run")
    assert os.listdir(tmp_path) == ["file"]


KILLED = """
import sys
from tripleteval import evaluate
points = [[0.0], [1.0], [3.0], [7.0], [8.0], [12.0]]
both = [evaluate(points, labels) for labels in ([0, 0, 1, 0, 1, 1], [0, 0, 1, 1, 0, 1])]
both[0].save(sys.argv[1])
print("ready", flush=True)
while True:
    for one in reversed(both):
        one.save(sys.argv[1], overwrite=True)
"""


def test_a_process_killed_while_it_saves_leaves_a_whole_run(tmp_path: Path) -> None:
    allowed = {evaluate(POINTS, labels).result_hash for labels in ([0, 0, 1, 0, 1, 1], [0, 0, 1, 1, 0, 1])}
    children = [
        subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / f"run{n}")], stdout=subprocess.PIPE)
        for n in range(2)
    ] + [
        subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / f"run{n}")], stdout=subprocess.PIPE)
        for n in (2, 3)
    ]
    for number, child in enumerate(children):
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.0137 * (number + 1))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert load(tmp_path / f"run{number}").result_hash in allowed
