"""Files on their way in pieces, and whole ones that wait for their instance. Their bytes: `arriving`, then `blobs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.store.hot import Hot, in_list
from server.store.schema import upload


class Upload(NamedTuple):
    """A file on its way. `completed_at` None: not all of it is here. Moments in ms since 1970 UTC."""

    id: str
    project_id: int
    device_id: int | None
    form_id: str
    instance_id: str
    name: str
    sha256: str
    size_bytes: int
    content_type: str
    created_at: int
    expires_at: int
    completed_at: int | None


_COLUMNS = [upload.c[name] for name in Upload._fields]
_BOUND: dict[str, Any] = {name: bindparam(name) for name in Upload._fields}
_DONE: dict[str, Any] = {"completed_at": bindparam("completed_at")}
_KEY = [upload.c.id]
_PUT = Hot(
    sqlite=sqlite.insert(upload).values(_BOUND).on_conflict_do_update(index_elements=_KEY, set_=_DONE),
    postgresql=postgresql.insert(upload)
    .values(_BOUND)
    .on_conflict_do_update(index_elements=_KEY, set_=_DONE),
)
_FORGET = Hot(delete(upload).where(upload.c.id == bindparam("id")))
_BY_ID = Hot(select(*_COLUMNS).where(upload.c.id == bindparam("id")))
_WAITING = in_list(
    select(*_COLUMNS).where(
        upload.c.project_id == bindparam("project_id"), upload.c.completed_at.is_not(None)
    ),
    upload.c.instance_id,
)


def begin(connection: Connection, new: Upload, gone: Sequence[str]) -> None:
    """A phone has begun to bring a file; those that are `gone` are forgotten on the way."""
    forget(connection, gone)
    _PUT.do(connection, new._asdict())


def find(connection: Connection, upload_id: str) -> Upload | None:
    """The upload of this name."""
    row = _BY_ID.first(connection, {"id": upload_id})
    return Upload._make(row) if row else None


def waiting(connection: Connection, project_id: int, instance_ids: Sequence[str]) -> list[Upload]:
    """Whole files that wait for these instances."""
    return [Upload._make(row) for row in _WAITING.of(connection, instance_ids, project_id=project_id)]


_SAME = Hot(
    select(upload.c.id)
    .where(
        upload.c.project_id == bindparam("project_id"),
        upload.c.sha256 == bindparam("sha256"),
        upload.c.size_bytes == bindparam("size_bytes"),
        upload.c.completed_at.is_not(None),
    )
    .limit(1)
)


def is_waiting(connection: Connection, project_id: int, sha256: str, size_bytes: int) -> bool:
    """Has a file of just this content come to the project, for an instance that has not come yet?"""
    same = {"project_id": project_id, "sha256": sha256, "size_bytes": size_bytes}
    return _SAME.first(connection, same) is not None


def wait(connection: Connection, whole: Upload, at: int) -> None:
    """It is whole and durable, and its instance has not come."""
    _PUT.do(connection, whole._replace(completed_at=at)._asdict())


def extend(connection: Connection, upload_id: str, expires_at: int) -> None:
    """Somebody went on with it."""
    connection.execute(update(upload).where(upload.c.id == upload_id).values(expires_at=expires_at))


def forget(connection: Connection, upload_ids: Sequence[str]) -> None:
    """They have come to their instance, or are given up."""
    for upload_id in upload_ids:
        _FORGET.do(connection, {"id": upload_id})


def expired(connection: Connection, at: int, most: int) -> list[str]:
    """Names of uploads that nobody went on with; what is whole never expires."""
    query = select(upload.c.id).where(upload.c.expires_at < at, upload.c.completed_at.is_(None)).limit(most)
    return list(connection.execute(query).scalars())
