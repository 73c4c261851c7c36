"""The door of ``tripleteval.keras``: sorted, real, free of charge, and helpful where Keras is missing."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from tripleteval import keras as door
from tripleteval.errors import MissingExtra


def test_names_are_sorted_and_lead_somewhere():
    assert dir(door) == door.__all__ == sorted(set(door.__all__))
    for name in door.__all__:
        found = getattr(door, name)
        assert found.__name__ == name
        assert found.__doc__
    with pytest.raises(AttributeError, match="no attribute 'embedd'"):
        door.embedd  # noqa: B018


def test_with_any_name_come_the_losses_and_metrics_that_models_are_loaded_with(monkeypatch):
    asked = []
    monkeypatch.setattr(door, "import_module", lambda name: asked.append(name) or importlib.import_module(name))
    door.BalancedBatches  # noqa: B018
    assert "tripleteval.keras.metrics" in asked
    assert keras.saving.get_registered_object("tripleteval>TripletSemiHardLoss") is door.TripletSemiHardLoss


def test_what_type_checkers_see_is_what_there_is():
    tree = ast.parse(Path(door.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {name.asname: statement.module for statement in block.body for name in statement.names}
    assert seen == {name: f"tripleteval.keras.{home}" for name, home in door._HOMES.items()}


def test_the_door_itself_loads_nothing():
    code = "import sys, tripleteval.keras; assert not {'keras', 'numpy', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_keras_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(MissingExtra, match=r"tripleteval.keras.embed needs .*pip install 'tripleteval\[tensorflow\]'"):
        door.embed  # noqa: B018


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_backend_that_is_missing_is_named(backend):
    code = f"""
import pickle, sys
sys.modules[{backend!r}] = None
from tripleteval.errors import ParameterError
import tripleteval.keras
try:
    tripleteval.keras.embed
except ParameterError as error:
    print(error, str(pickle.loads(pickle.dumps(error))) == str(error))
"""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert f"KERAS_BACKEND={backend}" in said.stdout
    assert f"pip install {backend};" in said.stdout
    assert "tripleteval[" not in said.stdout
    assert said.stdout.endswith("True\n")
