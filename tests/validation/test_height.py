"""A tree's height: its range and its ratio to the diameter."""

from __future__ import annotations

from server.validation.flag import Severity
from server.validation.reference import Reference
from tests.validation.makers import DEAD, flags, last, said, tree, visit


def test_a_tree_with_a_breast_height_diameter_is_taller_than_that():
    assert said(visit(tree("1", 6.0, height_m=1.2))) == [("H01", "error")]


def test_a_tree_above_thirty_metres_is_rare_and_above_fifty_wrong():
    assert said(visit(tree("1", 30.0, height_m=30.0))) == []
    assert said(visit(tree("1", 30.0, height_m=31.0))) == [("H01", "warn")]
    assert said(visit(tree("1", 30.0, height_m=51.0))) == [("H01", "error")]


def test_a_height_that_does_not_fit_the_diameter_is_a_warn():
    # 2.0 m/cm * 8 cm = 16 m
    assert said(visit(tree("1", 8.0, height_m=16.0))) == []
    assert said(visit(tree("1", 8.0, height_m=16.5))) == [("H02", "warn")]


def test_a_missing_decimal_point_of_a_height_is_suggested():
    (flag,) = flags(visit(tree("1", 40.0, height_m=1.8)))
    assert (flag.rule, flag.severity, flag.suggestion) == ("H02", Severity.WARN, "18.0")


def test_heights_that_were_not_measured_and_those_of_dead_trees_are_left_alone():
    assert said(visit(tree("1", 12.0), tree("2", 20.0, height_m=1.0, tally_code=DEAD))) == []


def test_a_verified_height_is_information():
    assert said(visit(tree("1", 8.0, height_m=16.5, verified=True))) == [("H02", "info")]


def test_a_lower_height_is_a_question_only_where_it_is_the_odder_of_the_two():
    # ten-centimetre pines of some 8 m
    usual = Reference.of([visit(*(tree(str(n), 8.0 + n / 10, height_m=7.0 + n / 20) for n in range(60)))])
    low, tall = tree("1", 10.0, height_m=8.0), tree("1", 10.0, height_m=13.0)
    assert said(visit(low), last(tall), reference=usual) == [("H05", "info")]
    assert said(visit(low._replace(height_m=4.0)), last(tall._replace(height_m=9.0)), reference=usual)[0] == (
        "H05",
        "warn",
    )
