"""Step 4b: trees of a visit go back to a crew to be measured again; or the order is cancelled.

What stands there now is kept beside each tree, so that both values can be read later. A tree is in one open order at
most. The form that stock phones need for it is promised here (`publish_rework`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from server.forest.effective import Cell, place_of
from server.forest.second_tape import values_of
from server.forest.tree import Measurement
from server.problems import (
    AlreadySentBack,
    DayUnfit,
    InvalidInput,
    NotFound,
    NothingToSendBack,
    ReasonMissing,
    ReworkClosed,
)
from server.store import events, flags, jobs, reviews, rework, visits
from server.store.reviews import Act, Decided
from server.store.rework import Sent, SentTree
from server.store.rows import AnyRow

WHY_CHARS = 500
MOST_TREES = 1000
"""Trees of one order: a plot has no more."""


class CrewUnknown(InvalidInput):
    code = "crew-unknown"
    zh = "没有这个调查队。请刷新页面重新选择。"
    en = "There is no such crew. Please reload the page and choose again."


class Doubt(NamedTuple):
    """A tree to be measured again, by what is on its tag. `reason` "": that of the order. A tree that is not in the
    visit's list can be doubted as well: is it there?"""

    tag: str
    stem_id: str = "1"
    reason: str = ""


class Order(NamedTuple):
    """For whom and until when. `crew_id` None: the crew that measured; `due_on` ISO text, None: no day."""

    crew_id: int | None = None
    due_on: str | None = None


def send_back(
    connection: Connection, project_id: int, visit_id: int, doubts: Sequence[Doubt], order: Order, act: Act
) -> int:
    """Ask a crew to measure trees again; the number of the order. Their open flags are sent back with them.

    Raises NotFound, NothingToSendBack, ReasonMissing, DayUnfit, CrewUnknown, AlreadySentBack.
    """
    act = act._replace(why=_one_line(act.why))
    about = _visit(connection, project_id, visit_id)
    doubts = list({(doubt.tag, doubt.stem_id): doubt for doubt in doubts}.values())[:MOST_TREES]
    _check(connection, about, doubts, order, act)
    crew_id = order.crew_id or rework.crew_for(connection, about.plot_id, about.crew_id)
    doubted = {cell: [flag for flag in there if flag.state == "open"]
               for cell, there in flags.of_trees(connection, visit_id).items()}  # fmt: skip
    trees = visits.measurements(connection, [visit_id]).get(visit_id, [])
    rework_id = rework.add(
        connection,
        Sent(project_id, about.plot_id, visit_id, crew_id, act.why, order.due_on, act.by, act.at),
        [_tree(trees, doubt, doubted.get((doubt.tag, doubt.stem_id), [])) for doubt in doubts],
    )
    sent = [flag.id for doubt in doubts for flag in doubted.get((doubt.tag, doubt.stem_id), [])]
    flags.decide(connection, sent, "sent_back")
    reviews.set_state(connection, visit_id, "has_issues")
    decided = Decided(project_id, visit_id, None, reviews.SEND_BACK, act.why, act.by, act.at)
    reviews.add(connection, [decided, *(decided._replace(flag_id=number) for number in sent)])
    events.add(connection, project_id, act.by, "rework.send", f"rework {rework_id}",
               {"tags": [doubt.tag for doubt in doubts], "why": act.why, "crew_id": crew_id}, act.at)  # fmt: skip
    jobs.put(connection, jobs.PUBLISH_REWORK, [project_id], act.at)
    reviews.announce(connection, about, act.at, rework_ids=[rework_id])
    return rework_id


def _visit(connection: Connection, project_id: int, visit_id: int) -> AnyRow:
    about = reviews.subject(connection, project_id, visit_id)
    if about is None or about.kind == "rework":
        raise NotFound(f"visit {visit_id}")
    return about


def _check(connection: Connection, about: AnyRow, doubts: Sequence[Doubt], order: Order, act: Act) -> None:
    if not doubts or not all(_is_tree(doubt) for doubt in doubts):
        raise NothingToSendBack()
    if not act.why or "\0" in act.why:
        raise ReasonMissing()
    if order.due_on is not None and not _is_day(order.due_on):
        raise DayUnfit(day=order.due_on[:20])
    if order.crew_id is not None and not rework.has_crew(connection, about.project_id, order.crew_id):
        raise CrewUnknown()
    already = rework.open_cells(connection, about.id)
    twice = [doubt.tag for doubt in doubts if (doubt.tag, doubt.stem_id) in already]
    if twice:
        raise AlreadySentBack(tags="、".join(twice[:20]))


def _is_tree(doubt: Doubt) -> bool:
    return 0 < len(doubt.tag) <= 40 and len(doubt.stem_id) <= 20 and "\0" not in doubt.tag + doubt.stem_id


def _one_line(text: str) -> str:
    return " ".join(text.split())[:WHY_CHARS]  # a phone's list has one line for it


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _tree(trees: Sequence[Measurement], doubt: Doubt, there: Sequence[AnyRow]) -> SentTree:
    worst = max(there, key=lambda flag: flag.score, default=None)
    cell: Cell = (doubt.tag, doubt.stem_id)
    place = place_of(trees, cell, worst.ordinal if worst is not None else None)
    before = {} if place is None else values_of(trees[place])
    return SentTree(*cell, worst.id if worst is not None else None, _one_line(doubt.reason), before)


def cancel(connection: Connection, project_id: int, rework_id: int, act: Act) -> None:
    """Nobody is to measure the rest of an order again; flags that waited for it are open. Raises NotFound,
    ReworkClosed."""
    order = rework.find(connection, project_id, rework_id)
    if order is None:
        raise NotFound(f"rework {rework_id}")
    about = _visit(connection, project_id, order.visit_id)
    open_cells = {
        cell for cell, number in rework.open_cells(connection, about.id).items() if number == rework_id
    }
    if not open_cells:
        raise ReworkClosed()
    rework.cancel_open_trees(connection, rework_id)
    state = rework.set_state(connection, rework_id, act.at)
    there = flags.of_trees(connection, about.id)
    again = [
        flag.id for cell in sorted(open_cells) for flag in there.get(cell, []) if flag.state == "sent_back"
    ]
    flags.decide(connection, again, "open")
    decided = Decided(project_id, about.id, None, reviews.REOPEN, act.why.strip()[:WHY_CHARS], act.by, act.at)
    reviews.add(connection, [decided._replace(flag_id=number) for number in again] or [decided])
    if about.review_state == "has_issues" and not rework.has_open(connection, about.id):
        reviews.set_state(connection, about.id, "edited" if state == rework.RETURNED else "received")
    events.add(
        connection, project_id, act.by, "rework.cancel", f"rework {rework_id}", {"why": act.why}, act.at
    )
    reviews.announce(connection, about, act.at, rework_ids=[rework_id])
