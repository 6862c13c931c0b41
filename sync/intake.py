"""What becomes of an instance that has arrived: a decision from what it says and what is already known.

Nothing is refused into a loop. A phone that gets a 4xx sends the same bytes again for ever, so whatever says who
it is, is kept: as a record that counts, or in quarantine for a person to settle. Carrying the decision out is the
work of the server's `receive` step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Reason(StrEnum):
    """Why an instance is kept but does not count yet."""

    UNKNOWN_FORM = "unknown-form"
    UNKNOWN_VERSION = "unknown-version"
    CLOSED_FORM = "closed-form"
    OTHER_CONTENT = "other-content"  # another instance came first under this id
    EDIT_BEFORE_ORIGINAL = "edit-before-original"
    EDIT_OF_OLD = "edit-of-old"  # what it edits has been superseded by another edit
    ENCRYPTED = "encrypted"
    REVOKED_DEVICE = "revoked-device"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an instance says and where it comes from. `sha256` is of its XML, exactly as sent."""

    sha256: bytes
    deprecated_id: str | None = None
    encrypted: bool = False
    draft: bool = False
    device_revoked: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An instance that the store has under some id. `reason` None: it counts."""

    id: int
    sha256: bytes
    root_id: int
    superseded: bool = False
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows when an instance arrives.

    `form_state` None: no such form. `same_id`: everything kept under its instanceID (tests of drafts know of each
    other only).
    `original`: what its deprecatedID names, where that counts.
    """

    form_state: str | None
    version_known: bool
    same_id: tuple[Kept, ...] = ()
    original: Kept | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """New: keep it; it counts."""


@dataclass(frozen=True, slots=True)
class Supersede:
    """An edit of what counts now: keep it, the chain that starts at `root_id` moves on from `original_id`."""

    original_id: int
    root_id: int


@dataclass(frozen=True, slots=True)
class Attach:
    """The same bytes again: nothing to keep but the files that came along. `reason` if it is in quarantine."""

    id: int
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Keep it apart, answer 202, show it to a person."""

    reason: Reason


Decision = Create | Supersede | Attach | Quarantine


def decide(arrival: Arrival, known: Known) -> Decision:
    """What to do with an arrival. Total: every arrival gets an answer, none is an error."""
    for kept in known.same_id:
        if kept.sha256 == arrival.sha256:
            return Attach(kept.id, kept.reason)
    reason = _held_back(arrival, known)
    if reason is not None:
        return Quarantine(reason)
    if arrival.deprecated_id is None or arrival.draft:
        return Create()
    assert known.original is not None  # _held_back answers an edit without its original
    return Supersede(known.original.id, known.original.root_id)


def _held_back(arrival: Arrival, known: Known) -> Reason | None:
    if arrival.device_revoked:
        return Reason.REVOKED_DEVICE
    if known.form_state is None:
        return Reason.UNKNOWN_FORM
    if arrival.draft:
        return None  # a test may say anything, and something else the next time
    if any(kept.reason is None for kept in known.same_id):
        return Reason.OTHER_CONTENT
    if arrival.encrypted:
        return Reason.ENCRYPTED
    if not known.version_known:
        return Reason.UNKNOWN_VERSION
    if known.form_state == "closed":
        return Reason.CLOSED_FORM
    return _edit_held_back(arrival, known)


def _edit_held_back(arrival: Arrival, known: Known) -> Reason | None:
    if arrival.deprecated_id is None:
        return None
    if known.original is None:
        return Reason.EDIT_BEFORE_ORIGINAL
    return Reason.EDIT_OF_OLD if known.original.superseded else None


def is_settled_by_time(reason: Reason) -> bool:
    """Can something that happens later (a form published, an original arriving, two edits merged) settle this without
    a person?"""
    match reason:
        case Reason.UNKNOWN_FORM | Reason.UNKNOWN_VERSION | Reason.EDIT_BEFORE_ORIGINAL | Reason.EDIT_OF_OLD:
            return True
        case Reason.CLOSED_FORM | Reason.OTHER_CONTENT | Reason.ENCRYPTED | Reason.REVOKED_DEVICE:
            return False
        case _:
            assert_never(reason)


def originals_first(ids: Sequence[tuple[str, str | None]]) -> list[int]:
    """Places in a list of (instanceID, deprecatedID), so that what edits another comes after it; else as they stand.

    A batch may bring an edit before its original. Those that edit each other in a circle come in some order.
    """
    places: dict[str, list[int]] = {}
    for place, (instance_id, _) in enumerate(ids):
        places.setdefault(instance_id, []).append(place)
    order: list[int] = []
    seen: set[int] = set()
    for place in range(len(ids)):
        chain = [place]
        while chain:
            original = ids[chain[-1]][1]
            seen.add(chain[-1])
            before = next((p for p in places.get(original or "", ()) if p not in seen), None)
            if before is not None:
                chain.append(before)
            else:
                order.append(chain.pop())
    return list(dict.fromkeys(order))
