"""The bands are fitted anew to what a supervisor has accepted. Kept as a new version only where they say something
else; then the rules look at every plot again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from server.forest.species import SpeciesInfo
from server.forest.tree import Measurement
from server.forest.visit import Visit
from server.steps.accepted import FOLDS, Accepted, content_hash
from server.store import bands, rechecks, species, visits
from server.store.bands import Fit
from server.store.visits import VisitRow
from server.validation.reference import Gathering, Reference

MOST_PLOTS = 20_000
"""Plots that a fit rests on at the most, evenly among all: more trees move no median that anybody would notice."""


class Fitted(NamedTuple):
    """A fit of one project's accepted trees as they were read."""

    project_id: int
    fit: Fit


def look(connection: Connection, project_ids: Sequence[int]) -> list[Fitted]:
    """Fit every project that has accepted trees, or had some."""
    return [
        Fitted(number, _fit(connection, number, plots))
        for number in project_ids
        if (plots := bands.accepted_plots(connection, number)) or bands.current(connection, number)
    ]


def write(connection: Connection, fitted: Sequence[Fitted], at: int) -> None:
    """Keep the fits that differ from the current ones and promise that the rules look again."""
    for project_id, fit in fitted:
        current = bands.current(connection, project_id)
        if current is None or current.fit_sha256 != fit.fit_sha256:
            bands.keep(connection, project_id, fit, at)
            rechecks.promise(connection, project_id, rechecks.BANDS, "server", at)


def _fit(connection: Connection, project_id: int, plots: list[int]) -> Fit:
    some = plots[:: 1 + (len(plots) - 1) // MOST_PLOTS]
    known = species.infos(connection, project_id)
    parts = [Gathering(known) for _ in range(FOLDS)]
    visit_count = tree_count = 0
    for rows in bands.accepted_visits(connection, project_id, some):
        trees = visits.measurements(connection, [row.id for row in rows])
        visit_count, tree_count = visit_count + len(rows), tree_count + sum(map(len, trees.values()))
        by_plot: dict[int, list[Visit]] = {}
        for row in rows:
            by_plot.setdefault(row.plot_id, []).append(_visit(row, trees.get(row.id, [])))
        for plot_id, of_plot in by_plot.items():
            parts[plot_id % FOLDS].add_plot(of_plot)
    text = _accepted(parts, known).to_text()
    return Fit(len(some), visit_count, tree_count, text, content_hash(text))


def _visit(row: VisitRow, trees: Iterable[Measurement]) -> Visit:
    return Visit(str(row.plot_id), row.census, visits.as_day(row.on), tuple(trees))


def _accepted(parts: Sequence[Gathering], known: Mapping[str, SpeciesInfo]) -> Accepted:
    without = tuple(_merged([one for one in parts if one is not left_out], known) for left_out in parts)
    return Accepted(_merged(parts, known), without)


def _merged(parts: Iterable[Gathering], known: Mapping[str, SpeciesInfo]) -> Reference:
    together = Gathering(known)
    for part in parts:
        together.merge(part)
    return together.reference()
