"""Terminal and HTML: everything is drawn in full, and nothing that came from data breaks out."""

from __future__ import annotations

import base64
import builtins
import hashlib
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from report.hostile import HOSTILE
from tripleteval import Embeddings, Evaluation, MissingExtra, evaluate
from tripleteval.data.section import Section
from tripleteval.report.console import draw
from tripleteval.report.html import fragment, page
from tripleteval.report.sections import sections

ALLOWED = {"html", "head", "meta", "title", "style", "body", "main", "section", "article", "div", "p", "footer"} | {
    *("h1", "h2", "h3", "a", "nav", "ul", "ol", "li", "dl", "dt", "dd", "em", "b", "q", "span", "script"),
    *("table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "details", "summary"),
    *("button", "form", "label", "select", "option", "input", "output", "img", "wbr", "datalist"),
}
VOID = {"meta", "input", "img", "wbr"}
MADE_VISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Strict(HTMLParser):
    """Fails on any element or attribute that our templates do not have, and on unbalanced ones."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []
        self.attributes: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        self.attributes |= {(tag, name) for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def error(self, message: str) -> None:
        raise AssertionError(message)


def parsed(html: str) -> Strict:
    parser = Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def hostile() -> Evaluation:
    n = len(HOSTILE)
    labels = [*HOSTILE, *HOSTILE]
    ids = [f"{label}{row}" for row, label in enumerate(labels)]
    found = Embeddings(
        [[float(i % n * i)] for i in range(2 * n)], labels, ids=ids, groups=labels, name=f"\udcff{HOSTILE[1]}"
    )
    return evaluate(found)


def printed(evaluation: Evaluation, *more: Section, **options: Any) -> str:
    console = Console(file=StringIO(), **options)
    console.print(evaluation, *(part for section in more for part in draw(section)))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_hostile_labels_do_not_break_out_of_a_page(hostile: Evaluation) -> None:
    found = parsed(page([(HOSTILE[0], hostile), (HOSTILE[3], hostile)]))
    names = {name for _, name in found.attributes}
    assert {name for name in names if name.startswith("on") or name in {"style", "src"}} == set()
    assert {tag for tag, name in found.attributes if name == "href"} == {"a"}
    text = "".join(found.text)
    assert HOSTILE[0] in text
    assert HOSTILE[4] in text
    assert not MADE_VISIBLE.search(text)
    assert "\\u202egnp" in text


def test_every_link_stays_in_the_page(hostile: Evaluation) -> None:
    written = page([(HOSTILE[0], hostile)])
    targets = re.findall(r'href="([^"]*)"', written.partition("<script")[0])
    assert targets
    ids = set(re.findall(r' id="([^"]*)"', written))
    assert {target[1:] for target in targets} <= ids


def test_hostile_labels_stay_inside_the_island_of_data(hostile: Evaluation) -> None:
    table = hostile.per_class
    assert table is not None
    # Bars of nothing are not drawn, and by chance the worst thirty of these classes have a map@r of 0.
    place = table.column_names.index("map@r")
    rates = [[row / table.num_rows for row in range(table.num_rows)]]
    written = page([(HOSTILE[0], replace(hostile, per_class=table.set_column(place, "map@r", rates)))])
    (island,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', written, re.DOTALL)
    assert not set(island) & set("<>&\u2028\u2029")
    assert island.isascii()
    drawn = json.dumps(json.loads(island)["charts"])
    assert "alert(1)" in drawn


def test_hostile_labels_do_not_break_out_of_a_notebook(hostile: Evaluation) -> None:
    found = parsed(fragment(hostile))
    assert not MADE_VISIBLE.search("".join(found.text))
    assert hostile._repr_html_() == fragment(hostile)


def test_hostile_labels_do_not_reach_the_terminal(hostile: Evaluation) -> None:
    shown = printed(hostile, *sections(hostile), width=100, color_system=None)
    assert not MADE_VISIBLE.search(shown)
    assert "[bold red]x[/bold red]" in shown
    assert ":smile:" in shown
    assert "WWW" in shown
    assert max(map(cell_len, shown.splitlines())) <= 100


def test_a_terminal_promises_of_the_page_what_is_in_it(run: Evaluation, given: Evaluation) -> None:
    assert "suspected labels: tripleteval report RUN" in printed(run, width=200)
    assert "suspected labels" not in printed(given, width=200)
    assert "The same as a page: tripleteval report RUN -o report.html" in printed(given, width=200)


def test_hostile_labels_bring_no_styles_of_their_own(hostile: Evaluation) -> None:
    shown = printed(hostile, width=100, force_terminal=True, color_system="standard", legacy_windows=False)
    assert set(re.findall(r"\x1b[^m]*m", shown)) <= {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;33m"}
    assert not MADE_VISIBLE.search(re.sub(r"\x1b\[[\d;]*m", "", shown))


def test_notes_settings_and_environment_are_data_too(run: Evaluation) -> None:
    evil = HOSTILE[0]
    dirty = replace(run, notes=[evil], settings={evil: evil}, environment={evil: evil}, accounting={evil: {evil: 1}})
    assert "".join(parsed(page([("a", dirty)])).text).count(evil) >= 5


def test_a_page_names_nothing_on_the_network(run: Evaluation) -> None:
    written = page([("a", run)])
    ours = re.sub(r"<script>.*?</script>", "", written, flags=re.DOTALL)
    ours = ours.replace("https://vega.github.io/schema/vega-lite/v6.json", "")  # a name, never fetched
    for forbidden in ("http:", "https:", "url(", "@import", "<link", " style=", " src="):
        assert forbidden not in ours, forbidden


def test_the_policy_allows_our_style_and_two_scripts_and_nothing_else(run: Evaluation) -> None:
    written = page([("a", run)])
    (style,) = re.findall(r"<style>(.*?)</style>", written, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", written, re.DOTALL)
    assert len(scripts) == 2
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (*scripts, style)]
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', written)
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.replace("&#39;", "'").split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'sha256-{hashes[0]}' 'sha256-{hashes[1]}'",
        "style-src": f"'sha256-{hashes[2]}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "default",
    }


def test_no_script_could_end_early(run: Evaluation) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page([("a", run)]), re.DOTALL)
    assert all("<!--" not in text and "<script" not in text.lower() for text in scripts)


def test_a_page_without_pictures_is_smaller_than_three_megabytes(run: Evaluation) -> None:
    assert len(page([("a", run)]).encode()) < 3_000_000


def test_a_page_carries_the_hash_of_each_run_and_is_the_same_every_time(run: Evaluation, given: Evaluation) -> None:
    written = page([("a", run), ("b", given)])
    assert written == page([("a", run), ("b", given)])
    assert re.findall(r'"result-hash" content="([^"]*)"', written) == [run.result_hash, given.result_hash]


@pytest.mark.parametrize("which", ["run", "given", "collapsed", "one_class"])
def test_every_cell_and_sentence_is_drawn_in_both_forms(which: str, request: pytest.FixtureRequest) -> None:
    evaluation = request.getfixturevalue(which)
    written = re.sub(r"\s+", " ", "".join(parsed(page([("a", evaluation)])).text))
    shown = re.sub(r"\s+", " ", printed(evaluation, width=120))
    brief = {section.title for section in sections(evaluation, brief=True)}
    for section in sections(evaluation):
        for text in (section.title, *section.text.splitlines()):
            assert text in written
            assert section.title not in brief or text.replace(" ", "") in shown.replace(" ", "")
        for table in section.tables:
            for cell in (cell for row in table.rows for cell in row):
                assert cell in written
                assert section.title not in brief or cell in shown


def test_a_terminal_gets_what_fits_a_screen_and_is_told_where_the_rest_is(run: Evaluation) -> None:
    brief = [section.title for section in sections(run, brief=True)]
    assert len(brief) < len(sections(run))
    assert "Hubs" not in brief
    assert "tripleteval report" in printed(run, width=120).splitlines()[-1]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_folds_numbers_and_never_cuts_them(run: Evaluation, width: int) -> None:
    shown = printed(run, width=width)
    assert "…" not in shown
    said = sections(run, brief=True)
    digits = sum(c.isdigit() for s in said for t in s.tables for row in t.rows for cell in row for c in cell)
    tables = "\n".join(line for line in shown.splitlines())
    assert sum(c.isdigit() for c in tables) >= digits


def test_a_comparison_page_has_a_column_per_run(run: Evaluation, collapsed: Evaluation) -> None:
    written = page([("runs/a", run), ("runs/b", collapsed)])
    assert written.index("Side by side") < written.index("<h2>runs/a</h2>") < written.index("<h2>runs/b</h2>")
    assert '<section class="warning" id="t1">' in written


def without_jinja2(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name.partition(".")[0] in {"jinja2", "markupsafe"}:
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"jinja2", "markupsafe"}]:
        monkeypatch.delitem(sys.modules, name)


def test_without_jinja2_a_page_names_what_to_install(run: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    without_jinja2(monkeypatch)
    with pytest.raises(MissingExtra, match=r"E103 the HTML report .*pip install 'tripleteval\[report\]'"):
        page([("a", run)])


def test_without_jinja2_a_notebook_still_shows_the_table(hostile: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    without_jinja2(monkeypatch)
    shown = fragment(hostile)
    assert shown.startswith("<pre>")
    assert "map@r" in shown
    assert "<" not in shown.removeprefix("<pre>").removesuffix("</pre>")
