"""Timing several things alternately in one process, so that a noisy machine is noisy to all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def alternately(what: dict[str, Callable[[], object]], repeats: int) -> dict[str, Any]:
    """Return, for each thing, the median seconds and the median ratio to the first; by clock and by processor time.

    The ratio by processor time is the one to trust where other people's work runs on the same cores.
    """
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in what}
    for _ in range(repeats):
        for name, run in what.items():
            clock, processor = time.perf_counter(), time.process_time()
            run()
            took[name].append((time.perf_counter() - clock, time.process_time() - processor))
    first = next(iter(took))
    figures: dict[str, Any] = {"repeats": repeats}
    for name, times in took.items():
        figures[f"{name}_seconds"] = round(statistics.median(t[0] for t in times), 3)
        if name != first:
            pairs = list(zip(took[first], times, strict=True))
            figures[f"over_{name}"] = round(statistics.median(a[0] / b[0] for a, b in pairs), 3)
            figures[f"over_{name}_by_processor"] = round(statistics.median(a[1] / b[1] for a, b in pairs), 3)
    return figures
