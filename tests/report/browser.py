"""A real browser for the pages: headless Chromium, driven by Playwright; what it complains about is written down."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def missing() -> str:
    """Return why no browser can be driven here, or nothing."""
    if CHROMIUM is None:
        return "no Chromium here (Debian: apt-get install chromium)"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "no Playwright here (pip install playwright)"
    return ""


needs_browser = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")


@dataclass
class Opened:
    """A page, and what happened while it was open."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


def opened(running: Any, path: Path, *, width: int = 1280, dark: bool = False) -> Opened:
    """Open a file and wait until every chart is drawn."""
    page = running.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
    found = Opened(page)
    page.on("console", lambda message: found.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (found.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: found.requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=30_000)
    return found
