"""Gives a server another wall clock than the machine's: the file named by TORTURE_CLOCK holds the difference in s.

Python imports this by itself where its folder stands in PYTHONPATH. The monotonic clock stays as it is, as it does when
somebody sets a machine's clock.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_DIFFERENCE = Path(os.environ["TORTURE_CLOCK"])
_true_ns = time.time_ns


def _time_ns() -> int:
    return _true_ns() + int(_DIFFERENCE.read_text()) * 1_000_000_000


time.time_ns = _time_ns
time.time = lambda: _time_ns() / 1e9
