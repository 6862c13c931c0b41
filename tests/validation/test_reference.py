"""What accepted trees say: growth bands that lean on others where trees are few, height curves, a version."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.forest.species import SpeciesInfo
from server.validation.bands import Growth, Rates, leaning
from server.validation.hd import quadratic
from server.validation.reference import Gathering, Reference
from server.validation.screen import bounds_cm
from tests.validation.makers import LAST, NOW, PARAMETERS, flags, last, said, tree, visit

GENERA = {
    name: SpeciesInfo(name, genus)
    for name, genus in (("油松", "Pinus"), ("华山松", "Pinus"), ("栎", "Quercus"))
}


def counted(species: str, grown_cm: float, trees: int, years: float = 5.0) -> Gathering:
    gathering = Gathering(GENERA)
    for number in range(trees):
        gathering.add_growth(species, 15.0, 15.0 + grown_cm + 0.1 * (number % 5 - 2), years)
    return gathering


def test_the_median_of_equal_growth_is_that_growth():
    rates = Rates()
    rates.add(15.0, 16.5, 5.0, trees=60)
    assert rates.growth().rate_cm_yr == 0.3
    assert rates.growth().trees == 60


def test_the_error_of_two_tapes_is_no_spread_of_growth():
    # two tapes at 15 cm: sqrt(2) * (0.0062 * 15 + 0.0904) = 0.26 cm, 0.26 cm a year after one year
    rates, chance = Rates(), random.Random(1)
    for _ in range(4000):
        rates.add(15.0, 15.2 + chance.gauss(0, 0.26), 1.0)
    assert rates.growth().up_cm_yr < 0.08


def test_twenty_trees_count_as_much_as_what_they_lean_on():
    own, on = Growth(1.0, 0.1, 0.1, 20), Growth(0.2, 0.3, 0.1, 500)
    assert leaning(own, on) == Growth(0.6, 0.2, 0.1, 20)


def test_a_wrong_value_among_few_trees_does_not_widen_their_band():
    assert leaning(Growth(0.4, 0.1, 2.6, 6), Growth(0.2, 0.2, 0.1, 500)).down_cm_yr < 0.15


def test_a_species_with_few_trees_leans_on_its_genus_and_a_genus_on_all():
    gathering = counted("油松", 3.0, 100)
    for number in range(100):
        gathering.add_growth("栎", 15.0, 15.5 + 0.1 * (number % 5), 5.0)
    gathering.add_growth("华山松", 15.0, 16.0, 5.0)
    reference = gathering.reference()
    rates = {name: reference.growth_of(name, GENERA[name].genus, 15.0).rate_cm_yr for name in GENERA}
    assert rates["栎"] < 0.25 < 0.5 < rates["华山松"] < rates["油松"]
    # nobody ever measured a fir: it is judged by all
    assert reference.growth_of("冷杉", "", 15.0) == reference.growth["*", 1]


def test_growth_of_five_years_serves_a_visit_after_one():
    growth = counted("油松", 2.0, 100).reference().growth_of("油松", "Pinus", 15.0)
    _, one = bounds_cm(PARAMETERS.limits, growth, 15.0, 1.0)
    _, five = bounds_cm(PARAMETERS.limits, growth, 15.0, 5.0)
    assert 15.4 < one < 16.6 < 17.0 < five


def test_thirty_nine_pairs_are_no_band_and_forty_are():
    assert counted("油松", 2.0, 39).reference().growth == {}
    assert counted("油松", 2.0, 40).reference().growth


@given(st.lists(st.sampled_from(sorted(GENERA)), min_size=40, max_size=80), st.randoms(use_true_random=False))
def test_the_order_of_the_trees_does_not_change_what_they_say(species, chance):
    shuffled = list(species)
    chance.shuffle(shuffled)
    references = []
    for names in (species, shuffled):
        gathering = Gathering(GENERA)
        for name in names:
            gathering.add_growth(name, 15.0, 15.0 + len(name), 5.0)
        references.append(gathering.reference())
    assert references[0].version == references[1].version


def test_a_reference_comes_back_from_the_store_as_it_was():
    reference = Reference.of([*forest(LAST), *forest(NOW, 1.5)], GENERA)
    again = Reference.from_json(json.loads(json.dumps(reference.as_json())))
    assert again == reference
    assert again.version == reference.version
    assert len(reference.version) == 12


def test_one_more_tree_is_another_version():
    gathering = counted("油松", 2.0, 60)
    before = gathering.reference().version
    gathering.add_growth("油松", 15.0, 25.0, 5.0)
    assert gathering.reference().version != before


def test_a_flag_names_the_bands_that_it_was_judged_by():
    reference = Reference.of([*forest(LAST), *forest(NOW, 1.0)])
    (flag,) = flags(visit(tree("1", 33.0)), last(tree("1", 20.0)), reference=reference)
    assert flag.facts["bands"] == reference.version


def test_a_quadratic_through_three_points_is_found_again():
    # y = 2 - 3 x + x2
    points = [(x, 2 - 3 * x + x * x, 1) for x in (0.0, 1.0, 3.0)]
    assert quadratic(points, [1.0] * 3) == pytest.approx((2, -3, 1))


def forest(on: date, grown_cm: float = 0.0, plots: int = 10) -> list:
    """Accepted visits: pines of 10 to 29 cm, half as tall in m as thick in cm and 3 m more, give or take 5 %."""
    found = []
    for plot in range(plots):
        trees = [
            tree(
                str(i),
                10.0 + i + grown_cm,
                height_m=round((3 + (10 + i) / 2) * (1 + 0.05 * ((i + plot) % 3 - 1)), 1),
            )
            for i in range(20)
        ]
        found.append(replace(visit(*trees, on=on), plot_id=str(plot)))
    return found


CURVES = Reference.of(forest(LAST))


def test_the_height_curve_follows_the_accepted_trees():
    curve = CURVES.height_curve("油松", "")
    assert curve.height_m(20.0) == pytest.approx(13.0, rel=0.03)
    assert curve.trees == 200


def test_a_height_far_off_the_curve_is_a_warn_with_the_likely_height():
    stand = [tree(str(i), 15.0 + i / 2, height_m=round(3 + (15 + i / 2) / 2, 1)) for i in range(12)]
    assert said(visit(*stand), reference=CURVES) == []
    (flag,) = flags(visit(*stand, tree("20", 20.0, height_m=23.0)), reference=CURVES)
    assert (flag.rule, str(flag.severity), flag.suggestion) == ("H03", "warn", "13.0")


def test_a_diameter_and_a_height_that_changed_places_are_told_as_such():
    stand = [tree(str(i), 15.0 + i / 2, height_m=round(3 + (15 + i / 2) / 2, 1)) for i in range(12)]
    (flag,) = flags(visit(*stand, tree("20", 14.0, height_m=22.0)), reference=CURVES)
    assert (flag.rule, flag.suggestion) == ("H04", "14")


def test_a_tree_that_got_much_shorter_is_asked_about_and_a_little_is_not():
    before = last(
        tree("1", 20.0, height_m=14.0), tree("2", 20.0, height_m=14.0), tree("3", 20.0, height_m=14.0)
    )

    def heights(first_m: float) -> list[tuple[str, str]]:
        return said(visit(tree("1", 21.0, height_m=first_m), tree("2", 21.0, height_m=14.5),
                          tree("3", 21.0, height_m=15.0)), before)  # fmt: skip

    assert heights(12.6) == []
    assert heights(11.0) == [("H05", "info")]
    assert heights(8.0) == [("H05", "warn")]


def test_two_heights_of_a_species_are_too_few_where_heights_are_measured():
    trees = [tree(str(i), 15.0 + i, height_m=12.0 if i < 2 else None) for i in range(5)]
    assert said(visit(*trees)) == [("H06", "warn")]
    assert said(visit(*(one._replace(height_m=None) for one in trees))) == []


def test_a_tall_tree_is_no_question_where_accepted_trees_are_as_tall():
    tall = Reference.of(
        [
            visit(*(tree(str(i), 40.0 + i, height_m=30.0 + i / 10) for i in range(30)), on=LAST)
            for _ in range(2)
        ]
    )
    trees = [tree(str(i), 45.0 + i, height_m=31.0) for i in range(5)]
    assert {severity for rule, severity in said(visit(*trees), reference=tall) if rule == "H01"} == {"info"}
    assert {severity for rule, severity in said(visit(*trees)) if rule == "H01"} == {"warn"}
