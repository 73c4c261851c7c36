"""Whatever a few changed bytes make of a file, reading it gives Embeddings or one of our errors, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tripleteval.data.embeddings import Embeddings
from tripleteval.errors import EvalError
from tripleteval.readers import READERS, blocks, read

Write = Callable[..., Path]
MUTANTS = 300


def damaged(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    kind = chance.choice(["flip", "flip", "byte", "byte", "cut", "drop", "repeat"])
    at = chance.randrange(len(changed))
    if kind == "flip":
        changed[at] ^= 1 << chance.randrange(8)
    elif kind == "byte":
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    elif kind == "cut":
        del changed[at:]
    elif kind == "drop":
        del changed[at : at + chance.randint(1, 9)]
    else:
        changed[at:at] = changed[at : at + chance.randint(1, 9)]
    return bytes(changed)


@pytest.mark.filterwarnings("ignore:Reading `.npy`", "ignore::DeprecationWarning")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("suffix", [suffix for suffix in READERS.names() if suffix != ".pq"])
def test_a_damaged_file_is_read_or_refused_and_never_crashes(suffix: str, write: Write) -> None:
    path, chance = write(suffix), random.Random(f"damage {suffix}")
    content = path.read_bytes()
    outcomes = set()
    for _ in range(MUTANTS):
        path.write_bytes(damaged(content, chance))
        try:
            found = chance.choice([read, lambda path: next(blocks(path, 2))])(path)
        except EvalError as error:
            outcomes.add(error.code)
        else:
            assert isinstance(found, Embeddings)
            assert np.asarray(found.vectors).ndim == 2
    assert "E601" in outcomes or "E608" in outcomes
