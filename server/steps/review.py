"""Step 4: a person decides: accepts a flag, takes that back, corrects a value, approves or rejects a visit.

What the tape said is never changed: a correction is laid over it and can be undone. Every decision is kept with who,
why and when, and holds against every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import pi
from typing import NamedTuple

from sqlalchemy import Connection

from server.forest.cell import written
from server.forest.effective import Cell, as_typed, effective
from server.forest.second_tape import agrees
from server.forest.tree import Measurement
from server.problems import (
    AlreadyDecided,
    NotFound,
    NothingChanged,
    OpenErrors,
    ReasonMissing,
    ReworkOpen,
    ValueUnfit,
)
from server.store import corrections, events, flags, jobs, reviews, rework, species, visits
from server.store.corrections import Made
from server.store.reviews import Act, Decided
from server.store.rows import AnyRow

WHY_CHARS = 500


class Change(NamedTuple):
    """One cell of a visit's list: the place of the tree from 0, the field, what should stand there ("": blank)."""

    ordinal: int
    field: str
    value: str


def accept(connection: Connection, project_id: int, flag_id: int, act: Act) -> None:
    """The value is right as it stands. Raises NotFound, ReasonMissing, AlreadyDecided."""
    act = _with_reason(act)
    flag, about = _flag(connection, project_id, flag_id, {"open", "sent_back"})
    flags.decide(connection, [flag.id], "accepted")
    _note(connection, about, [flag], reviews.ACCEPT, act)
    reviews.announce(connection, about, act.at, rework_ids=_off_the_list(connection, about, [flag], act.at))


def reopen(connection: Connection, project_id: int, flag_id: int, act: Act) -> None:
    """The decision on a flag is taken back, and what was corrected for it. Raises NotFound, ReasonMissing,
    AlreadyDecided where there is nothing to take back."""
    act = _with_reason(act)
    flag, about = _flag(connection, project_id, flag_id, {"accepted", "corrected"})
    made = _made_for(connection, flag)
    corrections.undo(connection, [row.id for row in made], act.by, act.at)
    flags.decide(connection, [flag.id], "open")
    _note(connection, about, [flag], reviews.REOPEN, act)
    reviews.announce(connection, about, act.at, cells=[_cell(flag)] if made else ())


def correct(connection: Connection, project_id: int, visit_id: int, change: Change, act: Act) -> int:
    """Another value stands in a cell from now on; the number of the correction. Flags at the cell are corrected.

    Raises NotFound, ReasonMissing, ValueUnfit, NothingChanged.
    """
    act = _with_reason(act)
    about = _visit(connection, project_id, visit_id)
    raw, now = _tree(connection, visit_id, change.ordinal)
    old, new = _old_and_new(connection, project_id, now, change)
    made = Made(project_id, visit_id, raw.tag, raw.stem_id, raw.ordinal, change.field, old, new,
                corrections.SUPERVISOR, None, act.by, act.why, act.at)  # fmt: skip
    correction_id = corrections.add(connection, made)
    settled = [flag for flag in _flags_at(connection, visit_id, {raw.key, now.key}, change.field)
               if flag.ordinal in {None, now.ordinal} and flag.state != "corrected"]  # fmt: skip
    flags.decide(connection, [flag.id for flag in settled], "corrected")
    _note(connection, about, settled, reviews.CORRECT, act, {"field": change.field, "old": old, "new": new,
                                                             "tag": raw.tag})  # fmt: skip
    off = _off_the_list(connection, about, settled, act.at)
    _no_longer_approved(connection, about)
    _, then = _tree(connection, visit_id, change.ordinal)
    reviews.announce(connection, about, act.at, cells={now.key, then.key}, rework_ids=off)
    return correction_id


def exchange(connection: Connection, project_id: int, visit_id: int, one: int, other: int, act: Act) -> None:
    """Two trees of a visit have each other's diameter from now on. Raises as `correct`; ValueUnfit where one of them
    has none."""
    mine, theirs = (_dbh_text(connection, visit_id, ordinal) for ordinal in (one, other))
    correct(connection, project_id, visit_id, Change(one, "dbh_cm", theirs), act)
    correct(connection, project_id, visit_id, Change(other, "dbh_cm", mine), act)


def divide_girths(
    connection: Connection, project_id: int, visit_id: int, ordinals: Sequence[int], act: Act
) -> None:
    """What stands as the diameter of these trees was their girth: it is divided by π, to 0.1 cm. Raises as `correct`;
    ValueUnfit where one has no diameter."""
    for ordinal in ordinals:
        girth_cm = float(_dbh_text(connection, visit_id, ordinal))
        correct(connection, project_id, visit_id, Change(ordinal, "dbh_cm", f"{girth_cm / pi:.1f}"), act)


def undo(connection: Connection, project_id: int, correction_id: int, act: Act) -> None:
    """A correction holds no longer; flags that it had settled are open again. Raises NotFound, AlreadyDecided."""
    made = corrections.find(connection, project_id, correction_id)
    if made is None or made.tag is None:
        raise NotFound(f"correction {correction_id}")
    about = _visit(connection, project_id, made.visit_id)
    made = corrections.find(connection, project_id, correction_id)  # again, now that nobody else decides
    if made is None or made.undone_at is not None:
        raise AlreadyDecided()
    cells = {(made.tag, made.stem_id or "1"), *_counting_as(connection, made)}
    corrections.undo(connection, [made.id], act.by, act.at)
    again = [flag for flag in _flags_at(connection, about.id, cells, made.field) if flag.state == "corrected"]
    flags.decide(connection, [flag.id for flag in again], "open")
    _note(connection, about, again, reviews.REOPEN, act, {"field": made.field, "old": made.new, "new": made.old,
                                                          "tag": made.tag})  # fmt: skip
    _no_longer_approved(connection, about)
    reviews.announce(connection, about, act.at, cells=cells)


def approve(connection: Connection, project_id: int, visit_id: int, act: Act) -> None:
    """The visit counts. Raises NotFound, AlreadyDecided, ReworkOpen, OpenErrors."""
    about = _visit(connection, project_id, visit_id)
    if about.review_state == "approved":
        raise AlreadyDecided()
    if rework.has_open(connection, visit_id):
        raise ReworkOpen()
    errors = [flag for flag in flags.of_visit(connection, visit_id) if flag["severity"] == "error"]
    if errors:
        raise OpenErrors(count=len(errors))
    _decide_visit(connection, about, "approved", reviews.APPROVE, act)


def reject(connection: Connection, project_id: int, visit_id: int, act: Act) -> None:
    """The visit does not count, for a reason. Raises NotFound, ReasonMissing, AlreadyDecided."""
    act = _with_reason(act)
    about = _visit(connection, project_id, visit_id)
    if about.review_state == "rejected":
        raise AlreadyDecided()
    _decide_visit(connection, about, "rejected", reviews.REJECT, act)


def _decide_visit(connection: Connection, about: AnyRow, state: str, decision: str, act: Act) -> None:
    reviews.set_state(connection, about.id, state)
    if "approved" in {state, about.review_state}:
        jobs.put_once(connection, jobs.REFIT, about.project_id, act.at + jobs.REFIT_WAIT_MS)
    _note(connection, about, [], decision, act)
    reviews.announce(connection, about, act.at)


def _no_longer_approved(connection: Connection, about: AnyRow) -> None:
    """What was approved says something else now: somebody must look again."""
    if about.review_state == "approved":
        reviews.set_state(connection, about.id, "edited")


def _visit(connection: Connection, project_id: int, visit_id: int) -> AnyRow:
    about = reviews.subject(connection, project_id, visit_id)
    if about is None or about.kind == "rework":  # a second tape is decided on where the doubt was
        raise NotFound(f"visit {visit_id}")
    return about


def _flag(connection: Connection, project_id: int, flag_id: int, states: set[str]) -> tuple[AnyRow, AnyRow]:
    """A flag in one of these states and its visit, locked: what is read of the flag is what stands."""
    flag = flags.find(connection, project_id, flag_id)
    if flag is None:
        raise NotFound(f"flag {flag_id}")
    about = _visit(connection, project_id, flag.visit_id)
    again = flags.find(connection, project_id, flag_id)
    if again is None or again.state not in states:
        raise AlreadyDecided()
    return again, about


def _with_reason(act: Act) -> Act:
    why = " ".join(act.why.split())[:WHY_CHARS]
    if not why or "\0" in why:
        raise ReasonMissing()
    return act._replace(why=why)


def _cell(flag: AnyRow) -> Cell:
    return (flag.tag or "", flag.stem_id or "1")


def _flags_at(connection: Connection, visit_id: int, cells: Iterable[Cell], field: str) -> list[AnyRow]:
    there = flags.of_trees(connection, visit_id)
    return [flag for cell in sorted(set(cells)) for flag in there.get(cell, []) if flag.field == field]


def _made_for(connection: Connection, flag: AnyRow) -> list[AnyRow]:
    """What holds at a flag's cell because of it: corrections of a corrected flag, a tape that confirmed an accepted."""
    rows = corrections.holding_rows(connection, flag.visit_id)
    rows = [row for row in rows if flag.state == "corrected" or row.old == row.new]
    return [row for row in rows if row.field == flag.field and _cell(flag) in
            {(row.tag, row.stem_id or "1"), *_counting_as(connection, row)}]  # fmt: skip


def _counting_as(connection: Connection, made: AnyRow) -> list[Cell]:
    """Tag and stem that a corrected tree counts under now; none where the crew has dropped it since."""
    _, now = _both(connection, made.visit_id)
    return [tree.key for tree in now if tree.ordinal == made.ordinal]


def _both(connection: Connection, visit_id: int) -> tuple[list[Measurement], list[Measurement]]:
    """The trees of a visit as they came and as they count, in the same order."""
    raw = visits.raw_measurements(connection, [visit_id]).get(visit_id, [])
    return raw, effective(raw, corrections.holding(connection, [visit_id]).get(visit_id, []))


def _tree(connection: Connection, visit_id: int, ordinal: int) -> tuple[Measurement, Measurement]:
    """A tree as it came and as it counts. Raises NotFound."""
    for came, counts in zip(*_both(connection, visit_id), strict=True):
        if came.ordinal == ordinal:
            return came, counts
    raise NotFound(f"tree {ordinal} of visit {visit_id}")


def _dbh_text(connection: Connection, visit_id: int, ordinal: int) -> str:
    """A tree's diameter as it counts, cm. Raises NotFound, ValueUnfit."""
    _, now = _tree(connection, visit_id, ordinal)
    if now.dbh_cm is None:
        raise ValueUnfit(value="—")
    return f"{now.dbh_cm:g}"


def _old_and_new(
    connection: Connection, project_id: int, now: Measurement, change: Change
) -> tuple[str | None, str | None]:
    try:
        new = written(change.field, change.value)
    except ValueError as error:
        raise ValueUnfit(value=change.value[:40]) from error
    old = as_typed(now, change.field)
    listed = species.labels(connection, project_id) if change.field == "species" else None
    if listed and new not in listed:
        raise ValueUnfit(value=change.value[:40])
    if agrees(change.field, old, new):
        raise NothingChanged()
    return old, new


def _off_the_list(connection: Connection, about: AnyRow, decided: Sequence[AnyRow], at: int) -> set[int]:
    """Trees whose last doubt a person has settled herself need no second tape: numbers of their orders."""
    sent = rework.open_cells(connection, about.id)
    doubted = flags.of_trees(connection, about.id)
    touched = set()
    for cell in {_cell(flag) for flag in decided if flag.state == "sent_back"} & sent.keys():
        if not any(flag.state == "sent_back" for flag in doubted.get(cell, [])):
            rework.settle_tree(connection, sent[cell], cell, {"state": "cancelled"})
            touched.add(sent[cell])
    for rework_id in sorted(touched):
        rework.set_state(connection, rework_id, at)
    if touched and about.review_state == "has_issues" and not rework.has_open(connection, about.id):
        reviews.set_state(connection, about.id, "received")
    return touched


def _note(connection: Connection, about: AnyRow, decided: Sequence[AnyRow], decision: str, act: Act,
          detail: Mapping[str, object] | None = None) -> None:  # fmt: skip
    """A review for each flag, or one for the visit where there is none; and a line in the log."""
    numbers = [flag.id for flag in decided] or [None]
    why = act.why.strip()[:WHY_CHARS]
    reviews.add(connection, [Decided(about.project_id, about.id, number, decision, why, act.by, act.at)
                             for number in numbers])  # fmt: skip
    told = {
        "why": why,
        "flags": [f"{flag.rule} {flag.tag or ''}".strip() for flag in decided],
        **(detail or {}),
    }
    events.add(connection, about.project_id, act.by, f"review.{decision}", f"visit {about.id}", told, act.at)
