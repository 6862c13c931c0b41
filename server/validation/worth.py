"""How often a rule is right, from what people found: a share with its interval, and whether it earns its keep."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

USELESS_FROM = 20
"""Decided flags of a rule, none of them confirmed, from which it is called useless (project default: then the true
share is below 17 % with 95 % confidence)."""
NORMAL_95 = 1.96


class Share(NamedTuple):
    """A share and the interval that holds the true one with 95 % confidence, all 0 to 1."""

    share: float
    low: float
    high: float


def share_of(hits: int, cases: int) -> Share | None:
    """Wilson's interval, which stays honest for few cases and shares near 0 or 1; None for no case."""
    if cases == 0:
        return None
    z2 = NORMAL_95 * NORMAL_95
    share, scale = hits / cases, 1 + z2 / cases
    middle = (share + z2 / (2 * cases)) / scale
    half = NORMAL_95 * sqrt(share * (1 - share) / cases + z2 / (4 * cases * cases)) / scale
    return Share(share, max(middle - half, 0.0), min(middle + half, 1.0))


def is_useless(confirmed: int, accepted: int) -> bool:
    """Do people accept what the rule doubts, and never find it right?"""
    return confirmed == 0 and accepted >= USELESS_FROM
