"""Middles and spreads that a few wrong values do not move."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution in units of its median absolute deviation."""


def middle_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Median, and the median deviation from it as a standard deviation."""
    middle = median(values)
    return middle, MAD_TO_SD * median([abs(value - middle) for value in values])
