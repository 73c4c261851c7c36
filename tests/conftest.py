"""What every test shares: examples drawn alike everywhere, and no stopwatch on shared machines."""

from __future__ import annotations

import os

from hypothesis import settings

import tripleteval.evaluation.door  # noqa: F401 - before any test patches a constant that a later import would copy
from cluster import nodes

__all__ = ["nodes"]  # one cluster for the whole session

# The same examples on every machine, so that CI never fails for a reason nobody can repeat;
# HYPOTHESIS_PROFILE=search draws new ones, and many more.
settings.register_profile("same", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
os.environ.pop("COLUMNS", None)  # what runs the tests may name the width of a terminal that nobody has
