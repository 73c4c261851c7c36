"""Amounts of memory, as people write them."""

from __future__ import annotations

import re

from tripleteval.errors import ParameterError

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def parse_memory(text: str | int) -> int:
    """Return a number of bytes from ``1073741824``, ``"512MiB"``, ``"1GiB"`` or ``"2 GB"``.

    Raises:
        ParameterError: It is not a positive amount of memory (E101).
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", str(text), re.IGNORECASE)
    amount = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if amount <= 0:
        raise ParameterError("E101", f"memory {text!r}", fix="give an amount such as 512MiB or 2GiB")
    return amount
