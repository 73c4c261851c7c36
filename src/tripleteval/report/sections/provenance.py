"""What it takes to get the same numbers again."""

from __future__ import annotations

from tripleteval.data.evaluation import Evaluation
from tripleteval.data.section import Section
from tripleteval.report.sections import section
from tripleteval.report.wording import label, plain

_MOST = 10


@section("provenance", place=90)
def provenance(evaluation: Evaluation) -> Section:
    """Give the settings, the versions and the hash."""
    settings = ", ".join(f"{name}={_shown(v)}" for name, v in evaluation.settings.items() if v not in (None, [], ""))
    made = ", ".join(f"{name} {label(value)}" for name, value in evaluation.environment.items())
    lines = [
        f"Settings: {settings}." if settings else "",
        f"Made with: {made}." if made else "",
        evaluation.result_hash,
    ]
    return Section("To get the same numbers again", "\n".join(line for line in lines if line))


def _shown(value: object) -> str:
    if not isinstance(value, list):
        return label(plain(value))
    shown = [*map(plain, value)] if len(value) <= _MOST else [plain(value[0]), "…", plain(value[-1])]
    return f"[{label(' '.join(shown))}]"
