"""A diameter beside last time's: shrinkage, growth, and the slips that explain a value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import pi

import pytest

from server.forest.species import SpeciesInfo
from server.forest.tree import TallyCode
from server.validation.flag import Severity, message
from server.validation.reference import Reference
from tests.validation.makers import PARAMETERS, changed, flags, last, said, stand, tree, visit

SMALL = PARAMETERS.with_changes({"T02.min_cm": 1.0})


def one_tree(now_cm: float, before_cm: float, **other):
    return said(visit(tree("1", now_cm, **other)), last(tree("1", before_cm)))


def test_ordinary_growth_raises_nothing():
    assert one_tree(16.4, 15.0) == []


def test_the_smaller_a_tree_became_the_likelier_its_value_is_wrong():
    # 4 * (0.0062 * 20 + 0.0904) = 0.86 cm, 5 % = 1.0 cm: below 19.0 it has shrunk
    assert one_tree(18.9, 20.0) == [("X01", "info")]
    assert one_tree(16.7, 20.0) == [("X01", "warn")]
    assert one_tree(10.0, 20.0) == [("X01", "error")]


def test_a_slightly_smaller_tree_is_information():
    assert one_tree(19.1, 20.0) == [("X02", "info")]


def test_a_millimetre_or_six_are_the_tape():
    assert one_tree(14.4, 15.0) == []  # twice the tolerance of 0.3 cm


def test_a_verified_smaller_tree_is_a_warn():
    assert one_tree(10.0, 20.0, verified=True) == [("X01", "warn")]
    assert one_tree(16.7, 20.0, verified=True) == [("X01", "info")]


def test_a_crew_may_say_that_last_times_diameter_was_wrong():
    assert one_tree(15.0, 20.0, tally_code=TallyCode.DBH_ERROR) == [("X01", "info")]


def test_no_tree_grows_five_centimetres_a_year():
    assert one_tree(47.3, 20.0)[0] == ("X04", "error")


def test_a_pine_does_not_grow_three_centimetres_a_year_a_poplar_may():
    species = {"油松": SpeciesInfo("油松", "Pinus", "conifer"), "杨": SpeciesInfo("杨", "Populus", "fast")}

    def grown(name):
        return said(visit(tree("1", 35.3, name)), last(tree("1", 20.0, name)), species=species)

    assert grown("油松") == [("X04", "error")]
    assert grown("杨") == [("T06", "warn")]


def test_a_thinning_gives_room_to_grow():
    species = {"油松": SpeciesInfo("油松", "Pinus", "conifer")}
    # 20 + 2.5 * 5 + 2 * sqrt(2) * 0.214 = 33.1 cm; released: 36.9 cm
    before = last(tree("1", 20.0))
    now = visit(tree("1", 35.3), thinned=True)
    assert "X04" not in {rule for rule, _ in said(now, before, species=species)}
    assert ("X04", "error") in said(visit(tree("1", 35.3)), before, species=species)


def test_a_sapling_that_grew_to_three_times_its_size_is_a_warn():
    assert one_tree(17.0, 6.0) == [("X05", "warn")]


@pytest.mark.parametrize(("typed", "meant"), [(163.0, "16.3"), (1.6, "16.0"), (round(16.3 * pi, 1), "16.3")])
def test_decimal_and_girth_slips_are_errors_with_the_likely_value(typed, meant):
    (flag,) = flags(visit(tree("1", typed, height_m=None)), last(tree("1", 15.0)), parameters=SMALL)
    assert (flag.rule, flag.severity, flag.suggestion) == ("T05", Severity.ERROR, meant)


def test_a_verified_ratio_is_a_warn():
    (flag,) = flags(visit(tree("1", 163.0, verified=True)), last(tree("1", 15.0)))
    assert (flag.rule, flag.severity) == ("T05", Severity.WARN)


def test_a_tens_digit_read_wrong_stands_out_of_the_plot():
    now = changed(stand(12, grown_cm=1.0), "5", dbh_cm=26.2)
    (flag,) = flags(visit(*now), last(*stand(12)))
    assert (flag.rule, flag.tag, flag.suggestion) == ("T06", "5", "16.2")


def test_a_tens_digit_read_too_small_is_an_error_with_the_likely_value():
    now = changed(stand(12, grown_cm=1.0), "12", dbh_cm=15.4)
    (flag,) = flags(visit(*now), last(*stand(12)))
    assert (flag.rule, flag.tag, flag.suggestion) == ("X01", "12", "25.4")


def test_two_trees_whose_diameters_were_exchanged_name_each_other():
    now = changed(changed(stand(12, grown_cm=1.0), "2", dbh_cm=25.4), "12", dbh_cm=12.4)
    found = {flag.tag: flag for flag in flags(visit(*now), last(*stand(12)))}
    assert found["2"].facts["slip"] == "swap"
    assert found["2"].suggestion == "12.4"
    assert found["12"].suggestion == "25.4"


def test_of_two_exchanged_the_one_that_looks_ordinary_is_asked_about_with_the_other():
    # tree 6 would have lost three millimetres, which tapes explain; but tree 5 has the diameter that it should have
    now = stand(40, grown_cm=1.0)
    spoilt = changed(changed(now, "5", dbh_cm=now[5].dbh_cm), "6", dbh_cm=now[4].dbh_cm)
    alone = changed(now, "6", dbh_cm=now[4].dbh_cm)
    assert flags(visit(*alone), last(*stand(40))) == []
    found = {flag.tag: flag.facts["slip"] for flag in flags(visit(*spoilt), last(*stand(40)))}
    assert found == {"5": "swap", "6": "swap"}


def test_fast_growth_in_a_fast_plot_is_ordinary():
    now = stand(40, grown_cm=6.0)
    assert said(visit(*now), last(*stand(40))) == []


def test_a_changed_point_of_measurement_explains_a_smaller_diameter():
    before = last(tree("1", 20.0, pom_m=1.3))
    assert said(visit(tree("1", 18.9, pom_m=1.6)), before) == [("X14", "info")]


def test_without_dates_five_years_are_taken():
    assert said(visit(tree("1", 26.0), on=None), last(tree("1", 20.0), on=None)) == []


def test_growth_beyond_what_trees_of_the_plot_do_is_a_warn_even_where_no_slip_explains_it():
    # thirty trees grew 1.0 to 1.3 cm in five years; no slip with a name makes 56.1 of some 49 cm
    now = changed(stand(30, grown_cm=1.0), "30", dbh_cm=56.1)
    (flag,) = flags(visit(*now), last(*stand(30)))
    assert (flag.rule, flag.tag, flag.severity) == ("X03", "30", Severity.WARN)


def test_after_a_thinning_trees_of_a_plot_differ_more():
    reference = Reference.of(forest(grown_cm=1.5))
    before, now = last(tree("1", 15.0)), visit(tree("1", 20.7))
    quiet = PARAMETERS.with_changes({"X16.on": 0})
    (doubted,) = flags(now, before, reference=reference)
    (released,) = flags(replace(now, thinned=True), before, reference=reference, parameters=quiet)
    assert released.score < doubted.score


def forest(plots: int = 5, grown_cm: float = 3.0) -> list:
    """Accepted visits, two to each plot: every tree of 10 to 20 cm grew `grown_cm` in five years, give or take."""
    visits = []
    for plot in range(plots):
        trees = [tree(str(i), 10.0 + i) for i in range(10)]
        grown = [
            one._replace(dbh_cm=round(one.dbh_cm + grown_cm + 0.1 * ((i + plot) % 5 - 2), 1))
            for i, one in enumerate(trees)
        ]
        visits += [replace(last(*trees), plot_id=str(plot)), replace(visit(*grown), plot_id=str(plot))]
    return visits


def test_growth_is_measured_by_accepted_trees_of_the_species_and_size():
    fast, slow = Reference.of(forest(grown_cm=8.0)), Reference.of(forest(grown_cm=1.0))
    before, now = last(tree("1", 15.0)), visit(tree("1", 23.0))
    assert said(now, before, reference=fast) == []
    assert said(now, before, reference=slow) == [("X03", "error")]


def test_thirty_nine_remeasured_trees_are_no_band():
    assert Reference.of(forest(plots=3)).growth == {}
    bands = Reference.of(forest(plots=4)).growth
    assert {size for name, size in bands if name == "油松"} == {1}


def test_a_tree_that_always_grew_fast_may_go_on():
    reference = Reference.of(forest(grown_cm=1.0))
    before, now = last(tree("1", 15.0)), visit(tree("1", 19.8))
    slow = [last(tree("1", 14.0), on=date(2014, 7, 1))]
    fast = [last(tree("1", 11.0), on=date(2014, 7, 1))]
    (doubted,) = flags(now, before, reference=reference, earlier=slow)
    (usual,) = flags(now, before, reference=reference, earlier=fast)
    assert usual.score < 0.8 * doubted.score


def test_when_last_times_diameter_was_the_odd_one_the_sentence_says_so():
    reference = Reference.of(forest(grown_cm=1.0))
    before, now = last(tree("1", 25.0)), visit(tree("1", 16.0))
    (flag,) = flags(now, before, reference=reference, earlier=[last(tree("1", 14.0), on=date(2014, 7, 1))])
    assert (flag.rule, flag.severity, flag.suggestion) == ("X01", Severity.WARN, "")
    assert "可能是上期量错" in message(flag, "zh")


def test_of_two_values_the_one_that_trees_here_do_not_have_is_the_likelier_slip():
    # trees of 10 to 25 cm that grew one: 66.1 among them is odd, whenever it was written
    now, before = stand(12, grown_cm=1.0), stand(12)
    (here,) = flags(visit(*changed(now, "5", dbh_cm=66.1)), last(*before))
    (then,) = flags(visit(*now), last(*changed(before, "5", dbh_cm=66.1)))
    assert here.score > 0.9 > 0.5 > then.score
    assert "更可能是上期量错" in message(then, "zh")
    assert (then.severity, then.suggestion) == (Severity.ERROR, "")  # one of the two is wrong


def test_a_last_diameter_of_a_first_census_is_trusted_less():
    before, now, quiet = last(tree("1", 15.0)), visit(tree("1", 24.9)), forest(grown_cm=1.0)
    older = [last(tree("1", 14.0), on=date(2014, 7, 1))]
    (alone,) = flags(now, before, reference=Reference.of(quiet))
    (known,) = flags(now, before, reference=Reference.of(quiet), earlier=older)
    assert alone.score < known.score


def test_one_slip_among_trees_that_grew_alike_is_not_its_own_excuse():
    before = [tree(str(n), 10 + n / 2) for n in range(12)] + [tree("14", 22.6)]
    now = [tree(str(n), 11 + n / 2) for n in range(12)] + [tree("14", 33.1)]
    odd = [f for f in flags(visit(*now), last(*before)) if f.tag == "14"]
    assert [(f.rule, f.suggestion) for f in odd] == [("T06", "23.1")]


def test_two_diameters_of_which_one_must_be_wrong_are_never_passed_over():
    others, grown = stand(11, first_cm=12.0), stand(11, first_cm=12.0, grown_cm=1.0)
    typed = visit(*(one._replace(tag=f"{one.tag}a") for one in grown), tree("1", 24.0))
    before = last(*(one._replace(tag=f"{one.tag}a") for one in others), tree("1", 2.31))
    [flag] = [one for one in flags(typed, before) if one.tag == "1"]
    assert (flag.severity, flag.facts["case"]) == (Severity.WARN, "last")  # a stand of twelve to twenty-five
    assert flag.score < 0.5


def test_a_diameter_beyond_every_tree_is_not_the_right_one_of_two():
    [slip] = [one for one in flags(visit(tree("1", 231.0)), last(tree("1", 22.6))) if one.rule == "T05"]
    assert (slip.suggestion, slip.severity) == ("23.1", Severity.ERROR)
    assert slip.score > 0.9
