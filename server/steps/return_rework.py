"""Step 4c: trees that were sent back have been measured again, or their crew has edited what it sent.

Both values stay readable. The verdict on each tree is `server.forest.second_tape`'s; here it is carried out: a value
that differs becomes a correction of the visit that was doubted, one that agrees is confirmed, and a person's later
decision stands. What an edit of the same instance made before is replaced, so that this may run any number of times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from server.forest.effective import Cell, effective, place_of
from server.forest.second_tape import (
    CANCELLED,
    CONFIRMED,
    CORRECTED,
    NOT_FOUND,
    NOT_YET,
    Verdict,
    judge,
    judge_edit,
    values_of,
)
from server.forest.tree import Measurement
from server.store import conflicts, corrections, flags, projects, reviews, rework, visits
from server.store.conflicts import Raised
from server.store.corrections import Made
from server.store.reviews import News
from server.store.rows import AnyRow
from server.validation.parameters.limits import Limits
from server.validation.project import parameters_of


class Again(NamedTuple):
    """What a crew says of a tree the second time, as typed."""

    found: bool
    values: dict[str, str]


class Doubted(NamedTuple):
    """An order, and the visit whose trees it sent back as that stands at this moment."""

    order: AnyRow
    raw: list[Measurement]
    made: list[AnyRow]  # corrections that hold
    taken_back: list[AnyRow]  # corrections that a person has undone
    flags: dict[Cell, list[AnyRow]]
    last: dict[int, AnyRow]  # the last decision on each flag
    limits: Limits


class Standing(NamedTuple):
    """A tree that was sent back: as it came, as it counts without its second tape (None: not in the list), what the
    second tape has made of it so far, and the cells that a person has decided on since."""

    raw: Measurement | None
    now: Measurement | None
    own: list[AnyRow]
    held: set[str]


def write(connection: Connection, visit_ids: Sequence[int], at: int) -> None:
    """Carry out what these visits say about trees that were sent back."""
    news: list[News] = []
    for visit_id in sorted(set(visit_ids)):
        by = rework.visit_of(connection, visit_id)
        if by is None:
            continue
        if by.kind != "rework":
            for order in rework.of_visit(connection, visit_id):
                news += _answer(connection, order, by, None, at)
            continue
        again = {(row.tag, row.stem_id): _again(row) for row in rework.measured_again(connection, visit_id)}
        for order in rework.answered_by(connection, by, _number(by.header.get("visit.rework_id"))):
            news += _answer(connection, order, by, again, at)
    reviews.announce_all(connection, news, at)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _again(row: AnyRow) -> Again:
    if (row.other or {}).get("found") == "no":
        return Again(False, {})
    values = {
        "species": row.species, "tally_code": row.tally_code, "dbh_cm": None if row.dbh_cm is None else row.dbh_text,
        "height_m": row.height_m, "pom_m": row.pom_m,
    }  # fmt: skip
    typed = {
        name: f"{v:g}" if isinstance(v, float) else str(v) for name, v in values.items() if v is not None
    }
    return Again(True, {name: text for name, text in typed.items() if text})


def _answer(
    connection: Connection, order: AnyRow, by: AnyRow, again: Mapping[Cell, Again] | None, at: int
) -> list[News]:
    """What a visit says about one order, carried out; what is to be told of it. `again` None: it is the doubted visit
    itself, which its crew has edited."""
    about = reviews.subject(connection, order.project_id, order.visit_id)
    assert about is not None  # an order goes with its visit
    doubted = _doubted(connection, order)
    trees = rework.trees_of(connection, [order.id]).get(order.id, [])
    mine = [tree for tree in trees if tree.returned_visit_id in {None, by.id}]
    if again is None:
        touched = [(t.tag, t.stem_id) for t in mine if _settle_edited(connection, doubted, t, by, at)]
    else:
        touched = [
            (t.tag, t.stem_id) for t in mine if _settle_measured(connection, doubted, t, by, again, at)
        ]
    if not touched:
        return []
    _close(connection, order, about, at)
    return [News(about, frozenset(touched), frozenset({order.id}))]


def _close(connection: Connection, order: AnyRow, about: AnyRow, at: int) -> None:
    rework.set_state(connection, order.id, at)
    if rework.has_open(connection, about.id):
        reviews.set_state(connection, about.id, "has_issues")
    elif about.review_state in {"has_issues", "approved"}:  # what was approved says something else now
        reviews.set_state(connection, about.id, "edited")


def _doubted(connection: Connection, order: AnyRow) -> Doubted:
    ways = projects.ways(connection, order.project_id)
    assert ways is not None
    return Doubted(
        order,
        visits.raw_measurements(connection, [order.visit_id]).get(order.visit_id, []),
        corrections.holding_rows(connection, order.visit_id),
        [
            row
            for row in corrections.of_visit(connection, order.visit_id)
            if row.undone_by not in {None, row.made_by}
        ],
        flags.of_trees(connection, order.visit_id),
        reviews.last_of_flags(connection, order.visit_id),
        parameters_of(ways.tally_limit_cm, ways.rule_settings).limits,
    )


def _settle_measured(connection: Connection, doubted: Doubted, tree: AnyRow, by: AnyRow,
                     again: Mapping[Cell, Again], at: int) -> bool:  # fmt: skip
    """A second tape. False: nothing is new."""
    said = again.get((tree.tag, tree.stem_id))
    stands = _standing(doubted, tree)
    verdict = _verdict(doubted, tree, stands, said)
    if verdict is NOT_YET and tree.returned_visit_id is None:
        return False
    is_laid = _lay(connection, doubted, stands, verdict, by, at)
    is_raised = _raise(connection, doubted, tree, stands, verdict, said, by, at)
    _move_flags(connection, doubted, tree, verdict)
    return _keep(connection, tree, _became(tree, verdict, said, by, at)) or is_laid or is_raised


def _settle_edited(connection: Connection, doubted: Doubted, tree: AnyRow, by: AnyRow, at: int) -> bool:
    """The crew has edited its instance instead: the tree is settled if that says something else about it."""
    if tree.state == CANCELLED:
        return False
    now = _standing(doubted, tree, until=doubted.order.sent_at).now
    said = None if now is None else Again(True, values_of(now))
    if not tree.before:
        verdict = Verdict(CORRECTED, {}) if said else NOT_YET
    else:
        verdict = judge_edit(tree.before, said.values if said else None)
    if verdict is NOT_YET and tree.returned_visit_id is None:
        return False
    _move_flags(connection, doubted, tree, verdict)
    return _keep(connection, tree, _became(tree, verdict, said, by, at))


def _keep(connection: Connection, tree: AnyRow, became: dict[str, object]) -> bool:
    """Keep what became of a tree. False: that stands there already."""
    if all(getattr(tree, name) == became[name] for name in ("state", "after", "returned_visit_id")):
        return False
    rework.settle_tree(connection, tree.rework_id, (tree.tag, tree.stem_id), became)
    return True


def _standing(doubted: Doubted, tree: AnyRow, until: int | None = None) -> Standing:
    """`until`: with the corrections of that moment and before only."""
    order = doubted.order
    others = [
        row for row in doubted.made if not _is_of(row, order) and (until is None or row.made_at <= until)
    ]
    now = effective(doubted.raw, [corrections.laid(row) for row in others])
    there = doubted.flags.get((tree.tag, tree.stem_id), [])
    meant = next((flag.ordinal for flag in there if flag.id == tree.flag_id), None)
    place = place_of(now, (tree.tag, tree.stem_id), meant)
    if place is None:
        return Standing(None, None, [], set())
    raw = doubted.raw[place]
    at_cell = [row for row in doubted.made if _is_at(row, raw)]
    taken_back = {row.field for row in doubted.taken_back if _is_of(row, order) and _is_at(row, raw)}
    own = [row for row in at_cell if _is_of(row, order)]
    return Standing(raw, now[place], own, _held(doubted, at_cell, there) | taken_back)


def _is_at(row: AnyRow, raw: Measurement) -> bool:
    return (row.tag, row.stem_id or "1") == raw.key and row.ordinal in {None, raw.ordinal}


def _is_of(row: AnyRow, order: AnyRow) -> bool:
    return bool(row.source == corrections.REWORK and row.source_id == order.id)


def _held(doubted: Doubted, made: Sequence[AnyRow], there: Sequence[AnyRow]) -> set[str]:
    """Cells of a tree on which a person decided after it was sent back."""
    sent_at = doubted.order.sent_at
    corrected = {row.field for row in made if row.source != corrections.REWORK and row.made_at > sent_at}
    last = {flag.field: doubted.last.get(flag.id) for flag in there if flag.state == "accepted"}
    return corrected | {field for field, row in last.items() if row and row.decision == reviews.ACCEPT
                        and row.decided_at >= sent_at}  # fmt: skip


def _verdict(doubted: Doubted, tree: AnyRow, stands: Standing, said: Again | None) -> Verdict:
    if said is None or (said.found and not said.values):
        return NOT_YET
    if not said.found:
        return NOT_FOUND
    if (
        stands.now is None
    ):  # not in the list: it was doubted whether it is there; or the crew has dropped it since
        return Verdict(CANCELLED if tree.before else CORRECTED, {})
    tolerance_cm = _tolerance_cm(doubted.limits, stands.now.dbh_cm)
    verdict = judge(values_of(stands.now), said.values, tolerance_cm, stands.held)
    if tree.state == CANCELLED:  # nobody asked for it any more: it can contradict a person, and nothing else
        return Verdict(CANCELLED, {}, clashing=verdict.clashing)
    return verdict


def _tolerance_cm(limits: Limits, dbh_cm: float | None) -> float:
    """How far two honest tapes differ at this diameter, cm."""
    small = dbh_cm is None or dbh_cm < limits.x02_large_cm
    return limits.x02_tolerance_cm if small else limits.x02_tolerance_share * (dbh_cm or 0.0)


def _lay(
    connection: Connection, doubted: Doubted, stands: Standing, verdict: Verdict, by: AnyRow, at: int
) -> bool:
    """The corrections that the tape asks for, and no other of an earlier run. A tree that was confirmed gets one that
    changes nothing: it counts as verified. False: they are there."""
    if stands.raw is None or stands.now is None:
        return False
    before, raw, order = values_of(stands.now), stands.raw, doubted.order
    wanted = {name: (before.get(name), new) for name, new in verdict.changed.items()}
    if verdict.state == CONFIRMED:
        name = "dbh_cm" if "dbh_cm" in verdict.same else min(verdict.same)
        wanted = {name: (before.get(name), before.get(name, ""))}
    gone = [row for row in stands.own if wanted.get(row.field) != (row.old, row.new)]
    for row in gone:
        corrections.undo(connection, [row.id], row.made_by, at)
    there = {row.field for row in stands.own} - {row.field for row in gone}
    fresh = {name: values for name, values in wanted.items() if name not in there}
    for name, (old, new) in fresh.items():
        corrections.add(connection, Made(
            order.project_id, order.visit_id, raw.tag, raw.stem_id, raw.ordinal, name, old, new,
            corrections.REWORK, order.id, by.crew or by.surveyor or "?", order.reason, at,
        ))  # fmt: skip
    return bool(gone or fresh)


def _raise(connection: Connection, doubted: Doubted, tree: AnyRow, stands: Standing, verdict: Verdict,
           said: Again | None, by: AnyRow, at: int) -> bool:  # fmt: skip
    """Where the tape contradicts a person both are shown to her; where it does no longer, that is over. False: nothing
    is new."""
    order, values = doubted.order, said.values if said else {}
    now = values_of(stands.now) if stands.now else {}
    cells = [
        {"tag": tree.tag, "stem_id": tree.stem_id, "twin": "", "field": name, "base": tree.before.get(name),
         "mine": now.get(name), "theirs": values.get(name), "mine_from": None, "theirs_from": by.source_id}
        for name in sorted(verdict.clashing)
    ]  # fmt: skip
    subject = f"rework {order.id} {tree.tag}/{tree.stem_id}"[:80]
    return conflicts.put(
        connection,
        Raised(order.project_id, order.plot_id, order.visit_id, conflicts.EDIT_CORRECTION, subject, cells),
        at,
    )


def _move_flags(connection: Connection, doubted: Doubted, tree: AnyRow, verdict: Verdict) -> None:
    """Flags that were sent back with the tree and that no person has decided on since."""
    sent: dict[str, list[int]] = {}
    for flag in doubted.flags.get((tree.tag, tree.stem_id), []):
        last = doubted.last.get(flag.id)
        if last is not None and (last.decision, last.decided_at) == (
            reviews.SEND_BACK,
            doubted.order.sent_at,
        ):
            state = verdict.flag_state(flag.field)
            if verdict is NOT_FOUND and not tree.before:
                state = "accepted"  # it was doubted whether it is there: it is not
            sent.setdefault(state, []).append(flag.id)
    for state, ids in sent.items():
        flags.decide(connection, ids, state)


def _became(tree: AnyRow, verdict: Verdict, said: Again | None, by: AnyRow, at: int) -> dict[str, object]:
    state = CANCELLED if tree.state == CANCELLED else verdict.state
    if verdict is NOT_YET:
        return {"state": state, "after": None, "returned_visit_id": None, "returned_at": None}
    after = said.values if said is not None and said.found else {"found": "no"}
    return {"state": state, "after": after, "returned_visit_id": by.id, "returned_at": at}
