"""How functions are compiled: free of the interpreter's lock, kept on disk, dividing as NumPy does.

What turns Python's objects into arguments, for tuples of fifteen arrays and for the tuples within, is a tenth of all
that would be compiled, and more with all pairs. So only what Python calls has it; to call anything else from Python
would end the process, and a test sees to it that nothing does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy", "no_cfunc_wrapper": True}
Function = TypeVar("Function", bound=Callable[..., Any])


def entry(function: Function) -> Function:
    """Compile what Python calls."""
    return _compiled(function)


def inner(function: Function) -> Function:
    """Compile what only compiled code calls."""
    return _compiled(function, no_cpython_wrapper=True)


def quick(function: Function) -> Function:
    """Compile what only compiled code calls, and what may add in any order."""
    return _compiled(function, no_cpython_wrapper=True, fastmath={"reassoc", "contract"})


def _compiled(function: Function, **options: Any) -> Function:
    found: Function = numba.njit(**_OPTIONS, **options)(function)
    return found
