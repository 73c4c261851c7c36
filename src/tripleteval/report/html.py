"""A report as HTML: a fragment for notebooks, or one self-contained page without scripts.

Everything that came from data passes through one template with autoescape on, and one filter that
makes invisible characters visible. The page asks nothing of the network, and its policy forbids it.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tripleteval.data.evaluation import Evaluation
from tripleteval.errors import MissingExtra, visible
from tripleteval.report.comparison import comparison
from tripleteval.report.sections import sections
from tripleteval.report.wording import label

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = ("page.html", "fragment.html", "sections.html")


def page(evaluations: list[tuple[str, Evaluation]]) -> str:
    """Return a whole page about one run, or about several side by side.

    Args:
        evaluations: Name and evaluation of each run, at least one.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    said = [sections(evaluation) for _, evaluation in evaluations]
    template = _environment().get_template("page.html")
    style = _style()
    return template.render(
        title=said[0][0].title if len(said) == 1 else f"{len(said)} evaluations",
        runs=[
            {"name": name, "hash": evaluation.result_hash, "sections": about}
            for (name, evaluation), about in zip(evaluations, said, strict=True)
        ],
        comparison=comparison(evaluations),
        style=style,
        policy=_policy(style),
    )


def fragment(evaluation: Evaluation) -> str:
    """Return the report as a piece of HTML for notebooks; without jinja2, as preformatted text."""
    try:
        environment = _environment()
    except MissingExtra:
        return _preformatted(evaluation)
    return environment.get_template("fragment.html").render(sections=sections(evaluation), style=_style())


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
    environment.filters["label"] = label
    return environment


def _finalize(value: Any) -> Any:
    # Templates and styles are ours and already safe; only text that came from somewhere is plain str.
    return visible(value) if type(value) is str else value


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _style() -> Any:
    from markupsafe import Markup

    return Markup(_resource("style.css"))  # noqa: S704  # our own file, without a character to escape


def _resource(name: str) -> str:
    return files("tripleteval.report").joinpath(name).read_text(encoding="utf-8")


def _preformatted(evaluation: Evaluation) -> str:
    from html import escape
    from io import StringIO

    from rich.console import Console

    console = Console(file=StringIO(), width=100, no_color=True)
    console.print(evaluation)
    return f"<pre>{escape(console.file.getvalue())}</pre>"  # type: ignore[attr-defined]  # the StringIO above
