"""What is said about crews: habits that no single tree shows, and silence about honest ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.validation.crew import Look, Work, kind_of, looked_at
from server.validation.crew_growth import Pair
from server.validation.crew_travel import Stay
from server.validation.flag import Flag, message
from server.validation.parameters import Parameters

SHIPPED = Parameters.default()
EVEN = [30] * 10
HEAPED = [120, 15, 15, 15, 15, 90, 15, 15, 15, 15]
HOUR_MS = 3_600_000


def look(*works: Work, parameters: Parameters = SHIPPED) -> list[Look]:
    return list(looked_at(dict(enumerate(works)), parameters).values())


def rules(seen: Look) -> list[str]:
    return [flag.rule for flag in seen.flags]


def read(digits: Sequence[int]) -> Work:
    return Work(digits={"2026-05": list(digits)})


def grown(seed: int, change: Callable[[float, float], float] = lambda _before, now: now, *, plots: int = 20,
          stratum: int = 1) -> Work:  # fmt: skip
    """Twenty plots of twenty trees, five years of growth, read by an honest crew or by `change`."""
    chance = random.Random(seed)
    pairs = []
    for plot in range(plots):
        soil = chance.gauss(0, 0.2)
        for _ in range(20):
            before = round(chance.uniform(6, 35), 1)
            now = round(before + max(chance.gauss(1.6 + soil, 0.9), -0.1) + chance.gauss(0, 0.1), 1)
            pairs.append(
                Pair(
                    1000 * seed + plot, "2026-05", stratum, "pine", before, round(change(before, now), 1), 5.0
                )
            )
    return Work(pairs=pairs)


def test_a_crew_that_reads_to_half_a_centimetre_is_told_with_its_interval() -> None:
    [seen] = look(read(HEAPED))
    [flag] = seen.flags
    assert (flag.rule, flag.severity) == ("C01", "warn")
    assert flag.facts["share_pct"] == pytest.approx(100 * 210 / 330)
    assert flag.facts["low_pct"] > 55
    assert flag.score > 0.99
    assert "63.6" in message(flag, "zh")
    assert "χ²" in message(flag, "en")


def test_whole_centimetres_are_called_so() -> None:
    [seen] = look(read([200, *[10] * 9]))
    assert seen.flags[0].facts["case"] == "whole"


@pytest.mark.parametrize(
    "digits", [EVEN, [60, 26, 26, 26, 26, 45, 26, 26, 26, 26], [9, 1, 1, 1, 1, 9, 1, 1, 1, 1]]
)
def test_chance_an_honest_tape_and_a_few_trees_are_not_heaped(digits: list[int]) -> None:
    assert rules(look(read(digits))[0]) == []


def test_trees_that_follow_each_other_within_seconds_were_not_measured() -> None:
    slow = Work(gaps_s=[60.0, 90.0, 130.0] * 20)
    hasty, others = look(Work(gaps_s=[4.0, 5.5, 90.0] * 20), slow)
    assert rules(hasty) == ["C02"]
    assert hasty.flags[0].facts["quick"] == 40
    assert rules(others) == []


def test_a_crew_twice_as_fast_as_all_others_is_asked_how() -> None:
    fast, _ = look(Work(gaps_s=[25.0, 30.0] * 20), Work(gaps_s=[70.0, 80.0] * 30))
    assert [flag.facts["case"] for flag in fast.flags] == ["rate"]


def test_stamps_of_a_machine_say_nothing_of_speed() -> None:
    [seen] = look(Work(gaps_s=[0.0] * 60 + [70.0] * 10))
    assert [(flag.facts["case"], str(flag.severity)) for flag in seen.flags] == [("stamped", "info")]


def stay(visit: int, lat: float, came_h: float, left_h: float | None = None, phone: int = 1) -> Stay:
    return Stay(visit, f"P-{visit}", phone, lat, 113.4, round(came_h * HOUR_MS),
                None if left_h is None else round(left_h * HOUR_MS))  # fmt: skip


def test_nobody_flies() -> None:
    [seen] = look(Work(stays=[stay(1, 36.0, 8, 9), stay(2, 36.3, 9.25, 10)]))  # 33 km in a quarter of an hour
    [flag] = seen.flags
    assert (flag.rule, flag.severity, flag.facts["case"]) == ("C03", "error", "speed")
    assert flag.facts["apart_km"] == pytest.approx(33.4, abs=0.1)


def test_nobody_is_at_two_plots_at_once() -> None:
    [seen] = look(Work(stays=[stay(1, 36.0, 8, 10), stay(2, 36.01, 9, 10.5)]))
    assert [flag.facts["case"] for flag in seen.flags] == ["overlap"]


@pytest.mark.parametrize(
    "stays",
    [
        [stay(1, 36.0, 8, 9), stay(2, 36.05, 9.5, 10)],  # 5.6 km in half an hour
        [stay(1, 36.0, 8, 9), stay(2, 36.3, 8.5, 9.5, phone=2)],  # the crew has parted
        [stay(1, 36.0, 8), stay(2, 36.05, 9)],  # no log: the form's start alone
        [stay(1, 36.0, 8, 9), stay(2, 36.0002, 9.01, 10)],  # two plots in one place
        [stay(1, 36.0, 8, 9), Stay(2, "P-2", 1, None, None, 9 * HOUR_MS, None)],
    ],
)
def test_honest_ways_are_passed_over(stays: list[Stay]) -> None:
    assert rules(look(Work(stays=stays))[0]) == []


def test_a_tape_that_reads_four_percent_more_is_found_and_its_neighbours_are_not() -> None:
    stretched, *honest = look(grown(1, lambda _, now: now * 1.04), *(grown(seed) for seed in range(2, 6)))
    assert rules(stretched) == ["C05"]
    flag = stretched.flags[0]
    assert flag.facts["case"] == "more"
    assert flag.facts["low_pct"] < 4 < flag.facts["high_pct"]
    assert [rules(one) for one in honest] == [[], [], [], []]


def test_a_crew_alone_in_its_stratum_cannot_be_told_from_the_stratum() -> None:
    alone, *_ = look(grown(1, lambda _, now: now * 1.1, stratum=2), grown(2), grown(3))
    assert rules(alone) == []
    assert alone.figures["growth"]["bias"] is None


def test_one_slip_is_no_bias() -> None:
    work = grown(1)
    work.pairs[0] = work.pairs[0]._replace(dbh_cm=250.0)
    assert rules(look(work, *(grown(seed) for seed in range(2, 6)))[0]) == []


def test_last_times_values_are_no_measurement() -> None:
    chance = random.Random(7)
    copied, *_ = look(
        grown(1, lambda before, now: before if chance.random() < 0.6 else now), grown(2), grown(3)
    )
    assert ("C04", "same") in [(flag.rule, flag.facts.get("case")) for flag in copied.flags]


def test_a_year_in_which_nothing_grew_is_nobodys_fault() -> None:
    dry = [grown(seed, lambda before, now: before if round(now * 10) % 2 else now) for seed in range(1, 4)]
    assert [rules(one) for one in look(*dry)] == [[], [], []]


def test_growth_that_is_the_same_for_all_is_invented() -> None:
    invented, *_ = look(grown(1, lambda before, _now: before + 1.6), grown(2), grown(3))
    assert "constant" in [flag.facts.get("case") for flag in invented.flags if flag.rule == "C04"]


def test_growth_without_fast_trees_is_too_even() -> None:
    chance = random.Random(8)
    even, *_ = look(grown(1, lambda before, _now: before + 1.6 + chance.gauss(0, 0.2)), grown(2), grown(3))
    assert [flag.facts.get("case", "") for flag in even.flags if flag.rule == "C04"] == [""]


def test_changes_after_sending_are_asked_about_from_the_third_on() -> None:
    stays = [stay(n, 36.0, 24 * n) for n in range(10)]
    assert rules(look(Work(stays=stays, edits=2))[0]) == []
    assert rules(look(Work(stays=stays, edits=3))[0]) == ["C06"]


def test_a_silenced_rule_says_nothing_of_crews_either() -> None:
    assert rules(look(read(HEAPED), parameters=SHIPPED.with_changes({"C01.on": 0}))[0]) == []


def flag_of(digits: Sequence[int]) -> Flag:
    return look(read(digits))[0].flags[0]


def test_one_more_plot_is_no_new_question_and_a_worse_habit_is() -> None:
    one_more = [count + 1 for count in HEAPED]
    assert kind_of(flag_of(HEAPED)) == kind_of(flag_of(one_more))
    assert kind_of(flag_of(HEAPED)) != kind_of(flag_of([400, 1, 1, 1, 1, 300, 1, 1, 1, 1]))


@given(st.lists(st.integers(0, 200), min_size=10, max_size=10))
def test_the_order_of_other_digits_means_nothing(digits: list[int]) -> None:
    turned = [digits[n] for n in (5, 9, 8, 7, 6, 0, 4, 3, 2, 1)]
    one, other = look(read(digits))[0].figures["reading"], look(read(turned))[0].figures["reading"]
    assert one["share"] == other["share"]
    assert one["chi2"] == pytest.approx(other["chi2"])


@given(st.integers(0, 10_000))
def test_the_same_work_is_always_seen_the_same(seed: int) -> None:
    works = [grown(seed, plots=3), grown(seed + 1, plots=3)]
    assert look(*works) == look(*works)
