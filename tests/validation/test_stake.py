"""How much carbon hangs on a flag."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.validation.stake import tonnes_co2
from tests.validation.makers import PARAMETERS, flags, last, tree, visit

LIMITS = PARAMETERS.limits


def test_a_tree_of_twenty_centimetres_holds_some_three_tenths_of_a_tonne():
    # 0.3 * 0.5 * 20 ** (7 / 3) = 162.9 kg; * 0.47 * 44 / 12 = 280.7 kg CO2e
    assert tonnes_co2(LIMITS, 20.0) == pytest.approx(0.2807, abs=0.0002)


@given(st.floats(0, 200), st.floats(0.1, 50))
def test_a_thicker_tree_holds_more(dbh_cm, more_cm):
    assert tonnes_co2(LIMITS, dbh_cm) < tonnes_co2(LIMITS, dbh_cm + more_cm)


def test_priority_is_the_probability_times_the_carbon_between_value_and_expectation():
    (flag,) = flags(visit(tree("1", 163.0)), last(tree("1", 15.0)))
    at_stake = tonnes_co2(LIMITS, 163.0) - tonnes_co2(LIMITS, flag.facts["expected_cm"])
    assert flag.priority == pytest.approx(flag.score * at_stake, rel=1e-4)


def test_a_vanished_tree_is_at_stake_with_all_it_held():
    (flag,) = flags(visit(tree("2", 16.0)), last(tree("1", 20.0), tree("2", 15.0)))
    assert flag.rule == "X07"
    assert flag.priority == pytest.approx(flag.score * tonnes_co2(LIMITS, 20.0), rel=1e-3)


def test_of_two_equal_slips_the_one_on_the_larger_tree_comes_first_by_carbon():
    now, before = visit(tree("1", 1.6), tree("2", 4.1)), last(tree("1", 15.0), tree("2", 40.0))
    small, large = (next(f for f in flags(now, before) if f.tag == tag and f.rule != "T02") for tag in "12")
    assert large.priority > 5 * small.priority
