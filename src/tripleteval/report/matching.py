"""Whether the sets given beside a run are the ones it was made from."""

from __future__ import annotations

from dataclasses import replace

from tripleteval.data.embeddings import Embeddings
from tripleteval.data.evaluation import Evaluation
from tripleteval.data.material import Material
from tripleteval.errors import ParameterError, counted
from tripleteval.evaluation.accounting import describe
from tripleteval.evaluation.intake import admit
from tripleteval.report.pictures import require_any


def matched(evaluation: Evaluation, material: Material) -> Material:
    """Return the material with the rows that the run dropped dropped as well, so that rows mean the same in both.

    Raises:
        ParameterError: The sets are not those of the run: another number of them, or of other content (E101).
        FileError: Pictures were asked for, and none is there (E601).
    """
    given = [material.queries, *([] if material.gallery is None else [material.gallery])]
    if len(given) != len(evaluation.inputs):
        raise ParameterError(
            "E101",
            f"{counted(len(given), 'set')} of embeddings beside a run that was made from {len(evaluation.inputs)}",
            fix="give what the run was evaluated from: queries and, where it had one, gallery= (--gallery)",
        )
    settings = evaluation.settings
    kept = [
        admit(
            one,
            distance=settings.get("distance", "euclidean"),
            nonfinite=settings.get("nonfinite", "refuse"),
            zero_rows=settings.get("zero_rows", "refuse"),
            ignore_label=settings.get("ignore_label"),
        ).embeddings
        for one in given
    ]
    for place, (one, made_from) in enumerate(zip(kept, evaluation.inputs, strict=True)):
        if describe(one)["sha256"] != made_from.get("sha256"):
            raise ParameterError(
                "E101",
                f"{one.name!r} ({len(one):,} rows) is not what the run was made from: "
                f"{made_from.get('name')!r} ({made_from.get('rows'):,} rows)"
                f"{'' if place else _otherwise(evaluation, one)}",
                fix="give the same file, columns and where= (--where) as when it was evaluated",
            )
    behind = replace(material, queries=kept[0], gallery=kept[1] if len(kept) > 1 else None)
    require_any(behind)
    return behind


def _otherwise(evaluation: Evaluation, queries: Embeddings) -> str:
    """Return, where one has ids or groups and the other has none, which option may have been left out."""
    known = [] if evaluation.per_query is None else evaluation.per_query.column_names
    given = {"id": queries.ids, "group": queries.groups}
    for name, values in given.items():
        if name in known and values is None:
            return f", which had {name}s; these rows have none (--{name}-column)"
        if evaluation.per_query is not None and name not in known and values is not None:
            return f", which had no {name}s; these rows have some (--{name}-column)"
    return ""
