"""What stands out is named on the first screen: every planted problem, and nothing where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tripleteval import Embeddings, Evaluation, evaluate
from tripleteval.report.sections import SECTIONS, sections

NAMES = np.array([f"person_{i:02d}" for i in range(20)])
CLASSES = np.repeat(np.arange(20), 12)


def points(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return 20 well separated people with 12 pictures each, as centres (one a row) and noise."""
    random = np.random.default_rng(seed)
    return 4 * random.normal(size=(20, 16))[CLASSES], 0.5 * random.normal(size=(240, 16))


def lines(found: Evaluation) -> list[str]:
    section = SECTIONS["standing out"].write(found)
    return [] if section is None else section.text.splitlines()


def faces(vectors: np.ndarray, labels: np.ndarray, **more: object) -> Evaluation:
    given = Embeddings(vectors, labels, ids=[f"img_{row:03d}" for row in range(240)])
    return evaluate(given, verification=False, **more)


def test_where_every_class_is_found_nothing_stands_out() -> None:
    centres, noise = points()
    found = faces(centres + noise, NAMES[CLASSES])
    assert lines(found) == []
    assert "What stands out" not in [said.title for said in sections(found)]


def test_two_classes_that_are_mixed_up_are_named_once_with_both_counts() -> None:
    centres, noise = points()
    centres[CLASSES == 1] = centres[CLASSES == 0]
    found = faces(centres + noise, NAMES[CLASSES])
    assert found.neighbors is not None
    near = found.neighbors.filter(np.equal(found.neighbors["rank"].to_numpy(), 1)).to_pylist()
    wrong = [sum(r["gallery_label"] == b for r in near if NAMES[CLASSES[r["query"]]] == a) for a, b in PAIR]
    first, second = sorted(((w, a, b) for w, (a, b) in zip(wrong, PAIR, strict=True)), key=lambda each: -each[0])
    (line,) = lines(found)
    assert line == (
        f"{first[1]} is taken for {first[2]}: {first[0]} of its 12 queries find an item of {first[2]} first; "
        f"{second[0]} the other way round."
    )


PAIR = [("person_00", "person_01"), ("person_01", "person_00")]


def test_wrong_labels_are_counted_and_the_first_are_named() -> None:
    centres, noise = points()
    labels = NAMES[CLASSES].copy()
    for row, other in ((5, 3), (30, 9), (100, 2), (150, 0)):
        labels[row] = NAMES[other]
    line, spread = lines(faces(centres + noise, labels))
    assert spread.endswith("it is spread, or some of its labels are wrong.")
    assert line.startswith("4 queries stand among items of one other class, with none of the own class near: either")
    assert line.endswith(" first.")
    named = {"img_005 (person_03, among person_00)", "img_030 (person_09, among person_02)"}
    named |= {"img_100 (person_02, among person_08)", "img_150 (person_00, among person_12)"}
    assert sum(name in line for name in named) == 3
    labels[[5, 30, 100]] = NAMES[CLASSES[[5, 30, 100]]]
    assert lines(faces(centres + noise, labels))[0] == (
        "1 query stands among items of one other class, with none of the own class near: either the label is wrong "
        "or the model is. Look at img_150 (person_00, among person_12)."
    )


@pytest.mark.parametrize("distance", ["euclidean", "sqeuclidean", "cosine"])
def test_a_class_that_collapsed_is_named_beside_the_middle_one(distance: str) -> None:
    centres, noise = points()
    noise[CLASSES == 7] = 0
    found = faces(centres + noise, NAMES[CLASSES], distance=distance)
    point, copies = lines(found)
    assert found.per_class is not None
    middle = float(np.median(found.per_class["intra_distance"].to_numpy()))
    assert point == (
        f"Nearly one point: the items of person_07 (0.0000). In brackets is their mean distance, {middle:.4f} in the "
        "middle class. Where a class is like that, it has collapsed, or its items are copies."
    )
    assert copies == "12 queries have a copy, exact or nearly, among the items searched: see the duplicates."


def test_a_class_that_is_spread_is_named() -> None:
    centres, noise = points()
    noise[CLASSES == 7] *= 3
    (line,) = lines(faces(centres + noise, NAMES[CLASSES]))
    assert line.startswith("Far apart: the items of person_07 (")


def test_of_several_classes_the_farthest_from_usual_is_named_first() -> None:
    centres, noise = points()
    times = np.ones(20)
    times[[3, 9, 14]] = 3, 5, 4
    noise *= times[CLASSES][:, None]
    (line,) = [line for line in lines(faces(centres + noise, NAMES[CLASSES])) if line.startswith("Far apart")]
    places = [line.index(name) for name in ("person_09", "person_14", "person_03")]
    assert places == sorted(places)


def test_the_worst_part_is_named_where_its_interval_is_below_the_number_of_all() -> None:
    centres, noise = points()
    noise[CLASSES >= 14] *= 10
    side = np.where(CLASSES >= 14, "dark", "bright").tolist()
    given = Embeddings(centres + noise, NAMES[CLASSES], meta={"light": side})
    found = evaluate(given, by=["light"], verification=False)
    (dark,) = [entry for entry in found.slices if entry["value"] == "dark"]
    first = lines(found)[0]
    assert first.startswith(f"Of light, dark is worst: map@r {dark['metrics']['map@r']['value']:.4f} [")
    assert first.endswith(f", {found['map@r']:.4f} over all queries.")
    even = [replace_value(entry, found) for entry in found.slices]
    assert not any(line.startswith("Of light") for line in lines(replace(found, slices=even)))


def test_of_several_parts_that_are_worse_the_worst_is_named_and_of_each_column_one() -> None:
    centres, noise = points()
    noise[CLASSES >= 8] *= 8
    light, worse = (np.where(CLASSES >= 8, word, "bright").tolist() for word in ("dark", "dim"))
    given = Embeddings(centres + noise, NAMES[CLASSES], meta={"light": light, "lamp": worse})
    found = evaluate(given, by=["light", "lamp"], verification=False)
    entry = next(entry for entry in found.slices if entry["value"] == "dark")
    at = entry["metrics"]["map@r"]
    for order in ((0.02, 0.01, 0.03), (0.01, 0.02, 0.03), (0.03, 0.02, 0.01)):
        parts = [
            entry | {"value": f"at {value}", "metrics": {"map@r": at | {"value": value, "low": 0.0, "high": 0.05}}}
            for value in order
        ]
        worst = [line for line in lines(replace(found, slices=[*parts, *found.slices])) if " is worst: " in line]
        assert [line.partition(":")[0] for line in worst] == ["Of light, at 0.01 is worst", "Of lamp, dim is worst"]


def replace_value(entry: dict, found: Evaluation) -> dict:
    """Return the slice with the number of all queries in the place of its own."""
    return {**entry, "metrics": {**entry["metrics"], "map@r": found.metrics["map@r"]}}


def test_a_network_that_ranks_as_chance_does_is_said_to_and_no_class_is_blamed() -> None:
    random = np.random.default_rng(3)
    found = faces(random.normal(size=(240, 16)), NAMES[CLASSES])
    (line,) = lines(found)
    assert line.startswith(f"The rankings cannot be told from chance: map@r is {found['map@r']:.4f} [")
    assert line.endswith(f"a random ranking has {found.metrics['map@r']['chance']:.4f}.")


def test_the_verdict_names_the_threshold_that_the_page_proposes() -> None:
    centres, noise = points()
    found = evaluate(centres + noise, CLASSES)
    rate = found.metrics["tar@far=0.01"]
    text = SECTIONS["headline"].write(found).text
    accepted = f"{100 * rate['value']:.1f} % of the genuine pairs and {100 * rate['achieved_far']:.1f} %"
    assert f"A threshold of {rate['threshold']:.4f} accepts {accepted} of the impostors." in text
    assert "A threshold of" not in SECTIONS["headline"].write(faces(centres + noise, CLASSES)).text


def test_a_single_query_with_a_copy_in_the_gallery_is_one() -> None:
    centres, noise = points()
    gallery = Embeddings(centres + noise, NAMES[CLASSES])
    moved = centres + noise + 0.5
    moved[7] = gallery.vectors[7]
    found = evaluate(Embeddings(moved, NAMES[CLASSES]), gallery=gallery, verification=False)
    assert lines(found) == ["1 query has a copy, exact or nearly, among the items searched: see the duplicates."]


@pytest.mark.parametrize("classes", [4, 24])
def test_where_all_vectors_are_equal_the_order_of_the_rows_blames_nobody(classes: int) -> None:
    found = evaluate(np.zeros((10 * classes, 3)), np.repeat(np.arange(classes), 10), verification=False)
    chance, copies = lines(found)
    assert chance.startswith(f"The rankings cannot be told from chance: map@r is {found['map@r']:.4f}")
    assert copies.startswith(f"{10 * classes} queries have a copy")


def test_where_nothing_can_be_told_from_chance_or_apart_no_class_is_the_worst() -> None:
    random = np.random.default_rng(3)
    perfect = 100.0 * CLASSES[:, None] + random.normal(size=(240, 1))
    for vectors in (random.normal(size=(240, 16)), perfect, np.zeros((240, 3))):
        assert "Worst" not in SECTIONS["headline"].write(faces(vectors, NAMES[CLASSES])).text


def test_where_all_vectors_are_one_neither_classes_nor_labels_are_listed() -> None:
    found = evaluate(np.zeros((40, 3)), np.arange(40) // 10, verification=False)
    assert SECTIONS["confusions"].write(found) is None
    assert SECTIONS["suspected labels"].write(found) is None


def test_one_more_pair_is_one() -> None:
    centres, noise = points()
    for pair in range(4):
        centres[np.isin(CLASSES, (2 * pair, 2 * pair + 1))] = 5.0 * pair
    assert "So it is with 1 more pair of classes." in lines(faces(centres + noise, NAMES[CLASSES]))
