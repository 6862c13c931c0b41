"""The catalogue: every rule says when it speaks, in words that exist, and what comes next."""

from __future__ import annotations

import re

import pytest

from server.validation.catalogue import Rule, rules
from server.validation.formula import MEANINGS, Piece, meanings, names, pieces, said
from server.validation.parameters import Parameters
from server.validation.sentences import SENTENCES

SCOPES = {"tree", "pair", "visit", "place", "photo", "crew", "audit"}
HAN = re.compile(r"[\u4e00-\u9fff]")
KEYS = frozenset(f"{p.rule}.{p.name}" for p in Parameters.default().table)
each_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)


@each_rule
def test_a_rule_says_when_it_speaks_and_what_comes_next(rule: Rule) -> None:
    assert rule.scope in SCOPES
    assert rule.formula
    assert HAN.search(rule.next_zh)
    assert rule.next_en
    assert not HAN.search(rule.next_en + rule.formula)


@each_rule
def test_a_formula_names_only_thresholds_and_values_that_exist(rule: Rule) -> None:
    own = {key.partition(".")[2] for key in KEYS if key.startswith(f"{rule.id}.")}
    assert {name for name in names(rule.formula) if name not in KEYS | own | MEANINGS.keys()} == set()


@each_rule
def test_every_threshold_of_a_rule_has_its_place_in_the_formula(rule: Rule) -> None:
    named = {piece.key for piece in pieces(rule.id, rule.formula, KEYS)}
    assert {key for key in KEYS if key.startswith(f"{rule.id}.")} - named == set()


@each_rule
def test_a_rule_has_its_sentences_in_both_languages(rule: Rule) -> None:
    for zh, en in SENTENCES[rule.id].values():
        assert HAN.search(zh)
        assert not HAN.search(en)


@each_rule
def test_a_formula_names_the_same_thresholds_in_chinese(rule: Rule) -> None:
    told = [said(rule.id, rule.formula, locale) for locale in ("zh", "en")]
    assert HAN.search(told[0])
    named = [{piece.key for piece in pieces(rule.id, text, KEYS) if piece.key} for text in told]
    assert named[0] == named[1]


def test_a_formula_falls_into_its_thresholds_and_what_stands_between() -> None:
    found = list(pieces("T02", "dbh_cm < min_cm - slack_cm and X02.factor", KEYS))
    assert found == [
        Piece("dbh_cm < "),
        Piece("min_cm", "T02.min_cm"),
        Piece(" - "),
        Piece("slack_cm", "T02.slack_cm"),
        Piece(" and "),
        Piece("X02.factor", "X02.factor"),
    ]
    assert names("dbh_cm < min_cm and X02.factor of the trees") == ["dbh_cm", "min_cm", "X02.factor"]
    assert meanings("dbh_cm of trees", "en") == [("dbh_cm", "diameter now, cm"), ("trees", "trees")]
