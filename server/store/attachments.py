"""Files that instances name, whether they have come or not, and files that came unnamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from server.store import bulk, photos, submissions
from server.store.hot import Hot, in_list
from server.store.rows import AnyRow
from server.store.schema import attachment, submission

AUDIT_LOG = photos.AUDIT_LOG
"""Written by Collect itself: a crew that reads "photos 3/4" would look for a photo that nobody took."""


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


class Bringing(NamedTuple):
    """What an instance names, and what has come for it."""

    submission_id: int
    expected: Sequence[str]
    files: Sequence[File]


class Taken(NamedTuple):
    """All files of a submission, and the numbers of those that are new."""

    places: list[Place]
    fresh: list[int]


_OF = in_list(
    select(
        attachment.c.submission_id, attachment.c.id, attachment.c.name, attachment.c.sha256, attachment.c.is_expected
    ).order_by(attachment.c.id),
    attachment.c.submission_id,
)  # fmt: skip


def of(connection: Connection, submission_id: int) -> list[Place]:
    """All files of a submission."""
    return of_many(connection, [submission_id])[submission_id]


def of_many(connection: Connection, submission_ids: Sequence[int]) -> dict[int, list[Place]]:
    """All files of each submission."""
    found: dict[int, list[Place]] = {submission_id: [] for submission_id in submission_ids}
    for submission_id, number, name, sha256, is_expected in _OF.of(connection, submission_ids):
        found[submission_id].append(Place(number, name, sha256, bool(is_expected)))
    return found


def beside(name: str, sha256: str) -> str:
    """The name under which other bytes are kept when theirs is taken: nothing that came is overwritten."""
    return f"{name} ({sha256[:12]})"


_COLUMNS = ("submission_id", "name", "is_expected", "sha256", "size_bytes", "content_type", "received_at")
_FILL = Hot(
    update(attachment)
    .where(attachment.c.id == bindparam("place"))
    .values({name: bindparam(name) for name in ("sha256", "size_bytes", "content_type", "received_at")})
)
_EXPECT = Hot(update(attachment).where(attachment.c.id == bindparam("place")).values(is_expected=True))


def take(connection: Connection, brought: Sequence[Bringing], at: int) -> dict[int, Taken]:
    """Note which files instances name and which have come; by submission, whose id the caller has taken.

    The same again changes nothing. Other bytes under a name that is taken are kept `beside` it.
    """
    together = _together(brought)
    before = of_many(connection, list(together))
    arrived = {
        i: _named({place.name: place.sha256 for place in before[i]}, one.files) for i, one in together.items()
    }
    new = [row for i, one in together.items() for row in _new(connection, one, before[i], arrived[i], at)]
    bulk.insert_rows(connection, attachment, _COLUMNS, new)
    after = of_many(connection, list(together)) if new or any(arrived.values()) else before
    return {
        i: Taken(places, [place.id for place in places if place.name in arrived[i]])
        for i, places in after.items()
    }


def _together(brought: Sequence[Bringing]) -> dict[int, Bringing]:
    found: dict[int, Bringing] = {}
    for one in brought:
        was = found.get(one.submission_id, Bringing(one.submission_id, [], []))
        found[one.submission_id] = Bringing(
            one.submission_id, [*was.expected, *one.expected], [*was.files, *one.files]
        )
    return found


def _new(connection: Connection, one: Bringing, here: Sequence[Place], arrived: Mapping[str, File],
         at: int) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    """Rows for files that have no place yet; the others are put where theirs is."""
    known = {place.name: place for place in here}
    expected = set(one.expected)
    for name in dict.fromkeys([*one.expected, *arrived]):
        file, place = arrived.get(name), known.get(name)
        came = (file.sha256, file.size_bytes, file.content_type, at) if file else (None,) * 4
        if place is None:
            yield (one.submission_id, name, name in expected, *came)
            continue
        if file:
            _FILL.do(connection, dict(zip(_COLUMNS[3:], came, strict=True)) | {"place": place.id})
        if name in expected and not place.is_expected:
            _EXPECT.do(connection, {"place": place.id})


def _named(taken: dict[str, str | None], files: Sequence[File]) -> dict[str, File]:
    """Those files that are new, under the names that they get."""
    new: dict[str, File] = {}
    for file in files:
        name = file.name if taken.get(file.name) in {None, file.sha256} else beside(file.name, file.sha256)
        if taken.get(name) is None:
            taken[name], new[name] = file.sha256, file
    return new


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
                .where(attachment.c.id == row.id, attachment.c.sha256.is_(None))
                .values(
                    sha256=was.sha256,
                    size_bytes=was.size_bytes,
                    content_type=was.content_type,
                    received_at=was.received_at,
                )
            )
            photos.take_over(connection, was.id, row.id)


def pass_on(connection: Connection, submission_id: int) -> None:
    """Files that come late for a record that has been edited since serve its edits as well."""
    while (later := submissions.superseded_by(connection, submission_id)) is not None:
        carry_forward(connection, submission_id, later)
        submission_id = later


_KNOWN = in_list(
    select(attachment.c.sha256, attachment.c.size_bytes, attachment.c.content_type)
    .join(submission, submission.c.id == attachment.c.submission_id)
    .where(submission.c.project_id == bindparam("project_id")),
    attachment.c.sha256,
)


def known(connection: Connection, project_id: int, sha256s: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Size in bytes and content type of those files that have come to the project before, by their content."""
    found = _KNOWN.of(connection, sha256s, project_id=project_id)
    return {sha256: (size_bytes, content_type or "") for sha256, size_bytes, content_type in found}


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
        select(attachment.c.id, attachment.c.submission_id, attachment.c.sha256, attachment.c.content_type,
               attachment.c.name, submission.c.project_id)
        .join(submission, submission.c.id == attachment.c.submission_id)
        .where(attachment.c.id.in_(ids), attachment.c.sha256.is_not(None))
    ).all()  # fmt: skip
