"""MLflow: names it accepts, numbers as they are, and the run folder as an artifact."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

import tripleteval as te
from tripleteval.errors import MissingExtra
from tripleteval.keras.tracking import log_to_mlflow
from tripleteval.metrics.names import safe_name

RUN = te.evaluate([[0.0], [1.0], [3.0], [7.0]], ["a", "a", "b", "b"], metrics=["map@3"])


@pytest.fixture
def client(monkeypatch):
    """Stand in for MLflow: it refuses what MLflow refuses, and keeps the rest."""
    stub = types.ModuleType("mlflow")
    stub.metrics, stub.artifacts = [], []

    def log_metrics(values, step=None):
        assert all(re.fullmatch(r"[/\w.\- ]+", name) for name in values)
        assert all(value == value for value in values.values())  # noqa: PLR0124  # not NaN
        stub.metrics.append((values, step))

    def log_artifacts(folder, artifact_path=None):
        stub.artifacts.append((sorted(file.name for file in Path(folder).iterdir()), artifact_path))

    stub.log_metrics, stub.log_artifacts = log_metrics, log_artifacts
    monkeypatch.setitem(sys.modules, "mlflow", stub)
    return stub


def test_numbers_and_run_folder_arrive(client):
    log_to_mlflow(RUN, step=3)
    ((values, step),) = client.metrics
    assert step == 3
    assert values["map_at_3"] == RUN["map@3"]
    assert values["easy_at_margin_0_2"] == RUN["easy@margin=0.2"]
    ((files, path),) = client.artifacts
    assert "run.json" in files
    assert path == "tripleteval"


def test_only_what_was_asked_for(client):
    log_to_mlflow(RUN, metrics=["mrr"], artifact=None)
    assert client.metrics == [({"mrr": RUN["mrr"]}, None)]
    assert client.artifacts == []


def test_without_mlflow_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'tripleteval\[mlflow\]'"):
        log_to_mlflow(RUN)


@pytest.mark.filterwarnings("ignore")  # what its libraries deprecate among themselves
def test_the_real_mlflow_keeps_them_in_a_database(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed: pip install 'tripleteval[mlflow]'")
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("val", str(tmp_path / "artifacts")))
    with mlflow.start_run() as run:
        for step in (0, 1):
            log_to_mlflow(RUN, step=step)
    kept = mlflow.get_run(run.info.run_id).data.metrics
    assert kept["map_at_3"] == pytest.approx(RUN["map@3"])
    assert set(kept) == {safe_name(name) for name in RUN if RUN[name] == RUN[name]}  # not NaN
    steps = mlflow.MlflowClient().get_metric_history(run.info.run_id, "map_at_3")
    assert [point.step for point in steps] == [0, 1]
    folder = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="tripleteval")
    assert te.load(folder)["map@3"] == RUN["map@3"]
