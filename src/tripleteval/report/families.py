"""Which metrics of an evaluation belong together, and the table that lists them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Table
from tripleteval.errors import ParameterError
from tripleteval.metrics import parse
from tripleteval.report.wording import interval, number, over, whole

Entry = dict[str, Any]

# The order in which people look at them; the rest follows as measured.
_FIRST = ("map@r", "hit_rate", "recall", "capped_recall", "precision", "r_precision", "ndcg", "map", "mrr", "minp")
_OF_PAIRS = ("tar@far", "eer", "auc", "d_prime")
_KNOWN_BY = ("cv_accuracy", "eer", "auc", "cmc@1", "tpir", "tar", "cmc", "d_prime")
_HEADLINE = ("map@r", "hit_rate", "recall", "mrr", "triplet_accuracy", "triplet_satisfied", "triplet_loss")


def retrieval(evaluation: Evaluation) -> dict[str, Entry]:
    """Return the metrics of rankings, the most asked for first."""
    found = {name: entry for name, entry in evaluation.metrics.items() if _kind(name) == "groups"}
    return dict(sorted(found.items(), key=lambda item: _in(item[0], _FIRST)))


def triplets(evaluation: Evaluation) -> dict[str, Entry]:
    """Return the metrics of triplets."""
    return {name: entry for name, entry in evaluation.metrics.items() if _kind(name) in ("ranks", "triplets")}


def of_pairs(evaluation: Evaluation) -> dict[str, Entry]:
    """Return the metrics of genuine and impostor pairs."""
    kinds = ("pairs", "folds", "transfer")
    return {name: entry for name, entry in evaluation.metrics.items() if _kind(name) in kinds}


def others(evaluation: Evaluation) -> dict[str, Entry]:
    """Return the metrics that none of those speaks about."""
    return {name: entry for name, entry in evaluation.metrics.items() if not _kind(name)}


def headline(evaluation: Evaluation) -> list[str]:
    """Return the few spellings that two evaluations are compared by."""
    known = [*retrieval(evaluation), *triplets(evaluation), *others(evaluation)]
    return [name for name in known if name in _HEADLINE or name.partition("@")[0] in _HEADLINE] or known[:10]


def known_by(evaluation: Evaluation) -> list[str]:
    """Return the few spellings that a run of any kind is known by: of rankings and triplets, or else of what it has."""
    places = {name: _in(name, _KNOWN_BY) for name in evaluation.metrics}
    found = sorted((name for name, at in places.items() if at < len(_KNOWN_BY)), key=places.__getitem__)
    return headline(evaluation) or found or list(places)[:10]


def headline_of_pairs(evaluation: Evaluation) -> list[str]:
    """Return the few spellings of all pairs that two evaluations are compared by: those with a better direction."""
    found = [name for name, entry in of_pairs(evaluation).items() if entry["value"] is not None]
    return sorted(
        (n for n in found if n.partition("=")[0] in _OF_PAIRS), key=lambda n: _OF_PAIRS.index(n.partition("=")[0])
    )


def usual_average(found: dict[str, Entry], pooled: str) -> str:
    """Return, in words, what most of the metrics average over; ``pooled`` names what is weighed alike."""
    averages = [over(entry.get("average"), pooled) for entry in found.values()]
    return max(averages, key=averages.count)


def metric_table(found: dict[str, Entry], pooled: str) -> Table:
    """Return one row per metric; a metric that averages over something unusual says so."""
    usual = usual_average(found, pooled)
    rows, terms = [], {}
    for name, entry in found.items():
        average = over(entry.get("average"), pooled)
        shown = name if average == usual or "median" in name else f"{name} ({average})"
        terms[shown] = name
        rows.append(
            {
                "metric": shown,
                "value": number(entry["value"]) if entry["value"] is not None else _undefined(entry),
                "interval": interval(entry.get("low"), entry.get("high"), entry["value"]),
                "chance": _number(entry.get("chance")),
                "ceiling": _number(_ceiling(entry)),
                "n": whole(entry.get("n")),
            }
        )
    heads = list(rows[0])
    return filled(Table(heads, [list(row.values()) for row in rows], frozenset(heads[1:]), terms))


def by_fold(spelling: str) -> bool:
    """Return whether the interval of a metric says what other folds would give, whatever the unit of its run is."""
    return _kind(spelling) == "folds"


def filled(table: Table) -> Table:
    """Return a table without the columns that hold nothing in any row."""
    kept = [place for place in range(len(table.columns)) if any(row[place] for row in table.rows)]
    heads = [table.columns[place] for place in kept]
    return replace(table, columns=heads, rows=[[row[place] for place in kept] for row in table.rows])


def _undefined(entry: Entry) -> str:
    return f"undefined: {entry.get('reason', '')}"


def _ceiling(entry: Entry) -> float | None:
    ceiling = entry.get("ceiling")
    return ceiling if ceiling is not None and ceiling < 1 else None


def _number(value: float | None) -> str:
    return "" if value is None else number(value)


def _kind(spelling: str) -> str:
    """Return the kind of evidence behind a metric, or nothing for one that is not registered here."""
    try:
        return parse(spelling).metric.of
    except ParameterError:
        return ""


def _in(spelling: str, order: tuple[str, ...]) -> int:
    """Return the place of a metric, or of its family, in an order that lists some of them; the end for the others."""
    family = spelling if spelling in order else spelling.partition("@")[0]
    return order.index(family) if family in order else len(order)
