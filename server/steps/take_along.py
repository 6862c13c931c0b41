"""What a crew takes along to a plot that was measured before: a form with its trees prefilled, and its tables.

Reads only. Trees that are cut, fallen or were over-counted need no second visit and are left out; a standing dead
tree stays, because it may fall. The limits beside each tree are those of the rules X02 and X04, so that what a phone
questions in the field is what the server would flag.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from forms.definition import Choice
from forms.remeasure import Remeasure, RemeasurePlot, RemeasureTree, make
from server.forest.species import SpeciesInfo
from server.forest.tree import TallyCode
from server.forest.visit import years_between
from server.problems import InvalidInput
from server.store import last_trees, plots, projects, species, visits
from server.store import trees as trees_store
from server.store.last_trees import LastTree
from server.store.scope import Scope
from server.validation.next_dbh import next_dbh
from server.validation.parameters.limits import Limits
from server.validation.project import parameters_of

_VISITED_AGAIN = {int(code) for code in TallyCode if code.is_alive} | {int(TallyCode.STANDING_DEAD)}


class NothingToMeasure(InvalidInput):
    """No plot of the project has been measured yet."""

    code = "nothing-to-measure"
    zh = "还没有测过的样地，无法生成复测表。请先完成一次调查。"
    en = "No plot has been measured yet, so there is nothing to measure again. Finish one census first."


def take_along(
    connection: Connection, project_id: int, census: str, on: date, version: str, crew_id: int | None = None
) -> Remeasure:
    """The form for `census`, to be measured on about the day `on`; for one crew's plots where it is given.

    Raises NothingToMeasure.
    """
    ways = projects.ways(connection, project_id)
    assert ways is not None
    rules = parameters_of(ways.tally_limit_cm, ways.rule_settings).limits
    known = species.infos(connection, project_id)
    rows = plots.entities(connection, Scope(project_id, crew_id))
    last = last_trees.last_visits(connection, [row.id for row in rows])
    standing = last_trees.last_trees(connection, last.values())
    trees = last_trees.by_plot(tree for tree in standing if tree.tally_code in _VISITED_AGAIN)
    if not trees:
        raise NothingToMeasure()
    highest = trees_store.highest_tags(connection, list(trees))
    return make(
        ways.name,
        census,
        [
            RemeasurePlot(
                plot_id=row.plot_id,
                lat=row.lat,
                lon=row.lon,
                crew=row.crew or "",
                trees=_trees(trees[row.id], known, rules, on),
                highest_tag=highest.get(row.id),
            )
            for row in rows
            if row.id in trees
        ],
        version=version,
        species=[Choice(code, labels) for code, labels in species.labels(connection, project_id).items()],
    )


def _trees(
    rows: Iterable[LastTree], known: dict[str, SpeciesInfo], rules: Limits, on: date
) -> list[RemeasureTree]:
    return [_tree(row, known.get(row.species), rules, on) for row in rows if row.tag]


def _tree(row: LastTree, info: SpeciesInfo | None, rules: Limits, on: date) -> RemeasureTree:
    years = years_between(visits.as_day(row.measured_on), on)
    bounds = next_dbh(row.dbh_cm, info.group if info else "", years, rules)
    return RemeasureTree(
        tag=row.tag,
        stem_id=row.stem_id,
        species=row.species,
        tally_code=row.tally_code or int(TallyCode.ALIVE),
        dbh_cm=row.dbh_cm,
        low_cm=bounds.low_cm if bounds else None,
        high_cm=bounds.high_cm if bounds else None,
        azimuth_deg=row.azimuth_deg,
        distance_m=row.distance_m,
    )
