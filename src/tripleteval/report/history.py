"""Many runs in a list: what each was, how it went, and how that moved."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section, Table
from tripleteval.errors import FileError, ParameterError, ResourceError, counted, nearest, printable
from tripleteval.journal.folder import JOURNAL, SUFFIX
from tripleteval.metrics import known_as
from tripleteval.report.families import known_by
from tripleteval.report.kinds import QUERIES, kind_of, made_from
from tripleteval.report.search_folder import SEARCH
from tripleteval.report.wording import UNSURE, label, listed, number, whole
from tripleteval.runs import RUN, load

_BLOCKS = "▁▂▃▄▅▆▇█"
_TESTS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_DEPTH = 3
_MOST_SHOWN = 4
_RULES = (
    *("distance", "ties", "average", "ignore", "ignore_label", "nonfinite", "zero_rows"),
    *("sample", "precision", "identification", "pairs", "triplets"),
)


@dataclass(frozen=True)
class Past:
    """A run that was found.

    Attributes:
        name: Its folder, as seen from where the search began.
        saved: When ``run.json`` was written, in seconds since 1970.
        evaluation: Its numbers, without tables; ``None`` where it cannot be read.
        problem: Why it cannot be read.
    """

    name: str
    saved: float
    evaluation: Evaluation | None
    problem: str = ""

    def value(self, spelling: str) -> float | None:
        """Return one number, or ``None`` where the run does not have it."""
        entry = None if self.evaluation is None else self.evaluation.metrics.get(spelling)
        return None if entry is None else entry["value"]

    def unsure(self, spelling: str) -> bool:
        """Return whether one number is a rate that is not reliable."""
        entry = None if self.evaluation is None else self.evaluation.metrics.get(spelling)
        return bool(entry and entry.get("unreliable"))


def found(root: str | Path) -> list[Past]:
    """Return the runs in a folder and below, the oldest first; what cannot be read is there with its reason.

    Raises:
        FileError: No such folder (E601), a file instead (E601), or no run in it (E604).
    """
    if Path(root).is_file():
        fix = "name the folder that holds the runs"
        raise FileError("E601", "a file, where a folder of runs is expected", where=str(root), fix=fix)
    if not Path(root).is_dir():
        raise FileError("E601", "no such folder", where=str(root), fix="name the folder that holds the runs")
    runs = [_past(folder, Path(root)) for folder in _folders(Path(root), _DEPTH)]
    if not runs:
        fix = "tripleteval evaluate makes runs; by default in runs/"
        if aside := searches(root):
            shown = printable(str(Path(root) / aside[0]))
            fix = f"tripleteval report shows what tripleteval search found, such as {shown}; {fix}"
        if begun := unfinished_runs(root):
            shown = printable(str(Path(root) / begun[0]))
            fix = f"if {shown} was interrupted, give the same command with --resume {shown}"
        raise FileError("E604", "no run in this folder", where=str(root), fix=fix)
    return sorted(runs, key=lambda run: (run.saved, run.name))


def searches(root: str | Path) -> list[str]:
    """Return the folders there that `tripleteval search` made: they are no runs, and have numbers of their own."""
    return [printable(os.path.relpath(folder, root)) for folder in _folders(Path(root), _DEPTH, SEARCH)]


def unfinished_runs(root: str | Path) -> list[str]:
    """Return the runs there that are being made, or were interrupted: what each is to become."""
    begun = _folders(Path(root), _DEPTH, JOURNAL)
    names = [os.path.relpath(folder, root) for folder in begun if folder.name.endswith(SUFFIX)]
    return [printable(name.removesuffix(SUFFIX)) for name in names]


def chosen(runs: Sequence[Past], tests: Sequence[str]) -> Sequence[Past]:
    """Return the runs that pass every test such as ``"recall@10>=0.9"``; a run without the number does not.

    Raises:
        ParameterError: It is not a metric, a comparison and a number (E101), or no run has such a metric (E510).
    """
    kept = runs
    for test in tests:
        match = re.fullmatch(r"\s*([^<>=]+(?:=[^<>=]+)??)\s*(>=|<=|>|<)\s*([-+.\deE]+)\s*", test)
        try:
            spelling, holds, limit = (match[1].strip(), _TESTS[match[2]], float(match[3])) if match else ("", None, 0.0)
        except ValueError:
            holds = None
        if holds is None:
            fix = "write a metric, one of > >= < <=, and a number, such as 'recall@10>=0.9'"
            raise ParameterError("E101", f"the test {test!r}", fix=fix)
        (spelling,) = known_in(runs, [spelling])
        kept = [run for run in kept if (value := run.value(spelling)) is not None and holds(value, limit)]
    return kept


def arranged(runs: Sequence[Past], by: str, *, descending: bool = False) -> list[Past]:
    """Return runs by ``"saved"``, ``"name"`` or a metric; those without the number come last.

    Raises:
        ParameterError: No run has such a metric (E510).
    """
    if by in {"saved", "name"}:
        return sorted(runs, key=lambda run: (getattr(run, by), run.name), reverse=descending)
    (by,) = known_in(runs, [by])
    having = [run for run in runs if run.value(by) is not None]
    having.sort(key=lambda run: run.value(by) or 0.0, reverse=descending)
    return having + [run for run in runs if run.value(by) is None]


def known_in(runs: Sequence[Past], spellings: Iterable[str]) -> list[str]:
    """Return how the runs spell these metrics; where no run can be read, every one may have been meant.

    Raises:
        ParameterError: No run has such a metric (E510).
    """
    known = {spelling for run in runs for spelling in (run.evaluation or {})}
    spelled = [known_as(spelling, known) for spelling in spellings]
    for spelling in spelled:
        if known and spelling not in known:
            raise ParameterError("E510", f"no run with a metric {spelling!r}", fix=nearest(spelling, known))
    return spelled


def headlines(runs: Sequence[Past]) -> list[str]:
    """Return the few metrics that most of the runs are known by, with one at least for each kind of run."""
    known = [known_by(run.evaluation) for run in runs if run.evaluation is not None]
    spellings = [name for names in known for name in names]
    frequent = sorted(dict.fromkeys(spellings), key=lambda name: -spellings.count(name))
    needed: list[str] = []  # a number of every run, however few are of its kind
    for names in known:
        if names and not set(names) & set(needed):
            needed.append(min(names, key=frequent.index))
    return sorted(list(dict.fromkeys([*needed, *frequent]))[:_MOST_SHOWN], key=frequent.index)


def history(
    runs: Sequence[Past], spellings: Sequence[str], aside: Sequence[str] = (), begun: Sequence[str] = ()
) -> Section:
    """Return runs as a table, and each metric as a line over time.

    Args:
        runs: The rows.
        spellings: The metrics.
        aside: Folders of `searches`.
        begun: What `unfinished_runs` found.
    """
    heads = ["run", "saved", "made from", "queries", *spellings]
    rows = [_row(run, spellings) for run in runs]
    lines = [_line(what, alike, spelling) for what, alike in _alike(runs) for spelling in spellings]
    problems = [f"{label(run.name)} cannot be read: {label(run.problem)}" for run in runs if run.problem]
    said = [counted(len(runs), "run") + ".", *(line for line in lines if line), *problems]
    said += [*_not_finished(begun), *_not_listed(aside)]
    if any(run.unsure(spelling) for run in runs for spelling in spellings):
        said.append(f"* {UNSURE}.")
    table = Table(heads, rows, frozenset({"queries", *spellings}), {name: name for name in spellings})
    return Section("Runs", "\n".join(said), [table], level="warning" if problems else "plain")


def _not_finished(begun: Sequence[str]) -> list[str]:
    how = "those that were interrupted go on with the same command and --resume"
    return [f"Not finished: {_few(begun)}; {how}."] if begun else []


def _not_listed(aside: Sequence[str]) -> list[str]:
    how = "tripleteval report shows what it found"
    return [f"Not listed: {_few(aside)}, by tripleteval search; {how}."] if aside else []


def _few(names: Sequence[str]) -> str:
    more = [f"{len(names) - _MOST_SHOWN} more"] if len(names) > _MOST_SHOWN else []
    return listed([*map(label, names[:_MOST_SHOWN]), *more])


def fitted(section: Section, width: int) -> Section:
    """Return the list of runs with as many columns as stand beside each other in a terminal, and what is left out.

    The time of day goes first, then how many queries there are and what runs were made from, metrics from the right,
    and at last the day. The name and one metric stay.
    """
    (table,) = section.tables
    columns = [[head, *(label(row[place]) for row in table.rows)] for place, head in enumerate(table.columns)]
    if _width(columns) > width:
        columns[1] = [cell.partition(" ")[0] for cell in columns[1]]
    left_out = []
    for head in ("queries", "made from", *reversed(table.columns[5:]), "saved"):
        if _width(columns) > width:
            columns = [column for column in columns if column[0] != head]
            left_out.append(head)
    if left_out:
        said = f"Too narrow for {listed(map(label, left_out))}: make the window wider, or see --json."
        section = replace(section, text=f"{section.text}\n{said}")
    heads, *rows = zip(*columns, strict=True)
    return replace(section, tables=[replace(table, columns=heads, rows=rows)])


def _width(columns: Sequence[Sequence[str]]) -> int:
    """Return the cells of a terminal that columns take, with the three that are between two of them."""
    from rich.cells import cell_len

    return sum(max(map(cell_len, column)) for column in columns) + 3 * (len(columns) - 1)


def sparkline(values: Sequence[float]) -> str:
    """Return values as blocks of eight heights; all in the middle where they are equal."""
    low, high = min(values), max(values)
    if low == high:
        return _BLOCKS[3] * len(values)
    return "".join(_BLOCKS[min(7, int(8 * (value - low) / (high - low)))] for value in values)


def _alike(runs: Sequence[Past]) -> list[tuple[str, list[Past]]]:
    """Return the runs made from the same sets by the same rules, oldest first, under a name: only those are one line.

    Rules are named where there is another line of the same sets.
    """
    groups: dict[tuple[str, ...], list[Past]] = {}
    for run in sorted(runs, key=lambda run: run.saved):
        if run.evaluation is not None:
            groups.setdefault((made_from(run.evaluation), *_rules(run.evaluation)), []).append(run)
    lines = {rules: group for rules, group in groups.items() if len(group) > 1}
    named = []
    for rules, group in lines.items():
        others = [other for other in groups if other[0] == rules[0]]
        differing = [rule for place, rule in enumerate(rules) if len({other[place] for other in others}) > 1]
        named.append((f"{rules[0]} ({', '.join(differing)})" if differing else rules[0], group))
    return named[:_MOST_SHOWN]


def _rules(evaluation: Evaluation) -> list[str]:
    """Return what the numbers depend on beside the sets and the model, in words."""
    settings, counts = evaluation.settings, evaluation.accounting
    gallery = counts.get("gallery", counts.get("templates"))
    asked = kind_of(evaluation).asked
    sizes = [
        f"{whole(counts.get(asked))} {asked}",
        "no gallery" if gallery is None else f"{whole(gallery)} in the gallery",
        "no folds" if "folds" not in counts else f"{whole(counts['folds'])} folds",
    ]
    chosen = [(name.replace("_", " "), settings.get(name)) for name in _RULES]
    return [*(f"no {name}" if value is None else f"{name} {label(value)}" for name, value in chosen), *sizes]


def _line(what: str, runs: Sequence[Past], spelling: str) -> str:
    values = [value for run in runs if (value := run.value(spelling)) is not None]
    if len(values) < 2:
        return ""
    moved = f"{sparkline(values)} {number(values[0])} to {number(values[-1])}"
    return f"{what}, {spelling} over time: {moved}"


def _asked(evaluation: Evaluation) -> str:
    """Return how many queries a run asked; what else it asked is named."""
    kind = kind_of(evaluation)
    shown = whole(evaluation.accounting.get(kind.asked))
    return shown if kind is QUERIES else f"{shown} {kind.asked}"


def _row(run: Past, spellings: Sequence[str]) -> list[str]:
    saved = datetime.fromtimestamp(run.saved, UTC).strftime("%Y-%m-%d %H:%M")
    if run.evaluation is None:
        return [label(run.name), saved, "cannot be read", "", *("" for _ in spellings)]
    asked = [made_from(run.evaluation), _asked(run.evaluation)]
    return [label(run.name), saved, *asked, *(_cell(run, spelling) for spelling in spellings)]


def _cell(run: Past, spelling: str) -> str:
    value = run.value(spelling)
    return "" if value is None else f"{'* ' if run.unsure(spelling) else ''}{number(value)}"


def _past(folder: Path, root: Path) -> Past:
    saved = (folder / RUN).stat().st_mtime
    name = printable(os.path.relpath(folder, root))
    try:
        return Past(name, saved, load(folder, tables=False))
    except (FileError, ResourceError) as error:
        return Past(name, saved, None, error.found)


def _folders(folder: Path, depth: int, document: str = RUN) -> Iterator[Path]:
    if (folder / document).is_file():
        yield folder
        return
    if depth:
        below: list[Path] = []
        with suppress(FileNotFoundError):  # a run that is complete by now has removed its journal
            below = [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
        for path in sorted(below):
            if not path.name.startswith("."):  # what an interrupted save left behind
                yield from _folders(path, depth - 1, document)
