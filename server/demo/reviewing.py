"""A supervisor who has begun: two crews' first census and one crew's second are decided on, the rest waits.

She sees what the crews' photos of the tape show; here that is what they would have typed.
"""

from __future__ import annotations

from sqlalchemy import Connection

from server.demo.campaign import Campaign
from server.demo.slips import Slip
from server.forest.doubt import LAST_CASES
from server.steps import review
from server.steps.review import Change
from server.store import flags, plot_report
from server.store.db import Database
from server.store.reviews import Act
from server.store.rows import AnyRow
from server.validation.flag import Severity

CORRECTED = ("dbh_cm", "species")
"""Cells in which she writes what the photo shows. What else is wrong waits for the crew."""


def decide(database: Database, project_id: int, campaign: Campaign, by: str, at: int) -> None:
    """Correct what is wrong in a diameter or species, accept what is true. `by`: a login; `at`: the moment, ms since
    1970 UTC. The rules then look again, and `approve` follows."""
    slips = {(slip.census, slip.plot_id, slip.tag, slip.field): slip for slip in campaign.slips}
    for plot_id, census, visit_id in _visits(database, project_id, campaign):
        with database.writing() as pen:
            for one in flags.of_visit(pen, visit_id):
                flag = flags.find(pen, project_id, one["id"])  # a correction settles all flags at its cell
                if flag is not None and flag.state == "open":
                    slip = slips.get((census, plot_id, flag.tag or "", flag.field or ""))
                    _decide_on(pen, project_id, flag, slip, by, at)


def approve(database: Database, project_id: int, campaign: Campaign, by: str, at: int) -> int:
    """Approve those of the visits that hold no open error; how many. The rest waits for the crews."""
    approved = 0
    for _plot_id, _census, visit_id in _visits(database, project_id, campaign):
        with database.writing() as pen:
            if not any(flag["severity"] == Severity.ERROR for flag in flags.of_visit(pen, visit_id)):
                review.approve(pen, project_id, visit_id, Act(by, "", at))
                approved += 1
    return approved


def _visits(database: Database, project_id: int, campaign: Campaign) -> list[tuple[str, str, int]]:
    """Plot, census and number of each visit that she has come to."""
    found: list[tuple[str, str, int]] = []
    first, last = (census.name for census in campaign.county.censuses)
    careful, second, *_ = (crew.name for crew in campaign.county.crews)
    wanted = {(careful, first), (second, first), (careful, last)}
    with database.reading() as reader:
        for plot in campaign.county.plots:
            row = plot_report.find(reader, project_id, plot.plot_id)
            found += [
                (plot.plot_id, visit["census"], visit["id"])
                for visit in (plot_report.visits(reader, row["id"]) if row else [])
                if visit["kind"] == "visit" and (visit["crew"], visit["census"]) in wanted
            ]
    return found


def _decide_on(pen: Connection, project_id: int, flag: AnyRow, slip: Slip | None, by: str, at: int) -> None:
    if slip is not None and slip.field in CORRECTED and flag.ordinal is not None:
        change = Change(flag.ordinal, slip.field, slip.intended)
        review.correct(pen, project_id, flag.visit_id, change, Act(by, "看了围尺照片", at))
    elif slip is None and flag.severity == Severity.WARN and flag.facts.get("case") not in LAST_CASES:
        review.accept(pen, project_id, flag.id, Act(by, "看过照片，属实", at))
