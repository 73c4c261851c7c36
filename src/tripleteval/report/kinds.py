"""What a run asks, and of what: queries in a gallery, probes among the enrolled, given pairs or given triplets."""

from __future__ import annotations

from typing import NamedTuple

from tripleteval.data.evaluation import Evaluation
from tripleteval.report.wording import label, listed


class Kind(NamedTuple):
    """One kind of run.

    Attributes:
        noun: One thing that such a run asks.
        asked: How many there are, as a name in the accounting.
    """

    noun: str
    asked: str


QUERIES = Kind("query", "queries")
_PROBES, _PAIRS, _TRIPLETS = Kind("probe", "probes"), Kind("given pair", "pairs"), Kind("given triplet", "triplets")


def kind_of(evaluation: Evaluation) -> Kind:
    """Return the kind of a run."""
    if "identification" in evaluation.settings:
        return _PROBES
    if "pairs" in evaluation.settings:
        return _PAIRS
    return QUERIES if "queries" in evaluation.accounting else _TRIPLETS


def made_from(evaluation: Evaluation) -> str:
    """Return the names of what was evaluated; only a gallery is searched by what stands before it."""
    names = [label(given.get("name", "embeddings")) for given in evaluation.inputs]
    if not evaluation.accounting.keys() & {"gallery", "probes"}:
        return listed(names) if names else ""
    if len(names) == 2 and names[0] == names[1]:
        names = [f"{names[0]}, one part", "another"]
    return " against ".join(names)
