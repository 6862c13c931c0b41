"""What changed since a phone last asked: where it was (the cursor), what that means now, and how much fits a page.

Two ways lead through the things a phone may know. *All* of them, one after the other, where nothing is known of what
it knows; or only those that *changed*, in the order of their numbers. A phone that is given all takes along the
number at which that began, and goes on from there: what changed meanwhile comes afterwards, once more.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

VERSION = b"\x01"
"""First byte of every cursor; another one is of another time and cannot be read."""
TREE_COLUMNS = (
    "tag", "stem_id", "species", "tally_code", "dbh_cm", "height_m", "pom_m", "azimuth_deg", "distance_m", "low_cm",
    "high_cm",
)  # fmt: skip
"""What is said of a tree, in this order: once as `columns`, then a row for each tree."""
_TEXT = re.compile(r"(\w{0,32}) (\d{1,18}) (\d{1,18})(?: (\d{1,18}) ([a-z]{1,12}) (\d{1,18}))?", re.ASCII)


class Place(NamedTuple):
    """Behind a thing: its number (0: on the way through all things), its kind and its own number."""

    number: int
    kind: str
    subject_id: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a phone is. `since`: every change up to this number is known to it, or comes on this way through all
    things; `place`: how far it is on the way it has begun, None between two ways."""

    epoch: str
    scope_number: int
    since: int
    place: Place | None = None

    @property
    def is_through_all(self) -> bool:
        """Is the phone on its way through all things, and not through those that changed?"""
        return self.place is not None and self.place.number == 0

    def write(self) -> str:
        """As text for the phone, which it gives back as it is."""
        words = (self.epoch, self.scope_number, self.since, *(self.place or ()))
        raw = VERSION + " ".join(map(str, words)).encode("ascii")
        return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def read(text: str) -> Cursor | None:
    """The cursor that was written as this text; None for any other text."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        words = _TEXT.fullmatch(raw[1:].decode("ascii")) if raw[:1] == VERSION else None
    except (binascii.Error, ValueError):
        return None
    if words is None:
        return None
    epoch, scope_number, since, number, kind, subject_id = words.groups()
    place = None if number is None else Place(int(number), kind, int(subject_id))
    return Cursor(epoch, int(scope_number), int(since), place)


class House(NamedTuple):
    """How things stand at the moment: which store this is, when what this phone may see last changed, the number of the
    last change."""

    epoch: str
    scope_number: int
    head: int


@dataclass(frozen=True, slots=True)
class First:
    """The phone knows nothing yet: all things, from the beginning."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Reset:
    """What the phone knows is of another store or another scope: all things from the beginning, in place of those."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Continue:
    """On from where the phone was."""

    cursor: Cursor


Plan = First | Reset | Continue


def plan(given: str | None, house: House) -> Plan:
    """What to answer to a phone that shows this cursor; None: it has none."""
    beginning = Cursor(house.epoch, house.scope_number, house.head, BEGINNING)
    if not given:
        return First(beginning)
    cursor = read(given)
    if cursor is None or (cursor.epoch, cursor.scope_number) != (house.epoch, house.scope_number):
        return Reset(beginning)
    place_number = cursor.place.number if cursor.place else 0
    if max(cursor.since, place_number) > house.head:  # it knows what this store has forgotten
        return Reset(beginning)
    return Continue(cursor)


BEGINNING = Place(0, "a", 0)
"""Before all things."""
_BEHIND_ALL_KINDS = "zzz"  # in whatever order a database puts letters


def is_up_to_date(cursor: Cursor, head: int) -> bool:
    """Is there nothing that this phone does not know?"""
    return cursor.place is None and cursor.since == head


def place_of(cursor: Cursor) -> Place:
    """Behind what to go on."""
    return cursor.place or Place(cursor.since, _BEHIND_ALL_KINDS, 0)


def after(cursor: Cursor, place: Place) -> Cursor:
    """The cursor of a phone that was told everything up to this place, with more to come."""
    return replace(cursor, place=place)


def at_end(cursor: Cursor, head: int) -> Cursor:
    """The cursor of a phone that has come to the end of its way, where `head` is the number of the last change."""
    return replace(cursor, since=cursor.since if cursor.is_through_all else head, place=None)


class Page:
    """Changes of one page as texts of JSON, until it is full: `most_bytes` before compression."""

    def __init__(self, most_bytes: int) -> None:
        self.texts: list[str] = []
        self._left = most_bytes

    def add(self, texts: Iterable[str]) -> None:
        """Put these on the page."""
        for text in texts:
            self.texts.append(text)
            self._left -= len(text.encode())

    @property
    def is_full(self) -> bool:
        return self._left <= 0
