"""What an evaluation leaves in a journal, and what it must find there to go on."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tripleteval.data.comparison import Graded, Rule
from tripleteval.data.embeddings import Embeddings
from tripleteval.engine.edges import Tally
from tripleteval.engine.maps import shares_memory, threads
from tripleteval.engine.mutual import possible
from tripleteval.engine.run import Evidence, Pass
from tripleteval.errors import FileError, ResourceError
from tripleteval.evaluation.accounting import describe
from tripleteval.evaluation.means import Means
from tripleteval.evaluation.measure import Facts, Results
from tripleteval.evaluation.settings import Settings
from tripleteval.evaluation.summary import Measured
from tripleteval.evidence.decisions import Decisions
from tripleteval.evidence.neighbors import Neighbors
from tripleteval.evidence.pairs import Pairs, Ruler
from tripleteval.evidence.ranks import Positives, Ranks
from tripleteval.evidence.triplets import Triplets
from tripleteval.journal.folder import JOURNAL, Journal, unfinished
from tripleteval.journal.page import Pages
from tripleteval.metrics import Column
from tripleteval.metrics.separation import Separation
from tripleteval.metrics.sphere import OnSphere

_READ = (Results, Facts, Measured, Column, Separation, OnSphere)
_MERGED = (Evidence, Ranks, Positives, Triplets, Neighbors, Pairs, Ruler, Decisions, Tally)
KINDS: dict[str, type] = {kind.__name__: kind for kind in (*_READ, *_MERGED)}

Described = dict[str, Any]


def require_unsaved(resume: str | Path | Journal | None) -> None:
    """Refuse to go on with a run that is complete: it would all be computed again, and could not be saved.

    Raises:
        FileError: It is, and nothing of an unfinished one is beside it (E604).
    """
    if resume is None or isinstance(resume, Journal) or (unfinished(resume) / JOURNAL).exists():
        return
    if Path(resume).is_dir() and any(Path(resume).iterdir()):
        fix = f"load it with te.load({str(resume)!r}), or give resume= a new name"
        raise FileError("E604", "a run that is complete", where=str(resume), fix=fix)


@contextmanager
def journal_of(resume: str | Path | Journal | None) -> Iterator[Journal | None]:
    """Yield the journal, if one is wanted, and close it; one that was made from a path says here if it failed."""
    journal = resume if resume is None or isinstance(resume, Journal) else Journal(resume)
    try:
        yield journal
    finally:
        if journal is not None:
            journal.close()
    if journal is not None and journal is not resume and journal.failure is not None:
        warnings.warn(f"the run could not be resumed: {journal.failure}", RuntimeWarning, stacklevel=4)


def planned(journal: Journal | None, same: Callable[[], Described], engine: Pass, means: Means) -> tuple[Pass, Means]:
    """Return how the work is to be done: cut as it was when the journal began.

    Raises:
        ResourceError: The journal cannot be used (E803-E805).
    """
    meets = possible(engine, means.mapping)
    if journal is None:
        return engine, means._replace(kernel=engine.kernel)
    plan = {
        "memory": means.memory,
        "workers": means.workers,
        "together": means.shared,
        "kernel": engine.kernel,
        "meets": meets,
    }
    found = journal.begin(same, plan, KINDS)
    engine = replace(engine, kernel=found["kernel"])
    if found["meets"] != possible(engine, means.mapping):
        journal.close()
        raise ResourceError(
            "E805",
            "an unfinished run that was begun in one process, not on a cluster, or the other way round",
            where=str(journal.folder),
            fix="resume it where it was begun, or remove that folder to start again",
        )
    mapping = means.mapping
    if shares_memory(mapping):
        # Of threads, no more than the memory was cut for: on a cluster each worker had as much to itself.
        most = found["workers"] if found["together"] else max(means.memory // found["memory"], 1)
        mapping = threads(most) if most < means.workers else mapping
    kept = {"memory": found["memory"], "workers": found["workers"], "together": found["together"]}
    return engine, means._replace(kernel=engine.kernel, mapping=mapping, pages=Pages(journal), **kept)


def identity(
    settings: Settings, inputs: Callable[[], list[Described]], relevance: Graded | None, calibrate_on: Any
) -> Described:
    """Return what makes two runs the same: with it, every order gives the same result."""
    return {
        "tripleteval": version("tripleteval"),
        "settings": asdict(settings),
        "inputs": inputs(),
        "relevance": None if relevance is None else _digest(relevance),
        "calibrate_on": describe(calibrate_on) if isinstance(calibrate_on, Embeddings) else None,
    }


def explicit(rule: Rule) -> Graded | None:
    """Return a rule of relevance that is not told by the labels."""
    return rule if isinstance(rule, Graded) else None


def _digest(rule: Graded) -> str:
    digest = hashlib.sha256()
    for column in (rule.listed.indptr, rule.listed.rows, rule.gains):
        digest.update(column.tobytes())
    return digest.hexdigest()
