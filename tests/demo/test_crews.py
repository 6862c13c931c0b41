"""Crews have habits, and the habits show in what they type."""

from __future__ import annotations

import random
from functools import cache

from server.demo import crews
from server.demo.campaign import Campaign, simulate
from server.demo.county import Habit, make_county


@cache
def _honest() -> Campaign:
    """Nobody makes a slip: what is left are habits."""
    return simulate(make_county(1), slip_rate=0, identity_rate=0)


def _typed(crew: str) -> list[tuple[str, float]]:
    """Every diameter of a crew as typed, with the true one in cm."""
    campaign = _honest()
    return [
        (row["dbh_cm"], _true_cm(visit.plot_id, row["tag"], visit.census))
        for visit in campaign.visits
        if visit.crew == crew
        for row in visit.trees
        if "dbh_cm" in row
    ]


def _true_cm(plot_id: str, tag: str, census: str) -> float:
    tree = next(tree for tree in _honest().truth[plot_id].trees if tree.tag == tag)
    return tree.states[census].dbh_cm


def _share_ending_in(digits: str, typed: list[tuple[str, float]]) -> float:
    return sum(text[-1] in digits for text, _ in typed) / len(typed)


def test_the_careful_crew_is_never_more_than_a_millimetre_off() -> None:
    assert max(abs(float(text) - true) for text, true in _typed("一队")) <= 0.1 + 1e-9


def test_the_tape_without_its_first_centimetre_reads_more_since_the_second_census() -> None:
    campaign = _honest()
    for census, least, most in (("2021", -0.1, 0.1), ("2026", 0.218, 0.419)):  # 1/π = 0.318
        for visit in campaign.visits_of(census):
            for row in visit.trees if visit.crew == "四队" else ():
                if "dbh_cm" in row:
                    off_cm = float(row["dbh_cm"]) - _true_cm(visit.plot_id, row["tag"], census)
                    assert least - 1e-9 <= off_cm <= most


def test_the_careful_crew_has_no_favourite_digit() -> None:
    typed = _typed("一队")
    assert all(0.05 < _share_ending_in(digit, typed) < 0.15 for digit in "0123456789")


def test_the_rounding_crew_ends_most_diameters_in_nought() -> None:
    # 85 % rounded, and a tenth of the others by chance
    assert 0.82 < _share_ending_in("0", _typed("二队")) < 0.91


def test_the_rounding_crew_is_still_at_the_right_tree() -> None:
    assert max(abs(float(text) - true) for text, true in _typed("二队")) <= 0.5 + 0.3 + 1e-9


def test_only_the_copying_crew_copies_and_never_in_the_first_census_from_before() -> None:
    campaign = _honest()
    by_plot = {plot.plot_id: plot.crew.name for plot in campaign.county.plots}
    assert {by_plot[slip.plot_id] for slip in campaign.slips} == {"三队"}
    assert {slip.census for slip in campaign.slips if slip.kind == "copied_census"} == {"2026"}


def test_a_copied_census_shows_as_growth_of_nothing() -> None:
    campaign = _honest()
    typed = {
        (v.census, v.plot_id, row["tag"]): row["dbh_cm"]
        for v in campaign.visits
        for row in v.trees
        if "dbh_cm" in row
    }
    copied = [slip for slip in campaign.slips if slip.kind == "copied_census"]
    assert len(copied) > 50
    assert all(typed["2021", s.plot_id, s.tag] == typed["2026", s.plot_id, s.tag] for s in copied)


def test_a_copied_plot_shows_as_a_run_of_the_same_values() -> None:
    source = [{"tag": str(n), "dbh_cm": f"{5 + n / 10:.1f}"} for n in range(40)]
    rows = [{"tag": str(n), "dbh_cm": f"{25 + n / 10:.1f}"} for n in range(30)]
    copied = crews.copy_from_plot(rows, source, random.Random(3))
    run = [row["dbh_cm"] for row in rows if float(row["dbh_cm"]) < 25]
    assert 8 <= len(copied) == len(run) <= 20
    assert ",".join(run) in ",".join(row["dbh_cm"] for row in source)


def test_the_same_trees_have_their_height_measured_in_both_censuses() -> None:
    campaign = _honest()
    for plot_id, truth in campaign.truth.items():
        visits = {v.census: v for v in campaign.visits if v.plot_id == plot_id}
        tagged = {
            census: {row["tag"] for row in visit.trees if "height_m" in row}
            for census, visit in visits.items()
        }
        lost = [t.tag for t in truth.found_in("2021") if t.states["2026"].tally_code.is_gone]
        assert tagged["2021"] - set(lost) <= tagged["2026"]


def test_every_species_with_three_stems_has_three_heights() -> None:
    for visit in _honest().visits:
        for code in {row["species"] for row in visit.trees}:
            living = [row for row in visit.trees if row["species"] == code and "dbh_cm" in row]
            assert sum("height_m" in row for row in living) >= min(3, len(living))


def test_a_dead_tree_has_no_diameter() -> None:
    gone = {"13", "14", "15"}
    rows = [row for visit in _honest().visits for row in visit.trees]
    assert any(row["tally_code"] in gone for row in rows)
    assert all(("dbh_cm" in row) == (row["tally_code"] not in gone) for row in rows)


def test_each_habit_has_a_tape() -> None:
    assert crews.TAPE_LIMIT_CM.keys() == set(Habit)
