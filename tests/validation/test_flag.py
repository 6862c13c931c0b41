"""What a person reads about a flag, and when a decision on it still holds."""

from __future__ import annotations

import re

from server.validation.catalogue import rules
from server.validation.flag import Flag, Severity, inputs_hash, message
from server.validation.sentences import SENTENCES
from tests.validation.makers import PARAMETERS, changed, flags, last, stand, tree, visit


def shrunk(now_cm: float = 18.9, **other):
    (flag,) = flags(visit(tree("14", now_cm)), last(tree("14", 20.0)), **other)
    return flag


def test_a_sentence_names_the_tree_both_values_and_what_to_do():
    text = message(shrunk(), "zh")
    assert text.startswith("样木 14 胸径 18.9 cm，上期 20.0 cm")
    assert "请复测" in text


def test_a_sentence_names_the_stem_where_a_tree_has_several():
    (flag,) = flags(visit(tree("14", None, stem_id="2")))
    assert message(flag, "en").startswith("Tree 14-2 ")


def test_the_likely_value_ends_the_sentence():
    (flag,) = flags(visit(tree("14", 163.0)), last(tree("14", 15.0)))
    assert message(flag, "zh").endswith("可能是 16.3？")


def test_another_value_is_another_question():
    assert inputs_hash(shrunk(18.9)) != inputs_hash(shrunk(18.8))


def test_another_threshold_is_another_question():
    strict = PARAMETERS.with_changes({"T02.min_cm": 20.0})
    (one,) = flags(visit(tree("1", 4.0)))
    (other,) = flags(visit(tree("1", 4.0)), parameters=strict)
    assert inputs_hash(one) != inputs_hash(other)


def test_a_correction_at_one_tree_does_not_reopen_another():
    now = changed(stand(12, grown_cm=1.0), "5", dbh_cm=26.2)
    (before,) = flags(visit(*now), last(*stand(12)))
    (after,) = flags(visit(*changed(now, "9", dbh_cm=21.9)), last(*stand(12)))
    assert inputs_hash(before) == inputs_hash(after)


def test_every_rule_has_its_sentences_and_every_sentence_its_rule():
    assert SENTENCES.keys() == {rule.id for rule in rules()}


def test_both_languages_use_the_same_facts():
    for cases in SENTENCES.values():
        for zh, en in cases.values():
            assert set(re.findall(r"{(\w+)}", en)) <= set(re.findall(r"{(\w+)}", zh))


def test_a_sentence_writes_numbers_as_people_do() -> None:
    facts = {
        "other": "PS-2",
        "census": "2026",
        "trees": 45,
        "same": 11,
        "run": 6,
        "chance": "1e-17",
        "case": "run",
    }
    copied = Flag("P07", 1, Severity.ERROR, 0.97, None, "", "", "tag", "PS-2", None, None, "", facts)
    assert "10⁻¹⁷" in message(copied, "zh")
    assert "PS-2" in message(copied, "en")  # a hyphen in a name stays
    less = {"plots": 3, "off_pct": -10.7, "limit_pct": 2.0}
    apart = Flag("Q05", 1, Severity.ERROR, 0.9, None, "", "", "", "", None, None, "", less)
    assert "−10.7%" in message(apart, "zh")
