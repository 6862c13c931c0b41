"""The log that a phone keeps of a form: when each tree was entered, whatever else is in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forms.audit_log import MOST_BYTES, Log, read_log

HEAD = "event,node,start,end,old-value,new-value"
PATHS = ["/data/trees/tree/stem/dbh_cm"]
AT = 1_780_272_000_000


def log(*lines: str, head: str = HEAD) -> Log:
    return read_log("\n".join((head, *lines)).encode(), PATHS)


def answered(tree: int, second: float, node: str = "stem/dbh_cm", event: str = "question") -> str:
    end = AT + round(second * 1000)
    return f"{event},/data/trees/tree[{tree}]/{node},{end - 5000},{end},,12.3"


def test_gaps_are_between_trees_as_they_were_first_entered() -> None:
    seen = log(answered(1, 0), answered(2, 40), answered(1, 55), answered(3, 65.5))
    assert seen == Log(AT, AT + 65_500, (40.0, 25.5), 0)


def test_a_page_of_several_questions_counts_once_for_its_tree() -> None:
    seen = log(answered(1, 0, "stem", "group questions"), answered(2, 30, "stem", "group questions"))
    assert seen.gaps_s == (30.0,)


def test_other_questions_and_events_are_no_trees() -> None:
    assert log("form start,,1,2,,", answered(1, 0, "stem/tag"), answered(1, 9, "", "add repeat"),
               f"question,/data/visit/note,{AT},{AT},,hello").gaps_s == ()  # fmt: skip


def test_trees_with_one_moment_have_gaps_of_nothing() -> None:
    assert log(answered(1, 0), answered(2, 0), answered(3, 0)).gaps_s == (0.0, 0.0)


def test_a_reason_for_a_change_is_counted() -> None:
    seen = log(f"change reason,,{AT},{AT},,,typing slip", head=HEAD + ",change-reason")
    assert (seen.reasons, seen.first_at) == (1, None)


def test_a_log_that_is_none_says_nothing() -> None:
    for content in (
        b"",
        b"\xff\xd8\xff\xe0" * 99,
        b"a,b\n1,2",
        b'event,node\n"question',
        b"x" * (MOST_BYTES + 1),
    ):
        assert read_log(content, PATHS) == Log()


@given(st.binary(max_size=400))
def test_no_bytes_are_too_odd(content: bytes) -> None:
    read_log(HEAD.encode() + b"\n" + content, PATHS)


@given(st.lists(st.integers(1, 600), max_size=30))
def test_gaps_add_up_to_the_time_at_the_plot(gaps: list[int]) -> None:
    moments = [sum(gaps[:n]) for n in range(len(gaps) + 1)]
    seen = log(*(answered(n, moment) for n, moment in enumerate(moments, 1)))
    assert list(seen.gaps_s) == gaps
    assert seen.last_at == AT + 1000 * sum(gaps)
