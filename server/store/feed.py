"""What changed, in order: one row for each thing, with the number of its last change.

A phone asks for what has a higher number than it has seen. So numbers must become visible in their own order: a
sequence would let a change with a lower number commit after a phone had been given a higher one. The project's row
in `feed_head` is therefore locked from the moment a number is taken until the commit; take it late in a step.
What changed is not written here, only that it did: a phone gets the state of the moment when it asks.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.store.hot import Hot
from server.store.schema import feed, feed_head, house

FORM, PLOT, TREES, TREE, REWORK, REVIEW, RULES, GONE = (
    "form", "plot", "trees", "tree", "rework", "review", "rules", "gone",
)  # fmt: skip
"""Kinds of things, and the number that names each: form, plot, a plot's list of trees (by the plot), one tree, rework,
a visit's review (by the visit), the project's limits (by the project), a plot that left somebody (by the plot)."""


class Change(NamedTuple):
    """A thing and the number of its last change."""

    number: int
    kind: str
    subject_id: int
    was_crew_id: int | None
    was_township_id: int | None


_NEXT = Hot(
    update(feed_head)
    .where(feed_head.c.project_id == bindparam("project"))
    .values(number=feed_head.c.number + 1)
    .returning(feed_head.c.number)
)
_BOUND: dict[str, Any] = {
    name: bindparam(name) for name in ("project_id", "kind", "subject_id", "number", "was_crew_id", "was_township_id")
}  # fmt: skip
_MOVED_ON: dict[str, Any] = {name: bindparam(name) for name in ("number", "was_crew_id", "was_township_id")}
_KEY: Any = [feed.c.project_id, feed.c.kind, feed.c.subject_id]
_PUT = Hot(
    sqlite=sqlite.insert(feed).values(_BOUND).on_conflict_do_update(_KEY, set_=_MOVED_ON),
    postgresql=postgresql.insert(feed).values(_BOUND).on_conflict_do_update(_KEY, set_=_MOVED_ON),
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
    number = next_number(connection, project_id)
    for subject_id in sorted(set(subject_ids)):
        _PUT.do(connection, {"project_id": project_id, "kind": kind, "subject_id": subject_id, "number": number,
                             "was_crew_id": was_crew_id, "was_township_id": was_township_id})  # fmt: skip


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


def epoch(connection: Connection) -> str:
    """Which store this is: a cursor of another one means nothing here."""
    return str(connection.execute(select(house.c.epoch)).scalar_one())


def begin_epoch(connection: Connection, word: str) -> None:
    """The store is another one from now on: it was restored, and phones may know what it has forgotten."""
    if connection.execute(update(house).values(epoch=word)).rowcount == 0:
        connection.execute(insert(house).values(id=1, epoch=word))
