"""What happened to a value: honest work or a named slip, and how probable each is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.validation.expected import Expected
from server.validation.hypotheses import exchanged, weighed

PRIOR = 0.01


def around(cm: float, spread_cm: float = 0.8) -> Expected:
    return Expected(cm, spread_cm, spread_cm, cm - 0.5, 0.3)


def judged(typed: float, likely: float, **other):
    expected = around(likely)
    return weighed(typed, expected.densities, expected.cm, PRIOR, **other)


@pytest.mark.parametrize(
    ("typed", "likely", "meant", "kind"),
    [
        (33.1, 23.0, 23.1, "tens"),
        (2.31, 23.0, 23.1, "decimal"),
        (231.0, 23.0, 23.1, "decimal"),
        (72.6, 23.0, 23.1, "girth"),
        (51.4, 15.2, 15.4, "transposed"),
        (2.1, 23.0, 23.1, "dropped"),
        (83.1, 23.0, 23.1, "digit"),
    ],
)  # fmt: skip
def test_the_likeliest_story_explains_the_value(typed, likely, meant, kind):
    story = judged(typed, likely).likeliest
    assert story is not None
    assert (story.kind, round(story.meant_cm, 1)) == (kind, meant)
    assert story.text.startswith(f"{kind} {meant} ")


def test_an_ordinary_value_is_honest_work():
    verdict = judged(23.4, 23.0)
    assert verdict.wrong < 0.002
    assert verdict.stories[0].kind == "honest"


def test_the_density_of_the_expected_value_is_that_of_a_student_distribution():
    # four degrees of freedom: 0.375 at its middle, over 0.9 times the spread
    assert around(23.0).densities([23.0000001]) == [pytest.approx(0.375 / (0.9 * 0.8), rel=1e-3)]
    # two widths above: 0.375 * (1 + 4 / 4) ** -2.5 = 0.0663
    assert around(23.0).densities([23.0 + 2 * 0.72]) == [pytest.approx(0.0663 / 0.72, rel=1e-3)]


def test_a_tree_that_stands_still_is_no_wonder_where_others_grow():
    stands = Expected(25.0, 0.5, 0.5, 20.0, 0.3)
    assert weighed(20.0, stands.densities, 25.0, PRIOR).wrong < 0.01
    assert weighed(17.0, stands.densities, 25.0, PRIOR).wrong > 0.3


def test_an_exchange_explains_both_values_where_each_fits_the_other_tree():
    here, there = around(12.0), around(25.0)
    more = list(exchanged(25.4, here.densities, [(12.4, there.densities, 0.5)]))
    story = weighed(25.4, here.densities, 12.0, PRIOR, more=more).likeliest
    assert story is not None
    assert (story.kind, story.meant_cm) == ("swap", 12.4)


def test_a_whole_number_is_no_sign_of_a_guess_where_all_are_whole():
    guessed, usual = judged(26.0, 23.0), judged(26.0, 23.0, whole_share=1.0)
    assert usual.wrong < guessed.wrong


def test_a_wrong_value_last_time_leaves_less_doubt_about_this_one():
    assert judged(33.1, 23.0, last_wrong=0.01).wrong < 0.2 * judged(33.1, 23.0).wrong


sizes = st.floats(1, 150).map(lambda cm: round(cm, 1))


@given(sizes, sizes)
def test_probabilities_are_probabilities(typed, likely):
    verdict = judged(typed, likely)
    assert 0 <= verdict.wrong <= 1
    assert math.fsum(story.chance for story in verdict.stories) <= 1 + 1e-9
    chances = [story.chance for story in verdict.stories]
    assert chances == sorted(chances, reverse=True)


@given(sizes, st.floats(0.0001, 0.1), st.floats(1.1, 5))
def test_the_more_crews_err_the_likelier_a_value_is_wrong(typed, prior, times):
    honest = around(20.0).densities
    assert (
        weighed(typed, honest, 20.0, prior).wrong
        <= weighed(typed, honest, 20.0, min(prior * times, 0.5)).wrong
    )


@given(sizes, st.floats(-2, 2))
def test_calibration_keeps_the_order(likely, shift):
    honest = around(likely).densities
    near, far = (weighed(likely + away, honest, likely, PRIOR, shift=shift).wrong for away in (1.0, 60.0))
    assert near < far
