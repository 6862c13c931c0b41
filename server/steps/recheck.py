"""The rules look at every plot of a project again, a slice at a time, because they, the bands or a parameter changed.

Each slice is a transaction of its own and promises the next; a recheck that is asked for while one is under way begins
anew. What comes fresh from phones is checked in between, and by the rules as they are then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from server.steps import check
from server.steps.check import Checked
from server.store import bands, events, jobs, rechecks
from server.store.rechecks import Slice
from server.validation.fingerprint import rules_hash

MOST_PLOTS = 100
"""Plots of one slice: some tenth of a second, so that nobody waits for the pen."""


class Looked(NamedTuple):
    """The next plots of a recheck, and what the rules say about their visits."""

    plots: Slice
    found: list[Checked]


def look(connection: Connection, project_ids: Sequence[int]) -> list[Looked]:
    """Let the rules look at the next plots of each project whose recheck is open."""
    slices = [rechecks.next_slice(connection, number, MOST_PLOTS) for number in project_ids]
    return [Looked(one, check.look(connection, one.visit_ids)) for one in slices if one is not None]


def write(connection: Connection, looked: Sequence[Looked], at: int) -> None:
    """Keep what the rules said and promise the next slice. A slice of a recheck that has begun anew says nothing."""
    for plots, found in looked:
        if not rechecks.advance(connection, plots, at):
            continue
        check.write(connection, found, at)
        if plots.plot_ids:
            jobs.put_once(connection, jobs.RECHECK, plots.project_id, at)


def promise_after_upgrade(connection: Connection, at: int) -> None:
    """Where this program's rules are others than those that looked at a project, they look at all of it; and its bands
    are fitted where it has accepted trees and nobody has fitted any."""
    known = rules_hash()
    for project_id, has_visits in rechecks.looked_with_other_rules(connection, known):
        rechecks.note_rules(connection, project_id, known)
        if has_visits:
            rechecks.promise(connection, project_id, rechecks.RULES, "server", at)
    for project_id in bands.projects_without_fit(connection):
        jobs.put_once(connection, jobs.REFIT, project_id, at)


def ask(connection: Connection, project_id: int, by: str, at: int) -> int:
    """Somebody wants every plot of the project looked at again; the number of the recheck."""
    number = rechecks.promise(connection, project_id, rechecks.ASKED, by, at)
    events.add(connection, project_id, by, "rules.recheck", str(number), {}, at)
    return number
