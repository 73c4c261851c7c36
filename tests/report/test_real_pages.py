"""The pages of real data in a real browser: questions in words, characters in pictures.

The data is not part of the project: without it these tests skip.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from report.browser import browser, needs_browser, opened
from tripleteval import Embeddings, evaluate, read
from tripleteval.data.material import Material
from tripleteval.report.html import page

SHARED = Path(os.environ.get("TRIPLETEVAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
BANKING = SHARED / "banking77" / "banking77_minilm.parquet"
OMNIGLOT = SHARED / "omniglot" / "images_background_small2.zip"

pytestmark = needs_browser


def needs(file: Path) -> pytest.MarkDecorator:
    reason = f"{file.name} is not here; point TRIPLETEVAL_DATA at the folder that has it"
    return pytest.mark.skipif(not file.exists(), reason=reason)


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as started:
        yield started


def looked_at(running: Any, written: Path, width: int) -> None:
    found = opened(running, written, width=width)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    cases = found.page.locator("section", has=found.page.get_by_role("heading", name="Worst queries"))
    name = cases.locator("li").first.get_attribute("data-class")
    cases.locator("[data-filter]").select_option(name)
    assert {entry.get_attribute("data-class") for entry in cases.locator("li:visible").all()} == {name}
    found.page.close()
    assert found.complaints == []
    assert [url for url in found.requests if not url.startswith(("file:", "data:"))] == []


@needs(BANKING)
def test_the_questions_of_banking77(running: Any, tmp_path: Path) -> None:
    queries, gallery = (read(BANKING, where=f"split = '{split}'") for split in ("test", "train"))
    run = evaluate(queries, gallery=gallery, distance="cosine")
    written = tmp_path / "banking.html"
    material = Material(queries, gallery, text_column="text")
    written.write_text(page([("banking", run)], materials=[material]), encoding="utf-8")
    assert written.stat().st_size < 3_000_000
    assert "found for free" in written.read_text(encoding="utf-8")  # ten questions are in both splits
    for width in (1280, 390):
        looked_at(running, written, width)


@needs(OMNIGLOT)
def test_the_characters_of_omniglot(running: Any, tmp_path: Path) -> None:
    from PIL import Image

    with zipfile.ZipFile(OMNIGLOT) as archive:
        names = [name for name in sorted(archive.namelist()) if name.endswith(".png")][:400]
        archive.extractall(tmp_path, names)
    pixels = [
        np.asarray(Image.open(tmp_path / name).convert("L").resize((20, 20)), np.float32).ravel() for name in names
    ]
    found = Embeddings(np.stack(pixels) / 255, [name.rpartition("/")[0] for name in names], ids=names, name="omniglot")
    written = tmp_path / "omniglot.html"
    page_of = page([("omniglot", evaluate(found))], materials=[Material(found, images=tmp_path)])
    written.write_text(page_of, encoding="utf-8")
    assert page_of.count("data-picture=") > 100
    for width in (1280, 390):
        looked_at(running, written, width)
