"""Identification: brute force over identities, templates fused, strangers, and everything that is refused."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import tripleteval as te
from tripleteval.cli import main

points = st.lists(st.integers(-3, 3).map(lambda x: [float(x)]), min_size=1, max_size=8)


def brute(probes, names, gallery, enrolled, fusion):
    """Return rank and distance of every mate, and the smallest distance of every stranger."""
    mates, ranks, strangers = [], [], []
    for x, name in zip(probes, names, strict=True):
        of = {}
        for who in set(enrolled):
            templates = [g[0] for g, e in zip(gallery, enrolled, strict=True) if e == who]
            near = [abs(x[0] - t) for t in templates]
            of[who] = min(near) if fusion == "min" else abs(x[0] - sum(templates) / len(templates))
        if name in of:
            others = [d for who, d in of.items() if who != name]
            mates.append(of[name])
            ranks.append(1 + sum(d < of[name] for d in others) + sum(d == of[name] for d in others) / 2)
        else:
            strangers.append(min(of.values()))
    return np.array(mates), np.array(ranks), np.array(strangers)


@given(points, points, st.data(), st.sampled_from(["min", "mean"]))
def test_every_rate_is_that_of_brute_force(probes, gallery, data, fusion):
    names = data.draw(st.lists(st.integers(0, 4), min_size=len(probes), max_size=len(probes)))
    enrolled = data.draw(st.lists(st.integers(0, 2), min_size=len(gallery), max_size=len(gallery)))
    run = te.evaluate_identification(
        te.Embeddings(probes, names),
        te.Embeddings(np.array(gallery) + 0.0, enrolled, ids=[f"g{i}" for i in range(len(gallery))])
        if probes != gallery
        else te.Embeddings(np.array(gallery) + 0.25, enrolled),
        ks=(1, 2),
        fpirs=(0.5, 0.1),
        fusion=fusion,
    )
    shifted = gallery if probes != gallery else [[g[0] + 0.25] for g in gallery]
    mates, ranks, strangers = brute(probes, names, shifted, enrolled, fusion)
    assert (run.accounting["mated"], run.accounting["non_mated"]) == (len(mates), len(strangers))
    assert run.accounting["identities"] == len(set(enrolled))
    for k in (1, 2):
        if len(mates):
            assert run[f"cmc@{k}"] == pytest.approx(np.mean(ranks <= k))
        else:
            assert run.metrics[f"cmc@{k}"]["value"] is None
    for fpir in (0.5, 0.1):
        entry = run.metrics[f"tpir@fpir={fpir}"]
        if not len(mates) or not len(strangers):
            assert entry["value"] is None
            continue
        allowed = int(fpir * len(strangers) + 1e-9)
        limit = np.sort(np.append(strangers, np.inf))[allowed]
        assert entry["value"] == pytest.approx(np.mean((mates < limit) & (ranks <= 1)))
        assert entry["by_rank"]["2"] == pytest.approx(np.mean((mates < limit) & (ranks <= 2)))
        assert entry["achieved_fpir"] == pytest.approx(np.mean(strangers < limit))
        assert entry["achieved_fpir"] <= fpir


def test_a_probe_does_not_find_itself_and_loses_its_mate_if_that_was_all():
    gallery = te.Embeddings([[0.0], [1.0], [9.0]], ["ann", "ann", "bob"], ids=["1", "2", "3"])
    probes = te.Embeddings([[0.0], [9.0], [4.0]], ["ann", "bob", "cid"], ids=["1", "3", "4"])
    run = te.evaluate_identification(probes, gallery)
    assert run.per_query["mate_distance"].to_pylist() == [1.0, None, None]
    assert run.per_query["rank"].to_pylist() == [1.0, None, None]
    assert run.accounting["skipped"] == {"mate_removed": 1}
    assert run.accounting["self_matches_removed"] == 2
    for some in (probes, te.Embeddings([[0.0]], ["ann"], ids=["1"])):
        with pytest.raises(te.ParameterError, match="E101"):
            te.evaluate_identification(some, gallery, fusion="mean")


def test_a_probe_that_finds_nobody_but_itself_has_no_distance_to_anybody():
    gallery = te.Embeddings([[0.0]], ["ann"], ids=["1"])
    run = te.evaluate_identification(te.Embeddings([[0.0], [3.0]], ["ann", "bob"], ids=["1", "2"]), gallery)
    rows = run.per_query.to_pylist()
    assert [(row["enrolled"], row["best_distance"], row["best_identity"]) for row in rows] == [
        (True, None, None),
        (False, 3.0, "ann"),
    ]
    assert (run.accounting["skipped"], run.accounting["non_mated"]) == ({"mate_removed": 1}, 1)
    assert [run.accounting[f"{kind}_identities"] for kind in ("mated", "non_mated")] == [0, 1]


def test_under_cosine_the_mean_is_that_of_unit_vectors():
    gallery = te.Embeddings([[10.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], ["ann", "ann", "bob"])
    run = te.evaluate_identification(te.Embeddings([[1.0, 1.0]], ["ann"]), gallery, fusion="mean", distance="cosine")
    assert run.per_query["mate_distance"].to_pylist() == pytest.approx([0.0], abs=1e-15)


def test_under_cosine_an_identity_whose_directions_cancel_out_has_no_mean():
    gallery = te.Embeddings(
        [[2.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], ["ann", "ann", "bob"], name="enrolled"
    )
    probes = te.Embeddings([[1.0, 1.0, 0.0]], ["bob"])
    with pytest.raises(te.DataError, match="E202 1 identity whose items cancel out; first: 'ann' · enrolled"):
        te.evaluate_identification(probes, gallery, fusion="mean", distance="cosine")
    assert te.evaluate_identification(probes, gallery, fusion="mean")["cmc@1"] == 1.0


def test_one_result_whatever_the_memory_threads_and_kernel():
    rng = np.random.default_rng(0)
    probes = te.Embeddings(rng.normal(size=(700, 6)), rng.integers(0, 90, 700))
    gallery = te.Embeddings(rng.normal(size=(600, 6)), rng.integers(0, 60, 600))
    runs = [
        te.evaluate_identification(probes, gallery, **how)
        for how in (
            {"map": map},
            {"threads": 2},
            {"kernel": "cpu", "memory": "1MiB"},
            {"memory": "300KiB", "threads": 1},
        )
    ]
    assert len({run.result_hash for run in runs}) == 1
    with pytest.raises(te.ResourceError, match="E802"):
        te.evaluate_identification(probes, gallery, memory="100KiB", threads=2)


def test_what_is_impossible_is_refused():
    gallery = te.Embeddings([[0.0], [1.0]], ["ann", "bob"])
    probes = te.Embeddings([[0.5], [2.0]], ["ann", "cid"])
    for how, code in (
        ({"fusion": "max"}, "E510"),
        ({"fpirs": [0]}, "E505"),
        ({"ks": [0]}, "E308"),
        ({"distance": "dot"}, "E510"),
        ({"threads": 0}, "E101"),
    ):
        with pytest.raises(te.ParameterError, match=code):
            te.evaluate_identification(probes, gallery, **how)
    with pytest.raises(te.LabelError, match="E403"):
        te.evaluate_identification(te.Embeddings([[0.5]], [3]), gallery)
    with pytest.raises(te.LabelError, match="E401"):
        te.evaluate_identification(te.Embeddings([[0.5]]), gallery)
    with pytest.raises(te.DataError, match="E306"):
        te.evaluate_identification(te.Embeddings([[0.5, 1.0]], ["ann"]), gallery)


@pytest.mark.parametrize(
    ("probes", "gallery", "code"),
    [
        ([[np.nan, 1.0], [1.0, 2.0]], [[1.0, 1.0], [2.0, 5.0]], "E201"),
        ([[1.0, 1.0], [1.0, 2.0]], [[0.0, 0.0], [2.0, 5.0]], "E202"),
        ([[1.0, 1.0], [1.0, 2.0]], [[1.0, 1.0], [1.0, 2.0]], "E509"),
    ],
)
def test_what_is_refused_offers_nothing_that_identification_does_not_take(probes, gallery, code):
    with pytest.raises(te.DataError, match=code) as caught:
        te.evaluate_identification(*(te.Embeddings(side, ["a", "b"]) for side in (probes, gallery)), distance="cosine")
    assert not any(word in caught.value.fix for word in ("nonfinite", "zero_rows", "leave out the gallery"))


def test_probes_that_may_be_enrolled_themselves_are_suspected_unless_their_ids_say_otherwise():
    gallery = te.Embeddings([[0.0], [0.0], [5.0], [5.0]], list("aabb"), ids=list("pqrs"))
    suspected, known = (
        " ".join(te.evaluate_identification(te.Embeddings([[0.0], [5.0]], list("ab"), ids=ids), gallery).notes)
        for ids in (["x", "y"], ["p", "r"])
    )
    assert "give the same ids to both, or enrol other items" in suspected
    assert "at distance 0" not in known


def test_a_missing_kind_of_probe_leaves_its_rates_undefined_with_the_reason():
    gallery = te.Embeddings([[0.0], [1.0]], ["ann", "bob"])
    known = te.evaluate_identification(te.Embeddings([[0.5]], ["ann"]), gallery)
    assert known.metrics["tpir@fpir=0.1"]["reason"] == "no probe is a stranger to the gallery"
    assert known["cmc@1"] == 0.0  # two identities are equally close: rank 1.5
    strangers = te.evaluate_identification(te.Embeddings([[0.5]], ["cid"]), gallery)
    for name in ("cmc@1", "tpir@fpir=0.1"):
        assert strangers.metrics[name]["reason"] == "no probe has an identity in the gallery"


def test_strangers_alone_tell_the_threshold_and_how_sure_it_is():
    gallery = te.Embeddings([[0.0]], ["ann"])
    probes = te.Embeddings(np.arange(1.0, 41.0)[:, None], [f"s{row // 2}" for row in range(40)])
    run = te.evaluate_identification(probes, gallery, fpirs=(0.1,))
    entry = run.metrics["threshold@fpir=0.1"]
    assert (entry["value"], entry["achieved_fpir"], entry["units"]) == (4.5, 0.1, 20)
    assert entry["low"] < 4.5 < entry["high"]
    few = te.evaluate_identification(probes.take(np.arange(8)), gallery, fpirs=(0.25,)).metrics["threshold@fpir=0.25"]
    assert (few["value"], few["low"], few["interval_reason"]) == (
        2.5,
        None,
        "4 stranger identities, and an interval needs 5",
    )


def test_a_rank_as_large_as_the_gallery_has_no_interval_and_a_note():
    people = [f"p{one}" for one in range(8)]
    gallery = te.Embeddings(np.arange(8.0)[:, None], people)
    run = te.evaluate_identification(te.Embeddings(np.arange(8.0)[:, None] + 0.7, people), gallery, ks=(1, 7, 8, 9))
    assert [run.metrics[f"cmc@{k}"]["low"] is None for k in (1, 7, 8, 9)] == [False, False, True, True]
    assert any("The same for every ranking, and so without an interval: cmc@8, cmc@9." in note for note in run.notes)


def test_the_command_line_prints_the_size_of_the_gallery(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("probes.npy", np.array([[0.1], [5.2], [9.0]]))
    np.save("gallery.npy", np.array([[0.0], [5.0]]))
    (tmp_path / "probes.txt").write_text("ann\nbob\ncid\n")
    (tmp_path / "gallery.txt").write_text("ann\nbob\n")
    files = ["probes.npy", "--labels", "probes.txt", "--gallery", "gallery.npy", "--gallery-labels", "gallery.txt"]

    def run(*arguments: str):
        return CliRunner().invoke(main, ["identify", *arguments, "--no-save"])

    found = json.loads(run(*files, "--json", "-", "-k", "1", "--fpir", "0.5").stdout)["values"]
    assert found["tpir@fpir=0.5"]["value"] == 1.0
    assert found["cmc@1"]["identities"] == 2
    shown = " ".join(run(*files).stdout.split())
    assert "among 2 identities with 2 items" in shown
    assert run("probes.npy", "--labels", "probes.txt").exit_code == 2
    assert "No such option '--relevance'" in run(*files, "--relevance", "r.parquet").output
    saved = CliRunner().invoke(main, ["identify", *files, "--output", "run"])
    assert saved.exit_code == 0
    assert te.load("run")["cmc@1"] == 1.0
