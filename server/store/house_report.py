"""What keeps the house in order: quarantine, dead letters, forms (read only)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, literal, null, or_, select

from server.store.schema import attachment, device, form, form_media, form_version, job, submission, visit

MOST_ROWS = 200
"""Rows of a list that should be short; the page says when there are more."""

Row = dict[str, Any]

_HELD = and_(submission.c.quarantine.is_not(None), submission.c.settled_at.is_(None))


def held_back(connection: Connection, project_id: int) -> list[Row]:
    """Submissions in quarantine that nobody has settled, newest first, each with its `twin_id`: the one that counts
    under the same id, or for an edit the one it wants to replace; None where there is none."""
    twin = submission.alias("twin")
    meant = case(
        (submission.c.quarantine == "other-content", submission.c.instance_id),
        else_=submission.c.deprecated_id,
    )
    query = (
        select(
            submission.c.id, submission.c.instance_id, submission.c.instance_name, submission.c.form_id,
            submission.c.version, submission.c.received_at, submission.c.quarantine, submission.c.app,
            submission.c.phone_id, device.c.name.label("device"), twin.c.id.label("twin_id"),
            twin.c.received_at.label("twin_received_at"), twin.c.instance_name.label("twin_name"),
        )
        .select_from(submission)
        .outerjoin(device, device.c.id == submission.c.device_id)
        .outerjoin(twin, and_(twin.c.project_id == submission.c.project_id, twin.c.form_id == submission.c.form_id,
                              twin.c.instance_id == meant, twin.c.variant == "", twin.c.id != submission.c.id))
        .where(submission.c.project_id == project_id, _HELD)
        .order_by(submission.c.id.desc())
        .limit(MOST_ROWS)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(query).mappings()]


def held_back_count(connection: Connection, project_id: int) -> int:
    """How many submissions of a project wait in quarantine."""
    query = select(func.count()).select_from(submission).where(submission.c.project_id == project_id, _HELD)
    return connection.scalar(query) or 0


def is_held_back(connection: Connection, project_id: int, submission_id: int) -> bool:
    """Is this a submission of the project that waits in quarantine?"""
    here = and_(submission.c.id == submission_id, submission.c.project_id == project_id, _HELD)
    return connection.scalar(select(submission.c.id).where(here)) is not None


_OF_PROJECT = job.c.kind.in_(("publish_rework", "refit", "recheck"))
_PROJECT = case((_OF_PROJECT, job.c.subject_id), else_=submission.c.project_id)
"""The project that a job is about."""


def _jobs() -> Select[Any]:
    """Jobs with the project and the subject that they are about: a submission, a visit's, an attachment's, a plot's."""
    about_visit, about_file = visit.alias("about_visit"), attachment.alias("about_file")
    at_plot = select(func.max(visit.c.source_id)).where(visit.c.plot_id == job.c.subject_id).scalar_subquery()
    of_visit = job.c.kind.in_(("check", "return_rework"))
    owner = case((of_visit, about_visit.c.source_id), (job.c.kind == "inspect_photo", about_file.c.submission_id),
                 (job.c.kind == "merge", at_plot), (_OF_PROJECT, null()),
                 else_=job.c.subject_id)  # fmt: skip
    return (
        select(job, _PROJECT.label("project_id"), submission.c.instance_id, submission.c.instance_name,
               about_file.c.name.label("file"))
        .select_from(job)
        .outerjoin(about_visit, and_(of_visit, about_visit.c.id == job.c.subject_id))
        .outerjoin(about_file, and_(job.c.kind == "inspect_photo", about_file.c.id == job.c.subject_id))
        .outerjoin(submission, submission.c.id == owner)
    )  # fmt: skip


def _of(project_ids: Collection[int] | None) -> Any:
    return literal(True) if project_ids is None else _PROJECT.in_(project_ids)


def dead_letters(connection: Connection, project_ids: Collection[int] | None) -> list[Row]:
    """Jobs that were tried often enough, newest first, of some projects (None: of all)."""
    query = (
        _jobs().where(job.c.dead_at.is_not(None), _of(project_ids)).order_by(job.c.dead_at.desc(), job.c.id)
    )
    return [dict(row) for row in connection.execute(query.limit(MOST_ROWS)).mappings()]


def dead_letter(connection: Connection, project_ids: Collection[int] | None, job_id: int) -> Row | None:
    """One of them, if it is there."""
    query = _jobs().where(job.c.id == job_id, job.c.dead_at.is_not(None), _of(project_ids))
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def oldest_due(connection: Connection) -> int | None:
    """Since when the longest-waiting job has been due, ms since 1970; None: nothing waits."""
    due: int | None = connection.scalar(select(func.min(job.c.due_at)).where(job.c.dead_at.is_(None)))
    return due


def forms(connection: Connection, project_id: int) -> list[Row]:
    """Forms of a project, each with `versions`, newest first; a version has its number of submissions."""
    rows = connection.execute(
        select(form).where(form.c.project_id == project_id).order_by(form.c.form_id)
    ).mappings()
    found = {row["id"]: {**row, "versions": []} for row in rows}
    for version in _versions(connection, project_id):
        found[version["form_key"]]["versions"].append(version)
    return list(found.values())


def _versions(connection: Connection, project_id: int) -> list[Row]:
    sent = select(submission.c.form_version_id, func.count().label("sent")).where(
        or_(submission.c.variant == "", submission.c.variant.startswith("draft-")),
        submission.c.project_id == project_id,
    ).group_by(submission.c.form_version_id).subquery()  # fmt: skip
    files = select(form_media.c.form_version_id, func.count().label("files")).group_by(
        form_media.c.form_version_id).subquery()  # fmt: skip
    query = (
        select(form_version.c.id, form_version.c.form_key, form.c.form_id, form_version.c.version, form_version.c.title,
               form_version.c.definition, form_version.c.draft_token, form_version.c.published_at,
               form_version.c.is_current, form_version.c.xml_md5, func.coalesce(sent.c.sent, 0).label("sent"),
               func.coalesce(files.c.files, 0).label("files"))
        .join(form, form.c.id == form_version.c.form_key)
        .outerjoin(sent, sent.c.form_version_id == form_version.c.id)
        .outerjoin(files, files.c.form_version_id == form_version.c.id)
        .where(form.c.project_id == project_id)
        .order_by(form_version.c.id.desc())
    )  # fmt: skip
    return [dict(row) for row in connection.execute(query).mappings()]


def form_version_xml(connection: Connection, project_id: int, version_id: int) -> Row | None:
    """form_id, version and the XForm's bytes, if the version belongs to the project."""
    query = (
        select(form.c.form_id, form_version.c.version, form_version.c.xml)
        .join(form, form.c.id == form_version.c.form_key)
        .where(form_version.c.id == version_id, form.c.project_id == project_id)
    )
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None
