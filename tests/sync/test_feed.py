"""Where a phone was, and what that means now."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import feed
from sync.feed import Continue, Cursor, First, House, Page, Place, Reset

NUMBERS = st.integers(0, 10**15)
KINDS = st.sampled_from(["form", "gone", "plot", "review", "rework", "rules", "tree", "trees"])
EPOCHS = st.text("0123456789abcdef", min_size=0, max_size=32)
CURSORS = st.builds(Cursor, EPOCHS, NUMBERS, NUMBERS, st.none() | st.builds(Place, NUMBERS, KINDS, NUMBERS))
HERE = House("a1b2", 3, 40)


@given(CURSORS)
def test_a_cursor_comes_back_as_it_was_given(cursor: Cursor) -> None:
    text = cursor.write()
    assert feed.read(text) == cursor
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_a_text_that_is_no_cursor_is_read_as_none(text: str) -> None:
    assert feed.read(text) is None or feed.read(text) == feed.read(feed.read(text).write())  # type: ignore[union-attr]


@given(CURSORS)
def test_a_cursor_of_another_time_cannot_be_read(cursor: Cursor) -> None:
    raw = base64.urlsafe_b64decode(cursor.write() + "==")
    assert feed.read(base64.urlsafe_b64encode(b"\x02" + raw[1:]).decode().rstrip("=")) is None


def test_a_phone_without_a_cursor_is_given_everything() -> None:
    plan = feed.plan(None, HERE)
    assert isinstance(plan, First)
    assert plan.cursor.is_through_all
    assert plan.cursor.since == HERE.head


@pytest.mark.parametrize(
    "given_cursor",
    [
        "no cursor at all",
        Cursor("c3d4", 3, 40).write(),
        Cursor("a1b2", 2, 40).write(),
        Cursor("a1b2", 3, 41).write(),
        Cursor("a1b2", 3, 40, Place(41, "tree", 7)).write(),
    ],
    ids=["unreadable", "another store", "another scope", "knows more than we", "was further than we are"],
)
def test_a_cursor_that_means_nothing_here_begins_anew(given_cursor: str) -> None:
    plan = feed.plan(given_cursor, HERE)
    assert isinstance(plan, Reset)
    assert plan.cursor.place == feed.BEGINNING


@given(st.integers(0, 40), st.none() | st.builds(Place, st.integers(0, 40), KINDS, NUMBERS))
def test_a_cursor_of_ours_is_gone_on_from(since: int, place: Place | None) -> None:
    cursor = Cursor("a1b2", 3, since, place)
    assert feed.plan(cursor.write(), HERE) == Continue(cursor)


def test_what_changed_while_everything_was_told_comes_afterwards() -> None:
    first = feed.plan(None, HERE).cursor
    under_way = feed.after(first, Place(0, "plot", 9))
    assert under_way.is_through_all
    assert feed.at_end(under_way, head=55) == Cursor("a1b2", 3, since=40)


def test_a_phone_that_is_through_the_changes_knows_the_last() -> None:
    under_way = Cursor("a1b2", 3, 40, Place(50, "plot", 9))
    assert not under_way.is_through_all
    assert feed.at_end(under_way, head=55) == Cursor("a1b2", 3, 55)
    assert feed.is_up_to_date(feed.at_end(under_way, head=55), head=55)
    assert not feed.is_up_to_date(under_way, head=40)


@given(st.lists(st.integers(0, 3000), max_size=60))
def test_a_page_is_full_when_its_bytes_are_used_up(sizes: list[int]) -> None:
    page = Page(most_bytes=5000)
    for size in sizes:
        page.add(["x" * size])
    assert page.is_full == (sum(sizes) >= 5000)
    assert len(page.texts) == len(sizes)
