"""Slips: what they do to a number, and that each is on the list."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.demo.campaign import Campaign, simulate
from server.demo.county import make_county
from server.demo.slips import IDENTITY, LEAST_SLIP_CM, WEIGHTS, slip, wrong_diameter

Cell = tuple[str, str, int, str]  # census, plot, place in the honest list, field


@cache
def _campaign(slip_rate: float, identity_rate: float = 0.0) -> Campaign:
    return simulate(make_county(1), slip_rate, identity_rate)


def _all(kind: str, text: str) -> set[str | None]:
    return {wrong_diameter(kind, text, random.Random(seed)) for seed in range(300)}


@pytest.mark.parametrize(
    ("kind", "text", "possible"),
    [
        ("tens_digit", "23.4", {"13.4", "33.4"}),
        ("tens_digit", "8.1", {"18.1"}),
        ("decimal_point", "23.4", {"234.0", "2.3"}),
        ("transposition", "23.4", {"32.4", "24.3"}),
        ("dropped_digit", "23.4", {"3.4", "2.4", "2.3"}),
        ("inch", "23.4", {"9.2"}),  # 23.4 / 2.54 = 9.213
        ("girth", "23.4", {"73.5"}),  # 23.4 × 3.14159 = 73.513
    ],
)
def test_a_slip_does_to_a_diameter_what_its_name_says(kind: str, text: str, possible: set[str]) -> None:
    assert _all(kind, text) == possible


def test_one_digit_changes_one_digit() -> None:
    changed = _all("one_digit", "23.4") - {None}
    assert len(changed) > 15
    assert all(
        sum(a != b for a, b in zip(f"{float(t):04.1f}", "23.4", strict=True)) == 1 for t in changed if t
    )


def test_another_point_of_measurement_is_four_to_twelve_percent_off() -> None:
    off = [abs(float(text) / 50 - 1) for text in _all("point_of_measurement", "50.0") if text]
    assert 0.04 - 1e-3 <= min(off) <= max(off) <= 0.12 + 1e-3


def test_a_guess_by_eye_is_a_multiple_of_five() -> None:
    assert all(float(text) % 5 == 0 for text in _all("ocular_guess", "23.4") if text)


@given(st.sampled_from(sorted(set(WEIGHTS) - {"neighbour_swap"})), st.integers(50, 900), st.integers())
def test_every_slip_is_a_number_that_can_be_typed_and_a_real_change(
    kind: str, tenths: int, seed: int
) -> None:
    text = f"{tenths / 10:.1f}"
    typed = wrong_diameter(kind, text, random.Random(seed))
    if typed is not None:
        assert float(typed) > 0
        assert abs(float(typed) - float(text)) > LEAST_SLIP_CM - 0.06  # rounded to a tenth after the test


def _cells(campaign: Campaign) -> dict[tuple[str, str, str], dict[str, str]]:
    return {(v.census, v.plot_id, row["tag"]): row for v in campaign.visits for row in v.trees}


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_the_list_of_slips_is_exactly_what_differs_from_honest_work(rate: float) -> None:
    honest, slipped = _cells(_campaign(0.0)), _cells(_campaign(rate))
    differs = {
        (*key, honest[key]["dbh_cm"], row["dbh_cm"])
        for key, row in slipped.items()
        if row.get("dbh_cm") != honest[key].get("dbh_cm")
    }
    listed = {
        (s.census, s.plot_id, s.tag, s.intended, s.typed)
        for s in _campaign(rate).slips
        if not s.kind.startswith("copied")
    }
    assert differs == listed
    assert len(differs) > 20


def test_slips_come_as_often_and_of_the_kinds_that_were_asked_for() -> None:
    campaign = _campaign(0.1)
    living = sum("dbh_cm" in row for visit in campaign.visits for row in visit.trees)
    kinds = Counter(s.kind for s in campaign.slips if s.kind in WEIGHTS)
    assert 0.08 < sum(kinds.values()) / living < 0.13  # a swap makes two
    assert kinds.keys() == WEIGHTS.keys()
    assert kinds["tens_digit"] > kinds["girth"] > 0


def test_a_slip_notes_the_true_diameter() -> None:
    campaign = _campaign(0.1)
    for s in campaign.slips:
        tree = next(tree for tree in campaign.truth[s.plot_id].trees if tree.tag == s.tag)
        assert float(s.true_value) == round(tree.states[s.census].dbh_cm, 1)


def test_two_neighbours_exchange_their_diameters() -> None:
    swaps = [s for s in _campaign(0.1).slips if s.kind == "neighbour_swap"]
    for first, second in zip(swaps[::2], swaps[1::2], strict=True):
        assert (first.intended, first.typed) == (second.typed, second.intended)


@pytest.mark.parametrize("kind", IDENTITY)
def test_a_tree_can_be_left_out_or_mistaken_for_another(kind: str) -> None:
    honest, campaign = _cells(_campaign(0.0)), _campaign(0.0, 0.02)
    made = [s for s in campaign.slips if s.kind == kind]
    assert len(made) > 10
    for s in made:
        here = [r for v in campaign.visits if (v.census, v.plot_id) == (s.census, s.plot_id) for r in v.trees]
        with_tag = [row for row in here if row["tag"] == s.tag]
        match kind:
            case "missing_tree":
                assert with_tag == []
            case "duplicate_tag":
                assert sum(row["tag"] == s.typed for row in here) >= 2
            case _:
                assert [row["species"] for row in with_tag] == [s.typed]
                assert honest[s.census, s.plot_id, s.tag]["species"] == s.intended


def test_no_slips_are_made_where_none_are_wanted() -> None:
    rows = [{"tag": str(n), "dbh_cm": "12.3", "species": "pinus_tabuliformis"} for n in range(50)]
    assert slip(rows, random.Random(1), 0.0, 0.0) == []
