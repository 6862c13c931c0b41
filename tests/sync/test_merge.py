"""Two accounts of the same trees become one: the laws, and what they mean for a plot."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.merge import HEADER, TREE, Clash, Key, Merged, Telling, three_way, union

TREES = [Key("1", "1"), Key("2", "1"), Key("2", "2"), Key("7", "1", "2"), HEADER]
FIELDS = ["dbh_cm", "species", "tally_code"]
tellings = st.dictionaries(
    st.sampled_from(TREES),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["", "10", "11", "12"]), max_size=3),
)
Cells = dict[tuple[Any, ...], str]


def cells(telling: Telling) -> Cells:
    """Every value that an account says, by its place."""
    return {(*key, name): text for key, tree in telling.items() for name, text in tree.items() if text}


def disputed(merged: Merged) -> set[tuple[Any, ...]]:
    """Places that somebody has to decide about: a cell, or a whole tree."""
    return {(*clash.key, clash.field) for clash in merged.clashes}


def undisputed(merged: Merged) -> Cells:
    places = disputed(merged)
    whole = {place[:3] for place in places if place[3] == TREE}
    return {at: text for at, text in cells(merged.trees).items() if at not in places and at[:3] not in whole}


def swapped(clashes: list[Clash]) -> set[Clash]:
    return {clash._replace(mine=clash.theirs, theirs=clash.mine) for clash in clashes}


def trees(telling: Mapping[Key, Mapping[str, str]]) -> set[Key]:
    return {key for key, tree in telling.items() if any(tree.values())}


@given(tellings, tellings, tellings)
def test_it_does_not_matter_whose_edit_is_called_mine(base: Telling, one: Telling, other: Telling) -> None:
    this, that = three_way(base, one, other), three_way(base, other, one)
    assert undisputed(this) == undisputed(that)
    assert set(this.clashes) == swapped(that.clashes)


@given(tellings, tellings)
def test_the_same_edit_twice_is_that_edit(base: Telling, one: Telling) -> None:
    merged = three_way(base, one, one)
    assert (cells(merged.trees), merged.clashes) == (cells(one), [])


@given(tellings, tellings, tellings)
def test_merging_again_changes_nothing(base: Telling, one: Telling, other: Telling) -> None:
    once = three_way(base, one, other)
    if not once.clashes:
        again = three_way(base, once.trees, other)
        assert (cells(again.trees), again.clashes) == (cells(once.trees), [])


@given(tellings, tellings, tellings, tellings)
def test_three_edits_that_do_not_clash_may_be_merged_in_any_order(base: Telling, a: Telling, b: Telling,
                                                                  c: Telling) -> None:  # fmt: skip
    if any(three_way(base, *pair).clashes for pair in ((a, b), (b, c), (a, c))):
        return
    left = three_way(base, three_way(base, a, b).trees, c)
    right = three_way(base, a, three_way(base, b, c).trees)
    assert (cells(left.trees), left.clashes) == (cells(right.trees), right.clashes)


@given(tellings, tellings, tellings)
def test_no_value_is_made_up(base: Telling, one: Telling, other: Telling) -> None:
    merged = three_way(base, one, other)
    assert cells(merged.trees).items() <= cells(one).items() | cells(other).items()


@given(tellings, tellings, tellings)
def test_no_change_is_lost(base: Telling, one: Telling, other: Telling) -> None:
    """What either edit changed, counts or stands in a clash."""
    merged = three_way(base, one, other)
    counted, open_places, was = cells(merged.trees), disputed(merged), cells(base)
    for edit in (one, other):
        for at, text in cells(edit).items():
            if was.get(at) != text:
                assert counted.get(at) == text or at in open_places or (*at[:3], TREE) in open_places


@given(tellings, st.lists(tellings, min_size=1, max_size=4))
def test_what_crews_found_is_the_same_in_whatever_order_they_came(
    base: Telling, found: list[Telling]
) -> None:
    expected = union(base, found)
    said = {place: {c.mine for c in expected.clashes if (*c.key, c.field) == place}
            | {c.theirs for c in expected.clashes if (*c.key, c.field) == place}
            for place in disputed(expected)}  # fmt: skip
    for order in permutations(found):
        merged = union(base, order)
        assert undisputed(merged) == undisputed(expected)
        assert trees(merged.trees) == trees(expected.trees)
        for place in disputed(merged) | disputed(expected):
            sides = [c for c in merged.clashes if (*c.key, c.field) == place]
            assert {c.mine for c in sides} | {c.theirs for c in sides} == said[place]


@given(tellings, st.lists(tellings, min_size=1, max_size=4))
def test_every_tree_and_value_that_a_crew_found_counts_or_clashes(
    base: Telling, found: list[Telling]
) -> None:
    merged = union(base, found)
    counted = cells(merged.trees)
    clashing = {(*c.key, c.field, side) for c in merged.clashes for side in (c.mine, c.theirs)}
    for telling in found:
        for at, text in cells(telling).items():
            assert counted[at] == text or (*at, text) in clashing or base.get(Key(*at[:3]), {})[at[3]] == text
    assert all(any(text == cells(telling).get(at) for telling in found) for at, text in counted.items())


@given(tellings, st.lists(tellings, min_size=1, max_size=3))
def test_a_copy_under_another_name_merges_in_silence(base: Telling, found: list[Telling]) -> None:
    assert union(base, [*found, *found]) == union(base, found)


# what it means

ONE = Key("1", "1")


def test_one_crew_fills_in_what_the_other_left_blank() -> None:
    merged = union({}, [{ONE: {"dbh_cm": "12", "height_m": ""}}, {ONE: {"dbh_cm": "12", "height_m": "9"}}])
    assert merged == ({ONE: {"dbh_cm": "12", "height_m": "9"}}, [])


def test_a_crew_that_left_last_times_value_gives_way_to_the_one_that_measured() -> None:
    assert union({ONE: {"dbh_cm": "10"}}, [{ONE: {"dbh_cm": "10"}}, {ONE: {"dbh_cm": "11"}}]).trees == {
        ONE: {"dbh_cm": "11"}
    }


def test_two_tapes_that_differ_are_for_a_person() -> None:
    merged = union({ONE: {"dbh_cm": "10"}}, [{ONE: {"dbh_cm": "12"}}, {ONE: {"dbh_cm": "11"}}])
    assert merged.trees == {ONE: {"dbh_cm": "12"}}
    assert merged.clashes == [Clash("1", "1", "", "dbh_cm", "10", "12", "11")]


def test_a_tree_that_only_one_crew_saw_counts() -> None:
    assert set(union({ONE: {"dbh_cm": "10"}}, [{}, {ONE: {"dbh_cm": "11"}}]).trees) == {ONE}


def test_a_value_that_an_edit_cleared_stays_cleared() -> None:
    was = {ONE: {"dbh_cm": "10", "height_m": "9"}}
    assert three_way(was, {ONE: {"dbh_cm": "10"}}, was).trees == {ONE: {"dbh_cm": "10"}}


def test_a_tree_that_one_edit_took_away_and_the_other_left_alone_is_gone() -> None:
    was = {ONE: {"dbh_cm": "10"}}
    assert three_way(was, {}, was) == three_way(was, was, {}) == ({}, [])


def test_a_tree_that_one_edit_took_away_and_the_other_changed_is_for_a_person() -> None:
    was, now = {ONE: {"dbh_cm": "10"}}, {ONE: {"dbh_cm": "11"}}
    assert three_way(was, {}, now).trees == {}
    assert three_way(was, now, {}).trees == now
    assert three_way(was, {}, now).clashes == [
        Clash("1", "1", "", TREE, '{"dbh_cm": "10"}', None, '{"dbh_cm": "11"}')
    ]
