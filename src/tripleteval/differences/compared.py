"""What every way of comparing two runs takes, and what it gives before anything is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tripleteval.data.evaluation import Evaluation
from tripleteval.differences.measure import Entry
from tripleteval.errors import ParameterError, nearest
from tripleteval.metrics import known_as

if TYPE_CHECKING:
    import pyarrow as pa

Runs = tuple[Evaluation, Evaluation]
IDENTITY = "identity"  # what one unit is called where people are searched for, or pairs of them are given


class Wish(NamedTuple):
    """How two runs are to be compared; see `differences.door.compare`."""

    metrics: Sequence[str] | None
    primary: str | None
    paired: bool
    confidence: float
    unit: str
    seed: int
    names: tuple[str, str]


class Compared(NamedTuple):
    """Two runs side by side.

    Attributes:
        entries: As `Differences.metrics`.
        primary: The number that decides.
        matched: What queries are matched by: ``"id"``, ``"row"``, ``"pair"``, or ``None`` where they are not.
        queries: As `Differences.queries`.
        noun: What one unit is called.
    """

    entries: dict[str, Entry]
    primary: str
    matched: str | None
    queries: pa.Table | None
    noun: str


def chosen(runs: Runs, usual: Sequence[str], wish: Wish) -> tuple[list[str], str]:
    """Return the numbers to compare, and the one that decides, which comes first.

    Args:
        runs: The two evaluations.
        usual: What is compared where nothing is asked for, as far as both have it.
        wish: What was asked for.

    Raises:
        ParameterError: A number that one of them does not have, or none at all (E510).
    """
    shared = [name for name in runs[0] if name in runs[1]]
    asked = [name for name in usual if name in shared] if wish.metrics is None else wish.metrics
    listed = [known_as(name, shared) for name in asked]
    primary = None if wish.primary is None else known_as(wish.primary, shared)
    for name in [*listed, *([] if primary is None else [primary])]:
        if name not in shared:
            raise ParameterError("E510", f"no metric {name!r} in both runs", fix=nearest(name, shared))
    if not listed and primary is None:
        raise ParameterError("E510", "no metric that both runs have", fix="evaluate both with the same ks and margins")
    decisive = primary or ("map@r" if "map@r" in listed else listed[0])
    return list(dict.fromkeys([decisive, *listed])), decisive
