"""What a gate found: one check per requirement, and whether all of them passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

SCHEMA = "tripleteval/gate/1"


class Check(NamedTuple):
    """One requirement and what became of it.

    Attributes:
        requirement: As it was asked.
        passed: Whether it is met; an undefined number meets nothing.
        found: The number it was decided by; ``None`` where that is undefined.
        low: Lower end of the interval around it, for the reader.
        high: Upper end.
        reason: Why nothing could be decided; empty otherwise.
        unit: What the interval draws again; empty without one.
        unreliable: Whether it is a rate that so few errors are allowed for that it is not reliable.
    """

    requirement: str
    passed: bool
    found: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    unit: str = ""
    unreliable: bool = False


@dataclass(frozen=True)
class Gate:
    """The checks of one run.

    Attributes:
        run: What the run is called.
        checks: In the order they were asked for.
        result_hash: Of the run.
        unit: What the intervals of the run draw again.
        baseline_unit: The same of its differences to the baseline; ``None`` without one.
    """

    run: str
    checks: tuple[Check, ...]
    result_hash: str
    unit: str = ""
    baseline_unit: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every requirement is met."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document that ``--json`` holds."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "result_hash": self.result_hash,
            "passed": self.passed,
            "unit": self.unit,
            "baseline_unit": self.baseline_unit,
            "checks": [check._asdict() for check in self.checks],
        }

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from tripleteval.gates.wording import section
        from tripleteval.report.console import draw

        yield from draw(section(self))
