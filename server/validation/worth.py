"""Whether a rule earns its keep: how often people find that it is right."""

from __future__ import annotations

from typing import NamedTuple

from server.validation.shares import wilson

USELESS_FROM = 20
"""Decided flags of a rule, none of them confirmed, from which it is called useless (project default: then the true
share is below 17 % with 95 % confidence)."""


class Share(NamedTuple):
    """A share and the interval that holds the true one nineteen times of twenty, all 0 to 1."""

    share: float
    low: float
    high: float


def share_of(confirmed: int, accepted: int) -> Share | None:
    """Of the flags that people decided on, the share in which the value was wrong; None where there are none."""
    decided = confirmed + accepted
    return Share(confirmed / decided, *wilson(confirmed, decided)) if decided else None


def is_useless(confirmed: int, accepted: int) -> bool:
    """Do people accept what the rule doubts, and never find it right?"""
    return confirmed == 0 and accepted >= USELESS_FROM
