"""A report as HTML: one self-contained page, or a fragment without scripts for notebooks.

1. Everything that came from data passes through one template with autoescape on, and one filter that
   makes invisible characters visible; for the scripts it lies in one island of JSON, never in code.
2. The page asks nothing of the network, and its policy forbids it: two scripts and one style, by their hashes.
3. The same runs give the same page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.material import Material
from tripleteval.data.search_evaluation import SearchEvaluation
from tripleteval.data.section import Section
from tripleteval.errors import MissingExtra, visible
from tripleteval.report.cases import fact
from tripleteval.report.chapters import chapters, heading
from tripleteval.report.comparison import same_items, together
from tripleteval.report.drawing import Drawing
from tripleteval.report.sections import sections
from tripleteval.report.wording import label

if TYPE_CHECKING:
    from jinja2 import Environment

BUDGET = 5_000_000

_OTHER = "No pictures and texts: the runs do not list the same items in the same order."
_TEMPLATES = ("page.html", "body.html", "fragment.html", "sections.html")


def page(
    evaluations: Sequence[tuple[str, Evaluation]],
    *,
    searches: Sequence[tuple[str, SearchEvaluation]] = (),
    materials: Sequence[Material | None] = (),
    judged: Section | None = None,
    budget: int = BUDGET,
) -> str:
    """Return a whole page about one run, or about several side by side.

    Args:
        evaluations: Name and evaluation of each run.
        searches: Name and result of each evaluation of approximate search; of either at least one.
        materials: The sets behind each run, for pictures, texts and a map; ``None`` for a run without. Several runs
            must list the same items in the same order; then pictures and texts are those of the first sets there
            are, and otherwise none are shown.
        judged: What comparing two runs found, for which this package has a door of its own: `compare`.
        budget: Bytes that thumbnails may take.

    Raises:
        MissingExtra: jinja2, vl-convert or, for pictures, Pillow is not installed.
    """
    environment = _environment()
    behind = [*materials, *[None] * (len(evaluations) - len(materials))]
    said = [(name, sections(one, known)) for (name, one), known in zip(evaluations, behind, strict=True)]
    parts = chapters(said, searches)
    same = same_items([evaluation for _, evaluation in evaluations])
    drawing = Drawing(next((known for known in behind if known is not None), None) if same else None, budget)
    title = parts[0][1][0].title if len(parts) == 1 else heading(len(evaluations), len(searches))
    # The body comes first: the charts, pictures and definitions it refers to are collected on the way.
    body = environment.get_template("body.html").render(
        title=title,
        runs=[{"name": name, "sections": about} for name, about in parts],
        together=together(evaluations, judged) if len(evaluations) > 1 else [],
        interactive=True,
        **drawing.functions(),
    )
    island = _island(drawing.island())
    scripts, style = [_charts_library(), _resource("page.js") + _resource("map.js")], _resource("style.css")
    return environment.get_template("page.html").render(
        title=title,
        hashes=[evaluation.result_hash for _, evaluation in evaluations],
        body=_safe(body),
        definitions=drawing.definitions,
        missed=drawing.missed() if same or not any(behind) else _OTHER,
        island=_safe(island),
        scripts=[_safe(script) for script in scripts],
        style=_safe(style),
        policy=_policy(scripts, style),
    )


def fragment(evaluation: Evaluation) -> str:
    """Return the report as a piece of HTML for notebooks; without jinja2, as preformatted text."""
    return notebook(sections(evaluation), evaluation)


def notebook(said: Iterable[Section], printed: object) -> str:
    """Return sections as a piece of HTML; without jinja2 what rich prints of ``printed``, as preformatted text."""
    try:
        environment = _environment()
    except MissingExtra:
        return _preformatted(printed)
    return environment.get_template("fragment.html").render(
        sections=list(said), style=_safe(_resource("style.css")), interactive=False, **Drawing(None, 0).functions()
    )


def _environment() -> Environment:
    try:
        from jinja2 import DictLoader, Environment, StrictUndefined
    except ImportError:
        raise MissingExtra("the HTML report", "jinja2", extra="report") from None
    templates = {name: _resource(name) for name in _TEMPLATES}
    environment = Environment(
        loader=DictLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"label": label, "fact": fact, "breakable": _breakable, "unbroken": _unbroken}
    return environment


def _finalize(value: Any) -> Any:
    # Templates and styles are ours and already safe; only text that came from somewhere is plain str.
    return visible(value) if type(value) is str else value


def _breakable(text: str) -> Any:
    """Return a name that may be broken where its parts end, instead of anywhere."""
    from markupsafe import escape

    return _safe(re.sub(r"[_/](?=\w)", r"\g<0><wbr>", str(escape(visible(text)))))


def _unbroken(text: str) -> Any:
    """Return a sentence in which a number and its unit stay on one line."""
    from markupsafe import escape

    return _safe(re.sub(r"(?<=\d) %", "&nbsp;%", str(escape(visible(text)))))


@cache
def _charts_library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that sets ``window.vegaEmbed``."""
    try:
        import vl_convert
    except ImportError:
        raise MissingExtra("the charts of the HTML report", "vl_convert", extra="report") from None
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def _policy(scripts: Sequence[str], style: str) -> str:
    ours = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {ours}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types default"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _island(data: dict[str, Any]) -> str:
    """Return JSON that no HTML parser can find an end or a comment in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  # our own files and what our own templates made


def _resource(name: str) -> str:
    return files("tripleteval.report").joinpath(name).read_text(encoding="utf-8")


def _preformatted(printed: object) -> str:
    from html import escape
    from io import StringIO

    from rich.console import Console

    console = Console(file=StringIO(), width=100, no_color=True)
    console.print(printed)
    return f"<pre>{escape(console.file.getvalue())}</pre>"  # type: ignore[attr-defined]  # the StringIO above
