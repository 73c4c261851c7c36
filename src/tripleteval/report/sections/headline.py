"""What was evaluated, and how it went, in two sentences."""

from __future__ import annotations

from typing import Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.errors import counted, plural
from tripleteval.evaluation.intervals import INDEPENDENT
from tripleteval.report.families import by_fold
from tripleteval.report.findings.chance import at_chance
from tripleteval.report.findings.threshold import recommended
from tripleteval.report.findings.worst import BY, as_bad_as_the_worst, too_few_queries, worst_first
from tripleteval.report.kinds import QUERIES, kind_of, made_from
from tripleteval.report.sections import section
from tripleteval.report.wording import brief, label, number, percent, plain, whole


@section("headline", place=10)
def headline(evaluation: Evaluation) -> Section:
    """Say who was compared with whom, and the one number most people came for."""
    title = f"Evaluation of {made_from(evaluation)}" if evaluation.inputs else "Evaluation"
    # A line for each question that people come with, so that an answer is found by its place.
    said = [_what(evaluation), f"{_verdict(evaluation)} {_worst(evaluation)}".strip(), *_training(evaluation)]
    said += [*_accepted(evaluation), *_weakest(evaluation), _sure(evaluation)]
    return Section(title, "\n".join(line for line in said if line), [_inputs(evaluation)])


def _what(evaluation: Evaluation) -> str:
    counts, distance = evaluation.accounting, evaluation.settings.get("distance", "euclidean")
    kind = kind_of(evaluation)
    if kind is not QUERIES:
        return f"{counted(counts.get(kind.asked, 0), kind.noun)}, by {distance} distance."
    classes = counts.get("classes")
    among = counted(counts["gallery"], "item") + (f" of {counted(classes, 'class')}" if classes else "")
    own = ", each among all the others" if len(evaluation.inputs) == 1 else ""
    return f"{counted(counts['queries'], 'query')} searched among {among}{own}, by {distance} distance."


def _verdict(evaluation: Evaluation) -> str:
    for spelling, sentence in (
        ("hit_rate@1", "The nearest item is {kind} for {share} of {them}"),
        ("triplet_accuracy", "The positive is nearer than the negative in {share} of the triplets"),
        ("cmc@1", "The closest identity is the right one for {share} of the probes that are enrolled"),
        ("cv_accuracy", "A threshold chosen on the other folds decides {share} of the pairs rightly"),
        ("eer", "One threshold decides {share} of the pairs of either kind wrongly"),
    ):
        entry = evaluation.metrics.get(spelling)
        if entry is not None and entry["value"] is not None:
            kind = "of the query's own class" if evaluation.accounting.get("classes") else "relevant"
            said = sentence.format(kind=kind, share=percent(entry["value"]), them=_them(evaluation))
            return said + _scale(evaluation, entry)
    return ""


def _training(evaluation: Evaluation) -> list[str]:
    """Return, at the first margin, what share of the triplets training would still work on."""
    margin = plain(float(next(iter(evaluation.settings.get("margins", [])), 0)))
    at = f"@margin={margin}"
    satisfied, hard = (evaluation.metrics.get(f"{name}{at}", {}).get("value") for name in ("triplet_satisfied", "hard"))
    if satisfied is None or hard is None:
        return []
    share = f"At margin {margin}, {percent(satisfied)} of the triplets are satisfied"
    return [f"{share}, and in {percent(hard)} the negative is as near as the positive, or nearer."]


def _accepted(evaluation: Evaluation) -> list[str]:
    """Return the threshold that the page proposes, with what it lets in and keeps."""
    chosen = recommended(evaluation.metrics)
    if chosen is None:
        return []
    rates = f"{percent(chosen['value'])} of the genuine pairs and {percent(chosen['achieved_far'])} of the impostors"
    where = ""
    if chosen["calibrated"]:
        where = f", chosen on {counted(evaluation.accounting['calibration']['identities'], 'other identity')},"
    return [f"A threshold of {number(chosen['threshold'])}{where} accepts {rates}."]


def _weakest(evaluation: Evaluation) -> list[str]:
    """Return the class that stands first among the worst, where there are several and not all are equal."""
    table = evaluation.per_class
    if table is None or "map@r" not in table.column_names or table.num_rows < 3 or too_few_queries(table):
        return []
    ordered = worst_first(table)
    alike = as_bad_as_the_worst(ordered)
    if alike == ordered.num_rows or at_chance(evaluation):
        return []
    name, lowest = brief(ordered["label"][0].as_py()), number(ordered[BY][0].as_py())
    if alike > 1:
        return [f"Worst are {counted(alike, 'class')} with {BY} {lowest}, such as {name}."]
    return [f"Worst class: {name}, with {BY} {lowest}."]


def _them(evaluation: Evaluation) -> str:
    counts = evaluation.accounting
    whole_set = counts.get("evaluated") == counts.get("queries")
    return "them" if whole_set else f"the {whole(counts.get('evaluated'))} that can be evaluated"


def _scale(evaluation: Evaluation, entry: dict[str, Any]) -> str:
    chance, low, high = (entry.get(name) for name in ("chance", "low", "high"))
    around = [] if low is None or high is None else [f"{percent(low)} to {percent(high)}"]
    around += [] if chance is None else [f"by chance {percent(chance)}"]
    by_chance = f" ({'; '.join(around)})" if around else ""
    ranking = evaluation.metrics.get("map@r", {}).get("value")
    return by_chance + (f"; map@r is {number(ranking)}." if ranking is not None else ".")


def _worst(evaluation: Evaluation) -> str:
    entry = evaluation.metrics.get("hit_rate@1", {})
    worst, units = entry.get("worst_tenth"), entry.get("units", 0)
    if worst is None or units < 10 or entry.get("interval") is None:
        return ""
    return f"In the worst tenth of the classes the nearest item is right for {percent(worst)} (shrunken hit_rate@1)."


def _sure(evaluation: Evaluation) -> str:
    known = [name for name, entry in evaluation.metrics.items() if entry.get("interval")]
    if not known:
        return ""
    folds = [name for name in known if by_fold(name)]
    given = evaluation.settings
    unit = "query" if INDEPENDENT in evaluation.notes else given.get("unit", "class")
    others = plural("fold" if len(folds) == len(known) else unit)
    said = f"Intervals, at {given.get('confidence', 0.95) * 100:g} %, say what other {others} like these would give"
    return f"{said}; that of {folds[0]}, what other folds would." if 0 < len(folds) < len(known) else f"{said}."


def _inputs(evaluation: Evaluation) -> Table:
    heads = ["set", "rows", "dim", "dtype", "sha256"]
    rows = [
        [label(i.get("name", "")), whole(i.get("rows")), whole(i.get("dim")), label(i.get("dtype", "")), _short(i)]
        for i in evaluation.inputs
    ]
    if "gallery" in evaluation.accounting and len(rows) == 2:
        heads, rows = ["", *heads], [["queries", *rows[0]], ["gallery", *rows[1]]]
    return Table(heads, rows, frozenset({"rows", "dim"}))


def _short(given: dict[str, Any]) -> str:
    return label(given.get("sha256", ""))[:12]
