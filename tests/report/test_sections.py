"""What a report says: no number is lost, none is made up, and an empty section does not speak."""

from __future__ import annotations

from dataclasses import replace
from pkgutil import iter_modules

import numpy as np
import pytest

from tripleteval import Embeddings, Evaluation, evaluate, evaluate_identification, evaluate_triplets
from tripleteval.data.section import Section, Table
from tripleteval.report import sections as folder
from tripleteval.report.cases import FIRST_AT, fact
from tripleteval.report.comparison import comparison
from tripleteval.report.definitions import definition
from tripleteval.report.sections import SECTIONS, sections
from tripleteval.report.wording import (
    brief,
    difference,
    interval,
    label,
    listed,
    number,
    over,
    percent,
    plain,
    rank,
    threshold,
)


def said(evaluation: Evaluation, name: str) -> Section:
    section = SECTIONS[name].write(evaluation)
    assert section is not None
    return section


def column(table: Table, name: str) -> list[str]:
    return [row[list(table.columns).index(name)] for row in table.rows]


def test_every_file_of_the_folder_is_one_section() -> None:
    assert len(SECTIONS.names()) == len(list(iter_modules(folder.__path__)))


def test_the_report_starts_with_the_verdict_and_what_to_beware_of(collapsed: Evaluation) -> None:
    first, second, *_ = sections(collapsed)
    assert first.title == "Evaluation of queries"
    assert (second.title, second.level) == ("Notes", "warning")


def test_the_verdict_says_who_was_compared_and_how_it_went(run: Evaluation) -> None:
    text = said(run, "headline").text
    assert text.startswith(
        "6 queries searched among 6 items of 2 classes, each among all the others, by euclidean dist"
    )
    assert "own class for 50.0 % of them (by chance 40.0 %); map@r is" in text


def test_the_verdict_names_the_number_of_the_worst_tenth() -> None:
    classes = np.arange(300) % 20
    points = np.random.default_rng(0).normal(size=(20, 4))[classes] + np.random.default_rng(1).normal(size=(300, 4))
    found = evaluate(points, classes)
    worst = percent(found.metrics["hit_rate@1"]["worst_tenth"])
    sentence = f"In the worst tenth of the classes the nearest item is right for {worst} (shrunken hit_rate@1)."
    text = said(found, "headline").text
    assert sentence in text
    (table,) = said(found, "worst classes").tables
    name, value = table.rows[0][0], column(table, "map@r")[0]
    assert f"Worst class: {name}, with map@r {value}." in text


def test_a_class_of_one_unlucky_query_is_not_called_the_worst() -> None:
    random = np.random.default_rng(5)
    classes = np.repeat(np.arange(12), 20)
    points = random.normal(size=(12, 4))[classes] + random.normal(size=(240, 4))
    found = evaluate(Embeddings(points, classes), gallery=Embeddings(points + 0.1, classes))
    assert found.per_class is not None
    raw, drawn = (found.per_class[name].to_pylist() for name in ("map@r", "shrunken map@r"))
    raw[11], drawn[11] = 0.0, float(np.median(drawn))
    places = {name: found.per_class.column_names.index(name) for name in ("map@r", "shrunken map@r")}
    unlucky = found.per_class.set_column(places["map@r"], "map@r", [raw])
    unlucky = unlucky.set_column(places["shrunken map@r"], "shrunken map@r", [drawn])
    text = said(replace(found, per_class=unlucky), "headline").text
    assert f"Worst class: {int(np.argmin(drawn))}, with map@r" in text


def test_with_about_one_query_per_class_no_class_is_called_the_worst() -> None:
    classes = np.arange(300) % 20
    points = np.random.default_rng(0).normal(size=(20, 4))[classes] + np.random.default_rng(1).normal(size=(300, 4))
    found = evaluate(points, classes, sample=20)
    text = said(found, "headline").text
    assert "worst tenth" not in text
    assert "Worst class" not in text
    section = said(found, "worst classes")
    assert section.text == (
        "None is named: with fewer than two queries per class on average, how a class fares is mostly luck."
    )
    assert (list(section.tables), list(section.charts)) == ([], [])


def test_one_class_is_one_class(one_class: Evaluation) -> None:
    assert said(one_class, "headline").text.startswith("6 queries searched among 6 items of 1 class, each")
    given = evaluate_triplets([[0.0]], [[1.0]], [[2.0]])
    assert said(given, "headline").text.startswith("1 given triplet, by")


def test_a_single_pair_of_classes_is_confused_in_the_singular() -> None:
    found = evaluate([[0.0], [2.0], [2.5], [6.0], [6.1]], [0, 0, 1, 1, 1])
    assert said(found, "confusions").text.startswith("All 2 pairs of classes in which")
    found = evaluate([[0.0], [2.0], [2.5], [2.6], [2.7]], [0, 0, 1, 1, 1])
    assert said(found, "confusions").text.startswith("The only pair of classes in which")


def test_the_verdict_of_given_triplets_needs_no_ranking(given: Evaluation) -> None:
    text = said(given, "headline").text
    assert text.startswith("2 given triplets")
    assert "positive is nearer than the negative in 50.0 % of the triplets." in text


def test_the_verdict_counts_only_queries_that_can_be_evaluated() -> None:
    lonely = evaluate([[0.0], [1.0], [3.0]], [0, 0, 1])
    assert "for 100.0 % of the 2 that can be evaluated" in said(lonely, "headline").text


def test_the_verdict_names_query_and_gallery() -> None:
    probe, gallery = Embeddings([[0.0]], [1], name="probe"), Embeddings([[1.0], [3.0]], [1, 2], name="gallery")
    section = said(evaluate(probe, gallery=gallery), "headline")
    assert section.title == "Evaluation of probe against gallery"
    assert [row[:3] for row in section.tables[0].rows] == [["queries", "probe", "1"], ["gallery", "gallery", "2"]]
    assert section.tables[0].columns[:3] == ["", "set", "rows"]
    assert said(evaluate([[0.0], [1.0]], [0, 0]), "headline").tables[0].columns[:2] == ["set", "rows"]


@pytest.mark.parametrize("which", ["run", "given", "collapsed", "one_class"])
def test_no_metric_is_lost(which: str, request: pytest.FixtureRequest) -> None:
    evaluation = request.getfixturevalue(which)
    spoken = " ".join(cell for s in sections(evaluation) for t in s.tables for row in t.rows for cell in row)
    heads = " ".join(c for s in sections(evaluation) for t in s.tables for c in t.columns)
    for spelling in evaluation:
        family = (
            spelling.partition("@margin=")[0].removeprefix("triplet_").replace("_", "-").replace("-nonzero", " where")
        )
        shared = family == "easy" or family.replace("at-", "at ") in heads or family.replace("-loss", " loss") in heads
        shared = shared or (family.startswith("threshold@") and "threshold" in heads)
        assert spelling in spoken or shared, spelling


def test_retrieval_lists_value_chance_ceiling_and_support(run: Evaluation) -> None:
    section = said(run, "retrieval")
    (table,) = section.tables
    assert table.columns == ["metric", "value", "chance", "ceiling", "n"]
    assert column(table, "metric")[:5] == ["map@r", "hit_rate@1", "hit_rate@2", "recall@1", "recall@2"]
    for name, *cells in table.rows:
        entry = run.metrics[name]
        ceiling = entry.get("ceiling", 1)
        assert cells == [
            number(entry["value"]),
            number(entry["chance"]),
            number(ceiling) if ceiling < 1 else "",
            str(entry["n"]),
        ]


def test_retrieval_tells_the_two_recalls_apart_and_what_is_averaged(run: Evaluation) -> None:
    text = said(run, "retrieval").text
    assert 'hit_rate@k (DML "Recall@K")' in text
    assert "recall@k (fraction of positives)" in text
    assert text.startswith("Mean over queries")


def test_an_average_other_than_the_usual_is_marked_at_the_metric() -> None:
    pooled = evaluate([[0.0], [1.0], [3.0], [7.0]], [0, 0, 1, 1], average="pooled")
    names = column(said(pooled, "retrieval").tables[0], "metric")
    assert "recall@1 (over all relevant pairs)" in names
    assert "mrr" in names
    by_class = evaluate([[0.0], [1.0], [3.0], [7.0]], [0, 0, 1, 1], average="class")
    assert said(by_class, "retrieval").text.startswith("Mean over classes")
    assert said(by_class, "triplets").text.startswith("Shares and losses mean over classes")


def test_triplets_are_listed_by_margin(run: Evaluation) -> None:
    section = said(run, "triplets")
    accuracy, of_triplets, of_anchors, curve = section.tables
    assert column(accuracy, "value") == [number(run["triplet_accuracy"])]
    assert column(of_triplets, "margin") == ["0.5", "2"]
    for head, family in (("satisfied", "triplet_satisfied"), ("semi-hard", "semi_hard"), ("loss", "triplet_loss")):
        assert column(of_triplets, head) == [number(run[f"{family}@margin={m}"]) for m in ("0.5", "2")]
    assert column(of_anchors, "batch-hard loss") == [number(run[f"batch_hard_loss@margin={m}"]) for m in ("0.5", "2")]
    assert curve.rows == [["-1", number(run.margin_curve["satisfied"][0])], ["0.5", number(run["easy@margin=0.5"])]]
    assert "over all 36 triplets" in section.text


def test_a_long_margin_curve_is_thinned_to_its_ends_and_says_so(run: Evaluation) -> None:
    margins = np.linspace(-1, 1, 41).tolist()
    section = said(replace(run, margin_curve={"margins": margins, "satisfied": margins}), "triplets")
    shown = column(section.tables[-1], "margin")
    assert (len(shown), shown[0], shown[-1]) == (11, "-1", "1")
    assert "11 of 41 margins" in section.text
    eleven = said(replace(run, margin_curve={"margins": margins[:11], "satisfied": margins[:11]}), "triplets")
    assert column(eleven.tables[-1], "margin") == [plain(margin) for margin in margins[:11]]
    assert "margins of the curve" not in eleven.text


def test_only_what_is_listed_is_explained(run: Evaluation) -> None:
    for family, words in (("semi_hard@", "Satisfied (easy):"), ("batch_hard", "Batch-hard:")):
        without = {name: entry for name, entry in run.metrics.items() if not name.startswith(family)}
        assert words in said(run, "triplets").text
        assert words not in said(replace(run, metrics=without), "triplets").text


def test_an_undefined_number_is_never_shown_as_a_number(one_class: Evaluation) -> None:
    section = said(one_class, "triplets")
    assert column(section.tables[0], "value") == ["undefined: no valid triplet"]
    assert {cell for table in section.tables[1:] for row in table.rows for cell in row[1:]} == {"–"}
    assert "– is undefined: no valid triplet." in section.text


def test_given_triplets_have_no_rankings_no_classes_and_no_queries(given: Evaluation) -> None:
    titles = [section.title for section in sections(given)]
    assert titles[1:] == [*(["Notes"] if given.notes else []), *titles[-3:]]
    assert titles[-3:] == ["Triplets", "What was counted", "To get the same numbers again"]


def test_the_accounting_is_told_in_words() -> None:
    found = Embeddings([[0.0], [0.0], [0.0], [3.0], [np.nan]], [0, 0, 1, 2, 0], name="val")
    evaluation = evaluate(found, nonfinite="drop", ks=(1, 9))
    (table,) = said(evaluation, "accounting").tables
    counts = dict(table.rows)  # type: ignore[arg-type]
    assert counts["queries"] == "4"
    assert counts["queries evaluated"] == "2"
    assert counts["queries skipped: nothing relevant to find"] == "2"
    assert counts["self-matches removed"] == "4"
    assert counts["pairs at distance zero, same label"] == "1"
    assert counts["pairs at distance zero, different label"] == "2"
    assert counts["rows dropped from queries: nonfinite"] == "1"
    assert counts["queries that can find fewer than k=9"] == "4"
    assert counts["pairs compared"] == "12"


def test_the_accounting_says_zero_where_a_reader_would_wonder(run: Evaluation) -> None:
    counts = dict(said(run, "accounting").tables[0].rows)  # type: ignore[arg-type]
    assert counts["pairs at distance zero, different label"] == "0"
    assert "pairs ignored by rule" not in counts


def test_the_worst_class_comes_first_with_its_support() -> None:
    points = [[0.0], [0.5], [1.0], [10.0], [11.0], [20.0], [0.25], [30.0]]
    evaluation = evaluate(points, ["a", "b", "a", "c", "c", "lone", "b", "d"])
    (table,) = said(evaluation, "worst classes").tables
    assert column(table, "class") == ["a", "b", "c"]
    assert column(table, "queries") == ["2", "2", "2"]
    assert column(table, "map@r")[-1] == "1.0000"


def test_at_most_ten_classes_are_listed() -> None:
    evaluation = evaluate(np.arange(60.0)[:, None], np.arange(60) // 2)
    assert len(said(evaluation, "worst classes").tables[0].rows) == 10
    assert said(evaluation, "worst classes").text.startswith("The 10 of 30 classes")


def test_the_bars_of_the_worst_classes_say_what_orders_them_and_what_they_show() -> None:
    random = np.random.default_rng(0)
    classes = np.repeat(np.arange(40), np.arange(40) % 7 + 2)
    evaluation = evaluate(random.normal(size=(40, 6))[classes] + random.normal(size=(len(classes), 6)), classes)
    (chart,) = said(evaluation, "worst classes").charts
    # With unequal classes the order by the shrunken rate is not that of the bars.
    assert chart.columns["map@r"] != sorted(chart.columns["map@r"])
    assert chart.text == "The 30 classes with the lowest shrunken map@r, worst first; the bars show map@r."


def test_a_number_is_explained_by_its_own_definition_and_not_by_one_of_the_same_family() -> None:
    for spelling, pattern in {
        "threshold@far=0.001": "threshold@far",
        "threshold@fpir=0.1": "threshold@fpir",
        "recall@10": "recall@k",
        "map@r": "map@r",
        "hard@margin=0": "hard@margin",
    }.items():
        found = definition(spelling)
        assert found is not None
        assert found.name == pattern
    assert definition("no such number") is None


def test_one_class_has_no_worst(one_class: Evaluation) -> None:
    assert SECTIONS["worst classes"].write(one_class) is None


def test_the_worst_queries_come_with_what_they_found(run: Evaluation) -> None:
    assert run.per_query is not None
    (table,) = said(run, "worst queries").tables
    lowest = sorted(run.per_query["map"].to_pylist())
    assert column(table, "map") == [number(value) for value in lowest]
    assert column(table, "id")[0].startswith("item-")
    first = table.rows[column(table, "row").index("2")]
    assert first[-1] == "item-1 (wrong, at 2.0000)"


def test_among_equally_bad_queries_a_wrong_nearest_item_comes_first() -> None:
    # Both queries have map 1/2 + ...: query 0 finds a relevant item first, query 1 a wrong one.
    evaluation = evaluate([[0.0], [1.0], [3.0], [7.0], [8.0], [12.0]], [0, 0, 1, 0, 1, 1])
    assert evaluation.per_query is not None
    level = evaluation.per_query.set_column(evaluation.per_query.column_names.index("map"), "map", [[0.5] * 6])
    assert evaluation.neighbors is not None
    wrong = {row["query"] for row in evaluation.neighbors.to_pylist() if row["rank"] == 1 and not row["relevant"]}
    rows = [int(row) for row in column(said(replace(evaluation, per_query=level), "worst queries").tables[0], "row")]
    assert rows == [*sorted(wrong), *sorted(set(range(6)) - wrong)]


def test_tables_of_pairs_have_no_empty_columns(run: Evaluation) -> None:
    for table in said(run, "verification").tables:
        assert all(any(column(table, name)) for name in table.columns)


def test_worst_queries_do_without_neighbours(run: Evaluation) -> None:
    (table,) = said(replace(run, neighbors=None), "worst queries").tables
    assert set(column(table, "nearest")) == {""}


def test_the_hash_and_the_versions_are_said_last(run: Evaluation) -> None:
    text = sections(run)[-1].text
    assert run.result_hash in text
    assert "python 3." in text


def test_two_runs_are_compared_by_value_and_difference(run: Evaluation) -> None:
    better = replace(run, metrics={**run.metrics, "map@r": {**run.metrics["map@r"], "value": run["map@r"] - 0.125}})
    section = comparison([("a", run), ("b", better)])
    (table,) = section.tables
    assert table.columns == ["metric", "a", "b", "difference", "better"]
    assert table.rows[0] == ["map@r", number(run["map@r"]), number(better["map@r"]), "−0.1250", "higher"]
    assert section.level == "plain"


def test_runs_of_different_tasks_are_compared_with_a_warning(run: Evaluation, collapsed: Evaluation) -> None:
    section = comparison([("a", run), ("b", collapsed), ("a", run)])
    assert section.level == "warning"
    assert "queries" in section.text
    assert "gallery" in section.text
    assert section.tables[0].columns == ["metric", "a (1)", "b", "a (3)", "better"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.5, "0.5000"),
        (0.0, "0.0000"),
        (5.4e-4, "5.40e-04"),
        (-2.5, "−2.5000"),
        (12345.678, "12,345.7"),
        (-4.449e20, "−4.45e+20"),
        (None, "–"),
        (float("nan"), "–"),
        (1, "1.0000"),
    ],
)
def test_numbers_are_never_rounded_to_nothing(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.0, "100.0 %"), (0.9999, "more than 99.9 %"), (0.0, "0.0 %"), (1e-5, "less than 0.1 %"), (0.405, "40.5 %")],
)
def test_a_share_is_never_rounded_to_all_or_none(value: float, shown: str) -> None:
    assert percent(value) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.5, 0.75, "[0.500, 0.750]"),
        (0.0, 0.25, "[0.000, 0.250]"),
        (0.0, 0.0, "[0.000, 0.000]"),
        (2e-4, 0.0021, "[2.00e-04, 0.0021]"),
        (-2e-4, 0.0021, "[−2.00e-04, 0.0021]"),
        (-0.25, -2e-4, "[−0.2500, −2.00e-04]"),
        (-1e-17, 0.25, "[0.000, 0.250]"),
        (0.00111, 0.00113, "[0.0011, 0.0011]"),
        (0.3, 0.3 + 1e-16, "[0.300, 0.300]"),
        (3.247e20, 3.408e20, "[3.25e+20, 3.41e+20]"),
        (None, 1.0, ""),
        (0.5, None, ""),
        (-0.25, 0.5, "[−0.250, 0.500]"),
    ],
)
def test_an_end_beside_0_is_not_rounded_to_it(low: float | None, high: float | None, shown: str) -> None:
    assert interval(low, high) == shown


@pytest.mark.parametrize(
    ("low", "value", "high", "shown"),
    [
        (6e-4, 9.08e-4, 0.0021, "[6.00e-04, 0.0021]"),
        (0.8416, 0.8417, 0.9, "[0.8416, 0.9000]"),
        (0.5, 0.84241, 0.84243, "[0.5000, 0.8424]"),
        (-0.0034, -0.0034, 0.5, "[−0.0034, 0.5000]"),
        (0.776, 0.8417, 0.885, "[0.776, 0.885]"),
        (0.8416, 0.5, 0.9, "[0.842, 0.900]"),  # it is outside, and may read so
    ],
)
def test_a_value_never_reads_as_outside_its_interval(low: float, value: float, high: float, shown: str) -> None:
    assert interval(low, high, value) == shown


def test_a_threshold_and_its_ends_have_the_same_digits_where_three_decimals_are_too_few() -> None:
    assert interval(2.27336, 2.5, 2.27341, threshold) == "[2.273, 2.500]"
    assert interval(2.27361, 2.5, 2.27362, threshold) == "[2.27361, 2.5]"
    assert interval(41.9876, 123456.9, 123456.9, threshold) == "[41.9876, 123457]"


@pytest.mark.parametrize("which", ["run", "paired", "identified", "given"])
def test_every_value_stands_inside_the_interval_beside_it(which: str, request: pytest.FixtureRequest) -> None:
    evaluation = request.getfixturevalue(which)
    narrow = {}
    for name, entry in evaluation.metrics.items():
        if entry["value"] is not None:  # with three decimals both it and the end below it read as more
            value = round(entry["value"], 3) + 6e-4
            narrow[name] = entry | {"value": value, "low": value - 1e-5, "high": value + 0.5}
    read = [
        [float(text.replace("−", "-").replace(",", "")) for text in (row[at - 1].split(" ")[0], *ends.split(", "))]
        for section in sections(replace(evaluation, metrics=narrow))
        for table in section.tables
        for at, head in enumerate(table.columns)
        for row in table.rows
        if head == "interval" and (ends := row[at][1:-1])
    ]
    assert len(read) > 1
    assert [numbers for numbers in read if not numbers[1] <= numbers[0] <= numbers[2]] == []


def test_a_rate_of_identification_is_marked_as_not_reliable_like_its_threshold(identified: Evaluation) -> None:
    _, rates, thresholds = said(identified, "identification").tables
    assert [table.rows[0][0].partition("@")[0] for table in (rates, thresholds)] == ["tpir", "threshold"]
    assert [row[-1] for row in rates.rows] == [row[-1] for row in thresholds.rows] == ["*", "*"]
    sure = {name: entry | {"unreliable": False} for name, entry in identified.metrics.items()}
    _, rates, _ = said(replace(identified, metrics=sure), "identification").tables
    assert "" not in rates.columns


def test_a_share_of_pairs_is_in_percent_like_every_other_share(paired: Evaluation) -> None:
    (table,) = [table for table in said(paired, "verification").tables if "up to which lie" in table.columns]
    shown = column(table, "up to which lie")
    assert shown[:3] == ["5 % of the genuine pairs", "50 % of the genuine pairs", "95 % of the genuine pairs"]


def test_of_one_class_no_share_of_0_triplets_is_said(one_class: Evaluation) -> None:
    text = said(one_class, "triplets").text
    assert text.startswith("There is none: each takes an anchor, a positive and a negative. – is undefined: no ")
    assert "0 triplets" not in text


def test_each_question_has_a_line_of_the_first_paragraph() -> None:
    classes = np.arange(300) % 20
    points = np.random.default_rng(0).normal(size=(20, 4))[classes] + np.random.default_rng(1).normal(size=(300, 4))
    begin = ("300 queries", "The nearest item is", "At margin 0.2,", "A threshold of", "Worst class:", "Intervals, at")
    lines = said(evaluate(points, classes), "headline").text.splitlines()
    assert [line[: len(words)] for line, words in zip(lines, begin, strict=True)] == list(begin)


def test_the_interval_of_folds_is_not_said_to_be_of_identities(paired: Evaluation) -> None:
    text = said(paired, "headline").text
    assert "what other identities like these would give; that of cv_accuracy, what other folds would." in text
    alone = replace(paired, metrics={"cv_accuracy": paired.metrics["cv_accuracy"]})
    assert said(alone, "headline").text.endswith("say what other folds like these would give.")
    unfolded = {name: entry for name, entry in paired.metrics.items() if name != "cv_accuracy"}
    assert said(replace(paired, metrics=unfolded), "headline").text.endswith("other identities like these would give.")


def test_names_are_one_visible_line_of_bounded_length() -> None:
    assert label("a\nb\x1b[31m\u202e") == "a\\nb\\x1b[31m\\u202e"
    assert label("W" * 5000) == "W" * 199 + "…"
    assert label("W" * 200) == "W" * 200
    assert label(["a", "b"]) == "a, b"
    assert brief("W" * 61) == "W" * 59 + "…"


@pytest.mark.parametrize(("value", "shown"), [(61.0, "61"), (1234567.0, "1,234,567"), (2.5, "2.5"), (7 / 3, "2.33")])
def test_a_place_in_a_ranking_is_a_whole_number_unless_ties_share_it(value: float, shown: str) -> None:
    assert rank(value) == shown


def test_a_case_says_where_its_first_relevant_item_stands() -> None:
    assert (fact(61.0, FIRST_AT), fact(None, FIRST_AT), fact(61.0, "map")) == ("61", "–", "61.0000")


def test_words_for_lists_and_averages() -> None:
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert [over("query", "triplets"), over("pooled", "triplets")] == ["mean over queries", "over all triplets"]


def test_who_is_drawn_again_is_said_of_those_there_are() -> None:
    people = np.arange(20)
    gallery = Embeddings(people[:, None] * 1.0, [f"p{one}" for one in people])
    known = Embeddings(people[:, None] + 0.1, [f"p{one}" for one in people])
    strangers = Embeddings(people[:, None] + 0.1 * people[:, None], [f"s{one}" for one in people])
    drawn = {
        "20 enrolled identities again, in the same gallery.": evaluate_identification(known, gallery),
        "20 strangers again, in the same gallery; each draw chooses": evaluate_identification(strangers, gallery),
    }
    for sentence, run in drawn.items():
        assert f"Intervals draw {sentence}" in said(run, "identification").text


def test_the_first_paragraph_says_the_unit_that_was_drawn_again():
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(60, 4)), np.repeat(np.arange(20), 3)
    listed = {row: [(row + 1) % 60] for row in range(60)}
    asked, searched = (Embeddings(vectors + shift, ids=np.arange(60) + at) for shift, at in ((0, 0), (0.1, 100)))
    runs = {
        "queries": evaluate(asked, gallery=searched, relevance={q: [g + 100 for g in listed[q]] for q in listed}),
        "classes": evaluate(vectors, labels),
        "groups": evaluate(Embeddings(vectors, labels, groups=labels), unit="group"),
    }
    for units, run in runs.items():
        assert f"say what other {units} like these would give" in SECTIONS["headline"].write(run).text


def test_a_difference_has_its_sign_and_as_many_digits_as_it_takes():
    assert [difference(value) for value in (0.0123, -9.08e-4, 0.0, None)] == ["+0.0123", "−9.08e-04", "+0.0000", "–"]
    assert difference(float("nan")) == "–"
