"""Two runs of given pairs: the same identities, or the same folds, in both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tripleteval.arrays import Floats
from tripleteval.bounds import SHARE
from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.compared import IDENTITY, Compared, Runs, Wish, chosen
from tripleteval.differences.estimands import both_by_unit
from tripleteval.differences.measure import Entry, add_p, added_by_unit, entry_of, json_of
from tripleteval.errors import ParameterError
from tripleteval.report.families import headline_of_pairs
from tripleteval.report.findings.changes import changed_queries
from tripleteval.report.findings.pairing import query_table
from tripleteval.uncertainty.interval import FEWEST, Interval, none_of
from tripleteval.uncertainty.paired import paired_intervals
from tripleteval.uncertainty.quantiles import half_width

if TYPE_CHECKING:
    import pyarrow as pa

FOLDED = "cv_accuracy"


def of_given_pairs(run: Evaluation) -> bool:
    """Return whether ``tripleteval pairs`` made the run."""
    return run.settings.get("pairs") == "given"


def compare_given_pairs(runs: Runs, wish: Wish) -> Compared:
    """Compare two runs by what each identity makes of a number, and the accuracy over folds fold by fold.

    Raises:
        ParameterError: Runs with different pairs or folds (E512), or without their tables (E101); a number that one
            of them does not have (E510).
    """
    one, two = (query_table(run, name) for run, name in zip(runs, wish.names, strict=True))
    _require_same_pairs(one, two)
    names, decisive = chosen(runs, [FOLDED, *headline_of_pairs(runs[0])], wish)
    entries: dict[str, Entry] = {}
    added: dict[str, Floats] = {}
    for name in names:
        entry = entry_of(runs, name)
        if name == FOLDED:
            said = _by_fold(runs, wish)
        elif (found := _by_identity(runs, name, wish)) is not None:
            said, added[name] = found
        else:
            said = None
        entries[name] = entry | (said or {"reason": "no interval in one of the runs, or other folds"})
    add_p(entries, added, wish.seed)
    queries = None
    if decisive == FOLDED:
        queries = changed_queries(_with_hits(one, runs[0]), _with_hits(two, runs[1]), FOLDED)
    return Compared(entries, decisive, "pair", queries, IDENTITY)


def _require_same_pairs(one: pa.Table, two: pa.Table) -> None:
    if one.num_rows != two.num_rows:
        found = f"runs with different pairs: {one.num_rows:,} in the first, {two.num_rows:,} in the second"
        raise ParameterError("E512", found, fix="measure both on the same pairs, in the same order")
    for name in ("same", "fold"):
        if name not in one.column_names or name not in two.column_names:
            continue
        columns = one[name].to_pylist(), two[name].to_pylist()
        differing = next((row for row, (x, y) in enumerate(zip(*columns, strict=True)) if x != y), None)
        if differing is not None:
            x, y = (column[differing] for column in columns)
            found = f"runs with different pairs: {name} of pair {differing} is {x} in the first and {y} in the second"
            raise ParameterError("E512", found, fix="measure both on the same pairs, in the same order")


def _by_identity(runs: Runs, name: str, wish: Wish) -> tuple[Entry, Floats] | None:
    found = both_by_unit(runs, name, IDENTITY)
    if found is None:
        return None
    one, two, members = found
    (interval,) = paired_intervals([(one, two)], confidence=wish.confidence, seed=wish.seed, noun=IDENTITY)
    return json_of(interval) | {"units": members}, added_by_unit(one, two)


def _by_fold(runs: Runs, wish: Wish) -> Entry | None:
    """Return the corrected t interval of the mean difference; sign flips would take folds for independent.

    Folds share what their thresholds are chosen on, so that two equally good models seem to differ in one case of
    ten. The correction adds to 1 / folds the share of a fold in what its threshold is chosen on.

    Source:
        Nadeau & Bengio 2003, "Inference for the generalization error", the corrected resampled t test.
    """
    one, two = (run.metrics[FOLDED].get("folds") for run in runs)
    if not one or not two or [fold["fold"] for fold in one] != [fold["fold"] for fold in two]:
        return None
    change = np.array([y["accuracy"] - x["accuracy"] for x, y in zip(one, two, strict=True)])
    folds = len(change)
    if folds < FEWEST:
        return json_of(none_of(folds, "fold")) | {"noun": "fold"}
    error = float(change.std(ddof=1)) * math.sqrt(1 / folds + 1 / (folds - 1))
    mean, half = float(change.mean()), half_width(error, folds, wish.confidence)
    return json_of(Interval(*SHARE.minus(SHARE).cut(mean - half, mean + half), "t", folds)) | {"noun": "fold"}


def _with_hits(table: pa.Table, run: Evaluation) -> pa.Table:
    """Return the table with whether the threshold of the other folds decides each pair rightly."""
    import pyarrow as pa

    folds, same = np.array(table["fold"].to_pylist()), table["same"].to_numpy()
    right = np.zeros(len(same))
    for fold in run.metrics[FOLDED].get("folds", []):
        held, cut = folds == fold["fold"], fold["threshold"]
        if cut is None:  # beyond every distance, on the side that gives this accuracy
            cut = -np.inf if np.isclose(fold["accuracy"], 1 - same[held].mean()) else np.inf
        right[held] = (table["distance"].to_numpy()[held] <= cut) == same[held]
    return table.append_column(FOLDED, pa.array(right))
