"""Middles and spreads of values."""

from __future__ import annotations

from statistics import NormalDist

import pytest

from server.validation.stats import middle_and_spread


def test_the_robust_spread_of_normal_values_is_their_standard_deviation() -> None:
    values = [NormalDist(5, 2).inv_cdf((n + 0.5) / 1000) for n in range(1000)]
    assert middle_and_spread(values) == pytest.approx((5.0, 2.0), rel=0.01)


def test_one_value_that_is_far_off_moves_neither() -> None:
    assert middle_and_spread([1.0, 2.0, 3.0, 4.0, 5.0]) == middle_and_spread([1.0, 2.0, 3.0, 4.0, 500.0])
