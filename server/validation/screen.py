"""The cheap comparisons that pass over nearly every tree.

Between these bounds no rule speaks about a tree's diameter beside its last one (X01 to X05, T05, T06), unless it is
unusual and a slip explains it (`growth`), or a tree outside them may have its value (X13). The rules ask here first;
whatever looks at many trees at once may compute the same bounds for whole groups.
"""

from __future__ import annotations

from math import sqrt

from server.validation.bands import Growth
from server.validation.parameters.limits import Limits


def bounds_cm(
    limits: Limits, growth: Growth, last_cm: float, years: float, *, has_older: bool = False
) -> tuple[float, float]:
    """Bounds of what raises no question after a last diameter of `last_cm`, cm. `has_older`: an earlier visit may say
    that this tree grows slowly, so that less growth is already odd."""
    tape = limits.x01_sigma_slope * last_cm + limits.x01_sigma_cm
    noise = 2 * tape * tape
    rate = growth.rate_cm_yr if growth.rate_cm_yr > 0 else 0.0
    if has_older:
        rate *= 1 - limits.x03_own_share
    up, down = growth.up_cm_yr * years, growth.down_cm_yr * years
    grown = last_cm + rate * years
    low = grown - limits.x03_screen_down * sqrt(down * down + noise)
    shrunk = shrunk_cm(limits, last_cm)
    return low if low > shrunk else shrunk, grown + limits.x03_screen_up * sqrt(up * up + noise)


def is_usual(limits: Limits, growth: Growth, last_cm: float, dbh_cm: float, years: float) -> bool:
    """Is the value so near what trees of its kind become that no slip need be thought of?"""
    tape = limits.x01_sigma_slope * last_cm + limits.x01_sigma_cm
    rate = growth.rate_cm_yr if growth.rate_cm_yr > 0 else 0.0
    away = dbh_cm - last_cm - rate * years
    side = (growth.up_cm_yr if away > 0 else growth.down_cm_yr) * years
    return away * away <= limits.x03_screen_steps**2 * (side * side + 2 * tape * tape)


def shrunk_cm(limits: Limits, last_cm: float) -> float:
    """Below this a tree of `last_cm` is smaller than last time by more than two tapes differ, cm."""
    if last_cm < limits.x02_large_cm:
        return last_cm - limits.x02_factor * limits.x02_tolerance_cm
    return last_cm - limits.x02_factor * limits.x02_tolerance_share * last_cm
