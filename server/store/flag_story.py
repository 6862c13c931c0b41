"""All that is known around one flag: where it stands, its tree's photos, what was decided about the tree before
(read only)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from server.store.rows import AnyRow
from server.store.schema import (
    attachment,
    census,
    correction,
    crew,
    flag,
    measurement,
    photo,
    plot,
    review,
    visit,
)

Row = dict[str, Any]
Place = tuple[int, int]
"""A measurement: its visit's number and its ordinal."""


def find(connection: Connection, project_id: int, flag_id: int) -> Row | None:
    """A flag of the project, with plot (as painted on the post), census and crew by name."""
    query = (
        select(flag, plot.c.plot_id.label("plot"), census.c.name.label("census"), crew.c.name.label("crew"),
               visit.c.measured_on)
        .join(visit, visit.c.id == flag.c.visit_id)
        .join(plot, plot.c.id == flag.c.plot_id)
        .join(census, census.c.id == visit.c.census_id)
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .where(flag.c.id == flag_id, flag.c.project_id == project_id)
    )  # fmt: skip
    row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def photos(connection: Connection, places: Sequence[Place]) -> dict[Place, AnyRow]:
    """The photo of the tape of each measurement that names one and whose photo has come: id, name, thumbnail."""
    if not places:
        return {}
    at = or_(*(and_(measurement.c.visit_id == v, measurement.c.ordinal == o) for v, o in places))
    named = measurement.c.other["photo"].as_string()
    query = (
        select(measurement.c.visit_id, measurement.c.ordinal, attachment.c.id, attachment.c.name,
               photo.c.thumbnail_sha256)
        .join(visit, visit.c.id == measurement.c.visit_id)
        .join(attachment, and_(attachment.c.submission_id == visit.c.source_id, attachment.c.name == named))
        .outerjoin(photo, photo.c.attachment_id == attachment.c.id)
        .where(at, attachment.c.sha256.is_not(None))
    )  # fmt: skip
    return {(row.visit_id, row.ordinal): row for row in connection.execute(query)}


def decisions(connection: Connection, about: Row) -> list[Row]:
    """What people decided about flags of the same tree, in every census, the latest first; for a flag about a whole
    visit: about flags of the same rule in the plot. With the flag's rule, field, value and census."""
    same = (
        and_(flag.c.tag == about["tag"], flag.c.stem_id == about["stem_id"])
        if about["tag"]
        else and_(flag.c.rule == about["rule"], or_(flag.c.tag == "", flag.c.tag.is_(None)))
    )
    query = (
        select(review.c.decision, review.c.why, review.c.decided_by, review.c.decided_at, flag.c.rule, flag.c.field,
               flag.c.value, flag.c.id.label("flag_id"), census.c.name.label("census"))
        .join(flag, flag.c.id == review.c.flag_id)
        .join(visit, visit.c.id == flag.c.visit_id)
        .join(census, census.c.id == visit.c.census_id)
        .where(visit.c.plot_id == about["plot_id"], same)
        .order_by(review.c.decided_at.desc(), review.c.id.desc())
    )  # fmt: skip
    return [dict(row) for row in connection.execute(query).mappings()]


def corrections(connection: Connection, about: Row) -> list[Row]:
    """Corrections of the same tree in every census of the plot, the latest first, undone ones too."""
    if not about["tag"]:
        return []
    query = (
        select(correction, census.c.name.label("census"))
        .join(visit, visit.c.id == correction.c.visit_id)
        .join(census, census.c.id == visit.c.census_id)
        .where(visit.c.plot_id == about["plot_id"], correction.c.tag == about["tag"])
        .where(or_(correction.c.stem_id == about["stem_id"], correction.c.stem_id.is_(None)))
        .order_by(correction.c.id.desc())
    )
    return [dict(row) for row in connection.execute(query).mappings()]
