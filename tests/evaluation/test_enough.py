"""The budget that is asked for where one is too little is enough, whatever part of an evaluation needs it most."""

import re

import numpy as np
import pytest

import tripleteval as te
from tripleteval.readers import read

RNG = np.random.default_rng(3)


def points(rows, dim, classes):
    return RNG.normal(size=(rows, dim)).astype(np.float32), RNG.integers(0, classes, rows)


SETS = {  # and what needs the most of each
    "results of many queries": (points(9000, 4, 3000), {}),
    "the genuine pairs": (points(2000, 8, 10), {}),
    "the second moments": (points(300, 500, 30), {}),
    "the curve of margins": (points(500, 8, 2), {"margin_curve": [k / 50 for k in range(50)]}),
    "a sample": (points(5000, 8, 2000), {"sample": 3000}),
    "no pairs": (points(5000, 8, 2000), {"verification": False}),
    "thresholds of others": (points(1500, 8, 10), {"calibrate_on": 0.5}),
    "how classes lie": (points(1200, 8, 600), {"metrics": ["silhouette"]}),
}


def asked_for(vectors, labels, memory, **how):
    with pytest.raises(te.ResourceError, match="E802") as caught:
        te.evaluate(vectors, labels, memory=memory, threads=2, **how)
    return re.search(r"(\d+MiB) or more", str(caught.value))[1]


@pytest.mark.parametrize(("given", "how"), SETS.values(), ids=SETS)
def test_the_budget_asked_for_is_enough(given, how):
    enough = asked_for(*given, "1KiB", **how)
    assert asked_for(*given, f"{int(enough[:-3]) - 2}MiB", **how) == enough
    assert te.evaluate(*given, memory=enough, threads=2, **how).accounting["queries"]


def test_it_is_enough_where_a_set_stays_on_disk_with_less(tmp_path):
    x, y = points(30_000, 64, 5000)
    np.save(tmp_path / "x.npy", x)
    asked = "4MiB"
    with pytest.raises(te.ResourceError, match="E802") as caught:
        te.evaluate(read(tmp_path / "x.npy", labels=y, memory=asked), memory=asked, threads=2)
    asked = re.search(r"(\d+MiB) or more", str(caught.value))[1]
    found = te.evaluate(
        read(tmp_path / "x.npy", labels=y, memory=asked), memory=asked, threads=2, verification=False, sample=50
    )
    assert found.accounting["queries"] == 50
