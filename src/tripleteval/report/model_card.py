"""Results for a model card on the Hugging Face Hub, as text to paste or commit; nothing is uploaded.

Two forms are read there: ``model-index`` in the front matter of ``README.md``, and a file under ``.eval_results/``.
Every text is written as a JSON string, which is a YAML string too.
"""

from __future__ import annotations

import json

from tripleteval.data.evaluation import Evaluation
from tripleteval.metrics.operating import RELIABLE
from tripleteval.report.families import known_by
from tripleteval.report.wording import interval, label, whole

MARK = "# made by tripleteval"

_TASK = "feature-extraction"


def model_index(evaluation: Evaluation, *, model: str, dataset: str) -> str:
    """Return the ``model-index`` block of a model card.

    Args:
        evaluation: Whose headline numbers are given; undefined ones are left out.
        model: Name of the model.
        dataset: Name or Hub id of the data.
    """
    lines = [
        MARK,
        "model-index:",
        f"- name: {_text(model)}",
        "  results:",
        "  - task:",
        f"      type: {_TASK}",
        "    dataset:",
        f"      name: {_text(dataset)}",
        f"      type: {_text(dataset)}",
        "    metrics:",
    ]
    for spelling, value in _values(evaluation):
        lines += [
            f"    - type: {_text(tracker_name(spelling))}",
            f"      name: {_text(spelling + _caution(evaluation, spelling))}",
            f"      value: {value!r}",
        ]
    return "\n".join(lines) + "\n"


def eval_results(evaluation: Evaluation, *, dataset: str) -> str:
    """Return a file for ``.eval_results/``: one entry per headline number, with what it rests on as its note.

    Args:
        evaluation: Whose headline numbers are given; undefined ones are left out.
        dataset: Hub id of the data, such as ``"org/name"``.
    """
    lines = [MARK]
    for spelling, value in _values(evaluation):
        lines += [
            "- dataset:",
            f"    id: {_text(dataset)}",
            f"    task_id: {_text(tracker_name(spelling))}",
            f"  value: {value!r}",
            f"  notes: {_text(_note(evaluation, spelling))}",
        ]
    return "\n".join(lines) + "\n"


def tracker_name(spelling: str) -> str:
    """Return a spelling without ``@`` and ``=``, which trackers refuse: ``recall_at_10``."""
    return spelling.replace("@", "_at_").replace("=", "_")


def _values(evaluation: Evaluation) -> list[tuple[str, float]]:
    values = [(spelling, evaluation.metrics[spelling]["value"]) for spelling in known_by(evaluation)]
    return [(spelling, float(value)) for spelling, value in values if value is not None]


def _note(evaluation: Evaluation, spelling: str) -> str:
    entry = evaluation.metrics[spelling]
    said = [f"{spelling}{_caution(evaluation, spelling)}, n = {whole(entry.get('n'))}"]
    ends = interval(entry.get("low"), entry.get("high"))
    if ends:
        said.append(f"{100 * evaluation.settings.get('confidence', 0.95):g} % interval {ends}")
    return "; ".join([*said, evaluation.result_hash])


def _caution(evaluation: Evaluation, spelling: str) -> str:
    unsure = evaluation.metrics[spelling].get("unreliable")
    return f" (not reliable: fewer than {RELIABLE} errors allowed)" if unsure else ""


def _text(text: str) -> str:
    return json.dumps(label(text), ensure_ascii=False)
