"""A report as Markdown, for pull requests: tables and sentences in which data stays data.

What could become mark-up, a link or a mention is written as a character reference; CommonMark and GitHub
show it as the character it stands for, and never read structure from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.search_evaluation import SearchEvaluation
from tripleteval.data.section import Section, Table
from tripleteval.errors import visible
from tripleteval.report.chapters import chapters, heading
from tripleteval.report.comparison import together
from tripleteval.report.sections import sections
from tripleteval.report.wording import label

MARK = "<!-- made by tripleteval -->"

_MARKUP = re.compile(
    r"[\\`*<>&\[\]|~$]"
    # Inside a word these are harmless, and our own spellings are full of them: hit_rate@10.
    r"|(?<!\w)(?:_+|[#@])|_+(?!\w)"
    # An address needs no brackets to become a link.
    r"|:(?=//)|(?<=www)\.",
    re.IGNORECASE,
)
_AT_START = re.compile(r"^[-+=#>:]|(?<=^\d)[.)](?=\s)|(?<=^\d\d)[.)](?=\s)")


def markdown(
    evaluations: Sequence[tuple[str, Evaluation]],
    searches: Sequence[tuple[str, SearchEvaluation]] = (),
    judged: Section | None = None,
) -> str:
    """Return one run, or several side by side, as GitHub-flavoured Markdown, and what approximate search costs."""
    lines = [MARK]
    parts = chapters([(name, sections(evaluation)) for name, evaluation in evaluations], searches)
    if len(parts) > 1:
        lines += [f"# {heading(len(evaluations), len(searches))}"]
    if len(evaluations) > 1:
        lines += [line for said in together(evaluations, judged) for line in _section(said, "##")]
    for name, about in parts:
        if len(parts) > 1:
            lines += [f"## {escaped(label(name))}"]
        for place, said in enumerate(about):
            lines += _section(said, "###" if len(parts) > 1 else "##" if place else "#")
    return "\n\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return _MARKUP.sub(_reference, visible(text).replace("\n", " "))


def _reference(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in match[0])


def _section(said: Section, heading: str) -> Iterator[str]:
    yield f"{heading} {escaped(said.title)}".rstrip()
    for line in said.text.splitlines():
        yield _AT_START.sub(_reference, escaped(line.strip()))
    for table in said.tables:
        yield _table(table)


def _table(table: Table) -> str:
    rule = ["--:" if column in table.numeric else "---" for column in table.columns]
    rows = [[escaped(label(cell)) for cell in row] for row in (table.columns, *table.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])
