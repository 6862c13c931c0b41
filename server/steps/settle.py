"""A quarantined instance is looked at again: because something came that it waited for, or because a person asks.

The same decision as on arrival is made with what is known now. A person may also set it aside: kept, never counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from forms.definition import Form
from forms.instance import Reader, read
from server.store import attachments, edits, events, forms, jobs, submissions
from server.store.attachments import Bringing
from server.store.rows import AnyRow
from sync.intake import Arrival, Create, Kept, Known, Quarantine, Reason, Supersede, decide


def write(connection: Connection, ids: Sequence[int], at: int) -> None:
    """Decide anew on quarantined submissions, oldest first; what can count now counts."""
    submissions.take_ids_of(connection, ids)
    for submission_id in sorted(ids):
        _settle(connection, submission_id, "", at)


def settle(connection: Connection, submission_id: int, by: str, at: int) -> Reason | None:
    """Decide anew on one. Returns why it is still held back, None where it counts (now or already)."""
    submissions.take_ids_of(connection, [submission_id])
    return _settle(connection, submission_id, by, at)


def _settle(connection: Connection, submission_id: int, by: str, at: int) -> Reason | None:
    row = submissions.find(connection, submission_id)
    if row is None or row.quarantine is None:
        return None
    if row.settled_at is not None and not by:
        return Reason(row.quarantine)  # a person set it aside; only a person brings it back
    state, version_id = forms.state_and_version(connection, row.project_id, row.form_id, row.version)
    if by and state == "closed":
        state = "open"  # a person who asks again vouches for what came late ...
    decision = decide(
        # ... and for what a revoked phone had still to send
        Arrival(bytes(row.xml_sha256), row.deprecated_id, row.quarantine == Reason.ENCRYPTED,
                device_revoked=row.quarantine == Reason.REVOKED_DEVICE and not by),
        _known(connection, row, state, version_id),
    )  # fmt: skip
    if not isinstance(decision, Quarantine):
        _expect_files(connection, row, version_id)
    match decision:
        case Quarantine(reason=reason):
            submissions.hold(connection, submission_id, reason)
            _promise_merging(connection, row, reason, version_id, at)
            return reason
        case Create():
            values: dict[str, object] = {"root_id": None}
        case Supersede(original_id=original_id, root_id=root_id):
            values = {"root_id": root_id}
            submissions.supersede(connection, original_id, submission_id)
            attachments.carry_forward(connection, original_id, submission_id)
        case _:  # Attach: it is itself, and it is not among what it is compared with
            raise AssertionError(decision)
    submissions.release(
        connection,
        submission_id,
        {**values, "form_version_id": version_id, "settled_at": at, "settled_by": by},
    )
    jobs.put(connection, jobs.UNFOLD, [submission_id], at)
    waiting = submissions.edits_waiting_for(connection, row.project_id, [row.instance_id])
    jobs.put(connection, jobs.SETTLE, waiting, at)
    return None


def _promise_merging(
    connection: Connection, row: AnyRow, reason: Reason, version_id: int | None, at: int
) -> None:
    """An edit of something old does not count, but what it says may be laid on what does."""
    if reason not in {Reason.EDIT_OF_OLD, Reason.EDIT_BEFORE_ORIGINAL}:
        return
    root_id = edits.root_of(connection, row)
    if root_id is not None:
        if row.form_version_id is None:
            submissions.know_version(connection, row.id, version_id)
        jobs.put(connection, jobs.MERGE_EDITS, [root_id], at)


def _expect_files(connection: Connection, row: AnyRow, version_id: int | None) -> None:
    """Which files it names could not be told while its form was not known."""
    assert version_id is not None  # whatever counts has a version
    reader = Reader(Form.from_json(forms.definition(connection, version_id)))
    xml = submissions.xml_of(row)
    names = reader.answers(read(xml, len(xml)).root).files
    expected = [name[:200] for name in names]
    attachments.take(connection, [Bringing(row.id, expected, [])], row.received_at)


def _known(connection: Connection, row: AnyRow, state: str | None, version_id: int | None) -> Known:
    others = submissions.under_id(connection, row.project_id, row.form_id, row.instance_id)
    counting = [
        Kept(o.id, bytes(o.xml_sha256), o.root_id or o.id, o.superseded_by_id is not None)
        for o in others
        if o.variant == ""
    ]
    original = None
    if row.deprecated_id:
        found = submissions.counting(connection, row.project_id, row.form_id, row.deprecated_id)
        if found:
            original = Kept(
                found.id,
                bytes(found.xml_sha256),
                found.root_id or found.id,
                found.superseded_by_id is not None,
            )
    return Known(state, version_id is not None, tuple(counting), original)


def retry(connection: Connection, submission_id: int, by: str, at: int) -> Reason | None:
    """A person asks again; the answer as of `settle`, and a line in the log."""
    row = submissions.find(connection, submission_id)
    reason = settle(connection, submission_id, by, at)
    if row is not None:
        events.add(connection, row.project_id, by, "quarantine.retry", row.instance_id, {"held": reason}, at)
    return reason


def set_aside(connection: Connection, submission_id: int, by: str, why: str, at: int) -> bool:
    """A person decides that it is kept and never counts. False: it was not in quarantine."""
    row = submissions.find(connection, submission_id)
    if row is None or not submissions.set_aside(connection, submission_id, by, at):
        return False
    if row.root_id is not None:  # a late edit: what it says is taken back
        jobs.put(connection, jobs.MERGE_EDITS, [row.root_id], at)
    events.add(connection, row.project_id, by, "quarantine.set-aside", row.instance_id, {"why": why}, at)
    return True
