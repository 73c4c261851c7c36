"""Backends that lie, hang and die, each on purpose."""

# ruff: noqa: ARG001, ARG004, ARG005  # a lie need not look at everything

from __future__ import annotations

import os
import signal
import tempfile
import time

import numpy as np

from tripleteval.search import Backend


class Liar:
    """Exact search, and then the lie."""

    def __init__(self, gallery, lie):
        self.gallery, self.lie = gallery, lie

    def search(self, queries, k, params):
        far = np.square(queries[:, None].astype(float) - self.gallery[None]).sum(axis=2)
        rows = np.argsort(far, axis=1, kind="stable")[:, :k]
        return self.lie(queries, rows, np.take_along_axis(far, rows, axis=1), params)

    def save(self, path):
        if self.lie is not no_file:
            np.save(path + ".npy", self.gallery)
            os.rename(path + ".npy", path)


def backend(lie, **facts) -> Backend:
    class Kind:
        @staticmethod
        def build(gallery, how):
            return Liar(gallery, lie)

        @staticmethod
        def load(path, how):
            with open(path, "rb") as file:
                return Liar(np.load(file), lie)

    return Backend("fake", Kind, **facts)


def put(rows, squared, place, row=None, far=None):
    """Change one neighbour of the third query."""
    rows, squared = rows.copy(), squared.copy()
    if row is not None:
        rows[2, place] = row
    if far is not None:
        squared[2, place] = far
    return rows, squared


def poisoned(what):
    """Do something terrible as soon as a query starts with the value 0.75."""

    def lie(queries, rows, squared, params):
        if (queries[:, 0] == 0.75).any():
            what()
        return rows, squared

    return lie


def no_file(queries, rows, squared, params):
    return rows, squared


def raises():
    raise RuntimeError("no space for edges")


def takes_memory():
    np.ones(2**29)


def half(queries, rows, squared, params):
    """Find the nearer half of what was asked for."""
    late = np.arange(rows.shape[1]) >= rows.shape[1] // 2
    return np.where(late, -1, rows), np.where(late, np.inf, squared)


def without_nan(queries, rows, squared, params):
    if np.isnan(queries).any() or np.isnan(squared).any():
        raise ValueError("a row with NaN")
    return rows, squared


class Spendthrift:
    """Takes 200 MB while it builds, and keeps none of it."""

    @staticmethod
    def build(gallery, how):
        np.ones(25_000_000).sum()
        return Liar(gallery, lambda q, r, s, p: (r, s))

    @staticmethod
    def load(path, how):
        with open(path, "rb") as file:
            return Liar(np.load(file), lambda q, r, s, p: (r, s))


wasteful = Backend("fake", Spendthrift)
quantised_backwards = backend(lambda q, r, s, p: (r[:, ::-1], np.sort(s, axis=1)), faithful=False)
forgets_half = backend(half)
refuses_nan = backend(without_nan)
aborts_always = backend(lambda q, r, s, p: os.abort())
litters = backend(lambda q, r, s, p: (tempfile.mkdtemp(prefix="litter"), (r, s))[1])
honest = backend(lambda q, r, s, p: (r, s), search_grid={"effort": (1,)})
pads = backend(lambda q, r, s, p: put(r, s, -1, -1, np.inf))
gap = backend(lambda q, r, s, p: put(r, s, 1, -1))
repeats = backend(lambda q, r, s, p: put(r, s, 1, r[2, 0]))
beyond = backend(lambda q, r, s, p: put(r, s, 0, 10**6))
below = backend(lambda q, r, s, p: put(r, s, 0, -7))
not_a_number = backend(lambda q, r, s, p: put(r, s, 1, far=np.nan))
infinite = backend(lambda q, r, s, p: put(r, s, -1, far=np.inf))
negative = backend(lambda q, r, s, p: put(r, s, 0, far=-1.0))
unsorted = backend(lambda q, r, s, p: (r[:, ::-1], s[:, ::-1]))
wrong = backend(lambda q, r, s, p: (r, s + 1.0))
swapped = backend(lambda q, r, s, p: (np.roll(r, 1, axis=1), s))
floats = backend(lambda q, r, s, p: (r.astype(float), s))
too_few = backend(lambda q, r, s, p: (r[:, :-1], s[:, :-1]))
own_id = backend(lambda q, r, s, p: (r, s))
aborts = backend(poisoned(os.abort))
killed = backend(poisoned(lambda: os.kill(os.getpid(), signal.SIGKILL)))
leaves = backend(poisoned(lambda: os._exit(3)))
hangs = backend(poisoned(lambda: time.sleep(600)))
refuses = backend(poisoned(raises))
greedy = backend(poisoned(takes_memory))
forgets = backend(no_file)
chatty = backend(lambda q, r, s, p: (print('{"seconds": "lies"}'), (r, s))[1])
not_a_backend = "a string"
