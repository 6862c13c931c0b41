"""Bounds of a tree's next diameter: what a crew may type without a second look.

They are those of the rules X02 (shrinking) and X04 (the cap of growth), so that what a phone questions in the field
is what the server would flag.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

from forms.remeasure import Limits as Bounds
from forms.remeasure import limits as bounds_of
from server.forest.visit import years_between
from server.validation.parameters.limits import Limits


def next_dbh(dbh_cm: float | None, growth_group: str, years: float | None, rules: Limits) -> Bounds | None:
    """What a tree of `dbh_cm` may have after `years`; None where either is unknown or not above zero."""
    if dbh_cm is None or dbh_cm <= 0 or not years:
        return None
    is_small = dbh_cm < rules.x02_large_cm
    tolerance_cm = rules.x02_tolerance_cm if is_small else rules.x02_tolerance_share * dbh_cm
    cap_cm_yr = rules.x04_cap_by_group.get(growth_group, rules.x04_cap_cm_yr)
    return bounds_of(dbh_cm, years, tolerance_cm, cap_cm_yr)


def years_until_next(measured_on: date | None, today: date, campaigns: Iterable[date]) -> int | None:
    """Whole years, one at least, until a plot is measured again: at the first campaign that begins after
    `measured_on`, or today where none does or that is past. None where the day of the last measurement is unknown.

    Whole, and rounded up: a season's growth counts for a year, and a list does not change with every day.
    """
    if measured_on is None:
        return None
    begins_on = min((day for day in campaigns if day > measured_on), default=today)
    years = years_between(measured_on, max(begins_on, today)) or 0.0
    return max(1, math.ceil(years))
