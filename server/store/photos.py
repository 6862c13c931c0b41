"""What attachments turned out to show, and which of them show the same.

Photos that look alike are found by an index: of two likenesses that differ in six bits at most, two bytes of eight are
equal at the least. What is alike is noted when a photo is looked at, so that the rules need only read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, or_, select

from server.forest.likeness import BANDS_ALIKE, BITS_ALIKE, bands, bits_apart
from server.store import bulk, jobs
from server.store.hot import Hot, in_list
from server.store.schema import (
    attachment,
    census,
    job,
    photo,
    photo_band,
    photo_twin,
    plot,
    submission,
    visit,
)

AUDIT_LOG = "audit.csv"
"""Written by Collect beside the photos; no photo."""
SAME_BYTES = -1
"""In place of a number of bits: the very same file."""


Values = Mapping[str, Any]
"""Columns of `photo`."""


def put(connection: Connection, project_id: int, values: Values) -> None:
    """Note what one photo shows, in place of what was noted before; copies of it that edits have taken over show the
    same."""
    number = values["attachment_id"]
    for copy in [number, *_taken_over(connection, number)]:
        _put_one(connection, project_id, {**values, "attachment_id": copy})


def _put_one(connection: Connection, project_id: int, values: Values) -> None:
    number = values["attachment_id"]
    for table in (photo, photo_band):
        connection.execute(delete(table).where(table.c.attachment_id == number))
    connection.execute(
        delete(photo_twin).where(or_(photo_twin.c.attachment_id == number, photo_twin.c.other_id == number))
    )
    connection.execute(insert(photo).values(**values))
    alike = _alike(connection, project_id, number, values["likeness"])
    bulk.insert_rows(
        connection, photo_band, ("project_id", "band", "attachment_id"),
        [(project_id, band, number) for band in bands(values["likeness"])],
    )  # fmt: skip
    pairs = [pair for other, bits in alike.items() for pair in ((number, other, bits), (other, number, bits))]
    bulk.insert_rows(connection, photo_twin, ("attachment_id", "other_id", "bits_apart"), pairs)


def _taken_over(connection: Connection, attachment_id: int) -> list[int]:
    """The same file in other records of its chain of edits."""
    mine, its, other, others = attachment.alias(), submission.alias(), attachment.alias(), submission.alias()
    root = func.coalesce(its.c.root_id, its.c.id)
    return list(connection.scalars(
        select(other.c.id)
        .select_from(mine)
        .join(its, its.c.id == mine.c.submission_id)
        .join(other, other.c.sha256 == mine.c.sha256)
        .join(others, others.c.id == other.c.submission_id)
        .where(mine.c.id == attachment_id, other.c.id != attachment_id, others.c.project_id == its.c.project_id,
               other.c.name == mine.c.name, func.coalesce(others.c.root_id, others.c.id) == root)
    ))  # fmt: skip


_BY_BANDS = in_list(
    select(photo_band.c.attachment_id, func.max(photo.c.likeness))
    .join(photo, photo.c.attachment_id == photo_band.c.attachment_id)
    .where(photo_band.c.project_id == bindparam("project_id"))
    .group_by(photo_band.c.attachment_id)
    .having(func.count() >= BANDS_ALIKE),
    photo_band.c.band,
)
_BY_BYTES = Hot(
    select(attachment.c.id)
    .join(submission, submission.c.id == attachment.c.submission_id)
    .join(photo, photo.c.attachment_id == attachment.c.id)
    .where(
        attachment.c.sha256
        == select(attachment.c.sha256).where(attachment.c.id == bindparam("number")).scalar_subquery(),
        attachment.c.id != bindparam("number"),
        submission.c.project_id == bindparam("project_id"),
    )
)


def _alike(connection: Connection, project_id: int, number: int, likeness: str | None) -> dict[int, int]:
    """Other photos of the project that show the same, and by how many bits they differ."""
    near = _BY_BANDS.of(connection, bands(likeness), project_id=project_id)
    apart = {other: bits_apart(likeness, theirs) for other, theirs in near if likeness and theirs}
    same = _BY_BYTES.all(connection, {"number": number, "project_id": project_id})
    return {other: bits for other, bits in apart.items() if bits <= BITS_ALIKE} | {
        other: SAME_BYTES for (other,) in same
    }


def take_over(connection: Connection, from_id: int, to_id: int) -> None:
    """A file that an edit has from its original shows what it showed there, if that has been looked at."""
    row = connection.execute(
        select(photo, submission.c.project_id)
        .join(attachment, attachment.c.id == photo.c.attachment_id)
        .join(submission, submission.c.id == attachment.c.submission_id)
        .where(photo.c.attachment_id == from_id)
    ).first()
    if row is not None:
        values = {name: row._mapping[name] for name in photo.c.keys() if name != "id"}  # noqa: SIM118
        _put_one(connection, row.project_id, {**values, "attachment_id": to_id})


def waits_for_no_more(
    connection: Connection, submission_ids: Iterable[int], in_hand: Sequence[int]
) -> list[int]:
    """Of these submissions those whose last photos are in hand; locked, so that of two who look at once one waits."""
    ids = sorted(set(submission_ids))
    connection.execute(
        select(submission.c.id).where(submission.c.id.in_(ids)).order_by(submission.c.id).with_for_update()
    )
    waiting = (
        exists()
        .where(
            attachment.c.submission_id == submission.c.id,
            job.c.kind == jobs.INSPECT_PHOTO,
            job.c.subject_id == attachment.c.id,
            job.c.dead_at.is_(None),
            attachment.c.id.not_in(in_hand),
        )
        .correlate(submission)
    )
    return list(connection.scalars(select(submission.c.id).where(submission.c.id.in_(ids), ~waiting)))


_ROOT = func.coalesce(submission.c.root_id, submission.c.id)
"""The first of a submission's chain of edits: a visit is found by it, not by the submission it was read from."""


def visits_showing(
    connection: Connection, submission_ids: Sequence[int], attachment_ids: Sequence[int]
) -> list[int]:
    """Visits read from these submissions, and visits with a photo that shows the same as one of these."""
    of_submission = select(visit.c.id).select_from(submission).join(visit, visit.c.submission_id == _ROOT)
    mine = of_submission.where(submission.c.id.in_(submission_ids))
    twins = (
        of_submission.join(attachment, attachment.c.submission_id == submission.c.id)
        .join(photo_twin, photo_twin.c.other_id == attachment.c.id)
        .where(photo_twin.c.attachment_id.in_(attachment_ids))
    )
    return sorted({*connection.scalars(mine), *connection.scalars(twins)})


class Taken(NamedTuple):
    """A file that a visit's instance names, with what it shows (`inspected_at` None: not a picture, not come, or not
    looked at yet)."""

    visit_id: int
    attachment_id: int
    name: str
    is_expected: bool
    sha256: str | None
    inspected_at: int | None
    fault: str | None
    taken_at: str | None
    gps_at: int | None
    lat: float | None
    lon: float | None
    accuracy_m: float | None
    make: str | None
    model: str | None
    software: str | None


_OF_VISITS = in_list(
    select(
        visit.c.id, attachment.c.id, attachment.c.name, attachment.c.is_expected, attachment.c.sha256,
        photo.c.inspected_at, photo.c.fault, photo.c.taken_at, photo.c.gps_at, photo.c.lat, photo.c.lon,
        photo.c.accuracy_m, photo.c.make, photo.c.model, photo.c.software,
    )
    .join(attachment, attachment.c.submission_id == visit.c.source_id)
    .outerjoin(photo, photo.c.attachment_id == attachment.c.id)
    .where(attachment.c.name != bindparam("audit_log"))
    .order_by(attachment.c.id),
    visit.c.id,
)  # fmt: skip


def of_visits(connection: Connection, visit_ids: Sequence[int]) -> dict[int, list[Taken]]:
    """Files that visits name, whether they have come or not; visits without any are left out."""
    found: dict[int, list[Taken]] = {}
    for row in _OF_VISITS.of(connection, visit_ids, audit_log=AUDIT_LOG):
        found.setdefault(row[0], []).append(Taken._make(row))
    return found


class TwinRow(NamedTuple):
    """A photo and another that shows the same, with the visit that the other belongs to."""

    attachment_id: int
    other_id: int
    bits_apart: int
    other_name: str
    other_visit_id: int
    other_plot_id: int
    other_census_id: int
    other_plot: str
    other_census: str


_TWINS = in_list(
    select(
        photo_twin.c.attachment_id, photo_twin.c.other_id, photo_twin.c.bits_apart, attachment.c.name, visit.c.id,
        visit.c.plot_id, visit.c.census_id, plot.c.plot_id, census.c.name,
    )
    .join(attachment, attachment.c.id == photo_twin.c.other_id)
    .join(submission, submission.c.id == attachment.c.submission_id)
    .join(visit, and_(visit.c.submission_id == _ROOT, visit.c.source_id == submission.c.id))
    .join(plot, plot.c.id == visit.c.plot_id)
    .join(census, census.c.id == visit.c.census_id),
    photo_twin.c.attachment_id,
)  # fmt: skip


def twins(connection: Connection, attachment_ids: Sequence[int]) -> dict[int, list[TwinRow]]:
    """Photos of standing visits that show the same as these, by the number of the attachment."""
    found: dict[int, list[TwinRow]] = {}
    for row in _TWINS.of(connection, attachment_ids):
        found.setdefault(row[0], []).append(TwinRow._make(row))
    return found
