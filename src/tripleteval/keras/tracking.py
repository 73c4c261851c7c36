"""An evaluation into the active MLflow run: its numbers as metrics, its run folder as an artifact."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tripleteval.data.evaluation import Evaluation
from tripleteval.errors import MissingExtra
from tripleteval.metrics.names import safe_name


def log_to_mlflow(
    evaluation: Evaluation,
    *,
    step: int | None = None,
    metrics: Sequence[str] = (),
    artifact: str | None = "tripleteval",
) -> None:
    """Log an evaluation to the active MLflow run; MLflow starts one where there is none.

    MLflow refuses ``@`` and ``=`` in names, so ``recall@10`` becomes ``recall_at_10``. Where it stores things is
    its own setting; a database such as
    ``sqlite:///mlflow.db`` will do, its plain ``file:`` store refuses new runs.

    Args:
        evaluation: What was measured; an undefined number is left out.
        step: Epoch or step.
        metrics: Which metrics, by spelling; by default all.
        artifact: Folder among the artifacts for ``run.json`` and its tables; ``None`` for no artifact.

    Raises:
        MissingExtra: MLflow is not installed (E103).
        ParameterError: A metric that was not measured (E510).
    """
    try:
        import mlflow
    except ImportError:
        raise MissingExtra("logging to MLflow", "mlflow", extra="mlflow") from None
    values = {safe_name(name): evaluation[name] for name in metrics or evaluation}
    mlflow.log_metrics({name: value for name, value in values.items() if not math.isnan(value)}, step=step)
    if artifact is not None:
        with tempfile.TemporaryDirectory() as folder:
            mlflow.log_artifacts(str(evaluation.save(Path(folder) / "run")), artifact_path=artifact)
