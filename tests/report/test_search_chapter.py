"""A saved search evaluation: it reads back as it was, and a report says what approximate search costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import tripleteval as te
from report.browser import browser, needs_browser, opened
from report.hostile import HOSTILE
from tripleteval.cli import main
from tripleteval.data.search_evaluation import SearchEvaluation
from tripleteval.errors import EvalError
from tripleteval.report.html import page
from tripleteval.report.search import sections
from tripleteval.report.search_folder import load


@pytest.fixture(scope="module")
def searched() -> SearchEvaluation:
    """Sixty hostile classes searched exactly, and by an index that forgets every other item."""
    random = np.random.default_rng(0)
    centres = np.repeat(random.normal(size=(len(HOSTILE), 6)), 3, axis=0)
    points = centres + 0.3 * random.normal(size=centres.shape)
    labels = [text[:300] for text in HOSTILE for _ in range(3)]
    found = te.Embeddings(points, labels, ids=[f"{text} {row}" for row, text in enumerate(labels)], name=HOSTILE[0])
    return te.evaluate_search(
        found, backends=["exact", "search.fakes:forgets_half", "search.fakes:aborts_always"], k=2, seeds=1, repeats=1
    )


@pytest.fixture(scope="module")
def folder(searched: SearchEvaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("search")
    searched.save(work / "search")
    te.evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1]).save(work / "run")
    return work


def invoked(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_what_was_saved_is_what_is_read(searched: SearchEvaluation, folder: Path) -> None:
    read = load(folder / "search")
    assert read.to_dict() == json.loads(json.dumps(searched.to_dict()))
    assert read.per_class.equals(searched.per_class)
    assert read.unreached.equals(searched.unreached)


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("search.json", b'"k": 2', b'"k": 3', "E804"),
        ("search.json", b"search/1", b"search/9", "E806"),
        ("search.json", b"tripleteval/search", b"tripleteval/other!", "E604"),
        ("search.json", b"{", b"[", "E804"),
        ("unreached.parquet", b"PAR1", b"PAR2", "E804"),
    ],
)
def test_what_is_not_what_was_saved_is_refused(
    searched: SearchEvaluation, tmp_path: Path, file: str, old: bytes, new: bytes, code: str
) -> None:
    path = searched.save(tmp_path / "search") / file
    changed = path.read_bytes().replace(old, new, 1)
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(EvalError, match=code):
        load(tmp_path / "search")


def test_the_page_and_the_terminal_name_the_setting_its_loss_and_who_is_hurt(searched: SearchEvaluation) -> None:
    said = list(sections(searched))
    assert [section.title for section in said] == [
        "What would approximate search cost?",
        "Did not run",
        "Out of reach",
        "How it was measured",
    ]
    (chart,) = said[0].charts
    exact, half = searched[0], searched[1]
    assert chart.columns["points of recall@2 lost"] == [100 * e["metrics"]["recall@2"]["loss"] for e in (exact, half)]
    assert chart.columns["setting"] == ["exact", "search.fakes:forgets_half"]
    by_setting, missed = said[2].tables
    assert [row[1] for row in by_setting.rows] == ["0", f"{half['unreached']['items']:,.0f}"]
    assert len(missed.rows) == 10
    assert "Out of reach" not in [section.title for section in sections(searched, brief=True)]


def test_a_setting_that_loses_says_which_classes_it_hurts(searched: SearchEvaluation) -> None:
    only = SearchEvaluation(**{**vars(searched), "entries": searched.entries[1:2]})
    said = {section.title: section for section in sections(only)}
    assert said["What would approximate search cost?"].level == "warning"
    hurt = said["Which classes does the index hurt?"]
    column = searched.per_class["search.fakes:forgets_half"].to_pylist()
    assert [float(row[2]) for row in hurt.tables[0].rows] == pytest.approx(
        sorted(column)[:-6:-1] * np.array(100), abs=0.005
    )


@pytest.mark.parametrize("kind", ["html", "md"])
def test_a_run_and_its_search_are_one_report(folder: Path, tmp_path: Path, kind: str) -> None:
    done = invoked("report", folder / "run", folder / "search", "--format", kind, "-o", tmp_path / "r")
    assert done.exit_code == 0, done.stderr
    written = (tmp_path / "r").read_text(encoding="utf-8")
    assert written.index("Retrieval") < written.index("What would approximate search cost?") < written.index("Out of")
    alone = invoked("report", folder / "search", "--format", kind, "-o", tmp_path / "alone")
    assert alone.exit_code == 0, alone.stderr
    two = invoked(
        "report", folder / "search", folder / "search", folder / "run", "--format", kind, "-o", tmp_path / "t"
    )
    assert two.exit_code == 0, two.stderr
    assert "1 evaluation and 2 search evaluations" in (tmp_path / "t").read_text(encoding="utf-8")


def test_what_needs_a_run_says_so(folder: Path, tmp_path: Path) -> None:
    card = invoked("report", folder / "search", "--format", "model-index", "-o", tmp_path / "m")
    assert (card.exit_code, card.stderr.split()[0]) == (2, "E101")
    sets = invoked("report", folder / "search", "--embeddings", "val.npz", "-o", tmp_path / "m")
    assert (sets.exit_code, sets.stderr.split()[0]) == (2, "E101")


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as started:
        yield started


@needs_browser
@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_classes_do_nothing_in_a_browser(
    searched: SearchEvaluation, running: Any, tmp_path: Path, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    (tmp_path / "s.html").write_text(page([], searches=[(HOSTILE[0], searched)]), encoding="utf-8")
    found = opened(running, tmp_path / "s.html", width=width)
    assert found.page.locator("[data-chart] svg").count() == 1
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    broken = Axe().run(found.page).response["violations"]
    assert [rule["id"] for rule in broken if rule["impact"] in {"serious", "critical"}] == []
    found.page.close()
    assert found.complaints == []
    assert [url for url in found.requests if not url.startswith(("file:", "data:"))] == []


def test_it_shows_itself_in_a_notebook(searched: SearchEvaluation) -> None:
    shown = searched._repr_html_()
    assert shown.startswith('<div class="tripleteval">')
    assert "<h3>Out of reach</h3>" in shown
    assert "<script" not in shown
