"""What a page refers to while it is drawn: definitions, charts, pictures and texts, each kept once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tripleteval.data.material import Material
from tripleteval.data.section import Case, Chart, Item, Table
from tripleteval.report.definitions import Definition, definition
from tripleteval.report.pictures import Pictures
from tripleteval.report.vega_lite import spec
from tripleteval.report.wording import label, listed, whole

_MOST_ROWS = 60


class Drawing:
    """The collection behind one page; its functions are what templates call.

    Args:
        material: Where pictures and texts come from, if from anywhere.
        budget: Bytes that thumbnails may take.
    """

    def __init__(self, material: Material | None, budget: int) -> None:
        self._material, self._pictures = material, Pictures(material, budget)
        self._charts: list[Chart] = []
        self._points: list[Sequence[Case]] = []
        self.definitions: list[Definition] = []

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return what a template may call, by name."""
        return {
            "defined": self._defined,
            "charted": self._charted,
            "tabled": tabled,
            "pictured": self._pictures.take,
            "texted": self._texted,
            "pointed": self._pointed,
        }

    def island(self) -> dict[str, Any]:
        """Return the data that the page's script reads; asked last, for points get the pictures that are left."""
        sliders = [chart.slider for chart in self._charts]
        return {
            "charts": [spec(chart) for chart in self._charts],
            "points": [[self._point(case) for case in points] for points in self._points],
            "sliders": [s and {"places": list(s.places), "readings": dict(s.readings)} for s in sliders],
            "pictures": self._pictures.encoded,
        }

    def missed(self) -> str:
        """Return, in a sentence, how many pictures are not in the page and why; empty if all are."""
        counts = [f"{whole(count)} {why}" for why, count in sorted(self._pictures.missed.items())]
        return f"Pictures left out: {listed(counts)}." if counts else ""

    def _defined(self, spelling: str) -> int | None:
        found = definition(spelling)
        if found is None:
            return None
        if found not in self.definitions:
            self.definitions.append(found)
        return self.definitions.index(found)

    def _charted(self, chart: Chart) -> int:
        self._charts.append(chart)
        return len(self._charts) - 1

    def _pointed(self, points: Sequence[Case]) -> int:
        self._points.append(points)
        return len(self._points) - 1

    def _point(self, case: Case) -> list[Any]:
        return [case.query.row, self._card(case.query), *map(self._card, case.found)]

    def _card(self, item: Item) -> list[Any]:
        named = [label(text) for text in (item.name, item.label, self._texted(item))]
        return [*named, self._pictures.take(item), item.right, item.distance]

    def _texted(self, item: Item) -> str:
        # Line ends are how a text was typed, and a card is a few words wide.
        return "" if self._material is None else " ".join(self._material.text(item.side, item.row).split())


def tabled(chart: Chart) -> Table:
    """Return the data of a chart as a table, evenly thinned where it is long."""
    rows = list(zip(*chart.columns.values(), strict=True))
    most = min(len(rows), _MOST_ROWS)
    shown = [rows[round(place * (len(rows) - 1) / max(most - 1, 1))] for place in range(most)]
    cells = [[_cell(value) for value in row] for row in shown]
    numeric = {name for name, values in chart.columns.items() if not any(isinstance(v, str) for v in values)}
    return Table(list(chart.columns), cells, frozenset(numeric))


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
