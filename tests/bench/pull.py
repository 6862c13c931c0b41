"""What it costs a phone to hear what is new: nothing, everything, one plot. `python -m tests.bench.pull`, part of
`make bench`; one server with default settings, beside a store that holds a county's plots of other crews.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import click
import zstandard
from sqlalchemy import Connection, insert

from server.store import feed, schema
from server.store.county import PlannedPlot, add_plots
from tests.bench import ingest, load, made
from tests.bench.house import Engine, House
from tests.bench.ingest import Line
from tests.bench.padding import pad

PLOTS, TREES = 100, 60
OTHERS = 5_000
"""Plots of others in the store."""
SPECIES = ("pinus_tabuliformis", "platycladus", "quercus", "robinia", "larix")


def plan_and_measure(house: House, pen: Connection) -> list[int]:
    """A crew's plots with their trees as five years ago, as rows; their numbers."""
    dice, project = random.Random(7), house.cast.project
    plan = [
        PlannedPlot(f"PS-{n:04d}", 36 + dice.random() / 2, 113 + dice.random() / 2, 0.0667, "square", None, "青羊镇",
                    house.cast.crew_one)
        for n in range(1000, 1000 + PLOTS)
    ]  # fmt: skip
    add_plots(pen, project, plan)
    p = schema.plot
    numbers = list(pen.scalars(p.select().where(p.c.plot_id.in_([row.plot_id for row in plan]))))
    census = _row(pen, schema.census, project_id=project, name="2021b", starts_on="2021-05-01")
    for plot in numbers:
        _measure(pen, dice, house, plot, census)
    feed.changed(pen, project, feed.TREES, numbers)
    return numbers


def _measure(pen: Connection, dice: random.Random, house: House, plot: int, census: int) -> None:
    sent = _row(
        pen, schema.submission, project_id=house.cast.project, form_id="plot_visit", version="1",
        instance_id=f"uuid:{plot}", xml=b"", xml_sha256=bytes(32), received_at=0,
    )  # fmt: skip
    visit = _row(
        pen, schema.visit, project_id=house.cast.project, plot_id=plot, census_id=census, crew_id=house.cast.crew_one,
        submission_id=sent, source_id=sent, measured_on=f"2021-06-{dice.randrange(1, 29):02d}", unfolded_at=0,
    )  # fmt: skip
    rows = []
    for k in range(TREES):
        tag, dbh_cm = str(k + 1), round(min(70.0, 5 + dice.expovariate(1 / 9)), 1)
        rows.append({
            "visit_id": visit, "ordinal": k, "tree_id": _row(pen, schema.tree, plot_id=plot, tag=tag), "tag": tag,
            "stem_id": "1", "species": dice.choice(SPECIES), "tally_code": dice.choice((11,) * 8 + (12, 13)),
            "dbh_cm": dbh_cm, "height_m": round(1.3 + 1.9 * dbh_cm**0.65 * dice.uniform(0.9, 1.1), 1),
            "azimuth_deg": float(dice.randrange(360)), "distance_m": round(dice.uniform(0.3, 18), 1),
            "verified": False, "dbh_text": str(dbh_cm),
        })  # fmt: skip
    pen.execute(insert(schema.measurement), rows)


def _row(pen: Connection, table: Any, **values: Any) -> int:
    return int(pen.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


class Asking:
    """One phone on one connection that stays open."""

    def __init__(self, house: House) -> None:
        place = urlsplit(house.server.base_url)
        self.house, self._line = house, HTTPConnection(place.hostname or "", place.port)

    def pull(self, cursor: str, encoding: str = "zstd") -> tuple[dict[str, Any], int, float]:
        """A page, the bytes of the answer with its headers, and the seconds it took."""
        headers = {"Authorization": f"Bearer {self.house.cast.token_one}", "Accept-Encoding": encoding}
        started = time.perf_counter()
        self._line.request("GET", path(self.house, cursor), headers=headers)
        answer = self._line.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - started
        size = len(body) + sum(len(name) + len(text) + 4 for name, text in answer.getheaders()) + 17
        if answer.headers.get("Content-Encoding") == "zstd":
            body = zstandard.decompress(body)
        return (json.loads(body) if encoding == "zstd" else {}), size, seconds


def path(house: House, cursor: str) -> str:
    since = f"?since={cursor}" if cursor else ""
    return f"/v1/projects/{house.cast.project}/sync/pull{since}"


def everything(asking: Asking) -> Iterator[Line]:
    """A crew's first pull."""
    for encoding in ("gzip", "zstd"):
        asking.pull("", encoding), asking.pull("", encoding)  # every process has imported what it needs
        before = asking.house.family.cpu()
        pages = [asking.pull("", encoding) for _ in range(10)]
        cpu_ms = 100 * asking.house.family.cpu().since(before).web_s
        said = pages[-1][0]
        if encoding == "zstd" and (
            said["more"] or sum(one["kind"] == "trees" for one in said["changes"]) != PLOTS
        ):
            raise RuntimeError("not everything came in one page")
        line = _line(f"first pull: {PLOTS} plots of {TREES} trees, {encoding}", pages)
        line.cpu_ms = cpu_ms
        yield line


def _line(what: str, pages: list[tuple[dict[str, Any], int, float]]) -> Line:
    ms = [1000 * seconds for _, _, seconds in pages]
    wire = max(size for _, size, _ in pages)
    return Line(
        what,
        1,
        len(pages),
        None,
        *(load.percentile(ms, p) for p in (50, 95, 99)),
        note=f"{wire:,} bytes on the wire",
    )


def nothing(asking: Asking, cursor: str, times: int) -> Iterator[Line]:
    """Nothing new: one phone, and eight that ask all the time."""
    _, size, _ = asking.pull(cursor)
    house = asking.house
    place = urlsplit(house.server.base_url)
    lines = f"GET {path(house, cursor)} HTTP/1.1\r\nHost: {place.netloc}\r\nAccept-Encoding: zstd\r\n"
    request = f"{lines}Authorization: Bearer {house.cast.token_one}\r\n\r\n".encode()
    for connections in (1, 8):
        before = house.family.cpu()
        answered = load.send(house.server.base_url, [request] * times, connections)
        cpu_ms = 1000 * house.family.cpu().since(before).web_s / times
        if set(answered.statuses) != {200}:
            raise RuntimeError(f"{dict(answered.statuses)}")
        yield Line(
            "pull with nothing new", connections, times, answered.per_s, answered.ms(50), answered.ms(95),
            answered.ms(99), cpu_ms, note=f"{size} bytes on the wire",
        )  # fmt: skip


def one_plot(asking: Asking, cursor: str, plots: list[int]) -> Iterator[Line]:
    """One plot of the crew has changed, after a hundred of others."""
    pages = []
    for plot in plots[:20]:
        with asking.house.database.writing() as pen:
            feed.changed(pen, asking.house.cast.project, feed.TREES, range(10_000, 10_100))
            feed.changed(pen, asking.house.cast.project, feed.TREES, [plot])
        pages.append(asking.pull(cursor))
        cursor = pages[-1][0]["cursor"]
    yield _line("pull of one plot that changed", pages)


@click.command()
@click.option("--asks", default=1000, show_default=True, help="Pulls with nothing new in each measurement.")
@click.option("--database-url", default="", help="An empty PostgreSQL instead of SQLite. It is truncated!")
def main(asks: int, database_url: str) -> None:
    """Measure what a pull costs, and print one table."""
    with House(Engine(database_url), made.form()) as house:
        pad(house.database, house.cast.project, house.cast.device_one, house.version, OTHERS, 10)
        with house.database.writing() as pen:
            others = _row(pen, schema.crew, project_id=house.cast.project, name="三队")
            pen.execute(schema.visit.update().values(crew_id=others))
            plots = plan_and_measure(house, pen)
        asking = Asking(house)
        lines = list(everything(asking))
        cursor = asking.pull("")[0]["cursor"]
        lines += nothing(asking, cursor, asks)
        lines += one_plot(asking, cursor, plots)
    click.echo(
        f"{Engine(database_url).name}; 1,000,000 rounds of a Python loop: {ingest.calibration_ms():.0f} ms"
    )
    click.echo(ingest.table(lines))


if __name__ == "__main__":
    main()
