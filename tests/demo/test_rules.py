"""The rules meet the made-up county: what cannot be true is found, and honest work is left in peace."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from server.demo.campaign import simulate
from server.demo.county import Habit, make_county
from server.validation.flag import Severity
from tests.demo.rules import Judged, judge


@cache
def _judged(slip_rate: float, identity_rate: float) -> Judged:
    return judge(simulate(make_county(1), slip_rate, identity_rate))


@pytest.mark.parametrize("kind", ["decimal_point", "girth", "duplicate_tag", "missing_tree", "wrong_species"])
def test_what_cannot_be_true_is_always_found(kind: str) -> None:
    judged = _judged(0.05, 0.01)
    assert judged.found[kind] == judged.all[kind] > 0


def test_a_wrong_tens_digit_is_mostly_found() -> None:
    # ten centimetres in five years are less than the hard cap of growth allows: some pass without fitted bands
    judged = _judged(0.05, 0.01)
    assert judged.found["tens_digit"] / judged.all["tens_digit"] > 0.75


def test_a_crew_that_copies_the_last_census_is_noticed_at_its_plot() -> None:
    judged = _judged(0.05, 0.01)
    assert judged.found["copied_census"] / judged.all["copied_census"] > 0.7


def test_honest_work_raises_few_flags_on_trees() -> None:
    # the rounding crew makes some trees shrink by half a centimetre; nothing else is wrong in these plots
    judged, plots = _judged(0.0, 0.0), make_county(1).plots
    honest = [plot.plot_id for plot in plots if plot.crew.habit is not Habit.COPIES]
    flags = [
        f for plot_id in honest for f in judged.flags[plot_id] if f.tag and f.severity is not Severity.INFO
    ]
    assert len(flags) / (judged.trees * len(honest) / len(plots)) < 0.005, Counter(f.rule for f in flags)


def test_the_crew_that_rounds_is_told_of_its_decimals() -> None:
    judged, plots = _judged(0.0, 0.0), make_county(1).plots
    told = {plot_id for plot_id, flags in judged.flags.items() if any(f.rule == "T08" for f in flags)}
    rounding = {plot.plot_id for plot in plots if plot.crew.habit is Habit.ROUNDS}
    assert told <= rounding
    assert len(told) > 0.8 * len(rounding)
