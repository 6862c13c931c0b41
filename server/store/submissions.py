"""What phones sent, kept as it came."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.store.hot import Hot
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
    """One instance on its way into the store. `xml` is as sent; `variant` keeps twins apart (see schema)."""

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
_SAME_ID = Hot(
    select(*_KEPT, submission.c.variant).where(
        submission.c.project_id == bindparam("project_id"),
        submission.c.form_id == bindparam("form_id"),
        submission.c.instance_id == bindparam("instance_id"),
    )
)
_BOUND: dict[str, Any] = {name: bindparam(name) for name in Sent._fields}
_INSERT = Hot(
    sqlite=sqlite.insert(submission).values(_BOUND).on_conflict_do_nothing().returning(submission.c.id),
    postgresql=postgresql.insert(submission)
    .values(_BOUND)
    .on_conflict_do_nothing()
    .returning(submission.c.id),
)


class KeptRow(NamedTuple):
    """What is kept under an id, without its XML."""

    id: int
    xml_sha256: bytes
    root_id: int | None
    superseded_by_id: int | None
    quarantine: str | None
    variant: str


def under_id(connection: Connection, project_id: int, form_id: str, instance_id: str) -> list[KeptRow]:
    """Everything kept under an instanceID, twins and drafts included."""
    values = {"project_id": project_id, "form_id": form_id, "instance_id": instance_id}
    return [KeptRow._make(row) for row in _SAME_ID.all(connection, values)]


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


def lock(connection: Connection, submission_id: int) -> None:
    """Whoever else brings files for this one waits until the transaction ends. (SQLite has one writer anyway.)"""
    connection.execute(select(submission.c.id).where(submission.c.id == submission_id).with_for_update())


def add(connection: Connection, sent: Sent) -> int | None:
    """Keep an instance and return its number; None where the same id and variant came in the same moment."""
    values = sent._asdict()
    values["xml"] = zlib.compress(sent.xml, 1)
    row = _INSERT.first(connection, values)
    return int(row[0]) if row else None


def superseded_by(connection: Connection, submission_id: int) -> int | None:
    """The edit that took its place, if there is one."""
    query = select(submission.c.superseded_by_id).where(submission.c.id == submission_id)
    return connection.execute(query).scalar()


def supersede(connection: Connection, old_id: int, new_id: int) -> None:
    """The chain moves on."""
    connection.execute(update(submission).where(submission.c.id == old_id).values(superseded_by_id=new_id))


_WAITING = Hot(
    select(submission.c.id).where(
        submission.c.project_id == bindparam("project_id"),
        submission.c.deprecated_id == bindparam("instance_id"),
        submission.c.deprecated_id.is_not(None),  # says to SQLite that the partial index serves
        submission.c.quarantine.is_not(None),
        submission.c.settled_at.is_(None),  # set aside by a person
    )
)


def edits_waiting_for(connection: Connection, project_id: int, instance_id: str) -> list[int]:
    """Quarantined edits of an original that has just come."""
    return [
        row[0] for row in _WAITING.all(connection, {"project_id": project_id, "instance_id": instance_id})
    ]


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


def xml_of(row: AnyRow) -> bytes:
    """The bytes as the phone sent them."""
    return zlib.decompress(row.xml)


def to_unfold(connection: Connection, ids: Sequence[int]) -> Sequence[AnyRow]:
    """What unfolding needs of submissions that count: their chain, their form version, their XML."""
    query = (
        select(
            submission.c.id,
            func.coalesce(submission.c.root_id, submission.c.id).label("root_id"),
            submission.c.superseded_by_id,
            submission.c.project_id,
            submission.c.form_version_id,
            submission.c.device_id,
            submission.c.received_at,
            submission.c.xml,
        )
        .join(form_version, form_version.c.id == submission.c.form_version_id)
        .where(submission.c.id.in_(ids), submission.c.quarantine.is_(None), submission.c.variant == "")
        .order_by(submission.c.id)
    )
    return connection.execute(query).all()


def still_current(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Of these, those that no edit has superseded; locked until the transaction ends, so that none does meanwhile."""
    query = (
        select(submission.c.id)
        .where(submission.c.id.in_(ids), submission.c.superseded_by_id.is_(None))
        .order_by(submission.c.id)
        .with_for_update()
    )
    return set(connection.execute(query).scalars())


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
