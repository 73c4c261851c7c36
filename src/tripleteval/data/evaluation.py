"""The result: every number with its chance level and count, what was counted, and what it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripleteval.errors import ParameterError, nearest

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console, ConsoleOptions, RenderResult

SCHEMA = "tripleteval/evaluation/1"
_LISTING = "all are the keys of the evaluation, and of values in its run.json"


@dataclass(frozen=True, eq=False)
class Evaluation(Mapping[str, float]):
    """What was measured: a mapping from metric spelling to number, and the tables behind it.

    An undefined number is NaN here and ``null`` with a reason in `to_dict`.

    Attributes:
        metrics: Per spelling: ``value``, ``low`` and ``high`` with the method of their ``interval`` and how
            many ``units`` it rests on, ``chance``, ``n`` (what the number rests on), ``averages``, and where
            they mean something ``ceiling``, ``count`` and ``reason``.
        accounting: What was compared, skipped, removed and found equal, as integers.
        settings: Everything that may change a number.
        inputs: Name, size, dtype and sha256 of each set.
        notes: Findings in words.
        margin_curve: ``margins`` and the share of triplets satisfied at each.
        space: The curves behind the numbers of the whole space (docs/space.md): ``norms``, ``spectrum``
            and ``k_occurrence``; empty for given triplets.
        slices: Per column and value: ``queries``, ``evaluated``, ``units`` and the headline ``metrics`` with
            ``value``, ``low``, ``high`` and ``n``; or the ``reason`` why a slice is too small.
        verification: The curves behind the numbers of pairs: ``roc`` (threshold, FAR and TAR of points chosen
            evenly along log FAR and along TAR) and ``histogram`` (pairs of each kind between ``edges``).
        environment: Versions, machine and seconds; no part of the hash.
        per_query: Arrow table, one row per query, or per given triplet.
        per_class: Arrow table, one row per class; ``None`` without one label per item.
        per_unit: Arrow table, one row per unit of the intervals of all pairs (or, of more than 1,024, per group of
            them): its name, its ``members`` and what it makes of each number, so that runs can be compared by it;
            ``None`` without such numbers, or where a unit is an item.
        neighbors: Arrow table of the nearest items of each query; ``None`` where none were kept.
    """

    metrics: dict[str, dict[str, Any]]
    accounting: dict[str, Any]
    settings: dict[str, Any]
    inputs: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    margin_curve: dict[str, list[float]] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    slices: list[dict[str, Any]] = field(default_factory=list)
    verification: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    per_query: pa.Table | None = None
    per_class: pa.Table | None = None
    per_unit: pa.Table | None = None
    neighbors: pa.Table | None = None

    def __getitem__(self, spelling: str) -> float:
        return _float(self._entry(spelling)["value"])

    def get(self, spelling: str, default: Any = None) -> Any:
        """Return a number, or ``default`` where it was not measured."""
        return default if spelling not in self.metrics else self[spelling]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def __contains__(self, spelling: object) -> bool:
        return spelling in self.metrics

    def interval(self, spelling: str) -> tuple[float, float]:
        """Return the lower and upper end of a number's interval; NaN where there is none.

        Raises:
            ParameterError: There is no such metric (E510).
        """
        entry = self._entry(spelling)
        return _float(entry.get("low")), _float(entry.get("high"))

    @property
    def result_hash(self) -> str:
        """``sha256:…`` of everything but the environment; equal for equal inputs and settings, anywhere."""
        text = json.dumps(self._hashed(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document that ``run.json`` and ``--json`` hold."""
        return {**self._hashed(), "environment": self.environment, "result_hash": self.result_hash}

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write a run folder: ``run.json`` and the tables as Parquet; return its path.

        Raises:
            ResourceError: The folder exists and ``overwrite`` is not set, or cannot be written (E801).
        """
        from tripleteval.runs import save

        return save(self, folder, overwrite=overwrite)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self[name]:.4f}" for name in list(self)[:4])
        return f"Evaluation({shown}, … {len(self)} metrics)"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from tripleteval.report.console import render

        yield from render(self)

    def _repr_html_(self) -> str:
        from tripleteval.report.html import fragment

        return fragment(self)

    def _entry(self, spelling: str) -> dict[str, Any]:
        if spelling not in self.metrics:
            raise ParameterError(
                "E510", f"no metric {spelling!r} in this evaluation", fix=nearest(spelling, self.metrics, _LISTING)
            )
        return self.metrics[spelling]

    def _hashed(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "values": self.metrics,
            "margin_curve": self.margin_curve,
            "space": self.space,
            "slices": self.slices,
            "verification": self.verification,
            "accounting": self.accounting,
            "notes": self.notes,
            "settings": self.settings,
            "inputs": self.inputs,
        }


def _float(value: float | None) -> float:
    return float("nan") if value is None else float(value)
