"""Both censuses of the made-up county: every visit as its crew sends it, the thinning between, and the
truth."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from server.demo import crews, once
from server.demo.county import Census, County, Crew, Habit, Plot, loose_plot
from server.demo.crews import Copied, TypedRow
from server.demo.growth import TruePlot, grow_plot
from server.demo.slips import Change, Slip, slip
from server.demo.thinning import SimulatedThinning, make_thinning, touched_plots
from server.demo.visits import SimulatedVisit, make_visit, morning

SLIP_RATE = 0.01
"""Share of diameters with a slip; crews before any check make 0.2 to 1.9 % (published censuses)."""
IDENTITY_RATE = 0.002
"""Share of trees left out, given another's tag, or another species: each."""

AUDITS_AFTER_DAYS = 40
"""Workdays of a campaign after which its audits begin: the crews are through by then."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """All that is sent, and what is wrong with it. `truth` is the forest itself by plot_id."""

    county: County
    visits: tuple[SimulatedVisit, ...]
    thinnings: tuple[SimulatedThinning, ...]
    slips: tuple[Slip, ...]
    truth: dict[str, TruePlot]

    def visits_of(self, census: str) -> list[SimulatedVisit]:
        """The visits of one census in the order of their days."""
        return sorted((v for v in self.visits if v.census == census), key=lambda v: v.started_at)


def simulate(county: County, slip_rate: float = SLIP_RATE, identity_rate: float = IDENTITY_RATE) -> Campaign:
    """Both censuses. The same county gives the same campaign; another slip rate changes only what slips
    touch."""
    thinned = touched_plots(county)
    truth = {
        p.plot_id: grow_plot(p, county.censuses, county.seed, is_thinned=p in thinned) for p in county.plots
    }
    visits: list[SimulatedVisit] = []
    slips: list[Slip] = []
    for crew in county.crews:
        plots = [truth[plot.plot_id] for plot in county.plots if plot.crew is crew]
        work = _CrewWork(county, crew, slip_rate, identity_rate)
        for visit, made in work.visits(plots):
            visits.append(visit)
            slips += made
    careful, _rounding, copying, *_ = county.crews
    visits = once.befallen(visits, county.censuses[-1].name, careful, copying)
    thinning = (
        (make_thinning(county, [truth[p.plot_id] for p in thinned], county.censuses[1].name),)
        if thinned
        else ()
    )
    return Campaign(county, tuple(visits), thinning, tuple(slips), truth)


def audit_visits(campaign: Campaign, plot_ids: Iterable[str]) -> Iterator[SimulatedVisit]:
    """What the auditors send of these plots in the last census, two a day, from its tenth week on."""
    census, auditors = campaign.county.censuses[-1], campaign.county.auditors
    days = _workdays(census)[AUDITS_AFTER_DAYS:]
    for number, plot_id in enumerate(sorted(plot_ids)):
        where = f"{campaign.county.seed}/{census.name}/{plot_id}/audit"
        truth = campaign.truth[plot_id]
        plot = replace(truth, plot=replace(truth.plot, crew=auditors))
        rows = crews.typed_rows(plot, census.name, auditors.habit, random.Random(f"{where}/typed"))
        luck = random.Random(f"{where}/visit")
        started_at = morning(days[min(number // 2, len(days) - 1)], luck, 8 if number % 2 == 0 else 14)
        visit = make_visit(plot, census.name, started_at, rows, luck, keeps_log=False)
        yield replace(visit, header={}, corners=(), audit_kind="random")


def load_visits(seed: int, plots: int, trees: int, views: int = 0) -> Iterator[SimulatedVisit]:
    """First visits to `plots` plots of `trees` trees each, for a load test: made one by one, with slips."""
    today = Census("load", date(2026, 7, 1), date(2026, 10, 31))
    for number in range(1, plots + 1):
        plot = grow_plot(loose_plot(seed, number), (today,), seed, tree_count=trees)
        luck = random.Random(f"{seed}/load/{number}")
        rows = crews.typed_rows(plot, today.name, plot.plot.crew.habit, luck)
        slip(rows, luck, SLIP_RATE)
        day = today.starts_on + timedelta(days=number % 120)
        yield make_visit(plot, today.name, morning(day, luck), rows, luck, views=views, keeps_log=False)


class _CrewWork:
    """One crew through all censuses: it remembers what it typed last time and at the plot before."""

    def __init__(self, county: County, crew: Crew, slip_rate: float, identity_rate: float) -> None:
        self._county = county
        self._crew = crew
        self._rates = slip_rate, identity_rate
        self._last: dict[str, list[TypedRow]] = {}  # by plot: what was typed in the census before
        self._previous: dict[str, list[TypedRow]] = {}  # by stratum: at its plot before, in this census

    def visits(self, plots: list[TruePlot]) -> Iterator[tuple[SimulatedVisit, list[Slip]]]:
        first = self._county.censuses[0]
        for census in self._county.censuses:
            self._previous = {}
            days = _workdays(census)
            for number, plot in enumerate(plots):
                hour = 8 if number % 2 == 0 else 14
                day = days[min(number // 2, len(days) - 1)]
                yield self._visit(plot, census, day, hour, census.starts_on.year - first.starts_on.year)

    def _visit(
        self, plot: TruePlot, census: Census, day: date, hour: int, years_on: int
    ) -> tuple[SimulatedVisit, list[Slip]]:
        where = f"{self._county.seed}/{census.name}/{plot.plot.plot_id}"
        rows, copied, changes = self._typed(plot, census.name, where)
        luck = random.Random(f"{where}/visit")
        taped = _taped(plot, census.name, [c.tag for c in changes if c.field == "dbh_cm"])
        started_at = morning(day, luck, hour)
        visit = make_visit(
            plot,
            census.name,
            started_at,
            rows,
            luck,
            copied={one.tag for one in copied},
            taped=taped,
            years_on=years_on,
        )
        slips = [_noted(plot, census.name, c.kind, c.tag, "dbh_cm", c.measured, c.typed) for c in copied]
        return visit, slips + [_noted(plot, census.name, *change) for change in changes]

    def _typed(
        self, plot: TruePlot, census: str, where: str
    ) -> tuple[list[TypedRow], list[Copied], list[Change]]:
        """The rows of a visit with what is wrong in them. Each kind of wrong has its own luck, so that more slips
        do not change what is copied."""
        off_cm = 0.0 if census == self._county.censuses[0].name else self._crew.tape_off_cm
        rows = crews.typed_rows(plot, census, self._crew.habit, random.Random(f"{where}/typed"), off_cm)
        copied = self._copies(plot.plot, rows, random.Random(f"{where}/copies"))
        as_typed = [dict(row) for row in rows]
        self._last[plot.plot.plot_id] = self._previous[plot.plot.stratum.name] = as_typed
        changes = slip(rows, random.Random(f"{where}/slips"), *self._rates)
        return rows, copied, changes

    def _copies(self, plot: Plot, rows: list[TypedRow], luck: random.Random) -> list[Copied]:
        if self._crew.habit is not Habit.COPIES or not self._last:
            return []
        chance, last = luck.random(), self._last.get(plot.plot_id)
        if last is not None and chance < crews.COPIED_PLOTS_SHARE:
            return crews.copy_from_census(rows, last, luck)
        previous = self._previous.get(plot.stratum.name)
        if previous and chance > 1 - crews.PASTED_PLOTS_SHARE:
            return crews.copy_from_plot(rows, previous, luck)
        return []


def _workdays(census: Census) -> list[date]:
    """Mondays to Fridays of a campaign from its second week on."""
    days = (census.ends_on - census.starts_on).days
    every = [census.starts_on + timedelta(days=n) for n in range(7, days)]
    return [day for day in every if day.weekday() < 5]


def _taped(plot: TruePlot, census: str, slipped: list[str]) -> list[str]:
    """Tags whose tape is in a photo: the largest living tree, and the trees that the form asked to look
    at."""
    living = [tree for tree in plot.found_in(census) if tree.states[census].tally_code.is_alive]
    largest = max(living, key=lambda tree: tree.states[census].dbh_cm).tag
    return list(dict.fromkeys([largest, *slipped]))


def _noted(plot: TruePlot, census: str, kind: str, tag: str, field: str, intended: str, typed: str) -> Slip:
    tree = next(tree for tree in plot.trees if tree.tag == tag)
    state = tree.states[census]
    true_value = {"dbh_cm": f"{state.dbh_cm:.1f}", "species": tree.species.code}.get(field, tag)
    return Slip(kind, census, plot.plot.plot_id, tag, field, true_value, intended, typed)
