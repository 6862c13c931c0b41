"""How fast the rules look at one plot, at a million trees, at twenty million: python -m tests.bench.checks [--full].

Made-up plots of sixty trees with their last census; one diameter in a hundred carries a slip. A census is read from
SQLite and from PostgreSQL, beside what it takes to read the same rows as columns and do nothing with them.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, insert, text, update

from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit
from server.settings import Settings
from server.steps import refit, whole_census
from server.store import bands, schema, visits
from server.store.db import Database
from server.store.schema import metadata
from server.validation.catalogue import flags_of
from server.validation.parameters import Parameters
from server.validation.reference import Reference
from tests.postgres import Cluster, find_binaries

TREES = 60
MADE = 500
"""Plots that are made; a census is these, over and over, as other plots."""
MILLION = 1_000_000
SPECIES = (("pinus_tabuliformis", 0.45), ("platycladus", 0.30), ("robinia", 0.80))
LAST_ON, NOW_ON = "2021-07-01", "2026-07-01"

Row = tuple[str, str, int, float | None]  # tag, species, tally code, dbh in cm


def plot(chance: random.Random) -> tuple[list[Row], list[Row]]:
    """The trees of one plot five years ago and now: some die, some grow in, one value in a hundred is a slip."""
    last, now = [], []
    for number in range(1, TREES + 1):
        species, rate = chance.choice(SPECIES)
        dbh = round(chance.lognormvariate(2.7, 0.35) + 5, 1)
        last.append((str(number), species, int(TallyCode.ALIVE), dbh))
        grown = round(dbh + max(chance.gauss(rate, 0.4 * rate), 0.0) * 5 + chance.gauss(0, 0.15), 1)
        dies = chance.random() < 0.01
        now.append((str(number), species, int(TallyCode.STANDING_DEAD if dies else TallyCode.ALIVE),
                    None if dies else _slipped(grown, chance)))  # fmt: skip
    if chance.random() < 0.4:
        now.append((str(TREES + 1), SPECIES[0][0], int(TallyCode.INGROWTH), round(chance.uniform(5, 8), 1)))
    return last, now


def _slipped(dbh_cm: float, chance: random.Random) -> float:
    if chance.random() >= 0.01:
        return dbh_cm
    return round(
        chance.choice((dbh_cm + 10, abs(dbh_cm - 10) + 0.5, dbh_cm * 10, dbh_cm / 10, dbh_cm * 1.08)), 1
    )


def fill(connection: Connection, trees: int, first: int = 1) -> int:
    """A project with so many measurements and those of the census before; its number. Plots are numbered from `first`
    on, visits and submissions from twice that: a store may hold others."""
    copies = -(-trees // (MADE * TREES))
    project = _id(connection, schema.project, name="bench", created_at=0)
    censuses = [
        _id(connection, schema.census, project_id=project, name=day[:4], starts_on=day)
        for day in (LAST_ON, NOW_ON)
    ]
    chance = random.Random(1)
    measured: list[dict[str, Any]] = []
    for place in range(first, first + MADE):
        values = {
            "id": place,
            "project_id": project,
            "plot_id": f"P{place}",
            "area_ha": 0.0667,
            "shape": "square",
        }
        connection.execute(insert(schema.plot).values(**values))
        for time_, rows in enumerate(plot(chance)):
            number = 2 * place - 1 + time_
            connection.execute(insert(schema.submission).values(
                id=number, project_id=project, form_id="bench", version="1", instance_id=f"i{number}", xml=b"",
                xml_sha256=b"", received_at=0))  # fmt: skip
            connection.execute(insert(schema.visit).values(
                id=number, project_id=project, plot_id=place, census_id=censuses[time_], submission_id=number,
                source_id=number, measured_on=(LAST_ON, NOW_ON)[time_], unfolded_at=0))  # fmt: skip
            measured += [
                {"visit_id": number, "ordinal": at, "tag": tag, "stem_id": "1", "species": species, "tally_code": tally,
                 "dbh_cm": dbh, "verified": False, "dbh_text": "" if dbh is None else f"{dbh:.1f}"}
                for at, (tag, species, tally, dbh) in enumerate(rows)
            ]  # fmt: skip
    connection.execute(insert(schema.measurement), measured)
    for copy in range(1, copies):
        _copy(connection, copy, first)
    return project


def _copy(connection: Connection, copy: int, first: int) -> None:
    """The made plots once more, as plots, submissions and visits of other numbers."""
    moved = {"plot": {"id": MADE, "plot_id": 0}, "submission": {"id": 2 * MADE, "instance_id": 0},
             "visit": {"id": 2 * MADE, "plot_id": MADE, "submission_id": 2 * MADE, "source_id": 2 * MADE},
             "measurement": {"visit_id": 2 * MADE}}  # fmt: skip
    for name, steps in moved.items():
        table = metadata.tables[name]
        said = [
            column.name if (step := steps.get(column.name)) is None
            else f"{column.name} + {step * copy}" if step else f"{column.name} || '-{copy}'"
            for column in table.columns
        ]  # fmt: skip
        key, times = "visit_id" if name == "measurement" else "id", 1 if name == "plot" else 2
        made = f"{key} BETWEEN {times * first - times + 1} AND {times * (first + MADE - 1)}"
        names = ", ".join(column.name for column in table.columns)
        connection.execute(
            text(f"INSERT INTO {name} ({names}) SELECT {', '.join(said)} FROM {name} WHERE {made}")
        )


def _id(connection: Connection, table: Any, **values: Any) -> int:
    return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


def accept_and_fit(database: Database, project: int) -> None:
    """Bands as the project would have them: fitted to the made plots, of which none is approved any more."""
    made = schema.visit.c.plot_id <= MADE
    with database.writing() as connection:
        connection.execute(update(schema.visit).where(made).values(review_state="approved"))
        fit = refit.look(connection, [project])[0].fit
        bands.keep(connection, project, fit, 0)
        connection.execute(update(schema.visit).where(made).values(review_state="received"))


def one_plot() -> None:
    """A plot of sixty trees beside its last census, with accepted bands: ms for the rules alone."""
    chance = random.Random(2)
    made = [_visits(place, *plot(chance)) for place in range(200)]
    reference = Reference.of(visit for pair in made for visit in pair)
    parameters, took = Parameters.default(), []
    for last, now in made:
        started = time.process_time()
        flags_of(now, last, reference=reference, parameters=parameters)
        took.append(1000 * (time.process_time() - started))
    took.sort()
    print(
        f"one plot of {TREES} trees: p50 {took[100]:.2f} ms, p95 {took[190]:.2f} ms, most {took[-1]:.2f} ms"
    )


def _visits(place: int, last: list[Row], now: list[Row]) -> tuple[Visit, Visit]:
    then, today = (
        Visit(str(place), day, date.fromisoformat(day), tuple(
            Measurement(at, tag, "1", species, TallyCode(tally), dbh, dbh_text="" if dbh is None else f"{dbh:.1f}")
            for at, (tag, species, tally, dbh) in enumerate(rows)), 0.0667)
        for day, rows in ((LAST_ON, last), (NOW_ON, now))
    )  # fmt: skip
    return then, today


def census(name: str, url: str, trees: int) -> None:
    """Fill a store and look at all of it, in a process of its own so that its memory is its own."""
    database = Database(url, pool_size=1, durable=False)
    with database.writing() as connection:
        metadata.create_all(connection)
        if connection.dialect.name == "postgresql":  # copies need no look for what they point to
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        project = fill(connection, trees)
    accept_and_fit(database, project)
    with database.writing() as connection:
        connection.execute(text("ANALYZE"))
    database.close()
    for task in ("read", "look 1", "look 2"):
        done = subprocess.run([sys.executable, "-m", "tests.bench.checks", "--task", task, url, str(project)],
                              check=True, capture_output=True, text=True)  # fmt: skip
        print(f"{name:10s} {trees:>10,} trees and their last census: {done.stdout.strip()}", flush=True)


def do_task(task: str, url: str, project: int) -> None:
    """One measured run: `read` the columns and do nothing, or `look` with so many processes."""
    started = time.perf_counter()
    if task == "read":
        said = f"read as columns, {_read(url, project):,} rows"
    else:
        processes = int(task.split()[1])
        found = whole_census.counts(url, project, processes=processes)
        said = f"looked at by {processes} process{'es' if processes > 1 else ''}, {found.total():,} flags"
    took = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    print(f"{said}: {took:.1f} s, {cpu:.1f} s of CPU, {sum(one.ru_maxrss for one in used) / 1024:.0f} MB")


def _read(url: str, project: int) -> int:
    from server.store.census_stream import Trees

    database, reader = Database(url, pool_size=1), Trees(url)
    with database.reading() as connection:
        every = visits.plots_visited(connection, project)
        rows = sum(
            reader.of_plots(connection, project, *span).height
            for span in whole_census.spans(every, whole_census.PLOTS_AT_ONCE)
        )
    reader.close()
    database.close()
    return rows


@click.command()
@click.option(
    "--full",
    is_flag=True,
    help="Twenty million trees as well: half an hour and 10 GB of disk in the folder for temporary files.",
)
@click.option("--trees", type=int, help="A census of so many trees instead.")
@click.option("--task", hidden=True)
@click.argument("rest", nargs=-1)
def main(full: bool, trees: int | None, task: str | None, rest: tuple[str, ...]) -> None:
    """Print one line for each run."""
    if task:
        do_task(task, rest[0], int(rest[1]))
        return
    one_plot()
    sizes = [trees] if trees else [MILLION, 20 * MILLION] if full else [MILLION]
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="yangdi-bench-") as folder:
            census("SQLite", f"sqlite:///{Path(folder) / 'yangdi.db'}", size)
        binaries = find_binaries()
        if binaries is None:
            print("PostgreSQL is not on this machine")
            continue
        cluster = Cluster(binaries)
        try:
            cluster.do("CREATE DATABASE bench")
            census("PostgreSQL", Settings(database_url=cluster.url("bench")).url, size)
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
