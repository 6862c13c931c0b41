"""One plot: its visits, the trees of a visit, what was flagged and photographed (read only)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from server.store.packed import unpack
from server.store.schema import (
    attachment,
    census,
    crew,
    device,
    flag,
    form,
    form_version,
    measurement,
    photo,
    plot,
    species,
    stratum,
    submission,
    township,
    visit,
)

Row = dict[str, Any]


def find(connection: Connection, project_id: int, plot_id: str) -> Row | None:
    """A plot by what is painted on its post, with township, stratum and crew by name."""
    query = (
        select(
            plot,
            township.c.name.label("township"),
            stratum.c.name.label("stratum"),
            crew.c.name.label("crew"),
        )
        .select_from(plot)
        .outerjoin(township, township.c.id == plot.c.township_id)
        .outerjoin(stratum, stratum.c.id == plot.c.stratum_id)
        .outerjoin(crew, crew.c.id == plot.c.crew_id)
        .where(plot.c.project_id == project_id, plot.c.plot_id == plot_id)
    )
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def visits(connection: Connection, plot_key: int) -> list[Row]:
    """Every visit of a plot, newest first, with the submission it was read from."""
    query = (
        select(visit, census.c.name.label("census"), crew.c.name.label("crew"), submission.c.instance_id,
               submission.c.instance_name, submission.c.form_id, submission.c.version, submission.c.app,
               submission.c.form_version_id, submission.c.received_at, device.c.name.label("device"))
        .join(census, census.c.id == visit.c.census_id)
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .join(submission, submission.c.id == visit.c.source_id)
        .outerjoin(device, device.c.id == submission.c.device_id)
        .where(visit.c.plot_id == plot_key)
    )  # fmt: skip
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=lambda row: (row["measured_on"] or "", row["id"]), reverse=True)


def trees(connection: Connection, visit_id: int) -> list[Row]:
    """Measurements of a visit in the crew's order."""
    query = select(measurement).where(measurement.c.visit_id == visit_id).order_by(measurement.c.ordinal)
    return [dict(row) for row in connection.execute(query).mappings()]


def flags(connection: Connection, visit_id: int) -> list[Row]:
    """Flags of a visit that still stand, most suspicious first."""
    query = select(flag).where(flag.c.visit_id == visit_id, flag.c.state != "void")
    return [
        dict(row) for row in connection.execute(query.order_by(flag.c.score.desc(), flag.c.id)).mappings()
    ]


def chain(connection: Connection, submission_id: int) -> list[Row]:
    """The submissions of a chain of edits, oldest first, by the id of its first."""
    query = select(
        submission.c.id, submission.c.instance_id, submission.c.received_at, submission.c.version, submission.c.app,
        submission.c.superseded_by_id, submission.c.quarantine, device.c.name.label("device"),
    ).outerjoin(device, device.c.id == submission.c.device_id)  # fmt: skip
    here = (submission.c.id == submission_id) | (submission.c.root_id == submission_id)
    return [dict(row) for row in connection.execute(query.where(here).order_by(submission.c.id)).mappings()]


def attachments(connection: Connection, submission_id: int) -> list[Row]:
    """What an instance names, whether it has come, and what it shows when it is a picture."""
    query = (
        select(
            attachment,
            photo.c.thumbnail_sha256,
            photo.c.width_px,
            photo.c.height_px,
            photo.c.taken_at,
            photo.c.lat,
            photo.c.lon,
            photo.c.fault,
        )
        .outerjoin(photo, photo.c.attachment_id == attachment.c.id)
        .where(attachment.c.submission_id == submission_id)
        .order_by(attachment.c.name)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def attachment_of(connection: Connection, project_id: int, attachment_id: int) -> Row | None:
    """An attachment that has come, if it belongs to the project."""
    query = (
        select(attachment, photo.c.thumbnail_sha256)
        .join(submission, submission.c.id == attachment.c.submission_id)
        .outerjoin(photo, photo.c.attachment_id == attachment.c.id)
        .where(attachment.c.id == attachment_id, submission.c.project_id == project_id)
        .where(attachment.c.sha256.is_not(None))
    )
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def definition(connection: Connection, form_version_id: int | None) -> Row | None:
    """What the form asked, as `forms.definition.Form.from_json` takes it."""
    query = select(form_version.c.definition).where(form_version.c.id == form_version_id)
    found: Row | None = connection.scalar(query)
    return found


def current_definitions(connection: Connection, project_id: int) -> list[Row]:
    """What the forms that phones have now ask, newest first."""
    query = select(form_version.c.definition).join(form, form.c.id == form_version.c.form_key)
    here = (form.c.project_id == project_id, form_version.c.is_current)
    return list(connection.scalars(query.where(*here).order_by(form_version.c.id.desc())))


def species_names(connection: Connection, project_id: int) -> dict[str, Row]:
    """The project's list of species by code: zh, en, latin."""
    rows = connection.execute(select(species).where(species.c.project_id == project_id)).mappings()
    return {row["code"]: dict(row) for row in rows}


def instance_xml(connection: Connection, project_id: int, submission_id: int) -> tuple[str, bytes] | None:
    """(instanceID, the XML exactly as it was sent), if the submission belongs to the project."""
    query = select(submission.c.instance_id, submission.c.xml).where(
        submission.c.id == submission_id, submission.c.project_id == project_id
    )
    row = connection.execute(query).first()
    return (row.instance_id, unpack(row.xml)) if row else None
