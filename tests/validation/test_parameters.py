"""Thresholds: their sources, their ranges, and a project's own."""

from __future__ import annotations

import pytest

from server.validation.catalogue import rules
from server.validation.parameters import ParameterInvalid, Parameters, compiled, parsed, read_table
from server.validation.parameters.meanings import meaning_of


def test_every_parameter_has_a_source_a_rule_and_a_range_that_holds_it():
    ids = {rule.id for rule in rules()}
    for parameter in Parameters.default().table:
        assert parameter.source
        assert parameter.rule in ids
        assert parameter.min <= parameter.value <= parameter.max


def test_every_parameter_is_explained_in_both_languages_and_its_source_in_chinese_too():
    known = {(parameter.rule, parameter.name) for parameter in Parameters.default().table}
    assert {(row["rule"], row["name"]) for row in read_table("meanings.csv")} == known
    for parameter in Parameters.default().table:
        meaning = meaning_of(parameter)
        assert meaning.said("zh") != meaning.said("en")
        assert meaning.source_zh
        assert ("未核实" in meaning.source_zh) is not parameter.is_verified


def test_every_rule_has_a_source_and_two_titles():
    assert all(rule.source and rule.title("zh") != rule.title("en") for rule in rules())


def test_a_rule_knows_its_own_parameters():
    (t02,) = (rule for rule in rules() if rule.id == "T02")
    assert {parameter.name for parameter in t02.parameters(Parameters.default())} == {"min_cm", "slack_cm"}


def test_a_project_changes_one_threshold_and_leaves_the_shipped_ones_alone():
    changed = Parameters.default().with_changes({"T02.min_cm": 1.0, "X04.cap_cm_yr[conifer]": 2.0})
    assert changed.limits.t02_min_cm == 1.0
    assert changed.limits.x04_cap_by_group["conifer"] == 2.0
    assert Parameters.default().limits.t02_min_cm == 5.0


@pytest.mark.parametrize(
    "changes", [{"T02.max_cm": 1.0}, {"T99.on": 0}, {"T02.min_cm": 0.0}, {"X04.cap_cm_yr[oak]": 99}]
)
def test_a_threshold_that_does_not_exist_or_leaves_its_range_is_refused(changes):
    with pytest.raises(ParameterInvalid):
        Parameters.default().with_changes(changes)


def test_a_rule_can_be_silenced_and_heard_again():
    silent = Parameters.default().with_changes({"X16.on": 0})
    assert silent.off == {"X16"}
    assert silent.with_changes({"X16.on": 1}).off == set()


def test_a_line_without_source_is_no_parameter():
    row = {"rule": "T02", "name": "min_cm", "species_group": "", "value": "5", "min": "1", "max": "10", "unit": "cm",
           "valid_from": "2026-01-01", "source": ""}  # fmt: skip
    with pytest.raises(ParameterInvalid, match="no source"):
        parsed(row)
    with pytest.raises(ParameterInvalid, match="must be"):
        parsed({**row, "source": "somebody", "value": "50"})


def test_a_table_that_lacks_a_threshold_is_refused():
    with pytest.raises(ParameterInvalid, match="t02_min_cm"):
        compiled(tuple(p for p in Parameters.default().table if p.key != "T02.min_cm"))


def test_a_species_group_that_no_rule_asks_for_is_refused():
    cap, limit = (
        next(p for p in Parameters.default().table if p.key == key) for key in ("X04.cap_cm_yr", "T02.min_cm")
    )
    poplars = cap._replace(species_group="poplar", value=4.0)
    assert compiled((*Parameters.default().table, poplars)).x04_cap_by_group["poplar"] == 4.0
    with pytest.raises(ParameterInvalid, match="species group"):
        compiled((*Parameters.default().table, limit._replace(species_group="oak")))
