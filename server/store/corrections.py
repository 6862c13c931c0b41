"""Values changed by a person or by a second tape. The measurement itself stays as it came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from server.forest.effective import Correction
from server.store import hot
from server.store.rows import AnyRow
from server.store.schema import correction, visit

SUPERVISOR, REWORK, EDIT, MERGE = "supervisor", "rework", "edit", "merge"
"""Where a correction comes from; `source_id` is then nothing, a rework, a submission, a conflict."""


MACHINE = "server"
"""Who undoes what a machine laid on and no longer does."""


class Made(NamedTuple):
    """A correction on its way into the store. `tag` None: of the visit's header (field plot.* or visit.*)."""

    project_id: int
    visit_id: int
    tag: str | None
    stem_id: str | None
    ordinal: int | None
    field: str
    old: str | None
    new: str | None
    source: str
    source_id: int | None
    made_by: str
    why: str
    made_at: int


def add(connection: Connection, made: Made) -> int:
    """Keep a correction; its number."""
    return int(
        connection.execute(
            insert(correction).values(**made._asdict()).returning(correction.c.id)
        ).scalar_one()
    )


def undo(connection: Connection, ids: Iterable[int], by: str, at: int) -> None:
    """These hold no longer; what they changed says again what it said before."""
    connection.execute(
        update(correction)
        .where(correction.c.id.in_(list(ids)), correction.c.undone_at.is_(None))
        .values(undone_at=at, undone_by=by)
    )


_HOLDING = hot.in_list(
    select(
        correction.c.visit_id, correction.c.tag, correction.c.stem_id, correction.c.ordinal, correction.c.field,
        correction.c.old, correction.c.new, correction.c.source,
    )
    .where(correction.c.undone_at.is_(None), correction.c.tag.is_not(None))
    .order_by(correction.c.id),
    correction.c.visit_id,
)  # fmt: skip


def holding(connection: Connection, visit_ids: Iterable[int]) -> dict[int, list[Correction]]:
    """Corrections of trees that hold, by visit, in the order in which they were made."""
    found: dict[int, list[Correction]] = {}
    for visit_id, tag, stem_id, ordinal, field, old, new, source in _HOLDING.of(
        connection, sorted(set(visit_ids))
    ):
        found.setdefault(visit_id, []).append(
            Correction(tag, stem_id or "1", ordinal, field, old, new, confirmed=source == REWORK)
        )
    return found


_NUMBERS = hot.in_list(
    select(visit.c.plot_id, correction.c.id)
    .join(visit, visit.c.id == correction.c.visit_id)
    .where(correction.c.undone_at.is_(None))
    .order_by(correction.c.id),
    visit.c.plot_id,
)


def numbers_of_plots(connection: Connection, plot_ids: Sequence[int]) -> dict[int, list[int]]:
    """Numbers of the corrections that hold on visits of these plots, by plot."""
    found: dict[int, list[int]] = {}
    for plot_id, number in _NUMBERS.of(connection, plot_ids):
        found.setdefault(plot_id, []).append(number)
    return found


def corrected_between(connection: Connection, project_id: int, plots: tuple[int, int]) -> list[int]:
    """Visits with a corrected tree, of the project's plots from one number to another."""
    query = (
        select(correction.c.visit_id)
        .join(visit, visit.c.id == correction.c.visit_id)
        .where(
            correction.c.project_id == project_id, visit.c.plot_id.between(*plots), correction.c.undone_at.is_(None),
            correction.c.tag.is_not(None),
        )
        .distinct()
    )  # fmt: skip
    return sorted(connection.scalars(query))


def of_visit(connection: Connection, visit_id: int) -> list[AnyRow]:
    """Every correction of a visit with who, why and when, undone ones too, the latest first."""
    query = select(correction).where(correction.c.visit_id == visit_id).order_by(correction.c.id.desc())
    return list(connection.execute(query))


def holding_rows(connection: Connection, visit_id: int) -> list[AnyRow]:
    """Corrections of a visit's trees that hold, as rows, in the order in which they were made."""
    query = select(correction).where(
        correction.c.visit_id == visit_id, correction.c.undone_at.is_(None), correction.c.tag.is_not(None)
    )
    return list(connection.execute(query.order_by(correction.c.id)))


def lay(connection: Connection, visit_id: int, source: str, wanted: Sequence[Made], at: int) -> bool:
    """Let these corrections of one machine-made source hold on a visit, and no others of it, but for those that a
    person has undone. False: they do already."""
    there = {_place(row): row.id for row in holding_rows(connection, visit_id) if row.source == source}
    refused = _refused(connection, visit_id, source) if wanted else set()
    fresh = {_place(made): made for made in wanted if _place(made)[:-1] not in refused}
    undo(connection, [there[place] for place in there.keys() - fresh.keys()], MACHINE, at)
    for place, made in fresh.items():
        if place not in there:
            add(connection, made)
    return there.keys() != fresh.keys()


def _refused(connection: Connection, visit_id: int, source: str) -> set[tuple[Any, ...]]:
    query = select(correction).where(
        correction.c.visit_id == visit_id, correction.c.source == source, correction.c.undone_at.is_not(None),
        correction.c.undone_by != MACHINE,
    )  # fmt: skip
    return {_place(row)[:-1] for row in connection.execute(query)}


def _place(row: Made | AnyRow) -> tuple[Any, ...]:
    return row.tag, row.stem_id, row.ordinal, row.field, row.old, row.new, row.source_id


def laid(row: AnyRow) -> Correction:
    """A row as it is laid over a measurement."""
    return Correction(
        row.tag, row.stem_id or "1", row.ordinal, row.field, row.old, row.new, confirmed=row.source == REWORK
    )


def find(connection: Connection, project_id: int, correction_id: int) -> AnyRow | None:
    """A correction of the project."""
    here = (correction.c.id == correction_id, correction.c.project_id == project_id)
    return connection.execute(select(correction).where(*here)).first()
