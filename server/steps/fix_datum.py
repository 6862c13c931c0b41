"""Step 4b: a person says that a visit's fix is of another datum, or takes that back.

The fix stays as the phone sent it; its conversion into WGS 84 is kept beside it, and rules and maps go by that as long
as the fix is the one that she saw.
"""

from __future__ import annotations

from sqlalchemy import Connection

from server.forest.position import Point
from server.problems import AlreadyDecided, NotFound, ReasonMissing, ValueUnfit
from server.store import events, flags, places, reviews
from server.store.places import Said
from server.store.reviews import Act, Decided
from server.store.rows import AnyRow
from server.validation.datum import NAMES, in_china, restored

WHY_CHARS = 500


def say(connection: Connection, project_id: int, visit_id: int, datum: str, act: Act) -> None:
    """The fix is of this datum. Raises NotFound, ReasonMissing, ValueUnfit for a datum that is none or a fix that it
    cannot shift."""
    why = _reason(act)
    about = _visit(connection, project_id, visit_id)
    fix = places.fix_of(connection, visit_id)
    if fix is None:
        raise NotFound(f"fix of visit {visit_id}")
    if datum not in NAMES or not in_china(Point(*fix)):
        raise ValueUnfit(value=datum[:40])
    there = restored(Point(*fix), datum)
    said = Said(project_id, visit_id, datum, *fix, there.lat, there.lon, act.by, why, act.at)
    places.say_datum(connection, said)
    settled = places.flags_of_datum(connection, visit_id, "open")
    flags.decide(connection, [flag.id for flag in settled], "corrected")
    _note(connection, about, settled, reviews.CORRECT, act._replace(why=why), datum)


def undo(connection: Connection, project_id: int, visit_id: int, act: Act) -> None:
    """The fix is as it stands, after all. Raises NotFound, AlreadyDecided where nobody had said otherwise."""
    about = _visit(connection, project_id, visit_id)
    said = places.datum_of(connection, visit_id)
    if not places.undo_datum(connection, visit_id, act.by, act.at):
        raise AlreadyDecided()
    again = places.flags_of_datum(connection, visit_id, "corrected")
    flags.decide(connection, [flag.id for flag in again], "open")
    _note(connection, about, again, reviews.REOPEN, act, said.datum if said is not None else "")


def _reason(act: Act) -> str:
    why = " ".join(act.why.split())[:WHY_CHARS]
    if not why or "\0" in why:
        raise ReasonMissing()
    return why


def _visit(connection: Connection, project_id: int, visit_id: int) -> AnyRow:
    about = reviews.subject(connection, project_id, visit_id)
    if about is None or about.kind == "rework":
        raise NotFound(f"visit {visit_id}")
    return about


def _note(
    connection: Connection, about: AnyRow, decided: list[AnyRow], decision: str, act: Act, datum: str
) -> None:
    """A review for each flag, or one for the visit where there is none; a line in the log; another look."""
    why = act.why.strip()[:WHY_CHARS]
    numbers = [flag.id for flag in decided] or [None]
    reviews.add(connection, [Decided(about.project_id, about.id, number, decision, why, act.by, act.at)
                             for number in numbers])  # fmt: skip
    told = {"why": why, "datum": datum, "flags": [flag.rule for flag in decided]}
    events.add(connection, about.project_id, act.by, f"datum.{decision}", f"visit {about.id}", told, act.at)
    reviews.announce(connection, about, act.at)
