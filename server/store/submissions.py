"""What phones sent, kept as it came."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, text, update

from server.store import bulk
from server.store.hot import Hot, in_list
from server.store.packed import unpack
from server.store.rows import AnyRow
from server.store.schema import form_version, submission

_DRAFT = "draft-"


def draft_variant(sha256: bytes) -> str:
    """The variant of a test of a draft: each content is kept apart, 64 characters."""
    return (_DRAFT + sha256.hex())[:64]


def is_draft(variant: str) -> bool:
    """Is it a test, which counts for nothing and ends with its draft?"""
    return variant.startswith(_DRAFT)


class Sent(NamedTuple):
    """One instance on its way into the store. `xml` is packed; `variant` keeps twins apart (see schema)."""

    id: int
    project_id: int
    form_version_id: int | None
    form_id: str
    version: str
    instance_id: str
    variant: str
    deprecated_id: str | None
    instance_name: str | None
    root_id: int | None
    xml: bytes
    xml_sha256: bytes
    device_id: int | None
    person_id: int | None
    phone_id: str | None
    app: str | None
    received_at: int
    quarantine: str | None


_KEPT = (submission.c.id, submission.c.xml_sha256, submission.c.root_id, submission.c.superseded_by_id,
         submission.c.quarantine)  # fmt: skip
_UNDER_IDS = in_list(
    select(*_KEPT, submission.c.variant, submission.c.instance_id, submission.c.device_id)
    .where(submission.c.project_id == bindparam("project_id"), submission.c.form_id == bindparam("form_id"))
    .order_by(submission.c.id)
    .with_for_update(),
    submission.c.instance_id,
)
SHARES = 64
_TAKE = Hot(
    text("SELECT pg_advisory_xact_lock(:project, share) FROM unnest(CAST(:shares AS integer[])) AS share")
)
_RESERVE = Hot(
    sqlite=select(func.coalesce(func.max(submission.c.id), 0) + 1),
    postgresql=text(
        "SELECT nextval(pg_get_serial_sequence('submission', 'id')) FROM generate_series(1, :count)"
    ),
)


class KeptRow(NamedTuple):
    """What is kept under an id, without its XML."""

    id: int
    xml_sha256: bytes
    root_id: int | None
    superseded_by_id: int | None
    quarantine: str | None
    variant: str
    instance_id: str
    device_id: int | None


def reserve(connection: Connection, count: int) -> list[int]:
    """Numbers for `count` new submissions, ascending; where they are not used, they are left out."""
    if connection.dialect.name == "sqlite":  # nobody else writes meanwhile
        row = _RESERVE.first(connection, {})
        assert row is not None
        return list(range(row[0], row[0] + count))
    return [row[0] for row in _RESERVE.all(connection, {"count": count})]


def add(connection: Connection, sent: Sequence[Sent]) -> None:
    """Keep instances, whose ids are taken: nobody else keeps one of them meanwhile."""
    bulk.insert_rows(connection, submission, Sent._fields, sent)


def take_ids(connection: Connection, project_id: int, instance_ids: Iterable[str]) -> None:
    """Whatever else comes under these instanceIDs waits until the transaction ends; what came before is seen.

    PostgreSQL alone: on SQLite there is one writer anyway. By shares, since a lock for each of a batch's ids would be
    more than a server holds; in one order for all, so that no two transactions wait for each other.
    """
    if connection.dialect.name == "postgresql":
        shares = sorted({zlib.crc32(instance_id.encode()) % SHARES for instance_id in instance_ids})
        _TAKE.all(connection, {"project": project_id, "shares": shares})


def take_ids_of(connection: Connection, submission_ids: Sequence[int]) -> None:
    """As `take_ids`, for all that these submissions name."""
    if connection.dialect.name != "postgresql":
        return
    of = submission.c
    query = select(of.project_id, of.instance_id, of.deprecated_id).where(of.id.in_(submission_ids))
    named: dict[int, list[str]] = {}
    for project_id, *ids in connection.execute(query):
        named.setdefault(project_id, []).extend(filter(None, ids))
    for project_id in sorted(named):
        take_ids(connection, project_id, named[project_id])


def under_ids(
    connection: Connection, project_id: int, form_id: str, instance_ids: Sequence[str]
) -> list[KeptRow]:
    """Everything kept under these instanceIDs, twins and drafts included, locked until the transaction ends."""
    found = _UNDER_IDS.of(connection, instance_ids, project_id=project_id, form_id=form_id)
    return [KeptRow._make(row) for row in found]


def under_id(connection: Connection, project_id: int, form_id: str, instance_id: str) -> list[KeptRow]:
    """Everything kept under one instanceID, as `under_ids`."""
    return under_ids(connection, project_id, form_id, [instance_id])


def counting(connection: Connection, project_id: int, form_id: str, instance_id: str) -> AnyRow | None:
    """The one that counts under an id, locked until the transaction ends: what an edit supersedes."""
    query = (
        select(*_KEPT)
        .where(
            submission.c.project_id == project_id,
            submission.c.form_id == form_id,
            submission.c.instance_id == instance_id,
            submission.c.variant == "",
        )
        .with_for_update()
    )
    return connection.execute(query).first()


def superseded_by(connection: Connection, submission_id: int) -> int | None:
    """The edit that took its place, if there is one."""
    query = select(submission.c.superseded_by_id).where(submission.c.id == submission_id)
    return connection.execute(query).scalar()


def supersede(connection: Connection, old_id: int, new_id: int) -> None:
    """The chain moves on."""
    connection.execute(update(submission).where(submission.c.id == old_id).values(superseded_by_id=new_id))


_WAITING = in_list(
    select(submission.c.id).where(
        submission.c.project_id == bindparam("project_id"),
        submission.c.deprecated_id.is_not(None),  # says to SQLite that the partial index serves
        submission.c.quarantine.is_not(None),
        submission.c.settled_at.is_(None),  # set aside by a person
    ),
    submission.c.deprecated_id,
)


def edits_waiting_for(connection: Connection, project_id: int, instance_ids: Sequence[str]) -> list[int]:
    """Quarantined edits of originals that have just come."""
    return [row[0] for row in _WAITING.of(connection, instance_ids, project_id=project_id)]


def waiting_for_form(connection: Connection, project_id: int, form_id: str) -> list[int]:
    """Quarantined because their form or its version was not known."""
    return list(
        connection.execute(
            select(submission.c.id).where(
                submission.c.project_id == project_id,
                submission.c.form_id == form_id,
                submission.c.quarantine.in_(("unknown-form", "unknown-version")),
                submission.c.settled_at.is_(None),
            )
        ).scalars()
    )


def find(connection: Connection, submission_id: int) -> AnyRow | None:
    """Everything about one submission; `xml` still compressed (see `xml_of`)."""
    return connection.execute(select(submission).where(submission.c.id == submission_id)).first()


def xml_of(row: AnyRow | Unread) -> bytes:
    """The bytes as the phone sent them."""
    return unpack(row.xml)


class Unread(NamedTuple):
    """What unfolding needs of a submission that counts: its chain, its form version, its XML, packed."""

    id: int
    root_id: int
    superseded_by_id: int | None
    project_id: int
    form_version_id: int
    device_id: int | None
    received_at: int
    xml: bytes


_TO_UNFOLD = in_list(
    select(
        submission.c.id, func.coalesce(submission.c.root_id, submission.c.id), submission.c.superseded_by_id,
        submission.c.project_id, submission.c.form_version_id, submission.c.device_id, submission.c.received_at,
        submission.c.xml,
    )
    .join(form_version, form_version.c.id == submission.c.form_version_id)
    .where(submission.c.quarantine.is_(None), submission.c.variant == "")
    .order_by(submission.c.id),
    submission.c.id,
)  # fmt: skip


def to_unfold(connection: Connection, ids: Sequence[int]) -> list[Unread]:
    """Of these submissions those that count."""
    return [Unread._make(row) for row in _TO_UNFOLD.of(connection, ids)]


_CURRENT = in_list(
    select(submission.c.id)
    .where(submission.c.superseded_by_id.is_(None))
    .order_by(submission.c.id)
    .with_for_update(),
    submission.c.id,
)


def still_current(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Of these, those that no edit has superseded; locked until the transaction ends, so that none does meanwhile."""
    return {row[0] for row in _CURRENT.of(connection, ids)}


def release(connection: Connection, submission_id: int, values: dict[str, Any]) -> None:
    """A quarantined instance counts from now on."""
    connection.execute(
        update(submission)
        .where(submission.c.id == submission_id)
        .values(quarantine=None, variant="", **values)
    )


def hold(connection: Connection, submission_id: int, reason: str) -> None:
    """It stays in quarantine, for this reason now."""
    connection.execute(update(submission).where(submission.c.id == submission_id).values(quarantine=reason))


def know_version(connection: Connection, submission_id: int, version_id: int | None) -> None:
    """The form that it was filled in with is known now."""
    connection.execute(
        update(submission).where(submission.c.id == submission_id).values(form_version_id=version_id)
    )


def set_aside(connection: Connection, submission_id: int, by: str, at: int) -> bool:
    """A person has looked and wants it kept, but never to count. False: it is not in quarantine."""
    result = connection.execute(
        update(submission)
        .where(submission.c.id == submission_id, submission.c.quarantine.is_not(None))
        .values(settled_at=at, settled_by=by)
    )
    return result.rowcount == 1


def drop_drafts(connection: Connection, project_id: int, form_id: str) -> None:
    """Test data end with their draft."""
    connection.execute(
        delete(submission).where(
            submission.c.project_id == project_id,
            submission.c.form_id == form_id,
            submission.c.variant.startswith(_DRAFT),
        )
    )


def page_of_ids(
    connection: Connection, project_id: int, form_id: str, after: int, most: int, device_id: int | None
) -> list[AnyRow]:
    """Current submissions of a form after a number, oldest first; of one device where it is given."""
    query = (
        select(submission.c.id, submission.c.instance_id)
        .where(
            submission.c.project_id == project_id,
            submission.c.form_id == form_id,
            submission.c.variant == "",
            submission.c.superseded_by_id.is_(None),
            submission.c.id > after,
        )
        .order_by(submission.c.id)
        .limit(most)
    )
    if device_id is not None:
        query = query.where(submission.c.device_id == device_id)
    return list(connection.execute(query))
