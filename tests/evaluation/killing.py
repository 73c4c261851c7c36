"""Kill or interrupt a run again and again at random moments, resume it each time, and say what became of it.

A program of its own: every attempt is a fork of a process in which everything is imported and compiled, so that a
few hundredths of a second are enough for one. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import tripleteval as te
from tripleteval.engine import mutual, plan
from tripleteval.evaluation.measure import Reading
from tripleteval.journal import folder as journal

THREADS, INTERRUPTED = 2, 130
QUERIES, GALLERY, DIM, CLASSES = 600, 600, 16, 18
BLOCK, STANDING = 16, 80  # queries: small, so that there are many orders in little time


def made(seed: int, n: int) -> te.Embeddings:
    """Return items around a few centres."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, n)
    centres = np.random.default_rng(0).normal(size=(CLASSES, DIM))
    return te.Embeddings((centres[labels] + rng.normal(size=(n, DIM))).astype(np.float32), labels, ids=range(n))


ASKED = made(1, QUERIES)
SEARCHED = te.Embeddings(made(2, GALLERY).vectors, made(2, GALLERY).labels)
HOW: dict[str, dict[str, Any]] = {
    "orders": {"gallery": SEARCHED, "verification": False},
    "sweep": {"verification": False},
    "everything": {"gallery": SEARCHED, "calibrate_on": 0.5, "sample": 400},
}


def evaluation(how: str, **more: Any) -> te.Evaluation:
    """Return one of the evaluations that are killed."""
    return te.evaluate(ASKED, kernel="cpu", threads=THREADS, neighbors=3, ks=(1, 3), **HOW[how], **more)


def counted(file: int) -> None:
    """Write a letter for every order that is computed, and for every two blocks that meet."""
    read, meet = Reading.__call__, mutual._meet

    def reading(self: Any, order: Any) -> Any:
        result = read(self, order)
        os.write(file, b"o")
        return result

    def meeting(*given: Any) -> Any:
        result = meet(*given)
        os.write(file, b"m")
        return result

    Reading.__call__ = reading  # type: ignore[method-assign]
    mutual._meet = meeting


def attempt(how: str, run: Path, kill_after: float | None, sent: int = signal.SIGKILL) -> bool:
    """Return whether a child that evaluates and saves was done before it was killed, or told to stop."""
    child = os.fork()
    if child == 0:
        try:
            evaluation(how, resume=run).save(run)
        except KeyboardInterrupt:
            os._exit(INTERRUPTED)
        except BaseException as error:  # noqa: BLE001  # told to whoever reads the test
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, sent)
    _, status = os.waitpid(child, 0)
    ended = os.WEXITSTATUS(status) if os.WIFEXITED(status) else INTERRUPTED
    if ended not in {0, INTERRUPTED}:
        raise SystemExit("a resumed run failed")
    return ended == 0


def main(kills: int, seed: int, root: Path) -> None:
    """Kill as often as is asked for, and print what happened."""
    journal.AFTER = 0.0
    plan.MOST_QUERIES, plan.MOST_QUERIES_MUTUAL = BLOCK, STANDING
    letters = os.open(root / "letters", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    counted(letters)
    draw, found = random.Random(seed), Counter[str]()
    hashes, seconds, orders = {}, {}, {}
    for how in HOW:
        hashes[how] = evaluation(how).result_hash
        os.ftruncate(letters, 0)
        started = time.monotonic()
        attempt(how, root / how, None)
        seconds[how] = time.monotonic() - started
        orders[how] = Counter(os.pread(letters, 10**6, 0).decode())
        shutil.rmtree(root / how)
    while found["kills"] < kills:
        how = list(HOW)[found["runs"] % len(HOW)]
        run = root / f"{how}-{found['runs']}"
        os.ftruncate(letters, 0)
        killed = 0
        while True:
            sent = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT])
            if attempt(how, run, draw.uniform(0, seconds[how]) if killed < draw.randint(1, 4) else None, sent):
                break
            killed += 1
            found[sent.name] += 1
            if run.exists() and not (journal.unfinished(run) / journal.JOURNAL).exists():
                break  # saved, and killed while the journal was removed
        done = Counter(os.pread(letters, 10**6, 0).decode())
        found["runs"] += 1
        found["kills"] += killed
        found["wrong"] += te.load(run).result_hash != hashes[how]
        if how == "orders":  # beyond what was in flight, or waited for its turn
            found["again"] += max(0, done["o"] - orders[how]["o"] - 2 * THREADS * killed)
            found["orders"] += orders[how]["o"]
            found["computed"] += done["o"]
        shutil.rmtree(run)
        shutil.rmtree(journal.unfinished(run), ignore_errors=True)
        for left in root.glob(f".{run.name}.tmp-*"):
            shutil.rmtree(left)
        found["left"] += sorted(path.name for path in root.iterdir()) != ["letters"]
    print(json.dumps({**found, "seconds": seconds, "in_one_go": {how: dict(count) for how, count in orders.items()}}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
