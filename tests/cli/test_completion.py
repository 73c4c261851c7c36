"""Completion: the scripts that shells read, and what they are told."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tripleteval.cli import COMMANDS


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_asks_our_command(run, shell):
    result = run("completion", shell)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_TRIPLETEVAL_COMPLETE={shell}_complete" in result.stdout
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=result.stdout, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_shell_is_a_usage_error(run):
    result = run("completion", "tcsh")
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


COMPLETED = {
    "tripleteval ": {f"plain,{name}" for name in COMMANDS},
    "tripleteval eval": {"plain,evaluate"},
    "tripleteval evaluate v": {"file,v"},
    "tripleteval evaluate --gallery v": {"file,v"},
    "tripleteval evaluate --ties o": {"plain,optimistic"},
    "tripleteval evaluate --gallery-": {"plain,--gallery-labels", "plain,--gallery-where"},
    "tripleteval evaluate --json ": {"file,"},
    "tripleteval triplets t": {"file,t"},
    "tripleteval triplets x --embeddings v": {"file,v"},
    "tripleteval report r": {"file,r"},
    "tripleteval report runs/a runs/": {"file,runs/"},
    "tripleteval demo --output d": {"file,d"},
    "tripleteval completion f": {"plain,fish"},
}


@pytest.mark.parametrize("typed", COMPLETED)
def test_what_is_typed_is_completed(run, monkeypatch, typed):
    monkeypatch.setenv("_TRIPLETEVAL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - (not typed.endswith(" "))))
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert set(result.stdout.splitlines()) == COMPLETED[typed]


@pytest.mark.parametrize(
    ("words", "answer"), [("evaluate v", "-o default:"), ("evaluate --ties p", ":pessimistic"), ("rep", ":report")]
)
def test_bash_is_told_to_complete_names_of_files_itself(program, words, answer):
    """The whole way: the printed script, in a real shell."""
    done = program(
        'compopt() { asked="$1 $2"; }\neval "$(tripleteval completion bash)"\n'
        f"COMP_WORDS=(tripleteval {words}); COMP_CWORD={len(words.split())}\n"
        '_tripleteval_completion tripleteval\nprintf "%s:%s" "$asked" "${COMPREPLY[*]}"'
    )
    assert (done.stdout.decode(), done.stderr) == (answer, b"")
