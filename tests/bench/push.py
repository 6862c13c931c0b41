"""Our own wire: plots in batches beside plots one by one, photos by tus beside `dd`, and everybody at once.

`python -m tests.bench.push`, part of `make bench`. Whatever is compared is measured in one run, on one server with
default settings and its worker.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click
import zstandard
from sqlalchemy import insert

from server.store import schema
from tests.bench import ingest, load, made
from tests.bench.house import Engine, House
from tests.bench.ingest import Line

TREES = 50
BATCH = 200
PHOTO_BYTES = 300_000
PHONES = 200
PLOTS_EACH = 20


def request(method: str, url: str, token: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request of a phone with this key."""
    place = urlsplit(url)
    said = {
        "Host": place.netloc,
        "Authorization": f"Bearer {token}",
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = [f"{method} {place.path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def batch(numbers: Iterable[int]) -> bytes:
    """These plots as one body, packed by zstd."""
    instances = [
        {"client_id": str(number), "xml": made.instance(number, TREES).decode(), "files": []}
        for number in numbers
    ]
    return zstandard.compress(json.dumps({"instances": instances}, ensure_ascii=False).encode())


def pushes(house: House, first: int, count: int, size: int, token: str = "") -> Iterator[bytes]:
    """`count` batches of `size` plots that nobody has sent."""
    url = f"{house.server.base_url}/v1/projects/{house.cast.project}/sync/push"
    packed = {"Content-Encoding": "zstd", "Content-Type": "application/json"}
    for start in range(first, first + count * size, size):
        yield request("POST", url, token or house.cast.token_one, packed, batch(range(start, start + size)))


def creation(house: House, instance_id: str, photo: bytes, body: bytes) -> bytes:
    """A photo by tus; without `body` it is only asked whether it is known."""
    about = {"form_id": "forest_plot", "instance_id": instance_id, "name": "1.jpg",
             "sha256": hashlib.sha256(photo).hexdigest()}  # fmt: skip
    said = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in about.items())
    url = f"{house.server.base_url}/v1/projects/{house.cast.project}/sync/uploads"
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(photo)), "Upload-Metadata": said}
    if body:
        headers["Content-Type"] = "application/offset+octet-stream"
    return request("POST", url, house.cast.token_one, headers, body)


def waiting(house: House, numbers: Sequence[int]) -> list[str]:
    """Plots that wait for a photo each; their instanceIDs."""
    load.send(house.server.base_url, pushes(house, numbers[0], 1, len(numbers)), 1)
    house.settle()
    return [made.instance(n, TREES).decode().partition("<instanceID>")[2].partition("<")[0] for n in numbers]


def plots(house: House, posts: int) -> Iterator[Line]:
    """The same number of plots one by one and in batches; the line of a batch is given by the plot."""
    singles = list(
        load.post(f"{house.phone_url}/submission", (made.body(n, TREES) for n in range(1, posts + 1)))
    )
    one_by_one = ingest._measured(house, f"a plot of {TREES} trees, one by one", singles, 8, 201)
    yield one_by_one
    packed = list(pushes(house, 100_000, posts // BATCH, BATCH))
    line = ingest._measured(house, f"pushed in batches of {BATCH}, for each plot", packed, 8, 200)
    line.per_s = (line.per_s or 0.0) * BATCH
    line.cpu_ms, line.settled_cpu_ms = (line.cpu_ms or 0.0) / BATCH, (line.settled_cpu_ms or 0.0) / BATCH
    line.disk_bytes = (line.disk_bytes or 0.0) / BATCH
    rate, cpu = line.per_s / (one_by_one.per_s or 1.0), (one_by_one.cpu_ms or 0.0) / line.cpu_ms
    line.note = f"{rate:.1f} times as many a second, {cpu:.1f} times less CPU; ms are of a whole batch"
    yield line
    again = ingest._measured(house, f"the same batches of {BATCH} once more", packed, 8, 200)
    again.note = f"{(again.per_s or 0.0) * BATCH:.0f} plots/s"
    yield again


def photos(house: House, count: int) -> Iterator[Line]:
    """Photos of plots that wait for them, each in one request; then each of them once more, without a body."""
    taken = [made.photo(number, PHOTO_BYTES) for number in range(count)]
    for at_once in (1, 8):
        yield Line(
            f"dd of {PHOTO_BYTES // 1000} kB, conv=fsync",
            at_once,
            count,
            dd_per_s(house.folder, taken, at_once),
        )
    for connections in (1, 8):
        numbers = range(connections * 100_000, connections * 100_000 + count)
        some = [made.photo(number, PHOTO_BYTES) for number in numbers]
        ids = waiting(house, numbers)
        requests = [creation(house, i, photo, photo) for i, photo in zip(ids, some, strict=True)]
        bare = dd_per_s(house.folder, some, 1)
        idle = house.family.memory()
        line = ingest._measured(house, "a photo by tus, in one request", requests, connections, 201)
        line.note = (
            f"{(line.per_s or 0.0) / bare:.0%} of dd one by one just before ({bare:.0f}/s); RSS before "
            f"{idle.rss_mb:.0f} MB"
        )
        yield line
        asked = [creation(house, i, photo, b"") for i, photo in zip(ids, some, strict=True)]
        yield ingest._measured(house, "the same photo again, no body", asked, connections, 201)


def dd_per_s(folder: Path, taken: list[bytes], at_once: int) -> float:
    """Files a second that `dd` writes and syncs, a process for each, so many processes at a time."""
    source, target = folder / "dd-from", folder / "dd-to"
    for place in (source, target):
        place.mkdir()
    for number, photo in enumerate(taken):
        (source / str(number)).write_bytes(photo)
    command = ["xargs", "-P", str(at_once), "-I", "{}", "dd", f"if={source}/{{}}", f"of={target}/{{}}", "bs=1M",
               "conv=fsync", "status=none"]  # fmt: skip
    started = time.perf_counter()
    subprocess.run(command, input="\n".join(map(str, range(len(taken)))), text=True, check=True)
    took_s = time.perf_counter() - started
    shutil.rmtree(source)
    shutil.rmtree(target)
    return len(taken) / took_s


def everybody(house: House) -> Iterator[Line]:
    """All phones of a county come back from the field in the same moment, each with its plots of a week."""
    with house.database.writing() as pen:
        pen.execute(insert(schema.device), [
            {"project_id": house.cast.project, "crew_id": house.cast.crew_one, "name": f"phone {n}", "created_at": 0,
             "token_hash": hashlib.sha256(f"phone-{n}".encode()).hexdigest()}
            for n in range(PHONES)
        ])  # fmt: skip
    requests = [
        next(pushes(house, 1_000_000 + n * PLOTS_EACH, 1, PLOTS_EACH, token=f"phone-{n}"))
        for n in range(PHONES)
    ]
    line = ingest._measured(house, f"{PHONES} phones at once, {PLOTS_EACH} plots each", requests, PHONES, 200)
    line.note = f"{(line.per_s or 0.0) * PLOTS_EACH:.0f} plots/s; p99 {line.p99_ms:.0f} ms"
    yield line


def smaller() -> str:
    """What compression does to a batch."""
    instances = [
        {"client_id": str(n), "xml": made.instance(n, TREES).decode(), "files": []} for n in range(BATCH)
    ]
    plain = json.dumps({"instances": instances}, ensure_ascii=False).encode()
    return (
        f"a plot in a batch: {len(plain) / BATCH:.0f} bytes, gzip {len(gzip.compress(plain, 6)) / BATCH:.0f}, "
        f"zstd {len(zstandard.compress(plain)) / BATCH:.0f}"
    )


@click.command()
@click.option("--posts", type=int, default=1000, help="Plots sent one by one, and as many in batches.")
@click.option("--photos", "count", type=int, default=200, help="Photos for each measurement.")
@click.option(
    "--database-url", default="", help="An empty PostgreSQL to use instead of SQLite. It is truncated!"
)
def main(posts: int, count: int, database_url: str) -> None:
    """Measure our own wire, and print one table."""
    engine = Engine(database_url)
    click.echo(f"{engine.name}; a loop of Python: {ingest.calibration_ms():.0f} ms; {smaller()}")
    lines: list[Line] = []
    for scenario in (lambda h: plots(h, posts), lambda h: photos(h, count), everybody):
        with House(engine, made.form()) as house:
            ingest._warm(house)
            lines += scenario(house)
    click.echo(ingest.table(lines))


if __name__ == "__main__":
    main()
