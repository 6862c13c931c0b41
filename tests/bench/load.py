"""A load generator: so many connections, each sending its next request as soon as the last is answered.

It is bound by its list of requests and not by a clock, so that two runs send the same. HTTP/1.1 over asyncio's
streams; it knows what our server answers with, not all of HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from server.demo.multipart import CONTENT_TYPE

NO_BODY = frozenset({204, 304})


@dataclass(slots=True)
class Answered:
    """What came back: seconds for each request in the order of the answers, and how many of each status."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wall_s: float = 0.0
    etag: str = ""

    @property
    def per_s(self) -> float:
        return len(self.seconds) / self.wall_s

    def ms(self, percent: float) -> float:
        """A percentile (0 to 100) of the latencies, ms."""
        return 1000 * percentile(self.seconds, percent)


def percentile(values: list[float], percent: float) -> float:
    """The value that `percent` of 100 do not exceed (nearest rank); nan for none."""
    if not values:
        return float("nan")
    return sorted(values)[max(0, -(-len(values) * percent // 100).__int__() - 1)]


def post(url: str, bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Requests that send these bodies."""
    for body in bodies:
        yield _head("POST", url, f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n") + body


def get(url: str, times: int, etag: str = "") -> list[bytes]:
    """The same question `times` times; with the ETag that the phone has, where it has one."""
    return [_head("GET", url, f"If-None-Match: {etag}\r\n" if etag else "")] * times


def _head(method: str, url: str, more: str) -> bytes:
    place = urlsplit(url)
    lines = f"{method} {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nX-OpenRosa-Version: 1.0\r\n{more}\r\n"
    return lines.encode("ascii")


def send(url: str, requests: Iterable[bytes], connections: int) -> Answered:
    """Send all of them to the server of `url`. Raises OSError or ValueError where it does not answer properly."""
    answered = Answered()
    asyncio.run(_all(url, iter(requests), connections, answered))
    return answered


async def _all(url: str, requests: Iterator[bytes], connections: int, answered: Answered) -> None:
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_one_connection(url, requests, answered))
    answered.wall_s = time.perf_counter() - started


async def _one_connection(url: str, requests: Iterator[bytes], answered: Answered) -> None:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    for request in requests:
        at = time.perf_counter()
        writer.write(request)
        await writer.drain()
        status, headers = await _answer(reader)
        answered.seconds.append(time.perf_counter() - at)
        answered.statuses[status] += 1
        answered.etag = headers.get("etag", "")
        if headers.get("connection", "").lower() == "close":
            writer.close()
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.close()
    await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    status = int(first.split()[1])
    headers = {
        name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)
    }
    if status not in NO_BODY:
        await reader.readexactly(int(headers["content-length"]))
    return status, headers
