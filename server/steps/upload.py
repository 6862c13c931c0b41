"""A file has come whole: it goes to the instance that names it, or waits until that comes.

Its bytes are durable before this step begins; the phone hears that it is done only after the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from server.store import attachments, jobs, submissions, uploads
from server.store.attachments import Bringing, File
from server.store.submissions import KeptRow, is_draft
from server.store.uploads import Upload
from sync.intake import Reason


def attach(connection: Connection, whole: Upload, at: int, *, only_its_own: bool = False) -> None:
    """Give a file to its instance; where that has not come, the file waits for it.

    `only_its_own`: a revoked phone brings files for what it sent itself, nothing else.
    """
    submissions.take_ids(connection, whole.project_id, [whole.instance_id])
    rows = submissions.under_ids(connection, whole.project_id, whole.form_id, [whole.instance_id])
    rows = [row for row in rows if not is_draft(row.variant)]
    if only_its_own:
        rows = [row for row in rows if row.device_id == whole.device_id]
    if not rows:
        uploads.wait(connection, whole, at)
        return
    file = File(whole.name, whole.sha256, whole.size_bytes, whole.content_type)
    owners = _owners(connection, rows, file)
    taken = attachments.take(connection, [Bringing(row.id, (), [file]) for row in owners], at)
    for row in owners:
        fresh = taken[row.id].fresh
        if fresh:
            attachments.pass_on(connection, row.id)
        if row.quarantine != Reason.ENCRYPTED:
            jobs.put(connection, jobs.INSPECT_PHOTO, fresh, at)
    uploads.forget(connection, [whole.id])


def _owners(connection: Connection, rows: Sequence[KeptRow], file: File) -> list[KeptRow]:
    """Of all that is kept under one id: those that wait for this file; else the one that counts, else the last."""
    places = attachments.of_many(connection, [row.id for row in rows])
    waiting = [
        row
        for row in rows
        if any(place.name == file.name and place.sha256 is None for place in places[row.id])
    ]
    counting = [row for row in rows if not row.quarantine]
    return waiting or counting or [rows[-1]]
