"""``tripleteval demo`` at the command line; what it trains and writes is tested beside the demo itself."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

import tripleteval as te


@pytest.fixture
def asked(monkeypatch):
    """Put a stand-in for the demo, which takes a minute, and return what it was asked for."""
    calls = []
    stand_in = ModuleType("tripleteval.demo")
    stand_in.run = lambda **options: calls.append(options)
    monkeypatch.setitem(sys.modules, "tripleteval.demo", stand_in)
    return calls


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], {"output": Path("tripleteval-demo"), "quick": False}),
        (["--quick", "--output", "x/y"], {"output": Path("x/y"), "quick": True}),
    ],
)
def test_options_arrive_as_the_parameters_of_the_demo(run, asked, arguments, options):
    result = run("demo", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert asked == [options]


def test_without_a_framework_the_demo_says_what_to_install(run, monkeypatch):
    stand_in = ModuleType("tripleteval.demo")

    def run_without(**_):
        raise te.MissingExtra("the demo", "keras", extra="tensorflow")

    stand_in.run = run_without
    monkeypatch.setitem(sys.modules, "tripleteval.demo", stand_in)
    result = run("demo")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "E103" in result.stderr
    assert "pip install 'tripleteval[tensorflow]'" in result.stderr
