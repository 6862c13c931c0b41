"""Shares and chance, against numbers that stand in tables."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.validation.shares import (
    as_normal,
    as_student,
    chance_above,
    most_by_chance,
    power,
    wilson,
)


@pytest.mark.parametrize(
    ("trees", "most", "found"), [(30, 4, 0.48), (50, 5, 0.78), (80, 7, 0.93), (120, 10, 0.98)]
)
def test_what_an_honest_crew_may_have_and_how_surely_a_bad_one_is_found(
    trees: int, most: int, found: float
) -> None:
    assert most_by_chance(trees, 0.05) == most
    assert power(trees, most, 0.15) == pytest.approx(found, abs=0.011)


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    assert wilson(10, 50) == pytest.approx((0.1124, 0.3304), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("freedom", "t"), [(4, 2.776), (10, 2.228), (30, 2.042)])
def test_few_plots_need_more_than_two_standard_errors(freedom: int, t: float) -> None:
    assert as_student(1.959964, freedom) == pytest.approx(t, rel=0.01)


@given(st.floats(-6, 6), st.floats(1, 500))
def test_there_and_back_again(t: float, freedom: float) -> None:
    assert isclose(as_student(as_normal(t, freedom), freedom), t, rel_tol=1e-6, abs_tol=1e-7)


@given(st.integers(1, 4000), st.floats(0.001, 0.999))
def test_an_interval_holds_its_share_and_lies_between_nothing_and_all(of: int, share: float) -> None:
    hits = round(share * of)
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of + 1e-12
    assert hits / of - 1e-12 <= high <= 1


@given(st.integers(1, 300))
def test_more_misses_are_more_suspicious(of: int) -> None:
    chances = [chance_above(hits, of, 0.3) for hits in range(of + 1)]
    assert chances == sorted(chances)
    assert all(0 <= chance <= 1 for chance in chances)
