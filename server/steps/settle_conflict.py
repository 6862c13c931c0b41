"""A person settles a conflict, cell by cell: what stands, what the other says, or another value, for a reason.

What she decides is laid on the visit that stands as a correction of hers; both accounts stay as they came. Taking it
back opens the conflict again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from server.forest.cell import written
from server.forest.effective import CORRECTED, as_typed
from server.forest.said import as_said, keys_of
from server.forest.tree import Measurement, TallyCode
from server.problems import (
    AlreadyDecided,
    ConflictChanged,
    CrewMustEdit,
    NotFound,
    NothingChosen,
    ReasonMissing,
    ValueUnfit,
)
from server.store import conflicts, corrections, events, jobs, reviews, visits
from server.store.conflicts import MINE, OPEN, OTHER, THEIRS, TWO_EDITS, Cell
from server.store.corrections import SUPERVISOR, Made
from server.store.reviews import Act
from server.store.rows import AnyRow
from sync.merge import TREE, Key

WHY_CHARS = 500


class Choice(NamedTuple):
    """What shall stand in a cell: `mine`, `theirs`, or the `value` for `other`."""

    chosen: str
    value: str = ""


def settle(
    connection: Connection,
    project_id: int,
    conflict_id: int,
    seen: str,
    choices: Mapping[int, Choice],
    act: Act,
) -> bool:
    """Decide on cells by their place in the conflict. `seen`: the mark of what she looked at. True: all is settled.

    Raises NotFound, ReasonMissing, NothingChosen, ConflictChanged, AlreadyDecided, ValueUnfit.
    """
    why = act.why.strip()[:WHY_CHARS]
    if not why:
        raise ReasonMissing()
    row = _locked(connection, project_id, conflict_id, seen)
    if row.state != OPEN:
        raise AlreadyDecided()
    cells = [dict(cell) for cell in row.fields]
    chosen = {place: choice for place, choice in choices.items() if place < len(cells)}
    if not chosen:
        raise NothingChosen()
    act = act._replace(why=why)
    for place, choice in chosen.items():
        cells[place] |= {"chosen": choice.chosen, "value": _value(cells[place], choice)}
    conflicts.decide(connection, conflict_id, cells, act.by, why, act.at)
    _correct(connection, row, [cells[place] for place in chosen], act)
    _tell(connection, row, [cells[place] for place in chosen], "conflict.settle", act)
    return conflicts.state_of(cells) != OPEN


def reopen(connection: Connection, project_id: int, conflict_id: int, seen: str, act: Act) -> None:
    """Take every choice back. Raises NotFound, ConflictChanged, AlreadyDecided where there is none."""
    row = _locked(connection, project_id, conflict_id, seen)
    chosen = [cell for cell in row.fields if cell.get("chosen")]
    if not chosen or row.state == conflicts.GONE:
        raise AlreadyDecided()
    cells = [{k: v for k, v in cell.items() if k not in {"chosen", "value"}} for cell in row.fields]
    conflicts.decide(connection, conflict_id, cells, None, None, act.at)
    if row.visit_id is not None:
        held = corrections.holding_rows(connection, row.visit_id)
        ours = [made.id for made in held if made.source == SUPERVISOR and made.source_id == conflict_id]
        corrections.undo(connection, ours, act.by, act.at)
    _tell(connection, row, chosen, "conflict.reopen", act)


def _locked(connection: Connection, project_id: int, conflict_id: int, seen: str) -> AnyRow:
    """The conflict, its visit locked first: merging takes them in that order too."""
    row = conflicts.find(connection, project_id, conflict_id)
    if row is None:
        raise NotFound(f"conflict {conflict_id}")
    if row.visit_id is not None:
        reviews.subject(connection, project_id, row.visit_id)
    again = conflicts.find(connection, project_id, conflict_id, lock=True)
    if again is None or conflicts.mark_of(again.fields) != seen:
        raise ConflictChanged()
    return again


def _value(cell: Cell, choice: Choice) -> str | None:
    """What shall stand there; None: blank, or that the tree is not there. Raises ValueUnfit, CrewMustEdit."""
    if choice.chosen != MINE and not conflicts.is_settled_here(cell):
        raise CrewMustEdit()
    if choice.chosen in {MINE, THEIRS}:
        value: str | None = cell[choice.chosen]
        return value or None
    try:
        if choice.chosen != OTHER:
            raise ValueError(choice.chosen)
        return written(cell["field"], choice.value)
    except ValueError as error:
        raise ValueUnfit(value=choice.value[:40]) from error


def _correct(connection: Connection, row: AnyRow, cells: Sequence[Cell], act: Act) -> None:
    trees = _trees(connection, row.visit_id) if row.visit_id is not None else {}
    for cell in cells:
        found = trees.get(conflicts.key_of(cell))
        field, value = cell["field"], cell["value"]
        if field == TREE and cell["theirs"] is None and cell["chosen"] == THEIRS:
            field, value = "tally_code", str(int(TallyCode.OVER_COUNTED))
        if found is None or field not in CORRECTED:
            continue  # a tree that was taken away comes back when the edits are laid on anew
        typed, now = found
        old = as_typed(now, field)
        if as_said(field, old) != as_said(field, value):
            corrections.add(connection, Made(
                row.project_id, row.visit_id, typed.tag, typed.stem_id, typed.ordinal, field, old, value,
                SUPERVISOR, row.id, act.by, act.why, act.at,
            ))  # fmt: skip


def _trees(connection: Connection, visit_id: int) -> dict[Key, tuple[Measurement, Measurement]]:
    """Each tree of a visit as typed and as it counts."""
    typed = visits.raw_measurements(connection, [visit_id]).get(visit_id, [])
    now = visits.measurements(connection, [visit_id]).get(visit_id, [])
    return dict(zip(keys_of(now, typed), zip(typed, now, strict=True), strict=True))


def _tell(connection: Connection, row: AnyRow, cells: Sequence[Cell], action: str, act: Act) -> None:
    detail: dict[str, Any] = {
        "kind": row.kind, "why": act.why,
        "cells": [{k: cell.get(k) for k in ("tag", "stem_id", "field", "chosen", "value")} for cell in cells],
    }  # fmt: skip
    events.add(connection, row.project_id, act.by, action, str(row.id), detail, act.at)
    if row.kind == TWO_EDITS:
        jobs.put(connection, jobs.MERGE_EDITS, [int(row.subject)], act.at)
    about = reviews.subject(connection, row.project_id, row.visit_id) if row.visit_id is not None else None
    if about is not None:
        trees = {(cell["tag"], cell["stem_id"] or "1") for cell in cells if cell["tag"]}
        reviews.announce(connection, about, act.at, cells=trees)
