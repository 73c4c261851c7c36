"""Two runs of `evaluate`, query by query."""

from __future__ import annotations

from tripleteval.differences.compared import Compared, Runs, Wish, chosen
from tripleteval.differences.estimands import by_unit, codes_of
from tripleteval.differences.measure import paired_differences, unpaired_differences
from tripleteval.report.families import headline, headline_of_pairs
from tripleteval.report.findings.changes import changed_queries
from tripleteval.report.findings.pairing import paired as paired_rows
from tripleteval.report.findings.pairing import query_table


def compare_rankings(runs: Runs, wish: Wish) -> Compared:
    """Compare two runs by their queries, and by the units of their pairs.

    Raises:
        ParameterError: Runs with different queries (E512), or without any (E101), or by groups that one of them
            does not have (E101); a number that one of them does not have (E510).
    """
    one, two = (query_table(run, name) for run, name in zip(runs, wish.names, strict=True))
    names, decisive = chosen(runs, _usual(runs, wish.unit), wish)
    how = {"confidence": wish.confidence, "seed": wish.seed}
    codes, others = (codes_of(table, wish.unit, name) for table, name in zip((one, two), wish.names, strict=True))
    noun = codes.units.noun
    if not wish.paired:
        entries = unpaired_differences(runs, (one, two), (codes, others), names, **how)
        return Compared(entries, decisive, None, None, noun)
    rows, matched = paired_rows(one, two)
    tables = one, two.take(rows)
    entries = paired_differences(runs, tables, codes, names, **how)
    falls = entries[decisive]["better"] == "lower"
    queries = changed_queries(*tables, decisive, falls=falls) if decisive in one.column_names else None
    return Compared(entries, decisive, matched, queries, noun)


def _usual(runs: Runs, unit: str) -> list[str]:
    of_pairs = [name for name in headline_of_pairs(runs[0]) if all(by_unit(run, name, unit) for run in runs)]
    return [*headline(runs[0]), *of_pairs]
