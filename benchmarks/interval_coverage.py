"""Do the intervals hold what they promise, and does comparing models declare false winners?

Classes are drawn from a population that is as heterogeneous as real ones: some are tight, some are wide, and
some resemble each other. The truth is the mean over many such draws. An interval covers if the truth lies in it.
Beside it stands the interval that treats queries (triplets: anchors; rates of pairs: genuine pairs) as independent.
For identification as many strangers as enrolled people are drawn, and all are searched among 200 others, too.
For the comparison, two models see the same classes, each with its own luck per class; neither is better.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from clusters import report

import tripleteval as te

FARS = (0.1, 0.01, 0.001)
OF_QUERIES = ("hit_rate@1", "map@r", "triplet_satisfied@margin=0.2")
OF_PAIRS = (*(f"tar@far={far}" for far in FARS), "eer", "auc", "overlap", "d_prime", "threshold@far=0.01")
FPIRS = (0.1, 0.02)
OF_SEARCHES = ("cmc@1", *(f"tpir@fpir={fpir}" for fpir in FPIRS), *(f"threshold@fpir={fpir}" for fpir in FPIRS))
JUDGED = ("map@r", "tar@far=0.1", "tar@far=0.01", "eer", "auc", "d_prime")
DIM = 16
FAMILIES = 0.8 * np.random.default_rng(0).normal(size=(40, DIM))  # the world: classes of one family look alike


def dataset(random: np.random.Generator, classes: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors and labels of new classes of the same population."""
    centres = FAMILIES[random.integers(len(FAMILIES), size=classes)]
    centres = centres + 0.6 * random.normal(size=(classes, DIM))
    spread = np.exp(random.normal(-0.6, 0.5, size=classes))
    labels = np.repeat(np.arange(classes), each)
    return centres[labels] + spread[labels, None] * random.normal(size=(len(labels), DIM)), labels


OTHERS = dataset(np.random.default_rng(1000), 200, 1)[0]


def naive(run: te.Evaluation, name: str) -> tuple[float, float]:
    """Return the interval of a mean of independent queries, or of a share of independent pairs or searches."""
    if name in OF_PAIRS or name in OF_SEARCHES:
        count = run.accounting["genuine_pairs" if name in OF_PAIRS else "mated"]
        sd = math.sqrt(run[name] * (1 - run[name]))
    else:
        values = np.array(run.per_query[name].to_pylist())
        sd, count = values.std(ddof=1), len(values)
    half = NormalDist().inv_cdf(0.975) * sd / math.sqrt(count)
    return run[name] - half, run[name] + half


def share_holding(truth: float, intervals: list[tuple[float, float]]) -> float:
    """Return the share of the intervals that hold the truth."""
    return round(float(np.mean([low <= truth <= high for low, high in intervals])), 4)


def coverage(classes: int, each: int, repeats: int, seed: int) -> None:
    """Report how often the intervals of one design hold the truth."""
    random = np.random.default_rng(seed)
    runs = []
    for draw in range(repeats):
        vectors, labels = dataset(random, classes, each)
        runs.append(te.evaluate(vectors, labels, ks=(1,), seed=draw, neighbors=0, threads=1, fars=FARS))
    held((*OF_QUERIES, *OF_PAIRS), runs, classes, each)


def identification(classes: int, each: int, repeats: int, seed: int) -> None:
    """Report the same of identification: so many enrolled people and so many strangers, among others."""
    random, runs = np.random.default_rng(seed), []
    for draw in range(repeats):
        vectors, who = dataset(random, 2 * classes, each + 1)
        runs.append(identified(vectors, who, classes, draw))
    held(OF_SEARCHES, runs, classes, each)


def identified(vectors: np.ndarray, who: np.ndarray, classes: int, seed: int) -> te.Evaluation:
    """Enrol the first item of each of the first ``classes``, among others, and search for the rest of everybody."""
    first = np.append([True], who[1:] != who[:-1])
    enrolled = np.concatenate([vectors[first & (who < classes)], OTHERS])
    gallery = te.Embeddings(enrolled, np.append(np.arange(classes), 10_000 + np.arange(len(OTHERS))))
    probes = te.Embeddings(vectors[~first], who[~first])
    return te.evaluate_identification(probes, gallery, ks=(1,), fpirs=FPIRS, seed=seed, threads=1)


def held(names: tuple[str, ...], runs: list[te.Evaluation], classes: int, each: int) -> None:
    """Report how often the intervals of each number hold its mean over all runs."""
    for name in names:
        truth = float(np.mean([run[name] for run in runs]))
        share = min(run[name] for run in runs) >= 0 and max(run[name] for run in runs) <= 1
        report(
            question="coverage of 95 % intervals",
            metric=name,
            classes=classes,
            per_class=each,
            repeats=len(runs),
            truth=round(truth, 4),
            coverage=share_holding(truth, [run.interval(name) for run in runs]),
            naive_coverage=share_holding(truth, [naive(run, name) for run in runs]) if share else None,
            monte_carlo_error=round(math.sqrt(0.05 * 0.95 / len(runs)), 4),
        )


def false_winners(classes: int, each: int, repeats: int, seed: int) -> None:
    """Report how often two equally good models are told apart: each is lucky with other classes."""
    random = np.random.default_rng(seed)
    wins, naive_wins = dict.fromkeys((*JUDGED, *OF_SEARCHES[:3]), 0), 0
    for draw in range(repeats):
        vectors, labels = dataset(random, classes, each)
        runs = [
            te.evaluate(own, labels, ks=(1,), neighbors=0, threads=1, fars=FARS)
            for own in two_models(random, vectors, labels)
        ]
        people = dataset(random, 2 * classes, each + 1)
        searches = [identified(own, people[1], classes, draw) for own in two_models(random, *people)]
        for name in wins:
            pair = searches if name in OF_SEARCHES else runs
            wins[name] += te.compare(*pair, seed=draw, metrics=[name]).outcome != "not distinguishable"
        change = np.subtract(*(np.array(run.per_query["map@r"].to_pylist()) for run in runs))
        naive_wins += abs(change.mean()) > NormalDist().inv_cdf(0.975) * change.std(ddof=1) / math.sqrt(len(change))
    for name in wins:
        report(
            question="false winners of compare at the 5 % level",
            metric=name,
            classes=classes,
            per_class=each,
            repeats=repeats,
            rate=round(wins[name] / repeats, 4),
            naive_rate=round(naive_wins / repeats, 4) if name == "map@r" else None,
            monte_carlo_error=round(math.sqrt(0.05 * 0.95 / repeats), 4),
        )


def two_models(random: np.random.Generator, vectors: np.ndarray, labels: np.ndarray) -> Iterator[np.ndarray]:
    """Yield what two equally good models make of the same items."""
    for _ in range(2):
        luck = np.exp(random.normal(0, 0.2, size=labels[-1] + 1))
        yield vectors + 0.4 * luck[labels, None] * random.normal(size=vectors.shape)


def main() -> None:
    """Simulate several designs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", type=int, default=None, help="toy size: this many queries in all")
    options.add_argument("--classes", type=int, nargs="*", default=[30, 60, 100])
    options.add_argument("--each", type=int, default=6)
    options.add_argument("--repeats", type=int, default=400)
    options.add_argument("--only", choices=["coverage", "identification", "winners"], help="one of the questions")
    given = options.parse_args()
    repeats = given.repeats if given.n is None else max(given.n // 100, 5)
    for seed, classes in enumerate(given.classes):
        for question, answer in (("coverage", coverage), ("identification", identification)):
            if given.only in (None, question):
                answer(classes, given.each, repeats, seed)
    if given.only in (None, "winners"):
        false_winners(given.classes[0], given.each, repeats, seed=100)


if __name__ == "__main__":
    main()
