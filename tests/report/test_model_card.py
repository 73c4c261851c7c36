"""Model cards: YAML that reads back, whatever names are in it."""

from __future__ import annotations

import pytest
import yaml

from report.hostile import HOSTILE
from tripleteval import Embeddings, Evaluation, evaluate
from tripleteval.report.model_card import eval_results, model_index
from tripleteval.report.wording import label


def test_the_index_gives_the_headline_numbers_exactly(run: Evaluation) -> None:
    (entry,) = yaml.safe_load(model_index(run, model="siamese", dataset="org/pets"))["model-index"]
    assert entry["name"] == "siamese"
    (result,) = entry["results"]
    assert result["task"] == {"type": "feature-extraction"}
    assert result["dataset"] == {"name": "org/pets", "type": "org/pets"}
    values = {metric["name"]: metric["value"] for metric in result["metrics"]}
    assert values["map@r"] == run["map@r"]
    assert values["recall@2"] == run["recall@2"]
    assert all("@" not in metric["type"] and "=" not in metric["type"] for metric in result["metrics"])


def test_results_have_an_entry_per_number_with_what_it_rests_on(run: Evaluation) -> None:
    entries = yaml.safe_load(eval_results(run, dataset="org/pets"))
    found = {entry["dataset"]["task_id"]: entry for entry in entries}
    assert found["map_at_r"]["value"] == run["map@r"]
    assert found["map_at_r"]["dataset"]["id"] == "org/pets"
    assert "n = 6" in found["map_at_r"]["notes"]
    assert run.result_hash in found["map_at_r"]["notes"]


def test_an_undefined_number_is_left_out(one_class: Evaluation) -> None:
    assert one_class.metrics["triplet_accuracy"]["value"] is None
    assert "triplet_accuracy" not in model_index(one_class, model="m", dataset="d")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_stays_one_text(text: str) -> None:
    run = evaluate(Embeddings([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], name="x"))
    (entry,) = yaml.safe_load(model_index(run, model=text, dataset=text))["model-index"]
    assert entry["name"] == label(text)
    assert yaml.safe_load(eval_results(run, dataset=text))[0]["dataset"]["id"] == label(text)
