"""What holds for any plot, however odd."""

from __future__ import annotations

import copy
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit
from server.validation.catalogue import flags_of, quick_look, rules
from server.validation.expected import Expectations
from server.validation.flag import Severity, inputs_hash, message
from server.validation.scene import scene_of
from server.validation.screen import bounds_cm
from server.validation.stake import tonnes_co2
from tests.validation.makers import LAST, NOW, PARAMETERS

WEIGHT = {Severity.INFO: 0, Severity.WARN: 1, Severity.ERROR: 2}

maybe = st.none
measurements = st.builds(
    Measurement,
    ordinal=st.just(0),
    tag=st.sampled_from(["", "1", "2", "3", "4", "5", "6", "7", "12", "200", "9a"]),
    stem_id=st.sampled_from(["1", "2"]),
    species=st.sampled_from(["", "油松", "侧柏", "栎"]),
    tally_code=st.one_of(maybe(), st.sampled_from(TallyCode)),
    dbh_cm=st.one_of(maybe(), st.floats(-1, 400).map(lambda d: round(d, 1))),
    height_m=st.one_of(maybe(), st.floats(0, 60).map(lambda h: round(h, 1))),
    pom_m=st.one_of(maybe(), st.sampled_from([0.0, 1.3, 1.5, 2.0, 20.0])),
    x_m=st.one_of(maybe(), st.floats(-5, 30)),
    y_m=st.one_of(maybe(), st.floats(-5, 30)),
    verified=st.booleans(),
    codes=st.sampled_from([frozenset(), frozenset({"buttress"})]),
    dbh_text=st.just(""),
)


@st.composite
def visits(draw, on=NOW):
    trees = draw(st.lists(measurements, max_size=25))
    placed = tuple(one._replace(ordinal=place) for place, one in enumerate(trees))
    return Visit(
        "1", str(on), on, placed, thinned=draw(st.booleans()), side_m=draw(st.sampled_from([None, 20.0]))
    )


quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(visits(), st.one_of(maybe(), visits(LAST)))
def test_the_same_visit_gives_the_same_flags_and_is_not_changed(now, before):
    untouched = copy.deepcopy((now, before))
    first = flags_of(now, before, parameters=PARAMETERS)
    assert flags_of(now, before, parameters=PARAMETERS) == first
    assert (now, before) == untouched


@quick
@given(visits(), st.one_of(maybe(), visits(LAST)))
def test_flags_come_most_suspicious_first_on_one_scale(now, before):
    scores = [flag.score for flag in flags_of(now, before, parameters=PARAMETERS)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@quick
@given(visits(), st.one_of(maybe(), visits(LAST)))
def test_every_flag_has_a_sentence_in_both_languages(now, before):
    for flag in flags_of(now, before, parameters=PARAMETERS):
        assert message(flag, "zh") != message(flag, "en")
        assert "{" not in message(flag, "zh") + message(flag, "en")


@quick
@given(visits(), st.one_of(maybe(), visits(LAST)), st.randoms(use_true_random=False))
def test_the_order_of_the_trees_does_not_change_what_is_said(now, before, chance):
    # of twins the one that fits last time keeps the tag; twins that fit equally are told apart by their order alone
    seen, trees = set(), []
    for one in now.trees:
        if one.key not in seen:
            seen.add(one.key)
            trees.append(one)
    shuffled = list(trees)
    chance.shuffle(shuffled)
    assert _content(trees, now, before) == _content(shuffled, now, before)


def _content(trees, now, before):
    found = flags_of(replace(now, trees=tuple(trees)), before, parameters=PARAMETERS)
    own = [flag for flag in found if flag.rule not in {"T11", "T13"}]  # these name the first stem of a tree
    return sorted(
        (flag.rule, flag.tag, flag.stem_id, flag.severity, flag.value, flag.suggestion)
        for flag in own
        if flag.tag
    )


@quick
@given(visits(), st.one_of(maybe(), visits(LAST)))
def test_verifying_never_raises_a_severity(now, before):
    doubted = replace(now, trees=tuple(one._replace(verified=False) for one in now.trees))
    verified = replace(now, trees=tuple(one._replace(verified=True) for one in now.trees))
    before_it = {_cell(f): f for f in flags_of(doubted, before, parameters=PARAMETERS)}
    after_it = {_cell(f): f for f in flags_of(verified, before, parameters=PARAMETERS)}
    assert before_it.keys() == after_it.keys()
    for cell, flag in after_it.items():
        assert WEIGHT[flag.severity] <= WEIGHT[before_it[cell].severity]
        assert flag.score <= before_it[cell].score


def _cell(flag):
    return (flag.rule, flag.ordinal, flag.tag, flag.stem_id, flag.field, str(flag.facts.get("case", "")))


@quick
@given(visits(), st.one_of(maybe(), visits(LAST)))
def test_the_quick_look_says_nothing_that_the_rules_do_not_say(now, before):
    thorough = flags_of(now, before, parameters=PARAMETERS)
    assert all(flag in thorough for flag in quick_look(now, before, PARAMETERS))


@quick
@given(visits(), visits(LAST))
def test_a_silenced_rule_is_silent(now, before):
    for rule in rules():
        silent = PARAMETERS.with_changes({f"{rule.id}.on": 0})
        assert rule.id not in {flag.rule for flag in flags_of(now, before, parameters=silent)}


@quick
@given(visits(), visits(LAST))
def test_a_flags_hash_follows_its_values_alone(now, before):
    shifted = replace(now, trees=tuple(one._replace(ordinal=one.ordinal + 100) for one in now.trees))
    here = sorted(inputs_hash(flag) for flag in flags_of(now, before, parameters=PARAMETERS))
    there = sorted(inputs_hash(flag) for flag in flags_of(shifted, before, parameters=PARAMETERS))
    assert here == there


@quick
@given(visits(), visits(LAST))
def test_inside_the_screen_no_rule_speaks_of_growth(now, before):
    limits = PARAMETERS.limits
    scene = scene_of(now, before, (), None, PARAMETERS, None)
    expectations = Expectations(scene)
    quiet = set()
    for pair in scene.grown:
        last = pair.before.dbh_cm
        low, high = bounds_cm(limits, expectations.growth(pair.now, last), last, scene.years)
        if low <= pair.now.dbh_cm <= high:
            quiet.add(pair.now.ordinal)
    spoke = {
        flag.ordinal
        for flag in flags_of(now, before, parameters=PARAMETERS)
        if flag.rule in {"X01", "X02", "X03", "X04", "X05", "T06"} and flag.field == "dbh_cm"
    }
    assert not quiet & spoke


@quick
@given(visits(), visits(LAST))
def test_priority_is_never_negative_and_never_more_than_the_carbon_of_the_plot(now, before):
    every = [*now.trees, *before.trees]
    most = 2 * sum(tonnes_co2(PARAMETERS.limits, max(one.dbh_cm or 0.0, 400.0)) for one in every) + 1
    assert all(0 <= flag.priority <= most for flag in flags_of(now, before, parameters=PARAMETERS))
