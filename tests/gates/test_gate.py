"""A gate lets through what it should, stops what it should, and says what it measured."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

import tripleteval as te
from tripleteval.gates.github import MOST, error_lines, summary
from tripleteval.gates.junit import junit
from tripleteval.gates.requirement import parse_requirement
from tripleteval.gates.result import Check, Gate
from tripleteval.gates.wording import section

RANDOM = np.random.default_rng(3)
LABELS = np.repeat(np.arange(24), 5)
CENTRES, NOISE = RANDOM.normal(size=(24, 8))[LABELS], RANDOM.normal(size=(120, 8))


@pytest.fixture(scope="module")
def old() -> te.Evaluation:
    return te.evaluate(CENTRES + 0.8 * NOISE, LABELS)


@pytest.fixture(scope="module")
def new() -> te.Evaluation:
    return te.evaluate(CENTRES + 0.82 * NOISE, LABELS)


def passes(run: te.Evaluation, text: str) -> bool:
    return te.gate(run, [text]).passed


@pytest.mark.parametrize("sign", [">=", "<=", ">", "<"])
def test_a_value_is_held_against_its_limit_as_written(old, sign):
    value = old["map@r"]
    for limit in (value - 0.01, value, value + 0.01):
        assert passes(old, f"map@r {sign} {limit!r}") == eval(f"{value!r} {sign} {limit!r}")  # noqa: S307  # numbers


def test_an_end_of_the_interval_is_stricter_than_the_value(old):
    limit = (old.interval("map@r")[0] + old["map@r"]) / 2
    assert passes(old, f"map@r >= {limit}")
    assert not passes(old, f"low(map@r) >= {limit}")
    assert passes(old, f"high( map@r )>={limit}")
    assert passes(old, f"value(map@r) >= {limit}")


@pytest.mark.parametrize(
    ("text", "metric", "bound", "limit"),
    [
        ("recall@10>=0.90", "recall@10", "value", 0.9),
        ("  low( map@r ) >=  5e-1 ", "map@r", "low", 0.5),
        ("hard@margin=0.2<=.1", "hard@margin=0.2", "value", 0.1),
        ("easy@margin=0.20 > 1", "easy@margin=0.2", "value", 1.0),
        ("triplet_loss@margin=0.2 < -1", "triplet_loss@margin=0.2", "value", -1.0),
        ("tar@far=0.001 >= 0.8", "tar@far=0.001", "value", 0.8),
    ],
)
def test_requirements_are_read_as_people_write_them(old, text, metric, bound, limit):
    found = parse_requirement(text, [*old, "tar@far=0.001"])
    assert (found.asked, found.limit, found.text) == ((metric, bound), limit, text.strip())


@pytest.mark.parametrize(
    "text", ["", "map@r", "map@r >=", ">= 0.5", "map@r = 0.5", "map@r >= 90%", "map@r >= nan", "map@r >= 1e999"]
)
def test_what_cannot_be_read_is_refused(old, text):
    with pytest.raises(te.ParameterError, match="E101 a requirement that cannot be read"):
        te.gate(old, [text])


@pytest.mark.parametrize("text", ["recall@11 >= 0", "low(recal@10) > 0", "nonsense < 1", "median(map@r) > 0"])
def test_an_unknown_metric_is_named_with_its_neighbours(old, text):
    with pytest.raises(
        te.ParameterError, match=r"E510 no metric .* in this run.*(did you mean|known: ).*its run.json lists all"
    ):
        te.gate(old, [text])


def test_an_undefined_number_fails_and_says_why():
    one_class = te.evaluate([[0.0], [1.0], [3.0]], [0, 0, 0])
    undefined, uncertain = te.gate(one_class, ["triplet_accuracy >= 0", "low(map@r) >= 0"]).checks
    assert (undefined.passed, undefined.found, undefined.reason) == (False, None, "no valid triplet")
    assert (uncertain.passed, uncertain.reason) == (False, "1 class, and an interval needs 5")


def test_a_baseline_is_compared_by_value_or_by_the_interval_of_the_difference(old, new):
    change = te.compare(old, new, metrics=["map@r"])
    assert change["map@r"] < 0
    by_value = te.gate(new, baseline=old, no_worse=["map@r"], margin=0.02).checks[0]
    assert (by_value.passed, by_value.found) == (True, change["map@r"])
    low = change.metrics["map@r"]["low"]
    for margin, passed in ((-low + 1e-6, True), (-low - 1e-6, False)):
        assert te.gate(new, baseline=old, no_worse=["low(map@r)"], margin=margin).passed == passed
    assert not te.gate(new, baseline=old, no_worse=["map@r"]).passed
    assert te.gate(old, baseline=new, no_worse=["map@r"]).passed


def test_a_baseline_is_compared_at_the_confidence_and_with_the_seed_of_the_run(old):
    run = te.evaluate(CENTRES + 0.82 * NOISE, LABELS, confidence=0.8, seed=5)
    known = te.compare(old, run, metrics=["map@r"], confidence=0.8, seed=5).metrics["map@r"]
    check = te.gate(run, baseline=old, no_worse=["low(map@r)"]).checks[0]
    assert (check.found, check.low, check.high) == (known["low"], known["low"], known["high"])


def test_where_lower_is_better_no_worse_means_no_higher(old, new):
    name = "triplet_loss@margin=0.2"
    rise = new[name] - old[name]
    assert rise > 0
    assert not te.gate(new, baseline=old, no_worse=[name], margin=rise / 2).passed
    assert te.gate(new, baseline=old, no_worse=[name], margin=rise * 2).passed
    with pytest.raises(te.ParameterError, match=r"E101 low\(.*where lower is better"):
        te.gate(new, baseline=old, no_worse=[f"low({name})"])
    with pytest.raises(te.ParameterError, match="E101 no better or worse in semi_hard"):
        te.gate(new, baseline=old, no_worse=["semi_hard@margin=0.2"])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "E101 a gate without requirements"),
        ({"no_worse": ["map@r"]}, "E101 no_worse and baseline belong together.*--no-worse"),
        ({"require": ["mrr > 0"], "baseline": True}, "E101 no_worse and baseline belong together.*--no-worse"),
        ({"no_worse": ["map@r"], "baseline": True, "margin": -1}, "E505"),
        ({"no_worse": ["map@r"], "baseline": True, "margin": float("nan")}, "E505"),
        ({"no_worse": ["map@r"], "baseline": True, "margin": True}, "E505 margin=True"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(old, how, said):
    given = how | ({"baseline": old} if "baseline" in how else {})
    with pytest.raises(te.ParameterError, match=said):
        te.gate(old, **given)


def test_a_baseline_with_other_queries_is_refused(old):
    other = te.evaluate(CENTRES[:100], LABELS[:100])
    with pytest.raises(te.ParameterError, match="E512"):
        te.gate(old, baseline=other, no_worse=["map@r"])
    assert te.gate(old, baseline=other, no_worse=["map@r"], margin=1.0, paired=False).passed


HOSTILE = "a]]>&<b>\x00\x1b[31m\u202e|`x`: 50 %, \r\n::error::"


def failing(count: int) -> Gate:
    checks = tuple(Check(f"{HOSTILE} {i} >= 1", passed=False, found=0.5, low=0.4, high=0.6) for i in range(count))
    return Gate(HOSTILE, (*checks, Check("fine >= 0", passed=True, found=0.1)), "sha256:0")


def test_junit_has_one_case_per_requirement_and_survives_hostile_names():
    document = ElementTree.fromstring(junit(failing(3)))  # noqa: S314  # our own
    (suite,) = document
    cases = suite.findall("testcase")
    assert (len(cases), suite.get("tests"), suite.get("failures")) == (4, "4", "3")
    assert [case.find("failure") is not None for case in cases] == [True, True, True, False]
    assert "found 0.5000 [0.400, 0.600]" in cases[0].find("failure").get("message")
    assert document.find(".//property").get("value") == "sha256:0"


def test_annotations_are_one_line_each_and_at_most_ten():
    for count in (0, 1, MOST, MOST + 5):
        lines = error_lines(failing(count))
        assert len(lines) == min(count, MOST)
        for line in lines:
            assert line.startswith("::error title=")
            assert not set("\r\n\x00\x1b\u202e") & set(line)
            title = line.removeprefix("::error title=").partition("::")[0]
            assert ":" not in title
            assert "," not in title
            assert "50 %25%2C" in title or "more" in title
    assert "6 more" in error_lines(failing(MOST + 5))[-1]


def test_the_summary_is_a_table_that_no_name_can_break():
    text = summary(failing(2))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)
    assert "<b>" not in text
    assert "&amp;&lt;b&gt;" in text
    assert "&amp;lt;" not in text


def test_a_gate_is_one_json_document(old):
    found = te.gate(old, ["map@r > 0", "low(map@r) > 0.99"], name="mine").to_dict()
    assert (found["run"], found["passed"], found["result_hash"]) == ("mine", False, old.result_hash)
    assert [check["passed"] for check in found["checks"]] == [True, False]


def test_a_run_without_intervals_can_still_be_held_to_its_values(old):
    bare = replace(old, metrics={n: {"value": e["value"], "n": e["n"]} for n, e in old.metrics.items()})
    assert passes(bare, "map@r > 0")
    assert te.gate(bare, ["low(map@r) > 0"]).checks[0].reason == "it has no interval"


def test_a_gate_compares_by_the_unit_that_compare_takes():
    groups = [f"session-{row % 6}" for row in range(len(LABELS))]
    by_unit = {
        (noise, unit): te.evaluate(te.Embeddings(CENTRES + noise * NOISE, LABELS, groups=groups), unit=unit)
        for noise in (0.8, 0.82)
        for unit in ("class", "group", "query")
    }
    for one, two, unit in (("group", "group", "group"), ("query", "query", "query"), ("query", "group", "class")):
        old, new = by_unit[0.8, one], by_unit[0.82, two]
        gate = te.gate(new, ["low(map@r) > 0"], baseline=old, no_worse=["low(map@r)"])
        entry = te.compare(old, new, metrics=["map@r"]).metrics["map@r"]
        assert (gate.checks[1].low, gate.checks[1].high) == (entry["low"], entry["high"])
        assert (gate.unit, gate.baseline_unit) == (two, unit)
        assert (gate.to_dict()["unit"], gate.to_dict()["baseline_unit"]) == (two, unit)
        assert [check.unit for check in gate.checks] == [two, unit]
        if one == two:
            assert section(gate).text == f"Intervals by {unit}."
            assert f"Intervals by {unit}." in summary(gate)
            continue
        (table,) = section(gate).tables
        assert [row[table.columns.index("by")] for row in table.rows] == [two, unit]
        assert "| requirement | found | interval | by | result |" in summary(gate)


def test_an_interval_over_folds_is_not_said_to_be_by_identity():
    rng = np.random.default_rng(0)
    names = np.arange(120)
    people = te.Embeddings(rng.normal(size=(40, 3))[names // 3] + 0.5 * rng.normal(size=(120, 3)))
    block = names // 24  # of 8 people each
    others = np.concatenate([names // 3 * 3 + (names + 1) % 3, block * 24 + (names + 9) % 24])
    asked = np.concatenate([names, names])
    same = np.repeat([True, False], 120)
    run = te.evaluate_pairs(asked, others, same, embeddings=people, folds=block[asked])
    folded, both = (te.gate(run, texts) for texts in (["cv_accuracy > 0"], ["cv_accuracy > 0", "auc > 0"]))
    assert section(folded).text == "Intervals by fold."
    assert [check["unit"] for check in both.to_dict()["checks"]] == ["fold", "identity"]
    (table,) = section(both).tables
    assert (section(both).text, [row[3] for row in table.rows]) == ("", ["fold", "identity"])
    beside = te.gate(run, baseline=run, no_worse=["cv_accuracy", "auc"])
    assert [check.unit for check in beside.checks] == ["fold", "identity"]


def test_a_number_stands_inside_the_interval_beside_it(old):
    low = old.metrics["map@r"]["low"]
    low = round(low, 3) - 2e-4  # with three decimals it would read as more than itself
    run = replace(old, metrics=old.metrics | {"map@r": old.metrics["map@r"] | {"low": low}})
    gate = te.gate(run, ["low(map@r) > 0"])
    ends = f"[{low:.4f}, {run.metrics['map@r']['high']:.4f}]"
    assert section(gate).tables[0].rows[0][1:3] == [f"{low:.4f}", ends]


def test_the_unit_of_labels_that_are_sets_is_the_query_and_without_intervals_there_is_none():
    sets = te.evaluate(CENTRES + NOISE, [{label, -1 - label} for label in LABELS.tolist()])
    assert section(te.gate(sets, ["low(map@r) > 0"])).text == "Intervals by query."
    few = te.evaluate([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1])
    assert section(te.gate(few, ["map@r > 0"])).text == ""


@pytest.mark.parametrize("sign", ["=>", "=<", "==", "!=", ">>", "≥"])
def test_an_unknown_comparison_is_named_with_the_known_ones(old, sign):
    for name in ("recall@10", "triplet_loss@margin=0.2", "low(map@r)"):
        with pytest.raises(te.ParameterError, match=f"E101 the unknown comparison '{sign}'.*known: >=, <=, >, <"):
            te.gate(old, [f"{name} {sign} 0.1"])


def test_given_triplets_are_held_against_a_baseline_by_value_or_by_interval():
    sides = [np.array(side)[:, None] for side in (np.arange(8) / 64, [1.0] * 8, [2.0] * 6 + [0.5] * 2)]
    worse = te.evaluate_triplets(*sides)
    better = te.evaluate_triplets(sides[0], sides[1], 2 * sides[2])
    (check,) = te.gate(worse, baseline=better, no_worse=["triplet_accuracy"]).checks
    assert (check.passed, check.found) == (False, -0.125)
    (low,) = te.gate(worse, baseline=better, no_worse=["low(triplet_accuracy)"], margin=0.2).checks
    assert (low.passed, low.found) == (False, te.compare(better, worse).metrics["triplet_accuracy"]["low"])
    gate = te.gate(worse, ["triplet_accuracy > 0"], baseline=better, no_worse=["triplet_accuracy"], margin=0.2)
    assert (gate.passed, gate.baseline_unit) == (True, "anchor")
    other = te.evaluate_triplets(*sides, margin=0.5)
    with pytest.raises(te.ParameterError, match="E510 no metric 'triplet_satisfied@margin=0.2' in both runs"):
        te.gate(worse, baseline=other, no_worse=["triplet_satisfied@margin=0.2"])
    fewer = te.evaluate_triplets(*(side[:4] for side in sides))
    with pytest.raises(te.ParameterError, match="E512 runs with different triplets.*--unpaired"):
        te.gate(worse, baseline=fewer, no_worse=["triplet_accuracy"])
    assert not te.gate(worse, baseline=fewer, no_worse=["triplet_accuracy"], paired=False).passed


def test_the_run_without_queries_is_named_as_the_gate_knows_it(old):
    with pytest.raises(te.ParameterError, match="E101 the baseline has no table of queries"):
        te.gate(old, baseline=replace(old, per_query=None), no_worse=["triplet_accuracy"])


def test_a_rate_that_is_not_reliable_has_a_star_with_its_reason(old, new):
    asked = ["tar@far=0.001 >= 0", "tar@far=0.01 >= 0", "low(tar@far=0.001) >= 2"]
    found = te.gate(new, asked, baseline=old, no_worse=["tar@far=0.001", "map@r"], margin=1)
    assert [check.unreliable for check in found.checks] == [True, False, True, True, False]
    assert [check["unreliable"] for check in found.to_dict()["checks"]] == [True, False, True, True, False]
    said = section(found)
    assert said.text == "Intervals by class. * fewer than 30 errors are allowed: the rate is not reliable."
    assert [row[-1] for row in said.tables[0].rows] == ["passed *", "passed", "FAILED *", "passed *", "passed"]
    assert "passed \\*" in summary(found)
    assert "reliable" not in section(te.gate(new, asked[1:2])).text
