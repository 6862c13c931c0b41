"""What became of a tree between censuses."""

from __future__ import annotations

from datetime import date

from server.forest.species import SpeciesInfo
from server.forest.tree import TallyCode
from server.validation.reference import Reference
from tests.validation.makers import CUT, DEAD, OVER, changed, flags, last, said, tree, visit


def test_a_tree_that_lived_and_has_no_row_now_has_vanished():
    (flag,) = flags(visit(tree("1", 15.5)), last(tree("1"), tree("2", 22.0)))
    assert (flag.rule, str(flag.severity), flag.ordinal, flag.tag) == ("X07", "error", None, "2")


def test_a_dead_tree_may_be_left_out():
    assert said(visit(tree("1", 15.5)), last(tree("1"), tree("2", tally_code=DEAD))) == []


def test_a_visit_that_was_never_finished_is_one_flag():
    before = last(*(tree(str(i)) for i in range(1, 21)))
    (flag,) = flags(visit(tree("1", 15.5), tree("2", 15.7)), before)
    assert (flag.rule, flag.facts["absent"], flag.facts["lived"]) == ("X07", 18, 20)


def test_a_tree_that_could_not_be_found_wants_a_tally_code():
    assert said(visit(tree("1", None, tally_code=None)), last(tree("1"))) == [("X07", "warn")]


def test_the_dead_do_not_rise():
    assert said(visit(tree("1", 15.5)), last(tree("1", tally_code=DEAD))) == [("X08", "error")]
    assert said(visit(tree("1", 15.5)), last(tree("1", tally_code=OVER))) == [("X08", "error")]


def test_a_crew_may_say_that_a_tree_lives_after_all():
    now = visit(tree("1", 15.5, tally_code=TallyCode.RESURRECTED))
    assert said(now, last(tree("1", tally_code=DEAD))) == [("X08", "warn")]


def test_a_dead_tree_keeps_its_last_diameter():
    before = last(tree("1", 15.0))
    assert said(visit(tree("1", 15.0, tally_code=DEAD)), before) == []
    assert said(visit(tree("1", 17.1, tally_code=DEAD)), before) == [("T12", "error")]


def test_another_species_than_last_time_is_a_warn():
    assert said(visit(tree("1", 15.5, "侧柏")), last(tree("1"))) == [("X09", "warn")]


def test_another_species_of_the_genus_is_information():
    names = {"油松": SpeciesInfo("油松", "Pinus"), "白皮松": SpeciesInfo("白皮松", "Pinus")}
    assert said(visit(tree("1", 15.5, "白皮松")), last(tree("1")), species=names) == [("X09", "info")]


def test_code_19_explains_another_species():
    now = visit(tree("1", 15.5, "侧柏", tally_code=TallyCode.SPECIES_ERROR))
    assert said(now, last(tree("1"))) == []


def test_a_species_written_with_other_spaces_and_capitals_is_the_same():
    assert (
        said(visit(tree("1", 15.5, "Pinus  Tabuliformis")), last(tree("1", 15.0, "Pinus tabuliformis"))) == []
    )


def test_ingrowth_larger_than_five_years_allow_is_a_warn():
    # 5.0 + 2.5 * 5 + 1.0 = 18.5 cm
    before = last(tree("1"))
    assert said(visit(tree("1", 15.5), tree("2", 18.4)), before) == []
    assert said(visit(tree("1", 15.5), tree("2", 18.7)), before) == [("X10", "warn")]
    assert said(visit(tree("1", 15.5), tree("2", 30.2)), before) == [("X10", "error")]


def test_a_missed_tree_may_be_large():
    now = visit(tree("1", 15.5), tree("2", 35.0, tally_code=TallyCode.MISSED))
    assert said(now, last(tree("1"))) == []


def test_ingrowth_cannot_have_a_tag_of_last_time():
    now = visit(tree("1", 15.5), tree("2", 6.0, tally_code=TallyCode.INGROWTH))
    assert ("X12", "error") in said(now, last(tree("1"), tree("2", 5.8)))


def test_the_tag_of_a_tree_cut_two_censuses_ago_is_not_used_again():
    longer_ago = last(tree("1", 14.0), tree("2", 20.0, tally_code=CUT), on=date(2014, 7, 1))
    now = visit(tree("1", 15.5), tree("2", 6.0))
    assert said(now, last(tree("1")), earlier=[longer_ago]) == [("X12", "error")]


def test_several_trees_named_anew_alike_are_one_flag():
    before = last(*(tree(str(n)) for n in range(5)))
    now = visit(*(tree(str(n), 15.5, "侧柏" if n < 3 else "栎") for n in range(5)))
    (together, *alone) = sorted(flags(now, before), key=lambda flag: flag.tag)
    assert (together.rule, together.tag, together.facts["tags"]) == ("X09", "", ["0", "1", "2"])
    assert [(flag.rule, flag.tag) for flag in alone] == [("X09", "3"), ("X09", "4")]


def test_species_that_accepted_crews_took_for_each_other_are_information():
    accepted = [
        visit(tree("1", 15.0, one), tree("2", 15.0, other), on=date(year, 7, 1))
        for year, one, other in ((2009, "油松", "侧柏"), (2014, "侧柏", "油松"))
    ]
    before, now = last(tree("1")), visit(tree("1", 15.5, "侧柏"))
    assert said(now, before, reference=Reference.of(accepted)) == [("X09", "info")]
    assert said(now, before, reference=Reference.of(accepted[:1])) == [("X09", "warn")]


def test_a_latin_name_tells_its_genus():
    before = last(tree("1", species="Quercus rubra"))
    assert said(visit(tree("1", 15.5, "Quercus velutina")), before) == [("X09", "info")]
    assert said(visit(tree("1", 15.5, "Acer rubrum")), before) == [("X09", "warn")]


def test_a_tree_that_goes_on_and_stands_elsewhere_was_measured_from_elsewhere():
    before = last(tree("1", x_m=2.0, y_m=3.0))
    assert said(visit(tree("1", 15.5, x_m=2.0, y_m=4.0)), before) == []
    assert said(visit(tree("1", 15.5, x_m=2.0, y_m=4.1)), before) == [("X13", "info")]


def test_trees_do_not_walk_far_nor_become_another():
    before = last(tree("1", x_m=2.0, y_m=3.0))
    assert said(visit(tree("1", 15.5, x_m=2.0, y_m=13.1)), before) == [("X13", "warn")]
    assert ("X13", "warn") in said(visit(tree("1", 15.5, "侧柏", x_m=2.0, y_m=4.1)), before)
    assert ("X13", "warn") in said(visit(tree("1", 30.0, x_m=2.0, y_m=4.1)), before)


def test_trees_that_moved_far_together_are_one_doubt_about_the_map():
    before = last(*(tree(str(n), 15.0 + n, x_m=2.0 + 3 * n, y_m=3.0) for n in range(5)))
    now = [tree(str(n), 15.5 + n, x_m=2.0 + 3 * n, y_m=23.0) for n in range(5)]
    (flag,) = flags(visit(*now), before)
    assert (flag.rule, flag.severity, flag.ordinal, flag.facts["trees"]) == ("X13", "warn", None, 5)
    swapped = changed(now, "4", species="侧柏")
    assert ("X13", "4") in [(flag.rule, flag.tag) for flag in flags(visit(*swapped), before)]


def test_two_trees_that_changed_places_have_each_others_tags():
    before = last(tree("1", x_m=2.0, y_m=3.0), tree("2", x_m=5.0, y_m=3.0))
    now = visit(tree("1", 15.5, x_m=5.0, y_m=3.1), tree("2", 15.5, x_m=2.0, y_m=3.1))
    assert [(flag.rule, str(flag.severity), flag.facts["other"]) for flag in flags(now, before)] == [
        ("X13", "warn", "2"), ("X13", "warn", "1"),
    ]  # fmt: skip


def test_a_little_change_of_the_point_of_measurement_is_information_a_large_one_a_warn():
    before = last(tree("1", pom_m=1.3))
    assert said(visit(tree("1", 15.5, pom_m=1.35)), before) == []
    assert said(visit(tree("1", 15.5, pom_m=1.5)), before) == [("X14", "info")]
    assert said(visit(tree("1", 15.5, pom_m=2.0)), before) == [("X14", "warn")]


def test_a_first_census_has_no_history():
    assert said(visit(tree("1", 35.0), tree("2", 15.0, tally_code=DEAD))) == []
