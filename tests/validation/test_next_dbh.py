"""What a crew may type for a tree that was measured before, and for when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.validation.next_dbh import next_dbh, years_until_next
from server.validation.project import parameters_of

RULES = parameters_of(5.0, {}).limits
DAY = date(2026, 6, 1)
days = st.dates(date(1990, 1, 1), date(2080, 1, 1))


def test_bounds_are_those_at_which_the_server_would_raise_a_flag() -> None:
    bounds = next_dbh(20.0, "", 5, RULES)
    assert bounds is not None
    # X02: twice what two honest tapes differ by; X04: the cap of growth for five years, and the same slack
    assert bounds.low_cm == pytest.approx(20.0 - 2 * RULES.x02_tolerance_cm, abs=0.05)
    assert bounds.high_cm == pytest.approx(
        20.0 + 5 * RULES.x04_cap_cm_yr + 2 * RULES.x02_tolerance_cm, abs=0.05
    )


def test_a_species_that_grows_fast_may_grow_further() -> None:
    group, cap_cm_yr = max(RULES.x04_cap_by_group.items(), key=lambda each: each[1])
    fast, usual = next_dbh(20.0, group, 5, RULES), next_dbh(20.0, "no group", 5, RULES)
    assert fast is not None
    assert usual is not None
    assert fast.high_cm - usual.high_cm == pytest.approx(5 * (cap_cm_yr - RULES.x04_cap_cm_yr), abs=0.11)


@pytest.mark.parametrize(("dbh_cm", "years"), [(None, 5), (0.0, 5), (-1.0, 5), (20.0, None), (20.0, 0)])
def test_where_something_is_unknown_there_are_no_bounds(dbh_cm: float | None, years: float | None) -> None:
    assert next_dbh(dbh_cm, "", years, RULES) is None


@pytest.mark.parametrize(
    ("today", "campaigns", "years"),
    [
        (DAY, [], 1),
        (DAY, [date(2026, 5, 1)], 1),  # the campaign it was measured in
        (DAY, [date(2031, 6, 1)], 5),
        (DAY, [date(2036, 6, 1), date(2031, 6, 1)], 5),
        (date(2033, 6, 2), [date(2031, 6, 1)], 8),  # nobody came in 2031
        (date(2026, 12, 31), [], 1),
        (date(2027, 6, 3), [], 2),
    ],
)  # fmt: skip
def test_a_plot_is_measured_again_at_the_next_campaign_or_now(
    today: date, campaigns: list[date], years: int
) -> None:
    assert years_until_next(DAY, today, campaigns) == years


@given(days, days, st.lists(days, max_size=4))
def test_years_are_whole_and_never_none(measured_on: date, today: date, campaigns: list[date]) -> None:
    years = years_until_next(measured_on, today, campaigns)
    assert years is not None
    assert years >= 1
    # a list does not change with every day, and never becomes narrower with time
    later = years_until_next(measured_on, today + timedelta(days=1), campaigns)
    assert later is not None
    assert later >= years


def test_a_day_that_nobody_wrote_down_gives_no_years() -> None:
    assert years_until_next(None, DAY, []) is None
