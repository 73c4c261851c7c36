"""Markdown: every number is there, and data stays data wherever GitHub shows it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from report.hostile import HOSTILE
from tripleteval import Embeddings, Evaluation, evaluate
from tripleteval.report.markdown import MARK, escaped, markdown
from tripleteval.report.sections import sections


def unescaped(text: str) -> str:
    return re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), text)


@pytest.mark.parametrize("which", ["run", "given", "collapsed", "one_class"])
def test_every_cell_and_sentence_is_there(which: str, request: pytest.FixtureRequest) -> None:
    evaluation = request.getfixturevalue(which)
    shown = unescaped(markdown([("a", evaluation)]))
    for section in sections(evaluation):
        assert all(text in shown for text in (section.title, *section.text.splitlines()))
        for table in section.tables:
            assert all(cell in shown for row in table.rows for cell in row)


def test_a_table_has_as_many_bars_in_every_row(run: Evaluation) -> None:
    for block in markdown([("a", run)]).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_leaves_no_mark_up_behind(text: str) -> None:
    shown = escaped(text[:5000])
    assert not set(shown) & set("<>|*`~[]\\\n\r\x1b\u202e\u200b")
    assert "://" not in shown
    assert not re.search(r"(?<!\w)[@_]", shown)
    assert not re.search(r"(?<![\w&])#", shown)
    assert not re.search(r"&(?!#\d+;)", shown)


def test_hostile_labels_change_no_line_of_a_report() -> None:
    def report(labels: list[str]) -> list[str]:
        points = [[float(row % len(HOSTILE) * row)] for row in range(len(labels))]
        run = evaluate(Embeddings(points, labels, name=labels[0]))
        written = markdown([("a", replace(run, notes=[]))])
        marked = [line for line in written.splitlines() if line[:1] in {"|", "#"}]
        return [f"{line.split()[0]} {line.count('|')}" for line in marked]

    plain = [f"label-{row:02d}" for row in range(len(HOSTILE))]
    assert report([*HOSTILE, *HOSTILE]) == report([*plain, *plain])


def test_a_line_never_starts_a_list_a_heading_or_a_quote(run: Evaluation) -> None:
    evil = ["# h", "- l", "+ l", "> q", "1. one", "23) two", "=====", "---", "  - deep", "***", "    code"]
    shown = markdown([("a", replace(run, notes=evil))])
    lines = shown.split("Notes\n\n")[1].split("\n\n#")[0].split("\n\n")
    assert [unescaped(line) for line in lines] == [line.strip() for line in evil]
    assert not any(re.match(r"\s|[-+#>=*]|\d+[.)]\s", line) for line in lines)


def test_two_runs_stand_side_by_side_first(run: Evaluation, collapsed: Evaluation) -> None:
    shown = markdown([("one", run), ("two", collapsed)])
    assert shown.startswith(f"{MARK}\n\n# 2 evaluations\n\n## Side by side")
    assert "| metric | one | two | difference | better |" in shown
