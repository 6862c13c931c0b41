"""Files that instances name, whether they have come or not, and files that came unnamed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from server.store import bulk
from server.store.hot import Hot
from server.store.rows import AnyRow
from server.store.schema import attachment, submission


class File(NamedTuple):
    """A file that has come and whose bytes are durable."""

    name: str
    sha256: str
    size_bytes: int
    content_type: str


class Place(NamedTuple):
    """A file that has come, or the place kept for it (`sha256` None: on its way)."""

    id: int
    name: str
    sha256: str | None
    is_expected: bool


_OF = Hot(
    select(attachment.c.id, attachment.c.name, attachment.c.sha256, attachment.c.is_expected).where(
        attachment.c.submission_id == bindparam("submission_id")
    )
)


def of(connection: Connection, submission_id: int) -> list[Place]:
    """All files of a submission."""
    return [Place._make(row) for row in _OF.all(connection, {"submission_id": submission_id})]


def expect(connection: Connection, submission_id: int, names: Iterable[str]) -> None:
    """A new instance names these files."""
    rows = [
        {"submission_id": submission_id, "name": name, "is_expected": True} for name in dict.fromkeys(names)
    ]
    if rows:
        connection.execute(insert(attachment), rows)


def expect_late(connection: Connection, submission_id: int, names: Iterable[str]) -> None:
    """It turns out that an instance names these files, some of which may have come already."""
    named = set(names)
    here = {row.name: row.id for row in of(connection, submission_id) if row.name in named}
    for some in bulk.chunks(here.values()):
        connection.execute(update(attachment).where(attachment.c.id.in_(some)).values(is_expected=True))
    expect(connection, submission_id, sorted(named - set(here)))


def carry_forward(connection: Connection, from_id: int, to_id: int) -> None:
    """An edit need not send again what its original brought: fill its empty places by name."""
    old = {row.name: row for row in connection.execute(
        select(attachment).where(attachment.c.submission_id == from_id, attachment.c.sha256.is_not(None))
    )}  # fmt: skip
    for row in of(connection, to_id):
        if row.sha256 is None and row.name in old:
            was = old[row.name]
            connection.execute(
                update(attachment)
                .where(attachment.c.id == row.id)
                .values(
                    sha256=was.sha256,
                    size_bytes=was.size_bytes,
                    content_type=was.content_type,
                    received_at=was.received_at,
                )
            )


def keep(connection: Connection, submission_id: int, files: Sequence[File], at: int) -> list[int]:
    """Note files that came and return the numbers of those that are new.

    The same bytes again change nothing. Other bytes under a name that is taken are kept beside it, under the
    name with the start of their hash: nothing that came is overwritten.
    """
    known = {row.name: row for row in of(connection, submission_id)}
    fresh: list[int] = []
    for file in files:
        row = known.get(file.name)
        if row is not None and row.sha256 is not None and row.sha256 != file.sha256:
            file = file._replace(name=f"{file.name} ({file.sha256[:12]})")
            row = known.get(file.name)
        if row is not None and row.sha256 is not None:
            continue
        values = {
            "sha256": file.sha256,
            "size_bytes": file.size_bytes,
            "content_type": file.content_type,
            "received_at": at,
        }
        if row is not None:
            connection.execute(update(attachment).where(attachment.c.id == row.id).values(**values))
            number = row.id
        else:
            result = connection.execute(
                insert(attachment)
                .values(submission_id=submission_id, name=file.name, is_expected=False, **values)
                .returning(attachment.c.id)
            )
            number = result.scalar_one()
        fresh.append(number)
        known[file.name] = Place(number, file.name, file.sha256, is_expected=False)
    return fresh


def find(connection: Connection, attachment_id: int) -> AnyRow | None:
    """One file and the project it belongs to."""
    query = (
        select(attachment, submission.c.project_id, submission.c.device_id)
        .join(submission, submission.c.id == attachment.c.submission_id)
        .where(attachment.c.id == attachment_id)
    )
    return connection.execute(query).first()


def to_inspect(connection: Connection, ids: Sequence[int]) -> Sequence[AnyRow]:
    """Files whose content is to be looked at."""
    return connection.execute(
        select(attachment.c.id, attachment.c.sha256, attachment.c.content_type, attachment.c.name).where(
            attachment.c.id.in_(ids), attachment.c.sha256.is_not(None)
        )
    ).all()
