"""Keras is imported once, quietly, before the tests that need it are; where it is missing, they are not collected."""

from pathlib import Path

import pytest

from tripleteval.errors import ParameterError
from tripleteval.keras.framework import require_keras

HERE = Path(__file__).parent
collect_ignore_glob = []
try:
    require_keras("these tests")
except ParameterError:  # MissingExtra is one
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items):
    """Let Keras 3.15 convert its variables as it does; what NumPy 2 says about that is not ours to mend."""
    said = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.filterwarnings(said))
