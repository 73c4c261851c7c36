"""In a real browser: the pages of digits and of hostile data open without a complaint, and what can be moved moves."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from report.browser import Opened, browser, needs_browser, opened
from report.hostile import HOSTILE
from tripleteval import Embeddings, evaluate
from tripleteval.data.material import Material
from tripleteval.data.section import Chart, Slider
from tripleteval.report.html import page

pytestmark = needs_browser


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about real digits, with their pictures."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("digits")
    digits = load_digits()
    names = [f"{row:04d}.png" for row in range(600)]
    for name, image in zip(names, digits.images[:600], strict=True):
        Image.fromarray((255 - 15 * image).astype(np.uint8)).save(folder / name)
    found = Embeddings(digits.data[:600] / 16, digits.target[:600], ids=names, name="digits")
    run = evaluate(found, margin_curve=[-1, -0.5, 0, 0.2, 0.5, 1])
    written = folder / "report.html"
    written.write_text(page([("digits", run)], materials=[Material(found, images=folder)]), encoding="utf-8")
    return written


@pytest.fixture
def at_work(running: Any, report: Path) -> Iterator[Opened]:
    found = opened(running, report)
    yield found
    found.page.close()


def quiet(found: Opened) -> None:
    assert found.complaints == []
    assert [url for url in found.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_a_complaint_and_without_a_request(running: Any, report: Path, width: int, dark: bool) -> None:
    found = opened(running, report, width=width, dark=dark)
    charts = found.page.locator("[data-chart]")
    assert charts.count() >= 4
    assert found.page.locator("[data-chart] svg").count() == charts.count()
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    found.page.close()
    quiet(found)


@pytest.mark.parametrize("width", [1280, 390])
def test_names_of_numbers_and_choices_are_not_torn_apart(running: Any, report: Path, width: int) -> None:
    found = opened(running, report, width=width)
    for term in found.page.locator("td .term:visible").all():
        box, cell = term.bounding_box(), term.locator("xpath=..").bounding_box()
        assert box["height"] < 25, term.inner_text()
        assert box["x"] + box["width"] <= cell["x"] + cell["width"] + 1, term.inner_text()
    for choice in found.page.locator(".choose > span > label:visible").all():
        chosen = choice.locator("xpath=following-sibling::*[1]").bounding_box()
        assert abs(chosen["y"] - choice.bounding_box()["y"]) < 20, choice.inner_text()
    found.page.close()


def test_no_rule_of_accessibility_is_seriously_broken(at_work: Opened) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(at_work.page).response["violations"]
    assert [(rule["id"], rule["help"]) for rule in found if rule["impact"] in {"serious", "critical"}] == []


def test_a_column_sorts_up_and_down_by_number(at_work: Opened) -> None:
    section = at_work.page.locator("section", has=at_work.page.get_by_role("heading", name="Worst classes"))
    table = section.locator("> .wide table")
    head = table.locator("thead th", has_text=re.compile(r"^\s*map@r"))
    for direction in ("ascending", "descending"):
        head.locator("button").press("Enter")
        assert head.get_attribute("aria-sort") == direction
        values = [float(text) for text in table.locator("tbody td:nth-child(4)").all_inner_texts()]
        assert values == sorted(values, reverse=direction == "descending")
    quiet(at_work)


def test_cases_are_filtered_by_class_and_sorted_by_a_fact(at_work: Opened) -> None:
    section = at_work.page.locator("section", has=at_work.page.get_by_role("heading", name="Worst queries"))
    section.locator("[data-filter]").select_option("8")
    shown = section.locator("li:visible")
    assert shown.count() >= 1
    assert {entry.get_attribute("data-class") for entry in shown.all()} == {"8"}
    section.locator("[data-filter]").select_option("")
    section.locator("[data-descending]").check()
    values = [
        float(fact.get_attribute("data-fact")) for fact in section.locator("li:visible .facts span:first-child").all()
    ]
    assert values == sorted(values, reverse=True)
    first = section.locator("li:visible .facts").first
    assert re.fullmatch(r"map [\d.]+ map@r [\d.]+ first at \d+", " ".join(first.inner_text().split()))
    before = section.locator("li:visible").count()
    section.locator("[data-more]").click()
    assert section.locator("li:visible").count() > before
    quiet(at_work)


def drag(found: Opened, start: tuple[float, float], stop: tuple[float, float]) -> None:
    """Mark an area of the first map, its corners as shares of its width and height."""
    holder = found.page.locator("section", has=found.page.get_by_role("heading", name="Map")).locator("[data-chart]")
    holder.first.scroll_into_view_if_needed()
    box = holder.first.bounding_box()
    (x, y), (to_x, to_y) = ((box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in (start, stop))
    found.page.mouse.move(x, y)
    found.page.mouse.down()
    found.page.mouse.move((x + to_x) / 2, (y + to_y) / 2)
    found.page.mouse.move(to_x, to_y)
    found.page.mouse.up()
    found.page.wait_for_timeout(300)


def test_an_area_of_the_map_is_shown_below_it_and_filters_the_worst_queries(at_work: Opened) -> None:
    chosen = at_work.page.locator("section", has=at_work.page.get_by_role("heading", name="Map"))
    worst = at_work.page.locator("section", has=at_work.page.get_by_role("heading", name="Worst queries"))
    every = worst.locator("li").count()
    assert chosen.locator("li").count() == 0
    drag(at_work, (0.02, 0.2), (0.5, 0.9))
    picked, of = re.match(r"(\d+) of (\d+) points picked", chosen.locator("[data-told]").inner_text()).groups()
    assert 0 < int(picked) < int(of) == 600
    assert chosen.locator("li").count() == min(12, int(picked))
    assert chosen.locator("li img").first.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    kept = int(re.search(r"Worst queries \((\d+)\)", chosen.locator("[data-told]").inner_text())[1])
    assert 0 < kept < every
    assert f"of {kept} shown" in worst.locator("[data-count]").inner_text()
    faint = chosen.locator("[data-chart]").last.locator(".mark-symbol path[opacity='0.08']")
    assert faint.count() == 600 - int(picked)
    worst.get_by_role("button", name="show all").click()
    assert f"of {every} shown" in worst.locator("[data-count]").inner_text()
    chosen.get_by_role("button", name="Clear").click()
    assert chosen.locator("li").count() == faint.count() == 0
    quiet(at_work)


def test_points_of_the_map_are_picked_without_a_mouse(at_work: Opened) -> None:
    chosen = at_work.page.locator("section", has=at_work.page.get_by_role("heading", name="Map"))
    chosen.get_by_role("combobox", name="Class").select_option("8")
    told = chosen.locator("[data-told]")
    everything = int(told.inner_text().split()[0])
    assert set(chosen.locator("li .asked .class").all_inner_texts()) == {"8"}
    assert "Classes: 8" in told.inner_text()
    chosen.get_by_role("combobox", name="Nearest item").select_option("wrong")
    assert 0 < int(told.inner_text().split()[0]) < everything
    assert chosen.locator("li .found .card").count() == chosen.locator("li .found .wrong").count()
    chosen.get_by_role("button", name="Clear").press("Enter")
    chosen.get_by_role("combobox", name="Around the query").fill("0007.png")
    chosen.get_by_role("combobox", name="Around the query").press("Enter")
    assert told.inner_text().startswith("24 of 600")
    chosen.get_by_role("combobox", name="Around the query").fill("nobody")
    chosen.get_by_role("combobox", name="Around the query").press("Enter")
    assert told.inner_text() == "No query named “nobody” is drawn."
    quiet(at_work)


def test_pictures_are_decoded_when_they_are_looked_at(at_work: Opened) -> None:
    first = at_work.page.locator("[data-picture]").first
    assert first.get_attribute("src") is None
    first.scroll_into_view_if_needed()
    first.and_(at_work.page.locator("[src]")).wait_for()
    assert first.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    quiet(at_work)


def test_a_number_is_explained_to_those_who_hover_and_to_those_who_tab(at_work: Opened) -> None:
    section = at_work.page.locator("section", has=at_work.page.get_by_role("heading", name="Retrieval"))
    term = section.locator("a.term", has_text="map@r").first
    for look in (term.hover, term.focus):
        look()
        tip = at_work.page.locator("#tip")
        assert "Average precision cut at R" in tip.inner_text()
        assert "Musgrave" in tip.inner_text()
        at_work.page.keyboard.press("Escape")
        assert not tip.is_visible()


def test_light_and_dark_can_be_switched(at_work: Opened) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    before = at_work.page.evaluate(paper)
    at_work.page.get_by_role("button", name="Dark").press("Enter")
    assert at_work.page.evaluate(paper) != before
    at_work.page.get_by_role("button", name="Light").press("Enter")
    assert at_work.page.evaluate(paper) == before
    quiet(at_work)


def test_on_paper_it_is_light_fits_and_has_its_pictures(running: Any, report: Path) -> None:
    found = opened(running, report, dark=True)
    found.page.set_viewport_size({"width": 700, "height": 900})
    found.page.emulate_media(media="print", color_scheme="dark")
    found.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert found.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    grid = found.page.locator("[data-chart] .role-axis-grid line").first
    assert grid.evaluate("line => getComputedStyle(line).stroke") == "rgb(217, 220, 225)"
    widths = found.page.locator("[data-chart] svg").evaluate_all("all => all.map(svg => svg.clientWidth)")
    assert max(widths) <= 700
    assert found.page.locator("[data-picture]:not([src])").count() == 0
    assert not found.page.get_by_role("button", name="Show more").first.is_visible()
    found.page.close()
    quiet(found)


def test_a_slider_moves_its_line_and_its_readings(
    running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tripleteval.data.section import Section
    from tripleteval.report import html

    slider = Slider("Threshold", [0.0, 1.0, 2.0], {"FAR": ["0", "0.1", "0.5"], "TAR": ["0.2", "0.8", "1"]}, start=1)
    data = {"distance": [0.0, 1.0], "to": [1.0, 2.0], "pairs": [3, 4]}
    chart = Chart("Pairs", "Pairs.", data, x="distance", x_stop="to", y="pairs", mark="steps", slider=slider)
    monkeypatch.setattr(html, "sections", lambda *_: [Section("Slid", charts=[chart])])
    written = tmp_path / "slid.html"
    written.write_text(page([("a", evaluate([[0.0], [1.0], [2.0], [5.0]], [0, 0, 1, 1]))]), encoding="utf-8")
    found = opened(running, written)
    assert found.page.locator("output").inner_text().split() == ["FAR", "0.1", "TAR", "0.8"]
    line = found.page.locator(".mark-rule line").last
    before = line.get_attribute("transform"), line.bounding_box()
    found.page.get_by_role("slider", name="Threshold").press("ArrowRight")
    assert found.page.locator("output").inner_text().split() == ["FAR", "0.5", "TAR", "1"]
    found.page.wait_for_timeout(100)
    assert (line.get_attribute("transform"), line.bounding_box()) != before
    found.page.close()
    quiet(found)


@pytest.mark.parametrize("width", [1280, 390])
def test_labels_of_a_logarithmic_axis_leave_room_between_each_other(
    running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    from tripleteval.data.section import Section
    from tripleteval.report import html

    charts = []
    for least in (3e-8, 3e-7, 3e-6, 3e-5, 3e-4):
        data = {"FAR": [least, 0.01, 1.0], "TAR": [0.1, 0.5, 1.0]}
        charts.append(Chart("ROC", "A curve.", data, x="FAR", y="TAR", mark="line", log=frozenset({"x"})))
    monkeypatch.setattr(html, "sections", lambda *_: [Section("Curves", charts=charts)])
    written = tmp_path / "log.html"
    written.write_text(page([("a", evaluate([[0.0], [1.0], [2.0], [5.0]], [0, 0, 1, 1]))]), encoding="utf-8")
    found = opened(running, written, width=width)
    for holder in found.page.locator("[data-chart]").all():
        # A label that would stand too near to another keeps its text, and is transparent.
        every = holder.locator(".role-axis-label text:not([opacity='0'])").all()
        boxes = [(text, one.bounding_box()) for one in every if (text := one.text_content())]
        low = max(b["y"] for _, b in boxes)
        below = sorted((b["x"], b["x"] + b["width"], text) for text, b in boxes if abs(b["y"] - low) < 2)
        assert len(below) >= 3
        for (_, end, one), (start, _, other) in itertools.pairwise(below):
            assert start - end >= 4, (one, other)
    found.page.close()
    quiet(found)


def test_hostile_names_do_nothing_and_ask_for_nothing(running: Any, tmp_path: Path) -> None:
    labels = [*HOSTILE, *HOSTILE]
    texts = [f"{text} {row}" for row, text in enumerate(labels)]
    groups = [float(row % len(HOSTILE) * row) for row in range(len(labels))]
    found = Embeddings([[g] for g in groups], labels, ids=texts, name=HOSTILE[1], meta={"text": labels, "path": labels})
    material = Material(found, image_column="path", images=tmp_path, text_column="text")
    written = tmp_path / "hostile.html"
    written.write_text(page([(HOSTILE[0], evaluate(found))], materials=[material]), encoding="utf-8")
    seen = opened(running, written)
    for control in seen.page.locator("[data-filter], [data-class]:is(select)").all():
        for option in control.locator("option").all():
            control.select_option(option.get_attribute("value"))
    assert seen.page.evaluate("document.querySelectorAll('iframe, object, embed, link, base, svg script').length") == 0
    seen.page.close()
    quiet(seen)
