"""Step 1: an instance has come. Keep it once, for good, and say what it is; everything else is a promise.

The XML is kept exactly as sent, the files are durable before this step begins, and the receipt is given only
after the commit. What does not count yet is kept all the same, in quarantine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from forms.instance import Meta
from server.store import attachments, jobs, submissions
from server.store.attachments import File
from server.store.rows import AnyRow
from server.store.submissions import KeptRow, Sent, draft_variant, is_draft
from sync.intake import (
    Arrival,
    Attach,
    Create,
    Decision,
    Kept,
    Known,
    Quarantine,
    Reason,
    Supersede,
    decide,
    is_settled_by_time,
)

AUDIT_LOG = "audit.csv"
"""Written by Collect itself: a crew that reads "photos 3/4" would look for a photo that nobody took."""


LOOK_AGAIN_MS = 10_000
"""ms after which a held instance is decided on anew even if nothing calls for it: what it waits for may have come in
the very moment in which it was held, in a transaction that could not see it. Longer than any of ours takes."""


class Parcel(NamedTuple):
    """What the door hands over: the instance, its bytes, its durable files, and who sent it.

    `form_state` and `form_version_id` are what the door found of its form, None where it is not known. `expected`
    are the file names that its answers mention. `draft_version_id` is set for a test of a draft.
    """

    project_id: int
    meta: Meta
    xml: bytes
    files: Sequence[File]
    expected: Sequence[str]
    received_at: int
    form_state: str | None = None
    form_version_id: int | None = None
    device_id: int | None = None
    person_id: int | None = None
    device_revoked: bool = False
    phone_id: str | None = None
    app: str | None = None
    draft_version_id: int | None = None


class Receipt(NamedTuple):
    """What became of it. `reason` None: it counts. `photos_here` of `photos_expected` files have come so far."""

    submission_id: int
    is_new: bool
    reason: Reason | None
    photos_here: int
    photos_expected: int


class Refused(Exception):
    """A project that wants strict intake does not keep what it cannot count."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def receive(connection: Connection, parcel: Parcel, *, strict: bool = False) -> Receipt:
    """Keep a parcel and give its receipt; to be committed before anybody hears of it.

    Raises Refused when `strict` and the instance would go to quarantine.
    """
    while True:
        arrival = _arrival(parcel)
        decision = decide(arrival, _known(connection, parcel))
        if isinstance(decision, Quarantine) and strict:
            raise Refused(decision.reason)
        receipt = _carry_out(connection, parcel, decision, arrival)
        if receipt is not None:
            return receipt  # None: the same instance came in this very moment; look again


def _arrival(parcel: Parcel) -> Arrival:
    return Arrival(
        sha256=hashlib.sha256(parcel.xml).digest(),
        deprecated_id=parcel.meta.deprecated_id,
        encrypted=parcel.meta.encrypted,
        draft=parcel.draft_version_id is not None,
        device_revoked=parcel.device_revoked,
    )


def _known(connection: Connection, parcel: Parcel) -> Known:
    meta = parcel.meta
    draft = parcel.draft_version_id is not None
    rows = submissions.under_id(connection, parcel.project_id, meta.form_id, meta.instance_id)
    same = tuple(_kept(row) for row in rows if is_draft(row.variant) == draft)
    original = None
    if meta.deprecated_id and not draft:
        row = submissions.counting(connection, parcel.project_id, meta.form_id, meta.deprecated_id)
        original = _kept(row) if row else None
    return Known(parcel.form_state, parcel.form_version_id is not None, same, original)


def _kept(row: AnyRow | KeptRow) -> Kept:
    return Kept(
        id=row.id,
        sha256=bytes(row.xml_sha256),
        root_id=row.root_id or row.id,
        superseded=row.superseded_by_id is not None,
        reason=Reason(row.quarantine) if row.quarantine else None,
    )


def _carry_out(
    connection: Connection, parcel: Parcel, decision: Decision, arrival: Arrival
) -> Receipt | None:
    match decision:
        case Attach(id=found, reason=reason):
            if parcel.files:
                submissions.lock(connection, found)
            fresh = attachments.keep(connection, found, parcel.files, parcel.received_at)
            if fresh:
                _pass_on(connection, found)
            _promise_photos(connection, parcel, fresh, reason)
            return _receipt(connection, found, False, reason)
        case Create():
            made = _add(connection, parcel, arrival, None, None)
        case Supersede(root_id=root_id):
            made = _add(connection, parcel, arrival, root_id, None)
        case Quarantine(reason=reason):
            made = _add(connection, parcel, arrival, None, reason)
    if made is None:
        return None
    held = decision.reason if isinstance(decision, Quarantine) else None
    if parcel.files or parcel.expected:
        attachments.expect(connection, made, parcel.expected)
        fresh = attachments.keep(connection, made, parcel.files, parcel.received_at)
        _promise_photos(connection, parcel, fresh, held)
    if isinstance(decision, Supersede):
        submissions.supersede(connection, decision.original_id, made)
        attachments.carry_forward(connection, decision.original_id, made)
    _promise(connection, parcel, made, held)
    if not parcel.files and not parcel.expected:
        return Receipt(made, True, held, 0, 0)
    return _receipt(connection, made, True, held)


def _pass_on(connection: Connection, submission_id: int) -> None:
    """Files that come late for a record that has been edited since serve its edits as well."""
    while (later := submissions.superseded_by(connection, submission_id)) is not None:
        attachments.carry_forward(connection, submission_id, later)
        submission_id = later


def _promise(connection: Connection, parcel: Parcel, made: int, held: Reason | None) -> None:
    if held is not None:
        if is_settled_by_time(held):
            jobs.put(connection, jobs.SETTLE, [made], parcel.received_at + LOOK_AGAIN_MS)
        return
    if parcel.draft_version_id is None:
        jobs.put(connection, jobs.UNFOLD, [made], parcel.received_at)
        waiting = submissions.edits_waiting_for(connection, parcel.project_id, parcel.meta.instance_id)
        jobs.put(connection, jobs.SETTLE, waiting, parcel.received_at)


def _add(
    connection: Connection,
    parcel: Parcel,
    arrival: Arrival,
    root_id: int | None,
    reason: Reason | None,
) -> int | None:
    meta = parcel.meta
    variant = draft_variant(arrival.sha256) if parcel.draft_version_id is not None else ""
    sent = Sent(
        project_id=parcel.project_id,
        form_version_id=parcel.form_version_id,
        form_id=meta.form_id,
        version=meta.version,
        instance_id=meta.instance_id,
        variant=arrival.sha256.hex() if reason is not None else variant,
        deprecated_id=meta.deprecated_id,
        instance_name=meta.instance_name,
        root_id=root_id,
        xml=parcel.xml,
        xml_sha256=arrival.sha256,
        device_id=parcel.device_id,
        person_id=parcel.person_id,
        phone_id=parcel.phone_id,
        app=parcel.app,
        received_at=parcel.received_at,
        quarantine=reason,
    )
    return submissions.add(connection, sent)


def _promise_photos(connection: Connection, parcel: Parcel, fresh: list[int], reason: Reason | None) -> None:
    # a photo is looked at even while its instance is held back, except in a test of a draft
    if parcel.draft_version_id is None and reason is not Reason.ENCRYPTED:
        jobs.put(connection, jobs.INSPECT_PHOTO, fresh, parcel.received_at)


def _receipt(connection: Connection, submission_id: int, is_new: bool, reason: Reason | None) -> Receipt:
    files = attachments.of(connection, submission_id)
    expected = [row for row in files if row.is_expected and row.name != AUDIT_LOG]
    here = sum(1 for row in expected if row.sha256)
    return Receipt(submission_id, is_new, reason, here, len(expected))
