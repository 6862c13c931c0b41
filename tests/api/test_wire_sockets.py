"""Our own wire over real sockets: lines that break, phones that come at one moment, a server that is killed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
import zstandard
from sqlalchemy import select

from server.settings import Settings
from server.store import schema
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.schema import attachment, submission
from tests.bench.family import Family
from tests.cast import Cast
from tests.live import LiveServer
from tests.phone import Back, form, new_id, plot_visit, put_up

pytestmark = pytest.mark.slow
only_sqlite = pytest.mark.parametrize("engine", ["sqlite"])  # what is about lines and files, not about rows
PHOTO = random.Random(1).randbytes(900_000)


@pytest.fixture
def server(start_server: Callable[..., LiveServer], database: Database, cast: Cast) -> LiveServer:
    """Two processes and no worker, with a form to fill in."""
    put_up(database, cast.project, form("plot_visit"))
    return start_server(web_processes=2, embedded_worker=False)


class Line:
    """一队's phone on a line of its own for each request."""

    def __init__(self, server: LiveServer, cast: Cast) -> None:
        self.place = (server.settings.host, server.settings.port)
        self.base = f"/v1/projects/{cast.project}/sync"
        self.key = f"Bearer {cast.token_one}"

    def say(
        self, method: str, path: str, body: bytes = b"", **headers: object
    ) -> tuple[int, dict[str, str], bytes]:
        said = {"Authorization": self.key, "Tus-Resumable": "1.0.0"}
        said |= {name.replace("_", "-"): str(text) for name, text in headers.items()}
        with closing(HTTPConnection(*self.place, timeout=30)) as line:
            line.request(method, path, body, said)
            answer = line.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def push(self, *xmls: bytes, files: Any = ()) -> list[str]:
        items = [{"client_id": "a", "xml": xml.decode(), "files": list(files)} for xml in xmls]
        status, _, body = self.say("POST", f"{self.base}/push", json.dumps({"instances": items}).encode())
        assert status == 200, body
        return [said["state"] for said in json.loads(body)["results"]]

    def begin(self, content: bytes, instance_id: str, body: bytes = b"") -> tuple[int, str]:
        about = {"form_id": "plot_visit", "instance_id": instance_id, "name": "1.jpg",
                 "sha256": hashlib.sha256(content).hexdigest()}  # fmt: skip
        said = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in about.items())
        kind = {"Content_Type": "application/offset+octet-stream"} if body else {}
        status, headers, _ = self.say(
            "POST", f"{self.base}/uploads", body, Upload_Length=len(content), Upload_Metadata=said, **kind
        )
        return status, headers.get("Location", "").partition("/v1")[2]

    def piece(self, path: str, data: bytes, offset: int) -> int:
        kind = "application/offset+octet-stream"
        return self.say("PATCH", f"/v1{path}", data, Upload_Offset=offset, Content_Type=kind)[0]

    def offset(self, path: str) -> int:
        status, headers, _ = self.say("HEAD", f"/v1{path}")
        return int(headers["Upload-Offset"]) if status == 200 else -status

    def open_piece(self, path: str, announced: int, offset: int, more: str = "") -> socket.socket:
        """A PATCH that says it brings so many bytes; the line on which they can be sent."""
        line = socket.create_connection(self.place, timeout=30)
        line.sendall(
            f"PATCH /v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {self.key}\r\nTus-Resumable: 1.0.0\r\n"
            f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\n"
            f"Content-Length: {announced}\r\n{more}\r\n".encode()
        )
        return line


@pytest.fixture
def line(server: LiveServer, cast: Cast) -> Line:
    return Line(server, cast)


def wait_for(what: Callable[[], bool]) -> bool:
    """True as soon as it is so; False after ten seconds."""
    for _ in range(200):
        if what():
            return True
        time.sleep(0.05)
    return False


def kept_photo(back: Back) -> list[bytes]:
    rows = back.rows(select(attachment.c.sha256).where(attachment.c.sha256.is_not(None)))
    return [Blobs(back.settings.photo_dir).path(sha256).read_bytes() for (sha256,) in rows]


@only_sqlite
def test_what_came_before_a_line_broke_need_not_come_again(line: Line, back: Back) -> None:
    line.push(plot_visit(instance_id := new_id(), photos=["1.jpg"]))
    _, path = line.begin(PHOTO, instance_id)
    here = 0
    for cut in (1, 70_000, 300_000):
        with line.open_piece(path, len(PHOTO) - here, here) as piece:
            piece.sendall(PHOTO[here : here + cut])
            piece.shutdown(socket.SHUT_WR)
            piece.recv(1000)
        here += cut
        assert line.offset(path) == here
    assert line.piece(path, PHOTO[here:], here) == 204
    assert kept_photo(back) == [PHOTO]


@only_sqlite
def test_a_piece_with_a_checksum_comes_whole_or_not_at_all(line: Line) -> None:
    _, path = line.begin(PHOTO, new_id())
    digest = base64.b64encode(hashlib.sha256(PHOTO).digest()).decode()
    with line.open_piece(path, len(PHOTO), 0, f"Upload-Checksum: sha256 {digest}\r\n") as piece:
        piece.sendall(PHOTO[:500_000])
        piece.shutdown(socket.SHUT_WR)
        piece.recv(1000)
    assert line.offset(path) == 0


@only_sqlite
def test_a_phone_does_not_wait_for_its_own_dead_line(line: Line, back: Back) -> None:
    line.push(plot_visit(instance_id := new_id(), photos=["1.jpg"]))
    _, path = line.begin(PHOTO, instance_id)
    with line.open_piece(path, len(PHOTO), 0) as dead:
        dead.sendall(PHOTO[:300_000])
        assert wait_for(lambda: line.offset(path) > 200_000)
        here = line.offset(path)  # what has not filled a read yet is not told of
        assert line.piece(path, PHOTO[here:800_000], here) == 204
        dead.sendall(PHOTO[300_000:600_000])  # what was on its way arrives after all
        assert b" 409 " in dead.recv(1000)
    assert line.offset(path) == 800_000
    assert line.piece(path, PHOTO[800_000:], 800_000) == 204
    assert kept_photo(back) == [PHOTO]


def test_of_pieces_at_one_moment_one_wins_and_bytes_never_mix(line: Line, back: Back) -> None:
    line.push(plot_visit(instance_id := new_id(), photos=["1.jpg"]))
    _, path = line.begin(PHOTO, instance_id)
    with ThreadPoolExecutor(8) as phones:
        statuses = list(phones.map(lambda _: line.piece(path, PHOTO, 0), range(8)))
    assert set(statuses) <= {204, 404, 409}
    here = line.offset(path)
    if here >= 0:  # those who lost stopped the one who was ahead of none: it goes on from there
        assert line.piece(path, PHOTO[here:], here) == 204
    assert kept_photo(back) == [PHOTO]


def test_the_same_photo_from_many_phones_at_one_moment_is_kept_once(line: Line, back: Back) -> None:
    ids = [new_id() for _ in range(8)]
    line.push(*(plot_visit(i, photos=["1.jpg"]) for i in ids[:4]))
    with ThreadPoolExecutor(8) as phones:  # half of the plots come in the same moment as their photos
        photos = [phones.submit(line.begin, PHOTO, i, PHOTO) for i in ids for _ in range(2)]
        plots = [
            phones.submit(
                line.push,
                plot_visit(i),
                files=[
                    {"name": "1.jpg", "sha256": hashlib.sha256(PHOTO).hexdigest(), "size_bytes": len(PHOTO)}
                ],
            )
            for i in ids[4:]
        ]
    assert {photo.result()[0] for photo in photos} == {201}
    assert [plot.result() for plot in plots] == [["kept"]] * 4
    assert kept_photo(back) == [PHOTO] * 8
    assert back.count(schema.upload) == 0


@only_sqlite
def test_a_push_that_breaks_keeps_nothing_and_one_whose_answer_is_lost_keeps_all(
    line: Line, back: Back
) -> None:
    xmls = [plot_visit() for _ in range(30)]
    items = [{"client_id": "a", "xml": xml.decode(), "files": []} for xml in xmls]
    body = json.dumps({"instances": items}).encode()
    named = f"Host: x\r\nAuthorization: {line.key}\r\nContent-Length: {len(body)}"
    head = f"POST {line.base}/push HTTP/1.1\r\n{named}\r\n\r\n"
    for sent in (0, 1000, len(body) - 1):
        with socket.create_connection(line.place, timeout=30) as cut:
            cut.sendall(head.encode() + body[:sent])
            cut.shutdown(socket.SHUT_WR)
            assert b" 400 " in cut.recv(1000)
    assert back.count(submission) == 0
    with socket.create_connection(line.place, timeout=30) as deaf:
        deaf.sendall(head.encode() + body)
    assert wait_for(lambda: back.count(submission) == 30)
    assert line.push(*xmls) == ["already_kept"] * 30


def test_batches_that_cross_each_other_keep_each_instance_once(line: Line, back: Back) -> None:
    dice = random.Random(5)
    firsts = [new_id() for _ in range(20)]
    xmls = [plot_visit(first) for first in firsts] + [plot_visit(deprecated_id=first) for first in firsts]
    batches = [dice.sample(xmls, 30) for _ in range(24)] + [xmls]
    with ThreadPoolExecutor(8) as phones:
        answers = list(phones.map(lambda batch: line.push(*batch), batches))
    said = [state for answer in answers for state in answer]
    assert "refused" not in said
    assert said.count("kept") <= len(xmls) == back.count(submission)
    back.drain()
    plain = select(submission.c.id).where(submission.c.quarantine.is_not(None))
    assert (back.rows(plain), back.count(schema.visit)) == ([], 20)


@only_sqlite
def test_a_few_bytes_do_not_become_a_full_memory(line: Line, server: LiveServer) -> None:
    def peak_mb() -> float:
        pids = [pid for pid in Family(server.process.pid)._everyone() if pid != server.process.pid]
        told = [Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0] for pid in pids]
        return max(map(int, told)) / 1024

    line.push(plot_visit(), plot_visit())
    before = peak_mb()
    plenty = zstandard.ZstdCompressor().compressobj()
    bombs = {
        "zstd": b"".join(plenty.compress(bytes(1_000_000)) for _ in range(2000)) + plenty.flush(),
        "gzip": gzip.compress(bytes(300_000_000), 1),
    }
    for encoding, bomb in bombs.items():
        for _ in range(3):
            status, _, body = line.say("POST", f"{line.base}/push", bomb, Content_Encoding=encoding)
            assert (status, json.loads(body)["title"]) == (413, "too-large")
    assert peak_mb() - before < 60


def test_what_was_answered_is_there_when_the_server_is_killed(
    line: Line, server: LiveServer, settings: Settings, back: Back
) -> None:
    kept: list[str] = []
    photos: dict[str, int] = {}  # address of an upload to its answered offset

    def one(number: int) -> None:
        with suppress(OSError, HTTPException, AssertionError):  # the server died before it could answer
            ids = [new_id() for _ in range(5)]
            line.push(*(plot_visit(i, photos=["1.jpg"]) for i in ids))
            kept.extend(ids)
            _, path = line.begin(PHOTO[number:], ids[0])
            if line.piece(path, PHOTO[number : number + 50_000], 0) == 204:
                photos[path] = 50_000

    with ThreadPoolExecutor(4) as phones:
        for number in range(400):
            phones.submit(one, number)
        assert wait_for(lambda: len(photos) > 10)
        os.killpg(server.process.pid, signal.SIGKILL)
    after = {row[0] for row in back.rows(select(submission.c.instance_id))}
    assert set(kept) <= after
    assert len(back.rows(select(submission.c.id))) == len(after)
    arriving = settings.photo_dir / "arriving"
    assert all((arriving / path.rpartition("/")[2]).stat().st_size >= here for path, here in photos.items())
    known = {row[0] for row in back.rows(select(schema.upload.c.id))}
    assert {path.rpartition("/")[2] for path in photos} <= known
