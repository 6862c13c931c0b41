"""Step 7b: a person decides about a flag on a crew: accepts it for a reason, opens the visits in doubt again, or takes
either back.

Opening again takes an approval back and nothing else: values, corrections and the tape's own numbers stay. Taking
that back approves again those visits that nobody has touched since.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from server.problems import AlreadyDecided, NotFound, ReasonMissing
from server.store import audits, crews, events, jobs, reviews
from server.store.reviews import Act, Decided
from server.store.rows import AnyRow

WHY_CHARS = 500


def accept(connection: Connection, project_id: int, flag_id: int, act: Act) -> None:
    """The flag is known and stands for a reason. Raises NotFound, ReasonMissing, AlreadyDecided."""
    act = _with_reason(act)
    flag = _flag(connection, project_id, flag_id, {"open"})
    crews.set_state(connection, [flag.id], "accepted")
    _note(connection, flag, "accept", act, [])


def send_back(connection: Connection, project_id: int, flag_id: int, act: Act) -> int:
    """Visits in doubt lose their approval and are to be looked at again; how many did. Raises NotFound,
    ReasonMissing, AlreadyDecided."""
    act = _with_reason(act)
    flag = _flag(connection, project_id, flag_id, {"open"})
    named = [int(number) for number in flag.facts.get("visit_ids", [])]
    if not named:
        raise AlreadyDecided()
    found = audits.approved_among(connection, named, ("approved",))
    audits.set_states(connection, [row.id for row in found], "has_issues")
    crews.set_state(connection, [flag.id], "sent_back")
    _note(connection, flag, "send_back", act, [row.id for row in found])
    _tell(connection, found, reviews.REOPEN, act)
    return len(found)


def reopen(connection: Connection, project_id: int, flag_id: int, act: Act) -> None:
    """The decision is taken back, and with it what it did to visits. Raises NotFound, ReasonMissing,
    AlreadyDecided where there is nothing to take back."""
    act = _with_reason(act)
    flag = _flag(connection, project_id, flag_id, {"accepted", "sent_back"})
    last = crews.last_decision(connection, flag.id)
    undone = last.visits if last is not None and last.decision == "send_back" else []
    found = audits.approved_among(connection, undone, ("has_issues",)) if undone else []
    audits.set_states(connection, [row.id for row in found], "approved")
    crews.set_state(connection, [flag.id], "open")
    _note(connection, flag, "reopen", act, [row.id for row in found])
    _tell(connection, found, reviews.APPROVE, act)


def _flag(connection: Connection, project_id: int, flag_id: int, states: set[str]) -> AnyRow:
    flag = crews.find_flag(connection, project_id, flag_id)
    if flag is None:
        raise NotFound(f"crew flag {flag_id}")
    if flag.state not in states:
        raise AlreadyDecided()
    return flag


def _with_reason(act: Act) -> Act:
    why = " ".join(act.why.split())[:WHY_CHARS]
    if not why or "\0" in why:
        raise ReasonMissing()
    return act._replace(why=why)


def _note(connection: Connection, flag: AnyRow, decision: str, act: Act, visit_ids: Sequence[int]) -> None:
    """A row for the decision, a line in the log, and another look at the crew's marks."""
    crews.add_decision(connection, {
        "project_id": flag.project_id, "crew_flag_id": flag.id, "decision": decision, "visits": list(visit_ids),
        "why": act.why, "decided_by": act.by, "decided_at": act.at,
    })  # fmt: skip
    told = {"rule": flag.rule, "crew": flag.crew_id, "visits": list(visit_ids), "why": act.why}
    events.add(connection, flag.project_id, act.by, f"crew.{decision}", f"crew flag {flag.id}", told, act.at)
    jobs.put_once(connection, jobs.CREW_LOOK, flag.census_id, act.at)


def _tell(connection: Connection, found: Sequence[AnyRow], decision: str, act: Act) -> None:
    """Each visit's own history says what became of it, and phones hear of it."""
    reviews.add(connection, [Decided(row.project_id, row.id, None, decision, act.why, act.by, act.at)
                             for row in found])  # fmt: skip
    if found:
        reviews.announce_all(connection, [reviews.News(row) for row in found], act.at)
