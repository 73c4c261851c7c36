"""Metric spellings for those who refuse ``@``, ``=`` and dots: Keras logs, file names of checkpoints, MLflow."""

from __future__ import annotations

import re


def safe_name(spelling: str) -> str:
    """Return a metric's spelling made of letters, digits and underscores only.

    Example:
        >>> safe_name("recall@10"), safe_name("easy@margin=0.2"), safe_name("map@r")
        ('recall_at_10', 'easy_at_margin_0_2', 'map_at_r')
    """
    return re.sub(r"[^0-9A-Za-z]+", "_", spelling.replace("@", "_at_").replace("=-", "_minus_")).strip("_")
