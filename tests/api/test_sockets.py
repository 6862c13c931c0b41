"""What only a real server with real sockets can show: several phones at one moment, lines that break, bodies in
pieces, a process that is killed."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest
from sqlalchemy import select

from server.settings import Settings
from server.store import schema
from server.store.db import Database
from server.store.schema import submission
from tests.builders import jpeg
from tests.cast import Cast
from tests.live import LiveServer
from tests.phone import (
    BOUNDARY,
    Back,
    form,
    key_address,
    multipart,
    new_id,
    photo_part,
    plot_visit,
    put_up,
    xml_part,
)

Start = Callable[..., LiveServer]
pytestmark = pytest.mark.slow
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture
def server(start_server: Start, database: Database, cast: Cast) -> LiveServer:
    """Two processes and no worker, with a form to fill in."""
    put_up(database, cast.project, form("plot_visit"))
    return start_server(web_processes=2, embedded_worker=False, max_request_bytes=1_000_000)


def send(server: LiveServer, cast: Cast, body: Any, **how: Any) -> tuple[int, str]:
    """One POST on a line of its own; a body that is no bytes goes out in chunks."""
    with closing(HTTPConnection(server.settings.host, server.settings.port, timeout=30)) as line:
        line.request("POST", f"{key_address(cast)}/submission", body, {"Content-Type": TYPE}, **how)
        answer = line.getresponse()
        return answer.status, answer.read().decode()


def speak(server: LiveServer, cast: Cast, headers: str, body: bytes) -> bytes:
    """Say this much and hang up; what the server says to it."""
    with socket.create_connection((server.settings.host, server.settings.port), timeout=10) as line:
        head = f"POST {key_address(cast)}/submission HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPE}\r\n{headers}\r\n\r\n"
        line.sendall(head.encode() + body)
        line.shutdown(socket.SHUT_WR)
        with line.makefile("rb") as answer:
            return answer.read()


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def nothing_kept(back: Back) -> bool:
    return back.count(submission) == 0 and not [p for p in back.settings.photo_dir.rglob("*") if p.is_file()]


def test_phones_that_come_at_one_moment_are_served_as_if_one_by_one(
    server: LiveServer, cast: Cast, back: Back
) -> None:
    # the same record eight times: a phone that was not answered in time sends again
    photos = [photo_part(f"{n}.jpg", jpeg(n)) for n in range(2)] + [photo_part("unnamed.pdf", b"%PDF")]
    same = [multipart([xml_part(plot_visit(photos=["0.jpg", "1.jpg"])), *photos]) for _ in range(5)]
    with ThreadPoolExecutor(8) as phones:
        statuses = list(
            phones.map(lambda body: send(server, cast, body)[0], [b for b in same for _ in range(8)])
        )
    assert set(statuses) == {201}
    assert (back.count(submission), back.count(schema.attachment)) == (5, 15)
    assert len(back.rows(select(schema.job.c.id).where(schema.job.c.kind == "unfold"))) == 5

    # eight edits of one original: one counts
    send(server, cast, multipart([xml_part(plot_visit(first := new_id()))]))
    edits = [multipart([xml_part(plot_visit(deprecated_id=first, plot_id=f"PS-{n}"))]) for n in range(8)]
    with ThreadPoolExecutor(8) as phones:
        statuses = sorted(status for status, _ in phones.map(lambda body: send(server, cast, body), edits))
    assert statuses == [201] + [202] * 7

    # an original and its edit: neither waits for the other for ever
    pairs = []
    for _ in range(8):
        first = new_id()
        pairs += [plot_visit(deprecated_id=first, plot_id="PS-002"), plot_visit(first)]
    with ThreadPoolExecutor(2) as phones:
        assert set(phones.map(lambda xml: send(server, cast, multipart([xml_part(xml)]))[0], pairs)) <= {
            201,
            202,
        }
    back.drain()
    plots = [row.plot_id for row in back.rows(select(schema.plot.c.plot_id).join(schema.visit))]
    assert (len(plots), plots.count("PS-002")) == (5 + 1 + 8, 8)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_line_that_breaks_leaves_nothing_behind(server: LiveServer, cast: Cast, back: Back) -> None:
    body = multipart([photo_part("1.jpg", bytes(300_000)), xml_part(plot_visit(photos=["1.jpg"]))])
    for kept in (100, 150_000, len(body) - 10):
        answer = speak(server, cast, f"Content-Length: {len(body)}", body[:kept])
        assert b" 400 " in answer.split(b"\r\n")[0]
        assert b"OpenRosaResponse" in answer
    half = f"{200_000:x}\r\n".encode() + body[:200_000] + b"\r\n"
    assert b" 400 " in speak(server, cast, "Transfer-Encoding: chunked", half).split(b"\r\n")[0]
    assert nothing_kept(back)

    endless = multipart([photo_part("1.jpg", bytes(3_000_000)), xml_part(plot_visit())])
    with suppress(BrokenPipeError, ConnectionResetError):  # the server does not wait to hear the rest
        assert send(server, cast, in_pieces(endless, 65_536), encode_chunked=True)[0] == 413
    assert nothing_kept(back)

    status, told = send(server, cast, in_pieces(body, 7919), encode_chunked=True)
    assert (status, "照片 1/1" in told) == (201, True)


def test_what_was_acknowledged_is_there_when_the_server_is_killed(
    server: LiveServer, cast: Cast, settings: Settings
) -> None:
    acknowledged: list[str] = []

    def one() -> None:
        sent = new_id()
        body = multipart([xml_part(plot_visit(sent, photos=["1.jpg"])), photo_part("1.jpg", sent.encode())])
        with suppress(OSError, HTTPException):  # the server died before it could answer: nothing was promised
            if send(server, cast, body)[0] == 201:
                acknowledged.append(sent)

    with ThreadPoolExecutor(4) as phones:
        for _ in range(400):
            phones.submit(one)
        while len(acknowledged) < 20:
            time.sleep(0.01)
        os.killpg(server.process.pid, signal.SIGKILL)
    second = Database(settings.url, pool_size=1)
    after = Back(second, settings)
    kept = {row[0] for row in after.rows(select(submission.c.instance_id))}
    blobs = after.rows(select(schema.attachment.c.sha256))
    assert len(acknowledged) >= 20
    assert set(acknowledged) <= kept
    assert all((settings.photo_dir / sha[:2] / sha).exists() for (sha,) in blobs if sha)
    assert after.drain() >= len(kept)  # what was promised about them is still promised
    second.close()
