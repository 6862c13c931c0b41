"""How fast plots come in, what that costs, and whether it stays so: `make bench`, or python -m tests.bench.ingest.

Every scenario begins with a fresh store and a real `yangdi serve` with default settings, its worker with it.
Nothing here is asserted against a clock; the figure for a fixed loop of Python tells how fast the machine was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import count

import click
from lxml import etree
from sqlalchemy import func, select, update

from server.store import schema
from tests.bench import load, made
from tests.bench.family import machine_s
from tests.bench.house import Engine, House
from tests.bench.padding import pad
from tests.journeys import scbi

TREES = 50


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent. `few` and `many` submissions are stored when the rate is taken for the second time."""

    posts: int
    photos: int
    gets: int
    few: int
    many: int
    padded_trees: int
    quadrats: int


QUICK = Size(posts=1000, photos=150, gets=500, few=1_000, many=20_000, padded_trees=10, quadrats=640)
FULL = Size(posts=4000, photos=600, gets=3000, few=10_000, many=500_000, padded_trees=50, quadrats=640)


@dataclass(slots=True)
class Line:
    """One line of the table; what does not apply is left empty. CPU is per request, memory the whole family's peak;
    `behind_s` is how long the worker needed after the last answer, `foreign_pct` how busy others kept the machine."""

    what: str
    connections: int | None = None
    n: int | None = None
    per_s: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    cpu_ms: float | None = None
    settled_cpu_ms: float | None = None
    rss_mb: float | None = None
    pss_mb: float | None = None
    disk_bytes: float | None = None
    behind_s: float | None = None
    foreign_pct: float | None = None
    note: str = ""


HEADINGS = (
    "", "conn.", "n", "1/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "… settled", "RSS MB", "PSS MB", "bytes kept",
    "behind s", "foreign %", "",
)  # fmt: skip

_numbers = count(1)


def calibration_ms() -> float:
    """A fixed piece of plain Python, best of five, ms: compare runs as ratios to it."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        total = 0
        for number in range(1_000_000):
            total += number * number % 7
        best = min(best, time.perf_counter() - started)
    return best * 1000


def parse_ms() -> float:
    """CPU of one bench plot read by lxml into dictionaries, best of five, ms: a yardstick without sockets or disks."""
    xml = made.instance(0, TREES)

    def as_dict(element: etree._Element) -> object:
        return {child.tag: as_dict(child) for child in element} if len(element) else element.text

    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        for _ in range(200):
            as_dict(etree.fromstring(xml))
        best = min(best, time.process_time() - started)
    return best / 200 * 1000


def _yardstick() -> str:
    return f"1,000,000 rounds of a Python loop {calibration_ms():.0f} ms, a plot read by lxml {parse_ms():.2f} ms"


def _measured(house: House, what: str, requests: list[bytes], connections: int, expected: int) -> Line:
    """Send, wait until all is done, and tell what it took."""
    disk = house.disk_bytes()
    before, others, started = house.family.cpu(), _others_s(house), time.perf_counter()
    with house.family.watched() as peak:
        answered = load.send(house.server.base_url, requests, connections)
        sent = house.family.cpu().since(before)
        behind_s = house.settle()
        settled = house.family.cpu().since(before)
    foreign = (_others_s(house) - others) / (time.perf_counter() - started) / (os.cpu_count() or 1)
    n = len(requests)
    if set(answered.statuses) != {expected}:
        raise RuntimeError(f"{what}: {dict(answered.statuses)}")
    return Line(
        what, connections, n, answered.per_s, answered.ms(50), answered.ms(95), answered.ms(99),
        1000 * sent.web_s / n, 1000 * (settled.web_s + settled.worker_s) / n, peak[0].rss_mb, peak[0].pss_mb,
        (house.disk_bytes() - disk) / n, behind_s, 100 * max(foreign, 0.0),
    )  # fmt: skip


def _others_s(house: House) -> float:
    return machine_s() - house.family.all_s()


def _posts(house: House, n: int, photo_bytes: int = 0) -> list[bytes]:
    """Requests for plots that no run before has sent."""
    numbers = [next(_numbers) for _ in range(n)]
    return list(
        load.post(f"{house.phone_url}/submission", (made.body(i, TREES, photo_bytes) for i in numbers))
    )


def _warm(house: House) -> None:
    """Every process has imported and compiled what it needs."""
    load.send(house.server.base_url, _posts(house, 40), 8)
    house.settle()


def new_plots(engine: Engine, size: Size) -> Iterator[Line]:
    """Plots of 50 trees at 1, 8 and 32 connections, then the last of them once more.

    The first line is the yardstick: the same bytes to an address that is not there, which costs gunicorn and Flask
    alone. On a slow or busy machine read the others as ratios to it.
    """
    with House(engine, made.form()) as house:
        _warm(house)
        nowhere = list(
            load.post(
                f"{house.server.base_url}/v1/nowhere", (made.body(0, TREES, 0) for _ in range(size.posts))
            )
        )
        for connections in (8, 32):
            yield _measured(house, "yardstick: to an address that is not there", nowhere, connections, 404)
        for connections in (1, 8, 32):
            requests = _posts(house, size.posts)
            yield _measured(house, f"a plot of {TREES} trees", requests, connections, 201)
        for connections in (1, 8):
            yield _measured(house, "the same once more", requests, connections, 201)


def photos(engine: Engine, size: Size) -> Iterator[Line]:
    """A plot with a picture of 300 kB; memory should not follow the bytes."""
    with House(engine, made.form()) as house:
        _warm(house)
        idle = house.family.memory()
        for connections in (1, 8, 32):
            requests = _posts(house, size.photos, 300_000)
            line = _measured(house, "a plot with a photo of 300 kB", requests, connections, 201)
            line.note = f"before: RSS {idle.rss_mb:.0f}, PSS {idle.pss_mb:.0f} MB"
            yield line


def form_list(engine: Engine, size: Size) -> Iterator[Line]:
    """What every phone asks at every look; most of them have it already."""
    with House(engine, made.form()) as house:
        url = f"{house.phone_url}/formList"
        etag = load.send(url, load.get(url, 20), 1).etag
        yield _measured(house, "form list", load.get(url, size.gets), 1, 200)
        yield _measured(house, "form list, unchanged", load.get(url, size.gets, etag), 1, 304)
        yield _measured(house, "form list", load.get(url, size.gets), 8, 200)


def flags_meanwhile(engine: Engine, size: Size) -> Iterator[Line]:
    """How long a plot waits for its flags while 8 phones keep sending: from its receipt until the rules have looked."""
    with House(engine, made.form()) as house:
        _warm(house)
        with house.database.writing() as pen:
            pen.execute(update(schema.visit).values(checked_at=None))  # those of the warming up do not count
        line = _measured(house, "", _posts(house, 2 * size.posts), 8, 201)
        waits = [ms / 1000 for ms in house.waits_ms()]
    yield Line(
        "receipt to flags, 8 phones sending", 8, len(waits), line.per_s, *(1000 * load.percentile(waits, p)
        for p in (50, 95, 99)), note=f"slowest {max(waits):.2f} s",
    )  # fmt: skip


def growth(engine: Engine, size: Size) -> Iterator[Line]:
    """The rate with few and with many stored submissions, in one store and one run."""
    with House(engine, made.form()) as house:
        _warm(house)
        lines = []
        for stored in (size.few, size.many):
            started = time.perf_counter()
            pad(
                house.database,
                house.cast.project,
                house.cast.device_one,
                house.version,
                stored,
                size.padded_trees,
            )
            padded_s = time.perf_counter() - started
            name = f"with {stored:,} stored"
            lines += [_measured(house, name, _posts(house, size.posts), 8, 201) for _ in range(2)]
            lines[-1].note = f"{size.padded_trees} trees each, padded in {padded_s:.0f} s"
        few, many = lines[:2], lines[2:]
        rate = max(line.per_s or 0.0 for line in many) / max(line.per_s or 0.0 for line in few)
        cpu = min(line.cpu_ms or 0.0 for line in many) / min(line.cpu_ms or 0.0 for line in few)
        lines[-1].note += f"; rate {rate:.0%}, CPU {cpu:.0%} of that with {size.few:,}"
        yield from lines


def a_forest(engine: Engine, size: Size) -> Iterator[Line]:
    """All censuses of a real forest, quadrat by quadrat, in the order in which they were taken."""
    if not scbi.TABLE.exists():
        yield Line("a real forest", note="the reference data are not here")
        return
    sent = [q for _, q in sorted(scbi.table().items())]
    plot_ids = {q.plot_id for q in sent}
    some = set(sorted(plot_ids)[:: max(1, len(plot_ids) // size.quadrats)])
    sent = [q for q in sent if q.plot_id in some]
    with House(engine, scbi.form()) as house:
        with house.database.writing() as pen:
            pen.execute(update(schema.project).values(tally_limit_cm=scbi.TALLY_LIMIT_CM))
        bodies = (made.envelope(xml) for xml in scbi.instances(sent))
        requests = list(load.post(f"{house.phone_url}/submission", bodies))
        line = _measured(house, f"a real forest: {len(some)} plots, {len(sent)} visits", requests, 8, 201)
        line.note = _flag_rate(house)
        yield line


def _flag_rate(house: House) -> str:
    f = schema.flag.c
    with house.database.reading() as connection:
        stems = connection.scalar(select(func.count()).select_from(schema.measurement)) or 1
        query = select(f.severity, func.count()).where(f.state == "open").group_by(f.severity)
        counts = {row[0]: row[1] for row in connection.execute(query)}
    rates = ", ".join(
        f"{name} {1000 * counts.get(name, 0) / stems:.1f}" for name in ("error", "warn", "info")
    )
    return f"{stems:,} stems; flags per 1000: {rates}"


SCENARIOS: dict[str, Callable[[Engine, Size], Iterator[Line]]] = {
    "new": new_plots, "photos": photos, "formlist": form_list, "flags": flags_meanwhile, "forest": a_forest,
    "growth": growth,
}  # fmt: skip


def cells(line: Line) -> list[str]:
    """A line as text, numbers with as many digits as they deserve."""
    return [_shown(getattr(line, knob.name)) for knob in fields(line)]


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return (
                f"{value:.0f}"
                if abs(value) >= 100
                else f"{value:.1f}"
                if abs(value) >= 10
                else f"{value:.2f}"
            )
        case _:
            return str(value)


def table(lines: list[Line]) -> str:
    """All lines as one table in Markdown."""
    rows = [list(HEADINGS), *(cells(line) for line in lines)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADINGS))]
    shown = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])


@click.command()
@click.option(
    "--full",
    is_flag=True,
    help="Half a million stored submissions and the whole forest: long, 10 GB of disk.",
)
@click.option(
    "--only", type=click.Choice(list(SCENARIOS)), multiple=True, help="These alone; repeat for more."
)
@click.option("--posts", type=int, help="Submissions in each measurement instead of the usual number.")
@click.option(
    "--database-url", default="", help="An empty PostgreSQL to use instead of SQLite. It is truncated!"
)
@click.option(
    "--database-pid", type=int, multiple=True, help="Its process, so that its CPU and memory count."
)
def main(
    full: bool, only: tuple[str, ...], posts: int | None, database_url: str, database_pid: tuple[int, ...]
) -> None:
    """Measure how plots come in, and print one table."""
    size = FULL if full else QUICK
    size = replace(size, posts=posts) if posts else size
    engine = Engine(database_url, database_pid)
    click.echo(f"{engine.name}, `yangdi serve` with default settings; {_yardstick()}")
    lines: list[Line] = []
    for name in only or SCENARIOS:
        click.echo(f"… {name}", err=True)
        lines += SCENARIOS[name](engine, size)
    click.echo(table(lines))
    click.echo(f"the same at the end: {_yardstick()}")


if __name__ == "__main__":
    main()
