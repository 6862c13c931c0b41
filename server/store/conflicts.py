"""Two accounts of one thing that a machine must not choose between: raised, seen again, settled by a person.

A conflict is raised once for its kind and subject and lists its cells. Raised again with the same cells it stays as
it is, choices included; a cell that says something else than before is open again. One without a cell that clashes
is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from server.forest.effective import CORRECTED
from server.store.rows import AnyRow
from server.store.schema import conflict
from sync.merge import TREE, Key

TWO_VISITS, EDIT_CORRECTION, TWO_EDITS = "two-visits", "edit-correction", "two-edits"
"""Kinds: two crews at one plot; a crew's edit against a person's correction; two edits of one original."""
OPEN, SETTLED, GONE = "open", "settled", "gone"
STATES = (OPEN, SETTLED, GONE)
MINE, THEIRS, OTHER = "mine", "theirs", "other"
CHOICES = (MINE, THEIRS, OTHER)
Cell = Mapping[str, Any]
"""One cell that clashes: the fields of `sync.merge.Clash`, `mine_from` and `theirs_from` (numbers of the submissions
that say so, None: a person), and once settled `chosen` and `value`."""
_IDENTITY = ("tag", "stem_id", "twin", "field", "mine", "theirs")


class Raised(NamedTuple):
    """A conflict on its way into the store. `visit_id` stands meanwhile."""

    project_id: int
    plot_id: int | None
    visit_id: int | None
    kind: str
    subject: str
    cells: Sequence[Cell]


def put(connection: Connection, raised: Raised, at: int) -> bool:
    """Raise it, or see it again. True where the store says something else now. Without cells: it is gone."""
    known = find_subject(connection, raised.project_id, raised.kind, raised.subject)
    if known is None:
        if raised.cells:
            _add(connection, raised, at)
        return bool(raised.cells)
    return _see_again(connection, known, raised, at)


def _add(connection: Connection, raised: Raised, at: int) -> None:
    values = {**raised._asdict(), "raised_at": at, "fields": [dict(cell) for cell in raised.cells]}
    del values["cells"]
    connection.execute(insert(conflict).values(**values))


def _see_again(connection: Connection, known: AnyRow, raised: Raised, at: int) -> bool:
    cells = _with_choices(known.fields, raised.cells)
    state = state_of(cells)
    values: dict[str, Any] = {
        "plot_id": raised.plot_id, "visit_id": raised.visit_id, "fields": cells, "state": state,
    }  # fmt: skip
    if state == GONE and known.state != OPEN:
        return False  # what a person decided stays readable
    if all(getattr(known, name) == value for name, value in values.items()):
        return False
    if state == OPEN and known.state != OPEN:
        values |= {"raised_at": at, "settled_at": None, "settled_by": None, "why": None}
    if state == GONE:
        values |= {"fields": known.fields, "settled_at": at}
    connection.execute(update(conflict).where(conflict.c.id == known.id).values(**values))
    return True


def _with_choices(known: Iterable[Cell], cells: Iterable[Cell]) -> list[dict[str, Any]]:
    chosen = {identity(cell): _choice(cell) for cell in known if cell.get("chosen")}
    return [{**cell, **chosen.get(identity(cell), {})} for cell in cells]


def _choice(cell: Cell) -> dict[str, Any]:
    return {name: cell[name] for name in ("chosen", "value") if name in cell}


def identity(cell: Cell) -> tuple[Any, ...]:
    """What makes a cell the same clash as before: its place and what the two say."""
    return tuple(cell[name] for name in _IDENTITY)


def key_of(cell: Cell) -> Key:
    """The tree that a cell is of."""
    return Key(cell["tag"], cell["stem_id"], cell["twin"])


def is_settled_here(cell: Cell) -> bool:
    """Can another value than what stands be put into this cell by a correction?"""
    return cell["field"] in CORRECTED or cell["field"] == TREE


def mark_of(cells: Sequence[Cell]) -> str:
    """What a person looked at, in short: another mark, other cells or other choices."""
    text = json.dumps([[*identity(cell), cell.get("chosen")] for cell in cells], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def state_of(cells: Sequence[Cell]) -> str:
    """The state of a conflict with these cells."""
    if not cells:
        return GONE
    return SETTLED if all(cell.get("chosen") for cell in cells) else OPEN


def find_subject(connection: Connection, project_id: int, kind: str, subject: str) -> AnyRow | None:
    """The conflict about this, whatever became of it; locked until the transaction ends."""
    query = select(conflict).where(
        conflict.c.project_id == project_id, conflict.c.kind == kind, conflict.c.subject == subject
    )
    return connection.execute(query.with_for_update()).first()


def find(connection: Connection, project_id: int, conflict_id: int, *, lock: bool = False) -> AnyRow | None:
    """One conflict of the project; with `lock` nobody else changes it until the transaction ends."""
    query = select(conflict).where(conflict.c.id == conflict_id, conflict.c.project_id == project_id)
    return connection.execute(query.with_for_update() if lock else query).first()


def decide(
    connection: Connection, conflict_id: int, cells: Sequence[Cell], by: str | None, why: str | None, at: int
) -> None:
    """A person has chosen for some of its cells, or takes it back (`by` None)."""
    state = state_of(cells)
    done = state == SETTLED
    connection.execute(
        update(conflict)
        .where(conflict.c.id == conflict_id)
        .values(fields=[dict(cell) for cell in cells], state=state, settled_at=at if done else None,
                settled_by=by if done else None, why=why)
    )  # fmt: skip


def open_count(connection: Connection, project_id: int) -> int:
    """How many conflicts of a project wait for a person."""
    query = select(func.count()).select_from(conflict)
    return connection.scalar(query.where(conflict.c.project_id == project_id, conflict.c.state == OPEN)) or 0


def open_at(connection: Connection, plot_id: int, kind: str | None = None) -> list[AnyRow]:
    """Conflicts at a plot that wait for a person, the oldest first; of one kind where it is given."""
    query = select(conflict).where(conflict.c.plot_id == plot_id, conflict.c.state == OPEN)
    if kind is not None:
        query = query.where(conflict.c.kind == kind)
    return list(connection.execute(query.order_by(conflict.c.id)))
