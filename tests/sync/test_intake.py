"""The decision on an arrival: there always is one, and what was decided once is decided the same way again."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from hypothesis import given
from hypothesis import strategies as st

from sync.intake import (
    Arrival,
    Attach,
    Create,
    Kept,
    Known,
    Quarantine,
    Reason,
    Supersede,
    decide,
    is_settled_by_time,
    originals_first,
)

HASHES = st.sampled_from([bytes([n]) * 32 for n in range(4)])
KEPT = st.builds(
    Kept, id=st.integers(1, 9), sha256=HASHES, root_id=st.integers(1, 9), superseded=st.booleans(),
    reason=st.none() | st.sampled_from(Reason),
)  # fmt: skip
ARRIVALS = st.builds(
    Arrival, sha256=HASHES, deprecated_id=st.none() | st.just("uuid:old"), encrypted=st.booleans(),
    draft=st.booleans(), device_revoked=st.booleans(),
)  # fmt: skip
KNOWN = st.builds(
    Known, form_state=st.sampled_from([None, "open", "closing", "closed"]), version_known=st.booleans(),
    same_id=st.lists(KEPT, max_size=3).map(tuple), original=st.none() | KEPT.map(lambda k: replace(k, reason=None)),
)  # fmt: skip


def carried_out(arrival: Arrival, known: Known) -> Known:
    """What is known once the decision has been done as it says."""
    match decide(arrival, known):
        case Attach():
            return known
        case Create() | Supersede():
            reason = None
        case Quarantine(reason=held):
            reason = held
        case other:
            assert_never(other)
    return replace(known, same_id=(*known.same_id, Kept(99, arrival.sha256, 99, reason=reason)))


@given(ARRIVALS, KNOWN)
def test_every_arrival_gets_an_answer(arrival: Arrival, known: Known) -> None:
    assert isinstance(decide(arrival, known), Create | Supersede | Attach | Quarantine)


@given(ARRIVALS, KNOWN)
def test_what_is_kept_is_never_kept_again(arrival: Arrival, known: Known) -> None:
    assert isinstance(decide(arrival, carried_out(arrival, known)), Attach)


@given(ARRIVALS, KNOWN)
def test_of_all_that_is_kept_under_one_id_one_counts_at_most(arrival: Arrival, known: Known) -> None:
    real = replace(arrival, draft=False)
    counting = sum(kept.reason is None for kept in known.same_id)
    if counting <= 1:
        assert sum(kept.reason is None for kept in carried_out(real, known).same_id) <= max(counting, 1)


@given(ARRIVALS, KNOWN)
def test_what_a_lost_phone_sends_never_counts_by_itself(arrival: Arrival, known: Known) -> None:
    lost = replace(arrival, device_revoked=True)
    assert isinstance(decide(lost, known), Attach | Quarantine)


@given(ARRIVALS, KNOWN)
def test_an_edit_takes_the_place_of_nothing_but_what_stands_now(arrival: Arrival, known: Known) -> None:
    decision = decide(arrival, known)
    if isinstance(decision, Supersede):
        assert known.original is not None
        assert not known.original.superseded
        assert (decision.original_id, decision.root_id) == (known.original.id, known.original.root_id)


@given(ARRIVALS, KNOWN)
def test_a_test_of_a_draft_is_never_held_for_what_it_says(arrival: Arrival, known: Known) -> None:
    test = replace(arrival, draft=True, device_revoked=False)
    if known.form_state is not None:
        assert isinstance(decide(test, known), Attach | Create)


def test_only_what_something_later_can_settle_is_looked_at_again() -> None:
    by_time = {reason for reason in Reason if is_settled_by_time(reason)}
    assert by_time == {
        Reason.UNKNOWN_FORM, Reason.UNKNOWN_VERSION, Reason.EDIT_BEFORE_ORIGINAL, Reason.EDIT_OF_OLD,
    }  # fmt: skip


IDS = st.sampled_from("abcdef")


@given(st.lists(st.tuples(IDS, st.none() | IDS), max_size=12))
def test_a_batch_is_put_in_order_and_nothing_is_left_out(ids: list[tuple[str, str | None]]) -> None:
    assert sorted(originals_first(ids)) == list(range(len(ids)))


@given(st.permutations("abcdef"))
def test_each_edit_of_a_chain_comes_after_what_it_edits(shuffled: list[str]) -> None:
    of = dict(zip("bcdef", "abcde", strict=True))
    order = originals_first([(name, of.get(name)) for name in shuffled])
    assert [shuffled[place] for place in order] == list("abcdef")
