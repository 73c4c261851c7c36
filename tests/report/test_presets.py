"""A preset says which numbers come first, and changes none of them."""

import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

import tripleteval as te
from tripleteval.cli import main
from tripleteval.report.presets import PRESETS, chosen, with_preset
from tripleteval.report.sections import sections


@pytest.fixture
def run() -> te.Evaluation:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(20), 10)
    return te.evaluate(rng.normal(size=(20, 6))[y] + 0.5 * rng.normal(size=(200, 6)), y)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_lists_a_few_numbers_that_were_measured(run, preset):
    names = chosen(run, preset)
    assert 4 <= len(names) <= 8
    assert set(names) <= set(run)
    assert len(set(names)) == len(names)


def test_the_headline_far_is_the_strictest_that_is_reliable(run):
    # 19,000 impostor pairs allow 19 false accepts at 0.001 and 190 at 0.01.
    assert chosen(run, "face")[:3] == ["tar@far=0.01", "eer", "threshold@far=0.01"]
    few = te.evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])
    assert chosen(few, "face")[0] == "tar@far=0.1"


def test_the_primary_number_of_each_comes_first(run):
    assert chosen(run, "product")[:3] == ["recall@10", "hit_rate@1", "map@r"]
    assert chosen(run, "reid")[:2] == ["map", "hit_rate@1"]


def test_without_a_preset_nothing_is_said(run):
    assert not any("Headline for" in section.title for section in sections(run))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_command_line_prints_it_first_and_the_hash_stays(tmp_path, monkeypatch, preset):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    np.savez("x.npz", embeddings=rng.normal(size=(60, 4)), labels=np.repeat(np.arange(12), 5))
    plain = json.loads(CliRunner().invoke(main, ["evaluate", "x.npz", "--no-save", "--json", "-"]).stdout)
    done = CliRunner().invoke(main, ["evaluate", "x.npz", "--preset", preset, "--output", preset])
    assert done.exit_code == 0, done.output
    assert done.stdout.index("Headline for") < done.stdout.index("Retrieval")
    kept = te.load(preset)
    assert kept.result_hash == plain["result_hash"]
    assert kept.environment["preset"] == preset
    assert CliRunner().invoke(main, ["evaluate", "x.npz", "--preset", "car"]).exit_code == 2


@pytest.mark.parametrize(("which", "preset"), [("paired", "reid"), ("paired", "product"), ("identified", "product")])
def test_a_run_without_any_number_of_a_preset_says_so(which, preset, request):
    found = with_preset(request.getfixturevalue(which), preset)
    (section,) = [each for each in sections(found) if "Headline for" in each.title]
    assert section.text.startswith("This run of ")
    assert "has none of the numbers of this preset: " in section.text
    assert f"{PRESETS[preset][0]}, " in section.text
    assert (list(section.tables), section.level) == ([], "warning")
    console = Console(file=io.StringIO(), width=80)
    console.print(found)
    assert section.text[:20] in console.file.getvalue()


def test_a_number_that_cannot_reach_1_has_its_ceiling_as_a_remark():
    y = np.repeat(np.arange(4), 15)  # 14 are relevant, of which 10 can be among the 10 nearest
    found = te.evaluate(np.random.default_rng(0).normal(size=(60, 3)), y)
    (section,) = [each for each in sections(with_preset(found, "product")) if "Headline for" in each.title]
    remarks = {row[0]: row[-1] for row in section.tables[0].rows}
    assert remarks["recall@10"] == f"ceiling {10 / 14:.4f}"
