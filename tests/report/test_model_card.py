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


def test_pairs_and_identification_have_the_numbers_they_are_known_by(
    paired: Evaluation, identified: Evaluation
) -> None:
    known = {"cv_accuracy": paired, "eer": paired, "tar_at_far_0.1": paired, "cmc_at_1": identified}
    for name, run in (known | {"tpir_at_fpir_0.1": identified}).items():
        (entry,) = yaml.safe_load(model_index(run, model="m", dataset="d"))["model-index"]
        values = {metric["type"]: metric["value"] for metric in entry["results"][0]["metrics"]}
        assert values[name] == run[name.replace("_at_", "@").replace("r_0", "r=0")]
        results = yaml.safe_load(eval_results(run, dataset="d"))
        assert {entry["dataset"]["task_id"]: entry["value"] for entry in results} == values


def test_a_rate_that_is_not_reliable_is_not_given_without_saying_so(identified: Evaluation) -> None:
    said = "tpir@fpir=0.1 (not reliable: fewer than 30 errors allowed)"
    assert f'name: "{said}"' in model_index(identified, model="m", dataset="d")
    assert f'notes: "{said}, n = 20;' in eval_results(identified, dataset="d")
    assert 'name: "cmc@1"' in model_index(identified, model="m", dataset="d")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_stays_one_text(text: str) -> None:
    run = evaluate(Embeddings([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1], name="x"))
    (entry,) = yaml.safe_load(model_index(run, model=text, dataset=text))["model-index"]
    assert entry["name"] == label(text)
    assert yaml.safe_load(eval_results(run, dataset=text))[0]["dataset"]["id"] == label(text)
