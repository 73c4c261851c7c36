"""The nearest whole number without leaving the vector registers: AVX2 cannot turn eight bytes of one into the other."""

from __future__ import annotations

import numpy as np

MAGIC = 1.5 * 2.0**52  # added to a number below 2**51, it leaves the nearest whole one in the low bits
MAGIC_BITS = int(np.float64(MAGIC).view(np.int64))
