"""Numbers per value of a column: those of the queries of that value alone, with intervals, or a reason."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tripleteval as te
from tripleteval.evaluation.slices import column_values
from tripleteval.report.sections import SECTIONS

RANDOM = np.random.default_rng(13)
LABELS = np.repeat(np.arange(30), 6)
POINTS = RANDOM.normal(size=(30, 5))[LABELS] + 0.8 * RANDOM.normal(size=(180, 5))
COUNTRY = np.array(["de", "fr", "it"])[LABELS % 3].tolist()
RARE = ["lone" if label == 0 else "rest" for label in LABELS.tolist()]
YEAR = [None if row % 6 == 0 else 2020 + row % 2 for row in range(180)]
META = {
    "country": pa.array(COUNTRY),
    "rare": RARE,
    "year": YEAR,
    "row": np.arange(180),
    "score": [float("nan"), 1.0] * 90,
}


@pytest.fixture(scope="module")
def run() -> te.Evaluation:
    return te.evaluate(te.Embeddings(POINTS, LABELS, meta=META), by=["country", "rare", "year"], ks=(1, 5))


def entry(run: te.Evaluation, column: str, value: str | None) -> dict:
    return next(e for e in run.slices if (e["column"], e["value"]) == (column, value))


def test_each_value_has_the_mean_over_its_queries_and_all_of_the_gallery(run):
    scores = np.array(run.per_query["map@r"].to_pylist())
    for value in ("de", "fr", "it"):
        found = entry(run, "country", value)
        mine = np.array(COUNTRY) == value
        assert (found["queries"], found["evaluated"], found["units"]) == (60, 60, 10)
        assert found["metrics"]["map@r"]["value"] == pytest.approx(scores[mine].mean())
        assert set(found["metrics"]) >= {"map@r", "hit_rate@1", "recall@5", "mrr", "triplet_accuracy"}
        for each in found["metrics"].values():
            assert each["low"] <= each["value"] <= each["high"]


def test_a_pooled_number_is_pooled_within_the_slice(run):
    table = run.per_query.to_pylist()
    mine = [row for row, country in zip(table, COUNTRY, strict=True) if country == "fr"]
    weights = [row["relevant"] * (row["valid"] - row["relevant"]) for row in mine]
    expected = np.average([row["triplet_accuracy"] for row in mine], weights=weights)
    assert entry(run, "country", "fr")["metrics"]["triplet_accuracy"]["value"] == pytest.approx(expected)


def test_a_slice_that_is_too_small_says_so_and_shows_no_number(run):
    lone = entry(run, "rare", "lone")
    assert lone["metrics"] == {}
    assert lone["reason"].startswith("too small: 6 queries of 1 class, where 10 of 5")
    assert "reason" not in entry(run, "rare", "rest")


def test_queries_without_a_value_are_a_slice_of_their_own(run):
    assert [e["value"] for e in run.slices if e["column"] == "year"] == ["2020", "2021", None]
    assert entry(run, "year", None)["queries"] == 30


def test_slices_are_part_of_the_run_its_hash_and_its_report(run, tmp_path):
    assert te.load(run.save(tmp_path / "run")).slices == run.slices
    bare = te.evaluate(te.Embeddings(POINTS, LABELS, meta=META), ks=(1, 5))
    assert bare.slices == []
    assert bare.metrics == run.metrics
    assert bare.result_hash != run.result_hash
    assert SECTIONS["slices"].write(bare) is None
    tables = SECTIONS["slices"].write(run).tables
    assert [table.columns[0] for table in tables] == [
        "country",
        "rare",
        "year",
        "pairs by country",
        "pairs by rare",
        "pairs by year",
    ]
    assert tables[0].rows[0][:3] == ["de", "60", "60"]
    assert "[" in tables[0].rows[0][3]
    assert tables[0].numeric == set(tables[0].columns[1:])  # an interval is never broken over two lines
    assert tables[1].rows[0][3].startswith("too small: 6 queries")
    assert tables[2].rows[-1][0] == "without a value"


def test_groups_and_missing_numbers_can_be_sliced_by():
    run = te.evaluate(te.Embeddings(POINTS, LABELS, groups=LABELS % 2, meta=META), by=("group", "score"))
    assert [(e["column"], e["value"]) for e in run.slices] == [
        ("group", "0"),
        ("group", "1"),
        ("score", "1.0"),
        ("score", None),
    ]


def test_slices_of_a_sample_are_slices_of_its_queries():
    run = te.evaluate(te.Embeddings(POINTS, LABELS, meta=META), by="country", sample=90)
    assert sum(e["queries"] for e in run.slices) == 90


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("county", r"no column 'county' to slice by.*did you mean 'country'"),
        ("camera", "no column 'camera' to slice by.*read as the group or the label is known by that word"),
        ("row", "180 different values"),
    ],
)
def test_a_column_that_cannot_be_sliced_by_is_refused(by, said):
    with pytest.raises(te.ParameterError, match=f"E101 {said}"):
        te.evaluate(te.Embeddings(POINTS, LABELS, groups=LABELS % 3, meta=META), by=by)


def test_a_slice_weighs_classes_alike_where_that_is_asked_for():
    kept = np.flatnonzero(np.arange(180) % 7 > 1)  # classes of 3 to 5 items
    labels, country = LABELS[kept], np.array(COUNTRY)[kept]
    run = te.evaluate(te.Embeddings(POINTS[kept], labels, meta={"country": country}), by="country", average="class")
    values = run.per_query["map@r"].to_numpy()
    for entry in run.slices:
        inside = country == entry["value"]
        means = [values[inside & (labels == label)].mean() for label in np.unique(labels[inside])]
        assert entry["metrics"]["map@r"]["value"] == pytest.approx(np.mean(means), rel=1e-12)
        assert np.mean(means) != pytest.approx(values[inside].mean(), rel=1e-6)


def test_a_hundred_values_can_be_sliced_by_and_one_more_cannot():
    queries = te.Embeddings(POINTS, LABELS, meta={str(n): [row % n for row in range(180)] for n in (100, 101)})
    assert len(set(column_values(queries, "100"))) == 100
    with pytest.raises(te.ParameterError, match="E101 101 different values"):
        column_values(queries, "101")


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_columns_come_from_the_file(suffix, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if suffix == "parquet":
        pq.write_table(pa.table({"embedding": POINTS.tolist(), "label": LABELS, "country": COUNTRY}), "val.parquet")
    else:
        lines = [
            ",".join([*map(repr, row), str(label), c])
            for row, label, c in zip(POINTS.tolist(), LABELS, COUNTRY, strict=True)
        ]
        head = ",".join([*(f"embedding_{i}" for i in range(5)), "label", "country"])
        (tmp_path / "val.csv").write_text("\n".join([head, *lines]) + "\n")
    run = te.evaluate(te.read(f"val.{suffix}"), by=["country"])
    assert [e["value"] for e in run.slices] == ["de", "fr", "it"]


def test_a_column_of_text_that_is_not_utf8_is_refused_by_name():
    values = pa.array([b"abc", b"\xff\xfe"] * 30).view(pa.binary())
    town = pa.Array.from_buffers(pa.string(), 60, values.buffers())
    with pytest.raises(te.LabelError, match="E403 column 'town', whose text is not UTF-8"):
        te.evaluate(te.Embeddings(np.ones((60, 2)), np.arange(60) % 6, meta={"town": town}), by="town")
