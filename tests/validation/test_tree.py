"""One tree in one census."""

from __future__ import annotations

from server.forest.species import SpeciesInfo
from server.forest.tree import TallyCode
from server.validation.flag import Severity
from server.validation.reference import Reference
from tests.validation.makers import CUT, DEAD, PARAMETERS, flags, last, said, tree, visit


def test_ordinary_trees_raise_nothing():
    assert said(visit(tree("1", 12.4), tree("2", 8.0), tree("3", 30.1))) == []


def test_a_living_tree_without_diameter_is_an_error():
    assert said(visit(tree("1", None))) == [("T01", "error")]
    assert said(visit(tree("1", 0.0))) == [("T01", "error")]


def test_a_dead_or_cut_tree_needs_no_diameter():
    assert said(visit(tree("1", None, tally_code=DEAD), tree("2", 9.0))) == []
    assert said(visit(tree("1", None, tally_code=CUT), tree("2", 9.0), thinned=True)) == []


def test_a_tree_of_unknown_fate_needs_no_diameter():
    assert said(visit(tree("1", None, tally_code=None), tree("2", 9.0))) == []


def test_a_plot_where_nobody_measured_anything_is_one_flag():
    trees = [tree(str(i), None) for i in range(1, 9)]
    (flag,) = flags(visit(*trees))
    assert (flag.rule, flag.ordinal, flag.facts["trees"]) == ("T01", None, 8)


def test_a_tree_below_the_tally_limit_does_not_belong():
    assert said(visit(tree("1", 4.9))) == [("T02", "error")]


def test_half_a_millimetre_below_the_limit_is_the_limit():
    assert said(visit(tree("1", 4.95))) == []


def test_a_project_may_tally_from_one_centimetre():
    small = PARAMETERS.with_changes({"T02.min_cm": 1.0})
    assert said(visit(tree("1", 1.2)), parameters=small) == []


def test_a_small_tree_that_was_tallied_before_only_waits_to_be_dropped():
    assert said(visit(tree("1", 4.9)), last(tree("1", 5.0))) == [("T02", "info")]
    shrunk, dropped = said(visit(tree("1", 4.9)), last(tree("1", 9.0)))
    assert (shrunk[1], dropped) == ("error", ("T02", "info"))
    assert ("T02", "error") in said(visit(tree("1", 4.9)), last(tree("1", 4.8)))


def test_no_tree_here_is_thicker_than_two_metres():
    assert said(visit(tree("1", 201.0))) == [("T03", "error")]
    assert said(visit(tree("1", 200.0))) == []


def test_a_known_veteran_is_only_asked_for_a_photo():
    assert ("T03", "warn") in said(visit(tree("1", 212.0)), last(tree("1", 211.0)))


def accepted(species: str = "油松", largest: float = 40.0, trees: int = 20) -> Reference:
    return Reference.of(
        [last(*(tree(str(i), largest - i * 0.5, species, height_m=12.0) for i in range(trees)))]
    )


def test_a_tree_larger_than_its_species_is_known_to_grow_is_a_warn():
    # 1.15 * 40 + 3 = 49
    assert said(visit(tree("1", 49.1)), reference=accepted()) == [("T04", "warn")]
    assert said(visit(tree("1", 48.9)), reference=accepted()) == []


def test_a_tree_that_was_nearly_as_large_last_time_is_that_large():
    now = visit(tree("1", 49.1))
    assert said(now, last(tree("1", 48.0)), reference=accepted()) == [("T04", "info")]
    assert ("T04", "warn") in said(now, last(tree("1", 25.0)), reference=accepted())


def test_a_tree_taller_than_its_species_is_known_to_grow_is_a_warn():
    # 1.15 * 12 + 2 = 15.8
    (flag,) = flags(visit(tree("1", 20.0, height_m=15.9)), reference=accepted())
    assert (flag.rule, flag.field) == ("T04", "height_m")


def test_nineteen_accepted_trees_say_nothing_about_a_species():
    assert said(visit(tree("1", 60.0)), reference=accepted(trees=19)) == []


def test_a_rare_species_is_judged_by_its_genus():
    names = {"油松": SpeciesInfo("油松", "Pinus"), "白皮松": SpeciesInfo("白皮松", "Pinus")}
    visits = [last(*(tree(str(i), 40.0) for i in range(20)))]
    reference = Reference.of(visits, names)
    assert said(visit(tree("1", 60.0, "白皮松")), reference=reference, species=names) == [("T04", "warn")]


def test_two_rows_with_one_tag_are_an_error_at_the_second():
    (flag,) = flags(visit(tree("1"), tree("2"), tree("1", 17.0)))
    assert (flag.rule, flag.severity, flag.ordinal) == ("T09", Severity.ERROR, 2)


def test_two_stems_of_one_tree_are_no_duplicate():
    assert said(visit(tree("1", stem_id="1"), tree("1", stem_id="2"))) == []


def test_of_two_rows_with_one_tag_the_one_like_last_time_keeps_it():
    now = visit(tree("7", 31.0), tree("7", 15.6))
    before = last(tree("7", 15.0), tree("8", 30.0))
    duplicate = next(flag for flag in flags(now, before) if flag.rule == "T09")
    assert (duplicate.ordinal, duplicate.suggestion) == (0, "8")


def test_a_row_without_tag_is_asked_for_it():
    assert said(visit(tree("1"), tree(""), tree(""))) == [("T10", "warn"), ("T10", "warn")]


def test_a_tag_far_above_the_others_of_the_plot_is_noted():
    trees = [tree(str(i)) for i in range(1, 20)]
    assert said(visit(*trees, tree("170"))) == [("T10", "info")]
    assert said(visit(*trees, tree("69"))) == []


def test_tags_that_count_through_the_whole_project_have_gaps():
    assert said(visit(tree("10012"), tree("10013"), tree("13170"), tree("13171"))) == []


def test_a_tag_with_a_letter_among_numbers_is_noted():
    assert said(visit(*(tree(str(i)) for i in range(1, 6)), tree("6a"))) == [("T10", "info")]


def test_a_species_that_is_not_in_the_list_is_an_error():
    names = {"油松": SpeciesInfo("油松")}
    assert said(visit(tree("1"), tree("2", species="油送")), species=names) == [("T11", "error")]


def test_without_a_list_any_species_will_do():
    assert said(visit(tree("1"), tree("2", species="油送"))) == []


def test_a_living_tree_without_species_is_a_warn():
    assert said(visit(tree("1"), tree("2", species=""))) == [("T11", "warn")]


def test_stems_of_one_tree_have_one_species():
    now = visit(tree("1", stem_id="1"), tree("1", stem_id="2", species="栎"))
    assert said(now) == [("T11", "warn")]


def test_stems_of_one_tree_stand_together():
    def stems(apart_m: float) -> list[tuple[str, str]]:
        return said(
            visit(
                tree("1", stem_id="1", x_m=5.0, y_m=5.0), tree("1", stem_id="2", x_m=5.0 + apart_m, y_m=5.0)
            )
        )

    assert stems(0.5) == []
    assert stems(0.6) == [("T13", "warn")]


def test_a_tree_outside_a_square_plot():
    def at(x_m: float, y_m: float) -> list[tuple[str, str]]:
        return said(visit(tree("1", x_m=x_m, y_m=y_m), side_m=20.0))

    assert at(20.05, 10.0) == []
    assert at(20.2, 10.0) == [("T14", "warn")]
    assert at(10.0, -3.2) == [("T14", "error")]


def test_a_tree_outside_a_round_plot():
    assert said(visit(tree("1", x_m=9.0, y_m=9.0), radius_m=14.0)) == []
    assert said(visit(tree("1", x_m=10.0, y_m=10.0), radius_m=14.0)) == [
        ("T14", "warn")
    ]  # 14.14 m from the centre


def test_without_the_size_of_the_plot_no_tree_is_outside():
    assert said(visit(tree("1", x_m=500.0, y_m=0.0))) == []


def test_another_point_of_measurement_wants_a_reason():
    assert said(visit(tree("1", pom_m=1.5))) == [("T15", "info")]
    assert said(visit(tree("1", pom_m=1.5, codes=frozenset({"buttress"})))) == []
    assert said(visit(tree("1", pom_m=1.3))) == []


def test_nobody_measures_a_stem_at_thirty_metres():
    assert said(visit(tree("1", pom_m=30.0))) == [("T15", "error")]


def test_a_decimal_slip_in_a_first_census_is_seen_beside_the_other_trees():
    trees = [tree(str(i), 10.0 + i) for i in range(1, 13)]
    (flag,) = flags(visit(*trees, tree("13", 143.0)))
    assert (flag.rule, flag.severity, flag.suggestion) == ("T05", Severity.WARN, "14.3")


def test_one_old_tree_among_few_is_no_slip():
    trees = [tree(str(i), 10.0 + i) for i in range(1, 6)]
    assert said(visit(*trees, tree("13", 143.0))) == []


def test_a_value_that_the_crew_verified_is_only_information_where_it_was_a_warn():
    assert said(visit(tree("1", 49.1, verified=True)), reference=accepted()) == [("T04", "info")]


def test_a_verified_impossible_diameter_stays_an_error():
    assert said(visit(tree("1", 201.0, verified=True))) == [("T03", "error")]


def test_a_resurrected_tree_needs_a_diameter():
    assert ("T01", "error") in said(visit(tree("1", None, tally_code=TallyCode.RESURRECTED)))
