"""The edits of one instance: those that follow each other, and those that were made of something older."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update

from server.store import hot
from server.store.rows import AnyRow
from server.store.schema import crew, device, submission

LATE = ("edit-of-old", "edit-before-original")
"""Reasons for which an edit waits that may be of something older, or of such an edit."""
MOST_LEVELS = 1000
"""Edits of edits that are followed; a phone that edits in a circle must not hold up the worker."""


class Sent(NamedTuple):
    """One submission of an instance and its edits. `crew`: whose phone sent it, by name, or the phone's own name."""

    id: int
    instance_id: str
    deprecated_id: str | None
    quarantine: str | None
    settled_at: int | None
    settled_by: str | None
    form_version_id: int | None
    received_at: int
    crew: str | None

    @property
    def counts(self) -> bool:
        """Is it of the chain whose last edit counts?"""
        return self.quarantine is None

    @property
    def is_late(self) -> bool:
        """Is it kept, waiting or merged, and not set aside by a person?"""
        return self.quarantine in LATE and not self.settled_by


_COLUMNS = (
    submission.c.id, submission.c.instance_id, submission.c.deprecated_id, submission.c.quarantine,
    submission.c.settled_at, submission.c.settled_by, submission.c.form_version_id, submission.c.received_at,
    func.coalesce(crew.c.name, device.c.name),
)  # fmt: skip
_SENT = (
    select(*_COLUMNS)
    .select_from(submission)
    .outerjoin(device, device.c.id == submission.c.device_id)
    .outerjoin(crew, crew.c.id == device.c.crew_id)
    .order_by(submission.c.id)
)
_EDITS = hot.in_list(
    _SENT.where(
        submission.c.project_id == bindparam("project_id"),
        submission.c.form_id == bindparam("form_id"),
        submission.c.deprecated_id.is_not(None),  # says to SQLite that the partial index serves
        ~submission.c.variant.startswith("draft-"),
    ),
    submission.c.deprecated_id,
)


def family(connection: Connection, root_id: int) -> list[Sent]:
    """The first submission of a chain and every edit of it or of its edits, in order of arrival."""
    root = connection.execute(
        select(submission.c.project_id, submission.c.form_id).where(submission.c.id == root_id)
    ).one()
    found = {
        row.id: row
        for row in (Sent._make(r) for r in connection.execute(_SENT.where(submission.c.id == root_id)))
    }
    level = [one.instance_id for one in found.values()]
    for _ in range(MOST_LEVELS):
        rows = _EDITS.of(connection, level, project_id=root.project_id, form_id=root.form_id)
        fresh = [one for one in map(Sent._make, rows) if one.id not in found]
        if not fresh:
            break
        found |= {one.id: one for one in fresh}
        level = [one.instance_id for one in fresh]
    return sorted(found.values())


def root_of(connection: Connection, row: AnyRow) -> int | None:
    """The first submission of the chain that a waiting edit belongs to, directly or by way of others that wait; None
    while nothing of it has come."""
    named, seen = row.deprecated_id, {row.instance_id}
    while named is not None and named not in seen and len(seen) < MOST_LEVELS:
        seen.add(named)
        here = (
            submission.c.project_id == row.project_id, submission.c.form_id == row.form_id,
            submission.c.instance_id == named, ~submission.c.variant.startswith("draft-"),
        )  # fmt: skip
        query = select(
            submission.c.id, submission.c.root_id, submission.c.quarantine, submission.c.deprecated_id
        )
        above = list(connection.execute(query.where(*here).order_by(submission.c.id)))
        counting = next((one for one in above if one.quarantine is None), None)
        if counting is not None:
            return int(counting.root_id or counting.id)
        named = next((one.deprecated_id for one in above if one.quarantine in LATE), None)
    return None


def xml_of(connection: Connection, ids: Iterable[int]) -> dict[int, AnyRow]:
    """What reading these submissions takes: form_version_id and xml, still compressed."""
    query = select(submission.c.id, submission.c.form_version_id, submission.c.xml)
    return {row.id: row for row in connection.execute(query.where(submission.c.id.in_(sorted(set(ids)))))}


def mark(connection: Connection, ids: Sequence[int], root_id: int, merged_at: int | None) -> None:
    """These edits are of that chain. `merged_at`: what they say is part of the visit or was decided on, and nobody
    needs to look; None: they wait for a person. They never count themselves."""
    connection.execute(
        update(submission)
        .where(submission.c.id.in_(list(ids)))
        .values(
            quarantine=LATE[0],
            root_id=root_id,
            settled_at=merged_at,
            settled_by=None if merged_at is None else "",
        )
    )
