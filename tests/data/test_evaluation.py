"""An evaluation is a mapping from spelling to number."""

import numpy as np
import pytest

import tripleteval as te
from tripleteval.errors import ParameterError


def test_what_was_not_measured_has_a_default_or_is_refused():
    run = te.evaluate(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 4, verification=False)
    assert run.get("mrr") == run["mrr"]
    assert run.get("recall@7") is None
    assert run.get("recall@7", 0.5) == 0.5
    with pytest.raises(ParameterError, match="E510"):
        run["recall@7"]
