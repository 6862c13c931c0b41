"""What changed, in order: one row for each thing, with the number of its last change.

A phone asks for what has a higher number than it has seen. So numbers must become visible in their own order: a
sequence would let a change with a lower number commit after a phone had been given a higher one. The project's row
in `feed_head` is therefore locked from the moment a number is taken until the commit; take it late in a step.
What changed is not written here, only that it did: a phone gets the state of the moment when it asks.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import Connection, TextClause, bindparam, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from server.store.hot import Hot
from server.store.schema import feed_head, house, visit

FORM, PLOT, TREES, TREE, REWORK, REVIEW, RULES, GONE = (
    "form", "plot", "trees", "tree", "rework", "review", "rules", "gone",
)  # fmt: skip
"""Kinds of things, and the number that names each: form, plot, a plot's list of trees (by the plot), one tree, rework,
a visit's review (by the visit), the project's limits (by the project), a plot that left somebody (by the plot)."""


_NEXT = Hot(
    update(feed_head)
    .where(feed_head.c.project_id == bindparam("project"))
    .values(number=feed_head.c.number + 1)
    .returning(feed_head.c.number)
)


def _put(subject: str, subjects: str) -> TextClause:
    return text(f"""
        INSERT INTO feed (project_id, kind, subject_id, number, was_crew_id, was_township_id)
        SELECT CAST(:project_id AS BIGINT), CAST(:kind AS VARCHAR), {subject}, CAST(:number AS BIGINT),
               CAST(:was_crew_id AS BIGINT), CAST(:was_township_id AS BIGINT)
        FROM {subjects}
        ON CONFLICT (project_id, kind, subject_id) DO UPDATE SET
            number = excluded.number, was_crew_id = excluded.was_crew_id, was_township_id = excluded.was_township_id
    """)


_PUT = Hot(
    # WHERE true: without it SQLite takes ON for the condition of a join
    sqlite=_put("value", "json_each(:subjects) WHERE true"),
    postgresql=_put("subject_id", "unnest(CAST(:subjects AS BIGINT[])) AS given(subject_id)"),
)


def changed(
    connection: Connection,
    project_id: int,
    kind: str,
    subject_ids: Collection[int],
    *,
    was_crew_id: int | None = None,
    was_township_id: int | None = None,
) -> None:
    """These things changed, together. Call it last in a step: others of the project wait from here to the commit."""
    if not subject_ids:
        return
    wanted = sorted(set(subject_ids))
    is_sqlite = connection.dialect.name == "sqlite"
    _PUT.do(connection, {
        "project_id": project_id, "kind": kind, "number": next_number(connection, project_id),
        "subjects": json.dumps(wanted) if is_sqlite else wanted, "was_crew_id": was_crew_id,
        "was_township_id": was_township_id,
    })  # fmt: skip


def lists_changed(connection: Connection, project_id: int) -> None:
    """What is said of every tree changed: bounds of diameters are of other rules, or of another campaign."""
    measured = select(visit.c.plot_id).where(visit.c.project_id == project_id).distinct()
    changed(connection, project_id, TREES, list(connection.scalars(measured)))


def next_number(connection: Connection, project_id: int) -> int:
    """A number that nothing had before; the project's other changes wait from here to the commit."""
    row = _NEXT.first(connection, {"project": project_id})
    if row is None:  # the project's first change; of two at the same moment one waits for the other here
        ours = {"project_id": project_id, "number": 0}
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(feed_head).values(ours).on_conflict_do_nothing())
        row = _NEXT.first(connection, {"project": project_id})
        assert row is not None
    return int(row[0])


def head(connection: Connection, project_id: int) -> int:
    """The number of the project's last change; 0 where there was none."""
    return (
        connection.execute(select(feed_head.c.number).where(feed_head.c.project_id == project_id)).scalar()
        or 0
    )


def begin_epoch(connection: Connection, word: str) -> None:
    """The store is another one from now on: it was restored, and phones may know what it has forgotten."""
    if connection.execute(update(house).values(epoch=word)).rowcount == 0:
        connection.execute(insert(house).values(id=1, epoch=word))
