"""A first look while the phone still listens: how many trees, and what the rules can say at once.

It reads only. What it says is told to the crew in the receipt and not kept: the check that follows in the
background sees more and keeps its flags.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from sqlalchemy import Connection

from forms.instance import Answers
from server.forest import answers as typed
from server.forest.visit import Visit
from server.store import plots, visits
from server.store.projects import Ways
from server.validation.catalogue import quick_look
from server.validation.flag import Flag, message
from server.validation.parameters import Parameters
from server.validation.project import parameters_of

log = logging.getLogger("yangdi.glance")

_APART = {"audit", "rework"}
"""Kinds of visit that are not compared with a census: blind, or of a few trees only."""


class Glance(NamedTuple):
    """What can be said at once: the plot's name, how many trees, and what looks odd, most suspicious first."""

    plot: str
    trees: int
    flags: list[Flag]

    def odd(self, locale: str) -> list[str]:
        """What looks odd as sentences."""
        return [message(flag, locale) for flag in self.flags]


def glance(connection: Connection, project_id: int, answers: Answers, ways: Ways) -> Glance:
    """Compare what was typed with the plot's last census and with what any tree can be."""
    name = answers.one("plot").get("plot_id", "")
    about = answers.one("visit")
    on = typed.day(about.get("measured_on") or about.get("started_at"))
    now = Visit(name, about.get("census", ""), on, tuple(typed.measurements(answers)))
    if not now.trees:
        return Glance(name, 0, [])
    plot = plots.find(connection, project_id, name) if name else None
    before = _before(connection, plot, now) if plot and about.get("kind") not in _APART else None
    parameters = parameters_of(ways.tally_limit_cm, ways.rule_settings)
    return Glance(name, len(now.trees), _odd(now, before, parameters))


def _odd(now: Visit, before: Visit | None, parameters: Parameters) -> list[Flag]:
    """A rule that fails costs the crew a hint, never its plot: a phone sends the same bytes until they are taken."""
    try:
        return quick_look(now, before, parameters)
    except Exception:
        log.exception("the rules could not look at a plot that was just sent")
        return []


def _before(connection: Connection, plot: plots.PlotRow, now: Visit) -> Visit | None:
    row = visits.latest_before(
        connection, plot.id, now.measured_on.isoformat() if now.measured_on else None, now.census
    )
    if row is None:
        return None
    trees = visits.measurements(connection, [row.id]).get(row.id, [])
    return Visit(plot.plot_id, row.census, visits.as_day(row.on), tuple(trees), plot.area_ha)
