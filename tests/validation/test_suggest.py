"""Which slip explains a diameter."""

from __future__ import annotations

import pytest

from server.validation.suggest import Expected, best_slip, ratio_slip


def around(cm: float, spread_cm: float = 0.8) -> Expected:
    return Expected(cm, spread_cm, cm - 2, cm + 3)


@pytest.mark.parametrize(
    ("typed", "likely", "meant", "kind"),
    [
        (33.1, 23.0, "23.1", "tens"),
        (2.31, 23.0, "23.1", "decimal"),
        (72.6, 23.0, "23.1", "girth"),
        (51.4, 15.2, "15.4", "transposed"),
        (2.1, 23.0, "23.1", "dropped"),
        (53.1, 23.0, "23.1", "digit"),
    ],
)  # fmt: skip
def test_the_likeliest_slip_explains_the_value(typed, likely, meant, kind):
    slip = best_slip(typed, around(likely))
    assert slip is not None
    assert (slip.text, slip.kind) == (meant, kind)


def test_what_no_slip_explains_has_no_suggestion():
    assert best_slip(40.0, around(26.5, 0.3)._replace(low_cm=26.4, high_cm=26.6), typed_only=True) is None


def test_a_neighbours_value_is_a_candidate():
    slip = best_slip(40.0, Expected(26.5, 0.1, 26.35, 26.55), [26.52])
    assert slip is not None
    assert slip.kind == "swap"


def test_only_points_and_units_count_as_ratios():
    assert ratio_slip(33.1, around(23.0)) is None
    slip = ratio_slip(231.0, around(23.0))
    assert slip is not None
    assert slip.text == "23.1"


def test_a_shrunken_sapling_is_not_explained_by_an_inch_tape():
    # 2.54 * 1.5 = 3.8 would be as odd as 1.5 is beside 2.0
    assert ratio_slip(1.5, Expected(2.0, 1.1, 0.2, 5.3)) is None


def test_nothing_is_explained_by_no_tree_at_all():
    slip = best_slip(0.5, Expected(0.3, 0.3, -0.1, 1.2))
    assert slip is None or slip.value_cm > 0
