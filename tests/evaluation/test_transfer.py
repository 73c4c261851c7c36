"""A threshold chosen on some identities and judged on others."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import tripleteval as te
from oracle import pair_distances
from tripleteval.cli import main
from tripleteval.evaluation.rate_interval import rate_interval, standard_error


def faces(classes: int = 30, each: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(classes), each)
    return rng.normal(size=(classes, 4))[y] + 0.7 * rng.normal(size=(len(y), 4)), y


def pair_classes(x, y, cut: float, *, same: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the wrong decisions about pairs of a kind, and all of them, by class; of two classes for both."""
    d = np.linalg.norm(x[:, None] - x, axis=2)
    pairs = ((y[:, None] == y) == same) & np.triu(np.ones_like(d, dtype=bool), 1)
    wrong = pairs & ((d > cut) == same)
    touched = (y[:, None, None] == np.unique(y)) | (y[None, :, None] == np.unique(y))
    return tuple((side[..., None] & touched).sum(axis=(0, 1)) for side in (wrong, pairs))


def test_the_rates_are_those_of_the_other_identities_at_the_chosen_threshold():
    x, y = faces()
    known = y < 12
    run = te.evaluate(
        te.Embeddings(x[~known], y[~known]), calibrate_on=te.Embeddings(x[known], y[known]), fars=(0.05, 0.01)
    )
    alone = te.evaluate(x[known], y[known], fars=(0.05, 0.01))
    genuine, impostor = map(np.array, pair_distances(x[~known], y[~known]))
    for far in ("0.05", "0.01"):
        cut = run.metrics[f"transfer_far@far={far}"]["threshold"]
        chosen = alone.metrics[f"tar@far={far}"]
        assert cut == alone[f"threshold@far={far}"] == chosen["threshold"]
        told = [run.metrics[f"transfer_far@far={far}"][name] for name in ("target_far", "chosen_far", "chosen_tar")]
        assert told == [float(far), chosen["achieved_far"], chosen["value"]]
        assert run[f"transfer_far@far={far}"] == pytest.approx(np.mean(impostor <= cut))
        assert run[f"transfer_frr@far={far}"] == pytest.approx(np.mean(genuine > cut))
        sides = [pair_classes(x[~known], y[~known], cut, same=same) for same in (True, False)]
        for name, (wrong, pairs), touched in zip(("transfer_frr", "transfer_far"), sides, (1, 2), strict=True):
            entry = run.metrics[f"{name}@far={far}"]
            assert entry == entry | rate_interval(wrong, pairs, touched, 0.95)
            assert entry["low"] < entry["value"] < entry["high"]
    assert run.accounting["calibration"]["identities"] == 12
    assert run.accounting["transfer"]["identities"] == 18
    assert run["tar@far=0.05"] == te.evaluate(x[~known], y[~known], fars=[0.05])["tar@far=0.05"]


def test_a_share_of_identities_is_drawn_whole_and_the_same_whatever_the_order_of_the_rows():
    x, y = faces()
    run = te.evaluate(x, y, calibrate_on=0.4)
    order = np.random.default_rng(1).permutation(len(y))
    again = te.evaluate(x[order], y[order], calibrate_on=0.4)
    assert run.metrics == again.metrics
    assert [run.accounting[side]["identities"] for side in ("calibration", "transfer")] == [12, 18]
    assert run.accounting["calibration"]["genuine_pairs"] == 12 * 15
    assert run.settings["calibrate_on"] == 0.4
    hashes = {
        te.evaluate(x, y, calibrate_on=0.4, **how).result_hash
        for how in ({"threads": 2}, {"map": map}, {"kernel": "cpu"})
    }
    assert hashes == {run.result_hash}


def test_a_gallery_is_split_by_the_same_identities():
    x, y = faces()
    run = te.evaluate(te.Embeddings(x[::2], y[::2]), gallery=te.Embeddings(x[1::2], y[1::2]), calibrate_on=0.5)
    counts = run.accounting["transfer"]
    assert counts == {"identities": 15, "genuine_pairs": 15 * 9, "impostor_pairs": 15 * 14 * 9}
    assert not np.isnan(run["transfer_far@far=0.1"])


def test_without_impostors_among_the_others_their_rate_is_undefined_and_has_no_interval():
    x, y = faces()
    chosen_on = te.Embeddings(x[y < 12], y[y < 12])
    run = te.evaluate(te.Embeddings(x[y == 20], y[y == 20]), calibrate_on=chosen_on, fars=[0.1])
    entry, why = run.metrics["transfer_far@far=0.1"], "no impostor pair among the other identities"
    assert (entry["value"], entry["low"], entry["reason"], entry["interval_reason"]) == (None, None, why, why)
    assert entry["n"] == 0
    assert entry["threshold"] == run.metrics["transfer_frr@far=0.1"]["threshold"]
    assert (run.metrics["transfer_frr@far=0.1"]["count"], run["transfer_frr@far=0.1"]) == (9, 9 / 15)


def test_without_pairs_of_all_only_the_transferred_rates_are_measured():
    x, y = faces()
    run = te.evaluate(x, y, calibrate_on=0.5, verification=False)
    assert "auc" not in run
    assert run["transfer_far@far=0.1"] == te.evaluate(x, y, calibrate_on=0.5)["transfer_far@far=0.1"]


def test_f5_the_standard_error_of_sums_over_pairs_of_classes():
    part, whole = np.array([[0, 7, 6], [8, 0, 5], [0, 0, 0]]), np.array([[0, 18, 6], [18, 0, 6], [0, 0, 0]])
    touching = [matrix.sum(axis=0) + matrix.sum(axis=1) for matrix in (part, whole)]
    assert standard_error(*touching, 2) == pytest.approx(0.141777683, rel=1e-8)


def test_where_nothing_went_wrong_the_bound_is_three_over_what_is_independent():
    none, pairs = np.zeros(12, np.int64), np.full(12, 50)
    assert rate_interval(none, pairs, 1, 0.95) == {"low": 0.0, "high": 0.25, "interval": "rule of three", "units": 12}
    assert rate_interval(none, pairs, 2, 0.95)["high"] == 0.5
    assert rate_interval(pairs, pairs, 1, 0.95)["low"] == 0.75


def test_too_few_identities_give_no_interval_and_say_so():
    found = rate_interval(np.array([1, 0, 2]), np.array([5, 5, 5]), 1, 0.95)
    assert (found["low"], found["high"], found["units"]) == (None, None, 3)
    assert "needs 5" in found["interval_reason"]


def test_more_alike_classes_are_worth_more_trials():
    pairs = np.full(20, 100)
    alike = rate_interval(np.full(20, 10) + np.arange(20) % 2, pairs, 1, 0.95)
    apart = rate_interval(np.where(np.arange(20) < 2, 100, 1), pairs, 1, 0.95)
    assert alike["high"] - alike["low"] < apart["high"] - apart["low"]


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1, "half", True, 0.001, 0.999])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(te.ParameterError, match="E505"):
        te.evaluate(*faces(), calibrate_on=share)


def test_identities_on_both_sides_are_refused():
    x, y = faces()
    with pytest.raises(te.ParameterError, match=r"E520 1 identity.*first: 5"):
        te.evaluate(te.Embeddings(x[y >= 5], y[y >= 5]), calibrate_on=te.Embeddings(x[y <= 5], y[y <= 5]))
    with pytest.raises(te.ParameterError, match=r"E520 no threshold.*no impostor"):
        te.evaluate(te.Embeddings(x[y >= 5], y[y >= 5]), calibrate_on=te.Embeddings(x[y == 1], y[y == 1]))
    with pytest.raises(te.ParameterError, match="E101"):
        te.evaluate(x, relevance=np.eye(len(x))[:, ::-1], calibrate_on=0.5)
    with pytest.raises(te.LabelError, match="E401"):
        te.evaluate(x, [{int(c), 99} for c in y], calibrate_on=0.5)


def test_the_command_line_takes_a_filter_or_a_share(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = faces()
    split = np.where(y < 12, "val", "test")
    pq.write_table(pa.table({"embedding": x.tolist(), "label": y, "split": split.tolist()}), "faces.parquet")

    def values(*arguments: str) -> dict:
        done = CliRunner().invoke(main, ["evaluate", "faces.parquet", *arguments, "--no-save", "--json", "-"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)["values"]

    found = values("--where", "split = 'test'", "--calibrate-on", "split = 'val'", "--far", "0.05")
    known = y < 12
    run = te.evaluate(te.Embeddings(x[~known], y[~known]), calibrate_on=te.Embeddings(x[known], y[known]), fars=[0.05])
    assert found["transfer_far@far=0.05"] == run.metrics["transfer_far@far=0.05"]
    assert values("--calibrate-on", "0.5")["transfer_far@far=0.1"]["units"] == 15
    done = CliRunner().invoke(main, ["evaluate", "faces.parquet", "--calibrate-on", "split = 'val'", "--no-save"])
    assert done.exit_code == 2
    assert "E520" in done.output
    shown = CliRunner().invoke(main, ["evaluate", "faces.parquet", "--calibrate-on", "0.5", "--no-save"]).stdout
    assert "judged on 15 others" in " ".join(shown.split())
