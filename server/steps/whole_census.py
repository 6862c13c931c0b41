"""What the rules say of every tree in the last visit of each plot, found from columns; nothing is written.

The sieve finds which rules could speak about which visits; only those visits become objects, only those rules are
asked. What places, photos and crews tell is left to the ordinary check. Reads one slice of plots at a time, so that a
forest of any size fits, and can be shared among processes.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from typing import Any, NamedTuple

from sqlalchemy import Connection

from server.forest.visit import Visit, years_between
from server.steps import accepted, check
from server.store import bands, plots, projects, species, visits
from server.store.db import Database
from server.store.visits import VisitRow
from server.validation.catalogue import flags_of
from server.validation.flag import Flag
from server.validation.parameters import Parameters
from server.validation.places import flags_of_stand
from server.validation.project import parameters_of

PLOTS_AT_ONCE = 4000
"""Plots of one slice: a quarter of a million trees, some 100 MB."""

Counts = Counter[tuple[str, str]]  # rule and severity


class Known(NamedTuple):
    """A visit to look at with what was known before, the latest first."""

    row: VisitRow
    earlier: list[VisitRow]
    thinned: bool
    plot: plots.PlotRow


class Work(NamedTuple):
    """One slice of plots, from the first number to the last, for one process."""

    url: str
    project_id: int
    changes: dict[str, float] | None
    span: tuple[int, int]


class Judge(NamedTuple):
    """How a project's visits are judged."""

    parameters: Parameters
    species: Any
    accepted: accepted.Accepted | None

    @classmethod
    def of(cls, connection: Connection, project_id: int, changes: dict[str, float] | None = None) -> Judge:
        """As the project is judged now, or would be with these thresholds changed."""
        ways = projects.ways(connection, project_id)
        assert ways is not None
        own = {**ways.rule_settings, **(changes or {})}
        fit = accepted.in_use(connection, bands.current(connection, project_id))
        return cls(
            parameters_of(ways.tally_limit_cm, own), species.infos(connection, project_id) or None, fit
        )


def looked_at(
    connection: Connection, reader: Any, project_id: int, span: tuple[int, int], judge: Judge
) -> Iterator[tuple[VisitRow, list[Flag]]]:
    """Visits of the plots in `span` about which the rules have something to say, with their flags."""
    from server.store import census_stream  # polars comes with them: tens of MB that nobody else should carry
    from server.validation import sieve

    known = _known(connection, project_id, span)
    trees = sieve.keyed(reader.of_plots(connection, project_id, *span))
    for fold in range(-1, accepted.FOLDS):
        some = [one for one in known if _fold(one, judge) == fold]
        if not some:
            continue
        reference = judge.accepted.judging(fold, is_approved=fold >= 0) if judge.accepted else None
        beside = sieve.Beside(judge.parameters.limits, reference, judge.species)
        sieved = sieve.speakers(trees, _table(some, judge), beside)
        speaking = [one for one in some if one.row.id in sieved.asked]
        rows = census_stream.measurements(_needed(trees, speaking, sieved))
        for one in speaking:
            looks, crowd = sieved.asked[one.row.id]
            now, *before = [_visit(row, one, rows) for row in (one.row, *one.earlier)]
            last = before[0] if before else None
            found = flags_of(now, last, earlier=before[1:], reference=reference, parameters=judge.parameters,
                             species=judge.species, only=looks, crowd=crowd)  # fmt: skip
            if sieve.STAND in looks:
                found += flags_of_stand(now, last, judge.parameters)
            if found:
                yield one.row, found


def _needed(trees: Any, speaking: Sequence[Known], sieved: Any) -> Any:
    """Trees that the rules need: all of a visit and of those before it, or the named ones where it has a crowd."""
    import polars as pl

    visits_of = [
        (row.id, one.row.id, sieved.asked[one.row.id].crowd is None)
        for one in speaking
        for row in (one.row, *one.earlier)
    ]
    concerned = pl.DataFrame(
        visits_of, {"visit": pl.Int64, "asked": pl.Int64, "whole": pl.Boolean}, orient="row"
    )
    places = trees.select("visit", "key").with_row_index("at").join(concerned, on="visit")
    named = places.join(sieved.rows, left_on=["asked", "key"], right_on=["visit", "key"], how="semi")
    return trees[pl.concat([places.filter("whole"), named])["at"].sort()]


def _visit(row: VisitRow, one: Known, rows: dict[int, list[Any]]) -> Visit:
    days = ["thinned"] if one.thinned and row is one.row else []
    return check.visit_of(row, one.plot, rows, days)


def _fold(one: Known, judge: Judge) -> int:
    return one.row.plot_id % accepted.FOLDS if judge.accepted and one.row.is_approved else -1


def _known(connection: Connection, project_id: int, span: tuple[int, int]) -> list[Known]:
    of_plot = visits.of_plots_between(connection, project_id, span)
    places = plots.by_number(connection, of_plot)
    thinned = visits.thinned_between(connection, of_plot)
    found = []
    for plot_id, rows in of_plot.items():
        counting = [row for row in rows if row.merged_into_id is None and row.kind == "visit"]
        for row in counting[-1:]:
            earlier = check.earlier_visits(rows, row)
            days = check.days_between(thinned.get(plot_id, []), earlier[0].on if earlier else None, row.on)
            found.append(Known(row, earlier, bool(days), places[plot_id]))
    return found


def _table(some: Sequence[Known], judge: Judge) -> Any:
    import polars as pl

    from server.validation import sieve

    unknown = judge.parameters.limits.x04_years_unknown
    rows = [
        (
            one.row.id, one.earlier[0].id if one.earlier else None,
            (_years(one.earlier[0], one.row) if one.earlier else None) or unknown, len(one.earlier) > 1,
            len(one.earlier) > 1 and _years(one.earlier[1], one.earlier[0]) is not None, one.thinned, None,
            check.radius_m(one.plot), one.plot.area_ha,
        )
        for one in some
    ]  # fmt: skip
    return pl.DataFrame(rows, sieve.VISITS, orient="row")


def _years(earlier: VisitRow, later: VisitRow) -> float | None:
    return years_between(visits.as_day(earlier.on), visits.as_day(later.on))


def counts(
    url: str, project_id: int, changes: dict[str, float] | None = None, processes: int = 2,
    at_once: int = PLOTS_AT_ONCE,
) -> Counts:  # fmt: skip
    """How many flags of each rule and severity the trees of a project give, with these thresholds changed."""
    database = Database(url, pool_size=1)
    with database.reading() as connection:
        every = visits.plots_visited(connection, project_id)
    database.close()
    parts = spans(every, at_once, processes)
    work = [Work(url, project_id, changes, part) for part in parts]
    if processes == 1 or len(parts) == 1:
        return sum(map(_counted, work), Counter())
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # the processes share the cores, not their threads
    # what is loaded need not be loaded again, a second each; but the threads of polars would not come along
    how = "spawn" if "polars" in sys.modules else "fork"
    with get_context(how).Pool(min(processes, len(parts))) as pool:
        return sum(pool.imap_unordered(_counted, work), Counter())


def spans(every: Sequence[int], at_once: int, processes: int = 1) -> list[tuple[int, int]]:
    """First and last of so many numbers at the most, the same number for each of so many processes."""
    if not every:
        return []
    shares = -(-len(every) // (at_once * processes)) * processes
    size = -(-len(every) // shares)
    parts = (every[start : start + size] for start in range(0, len(every), size))
    return [(part[0], part[-1]) for part in parts]


def _counted(work: Work) -> Counts:
    from server.store.census_stream import Trees

    database, reader = Database(work.url, pool_size=1), Trees(work.url)
    found: Counts = Counter()
    gc.disable()  # trees come and go by the hundred thousand and hold no circles
    try:
        with database.reading() as connection:
            judge = Judge.of(connection, work.project_id, work.changes)
            for _, flags in looked_at(connection, reader, work.project_id, work.span, judge):
                found.update((flag.rule, str(flag.severity)) for flag in flags)
    finally:
        gc.enable()
        reader.close()
        database.close()
    return found
