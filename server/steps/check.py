"""Step 3: the rules look at visits; what they say becomes flags.

The same visit and the same rules give the same flags, so checking twice changes nothing. A flag that a person has
decided on stays decided as long as the values it saw stay the same; a flag that no longer holds becomes void.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from server.forest.tree import Measurement
from server.forest.visit import Visit
from server.steps import accepted, surroundings
from server.store import bands, crews, flags, plots, projects, species, visits
from server.store.flags import Standing
from server.store.plots import PlotRow
from server.store.visits import VisitRow
from server.validation.catalogue import flags_of
from server.validation.flag import Flag, inputs_hash
from server.validation.places import Surroundings, flags_of_place
from server.validation.project import parameters_of


class Checked(NamedTuple):
    """What the rules said about one visit, and the state of its plot and the ways of its project that they saw."""

    visit: VisitRow
    flags: list[Flag]
    ground: visits.Ground
    ways: Ways


class Ways(NamedTuple):
    """How a project's visits are judged: what it changes of the rules, and the fit of its accepted trees."""

    tally_limit_cm: float
    rule_settings: dict[str, Any]
    fit: bands.Current | None


def look(connection: Connection, ids: Sequence[int]) -> list[Checked]:
    """Let the rules look at visits by their numbers, each beside its plot's earlier censuses."""
    wanted = visits.by_number(connection, ids)
    ground = visits.ground(connection, (v.plot_id for v in wanted))  # before all that stands on it
    judges = {number: _Judge(connection, number) for number in {v.project_id for v in wanted}}
    of_plot = visits.of_plots(connection, (v.plot_id for v in wanted))
    plot_rows = plots.by_number(connection, of_plot)
    thinned = visits.thinned_between(connection, of_plot)
    before = {v.id: earlier_visits(of_plot[v.plot_id], v) for v in wanted}
    concerned = {v.id for v in wanted} | {e.id for earlier in before.values() for e in earlier}
    trees = visits.measurements(connection, concerned)
    last = {number: some[0].id for number, some in before.items() if some}
    around = surroundings.of(connection, wanted, last, trees)
    result = []
    for row in wanted:
        plot = plot_rows[row.plot_id]
        earlier = [visit_of(e, plot, trees, []) for e in before[row.id]]
        days = days_between(
            thinned.get(row.plot_id, []), before[row.id][0].on if before[row.id] else None, row.on
        )
        found = (
            []
            if row.merged_into_id is not None or row.kind == "rework"
            else judges[row.project_id].flags(row, visit_of(row, plot, trees, days), earlier, around[row.id])
        )  # what is odd about a merged visit or a second tape is said of the visit that holds its trees
        result.append(Checked(row, found, ground[row.plot_id], judges[row.project_id].ways))
    return result


class _Judge:
    """The rules as one project wants them, beside what its accepted trees say."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self.ways = _ways(connection, project_id)
        self._parameters = parameters_of(self.ways.tally_limit_cm, self.ways.rule_settings)
        self._species = species.infos(connection, project_id) or None
        self._accepted = accepted.in_use(connection, self.ways.fit)

    def flags(self, row: VisitRow, now: Visit, earlier: list[Visit], around: Surroundings) -> list[Flag]:
        reference = self._accepted.judging(row.plot_id, row.is_approved) if self._accepted else None
        found = flags_of(
            now, earlier[0] if earlier else None, earlier=earlier[1:], reference=reference,
            parameters=self._parameters, species=self._species,
        )  # fmt: skip
        found = [_naming(flag, self.ways.fit) for flag in found] if self.ways.fit else found
        return found + flags_of_place(now, earlier[0] if earlier else None, around, self._parameters)


def _naming(flag: Flag, fit: bands.Current) -> Flag:
    """The flag with the version of the bands that a rule about single trees looked into."""
    if flag.ordinal is None:
        return flag
    return flag._replace(facts={**flag.facts, "bands": fit.version})


def _ways(connection: Connection, project_id: int) -> Ways:
    ways = projects.ways(connection, project_id)
    assert ways is not None
    return Ways(ways.tally_limit_cm, ways.rule_settings, bands.current(connection, project_id))


def earlier_visits(of_plot: list[VisitRow], row: VisitRow) -> list[VisitRow]:
    """Visits of earlier censuses, the latest first, one for each census."""
    found: list[VisitRow] = []
    here = [v for v in of_plot if v.id != row.id]
    census, on = row.census, row.on
    while (last := visits.previous(here, on, census)) is not None:
        found.append(last)
        here = [v for v in here if v.census not in {census, last.census}]
        on = last.on
    return found


def visit_of(row: VisitRow, plot: PlotRow, trees: dict[int, list[Measurement]], thinned: list[str]) -> Visit:
    return Visit(
        plot_id=plot.plot_id,
        census=row.census,
        measured_on=visits.as_day(row.on),
        trees=tuple(trees.get(row.id, ())),
        area_ha=plot.area_ha,
        thinned=bool(thinned),
        # positions by azimuth and distance have their origin in the centre
        radius_m=radius_m(plot),
    )


def radius_m(plot: PlotRow) -> float | None:
    """How far from the centre a tree of this plot can stand, m: half the diagonal of a square, a circle's radius."""
    if not plot.area_ha or not plot.shape:
        return None
    area_m2 = plot.area_ha * 10_000
    return float((area_m2 / 2) ** 0.5 if plot.shape == "square" else (area_m2 / 3.141592653589793) ** 0.5)


def days_between(days: list[str], after: str | None, until: str | None) -> list[str]:
    return [day for day in days if (after is None or day > after) and (until is None or day <= until)]


def write(connection: Connection, found: Sequence[Checked], at: int) -> None:
    """Put flags in place of those that no longer hold. Where a visit, a correction or a thinning of the plot has
    changed since the rules looked, or the project's ways have, nothing is written: that change has promised a check
    of its own."""
    now = visits.ground(connection, (one.visit.plot_id for one in found), lock=True)
    ways = {number: _ways(connection, number) for number in {one.visit.project_id for one in found}}
    current = [
        one for one in found
        if now.get(one.visit.plot_id) == one.ground and ways[one.visit.project_id] == one.ways
    ]  # fmt: skip
    standing = flags.standing(connection, [one.visit.id for one in current])
    fresh: list[tuple[Any, ...]] = []
    gone: list[int] = []
    for one in current:
        new, old = _compare(connection, one, standing.get(one.visit.id, []))
        gone += old
        fresh += [_row(one.visit, f, digest, at) for f, digest in new]
    flags.void(connection, gone)
    flags.add(connection, fresh)
    visits.mark_checked(connection, [one.visit.id for one in current], at)
    crews.promise(connection, [one.visit.id for one in current], at)


def _compare(
    connection: Connection, one: Checked, standing: Sequence[Standing]
) -> tuple[list[tuple[Flag, str]], list[int]]:
    """Flags to add and numbers of open flags that no longer hold."""
    there: dict[str, list[Standing]] = defaultdict(list)
    for one_there in standing:
        there[one_there.inputs_hash].append(one_there)
    new: list[tuple[Flag, str]] = []
    anew: list[tuple[int, flags.Said]] = []
    for flag in one.flags:
        digest = inputs_hash(flag)
        if not there[digest]:
            new.append((flag, digest))
            continue
        same, said = there[digest].pop(0), _said(flag)
        if same.state == "open" and same.said != said:
            anew.append((same.id, said))
        elif same.said.ordinal != flag.ordinal:
            flags.move(connection, same.id, flag.ordinal)
    flags.say_anew(connection, anew)
    return new, [s.id for left in there.values() for s in left if s.state == "open"]


def _said(flag: Flag) -> flags.Said:
    return flags.Said(
        flag.ordinal, flag.rule, flag.rule_version, str(flag.severity), flag.score, flag.priority,
        flag.expected_low, flag.expected_high,
        flag.suggestion, dict(flag.facts),
    )  # fmt: skip


def _row(visit: VisitRow, flag: Flag, digest: str, at: int) -> tuple[Any, ...]:
    return (
        visit.project_id, visit.id, visit.plot_id, flag.ordinal, flag.tag, flag.stem_id, flag.rule, flag.rule_version,
        str(flag.severity), flag.score, flag.field, flag.value, flag.expected_low, flag.expected_high,
        flag.suggestion, flags.as_json(flag.facts), digest, "open", at,
        flag.priority,
    )  # fmt: skip
