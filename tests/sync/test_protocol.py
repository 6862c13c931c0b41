"""Every example of sync/PROTOCOL.md, in its order, against a real server: the page cannot say what is not so."""

from __future__ import annotations

import gzip
import http.client
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from server.steps import review, scope, send_back
from server.store import schema
from server.store.db import Database
from server.store.reviews import Act
from tests.cast import Cast
from tests.conftest import NOW
from tests.journeys.drained import wait_until_drained
from tests.live import LiveServer
from tests.phone import form, put_up
from tests.sync.replayed import Example, document, examples, filled, fits

PAGE = Path(__file__).parents[2] / "sync" / "PROTOCOL.md"
DAY_MS = 24 * 3600 * 1000
pytestmark = pytest.mark.slow


class World:
    """The server that the page talks to, and what happens to it between two examples."""

    def __init__(self, server: LiveServer, database: Database, cast: Cast) -> None:
        self.server = server
        self.database = database
        self.cast = cast
        self.names = {"key": cast.token_one, "lost_key": cast.revoked_token, "project": str(cast.project)}
        self._meanwhile: dict[str, Callable[[], None]] = {
            "the worker works": lambda: wait_until_drained(database),
            "a supervisor corrects the diameter of tree 2": self._correct,
            "a supervisor sends tree 1 back": self._send_back,
            "eight days pass": self._let_uploads_expire,
            "a supervisor gives the phone another scope": self._narrow,
        }

    def happen(self, what: str) -> None:
        self._meanwhile[what]()

    def ask(self, example: Example) -> tuple[int, dict[str, str], bytes]:
        """Send the example's request; status, headers and body of the answer."""
        method, address, _ = filled(example.request.first, self.names).split(" ")
        headers = {name: filled(text, self.names) for name, text in example.request.headers.items()}
        body = filled(example.request.body, self.names).encode()
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.compress(body)
        line = http.client.HTTPConnection(self.server.settings.host, self.server.settings.port, timeout=20)
        try:
            line.request(method, address, body, headers)
            answer = line.getresponse()
            content = answer.read()
        finally:
            line.close()
        said = {name.lower(): text for name, text in answer.headers.items()}
        return (
            answer.status,
            said,
            gzip.decompress(content) if said.get("content-encoding") == "gzip" else content,
        )

    def _visit(self) -> int:
        with self.database.reading() as connection:
            return int(
                connection.execute(select(schema.visit.c.id).order_by(schema.visit.c.id)).scalars().first()
                or 0
            )

    def _act(self, why: str) -> Act:
        return Act("li", why, NOW)

    def _correct(self) -> None:
        with self.database.writing() as connection:
            change = review.Change(1, "dbh_cm", "31.0")
            review.correct(connection, self.cast.project, self._visit(), change, self._act("少了一个小数点"))

    def _send_back(self) -> None:
        with self.database.writing() as connection:
            order, doubts = send_back.Order(due_on="2026-06-30"), [send_back.Doubt("1")]
            send_back.send_back(
                connection, self.cast.project, self._visit(), doubts, order, self._act("看不清照片上的读数")
            )
        wait_until_drained(self.database)

    def _narrow(self) -> None:
        with self.database.writing() as connection:
            scope.give(connection, self.cast.project, self.cast.device_one, crew_id=self.cast.crew_one,
                       plots=[self.cast.plot], by="li", at=NOW)  # fmt: skip

    def _let_uploads_expire(self) -> None:
        with self.database.writing() as connection:
            connection.execute(
                update(schema.upload).values(expires_at=schema.upload.c.expires_at - 8 * DAY_MS)
            )


@pytest.fixture
def world(start_server: Callable[..., LiveServer], database: Database, cast: Cast) -> Iterator[World]:
    put_up(database, cast.project, form("plot_visit"))
    return World(start_server(), database, cast)


def test_every_example_of_the_page_is_so(world: World) -> None:
    for example in examples(PAGE.read_text()):
        if example.answer is None:
            world.happen(example.request.first)
            continue
        status, headers, body = world.ask(example)
        where = f"PROTOCOL.md, line {example.line}: {example.request.first}"
        said = f"{where}\n{status}\n{headers}\n{body.decode()}"
        assert example.answer.first.split(" ")[1] == str(status), said
        for name, text in example.answer.headers.items():
            assert fits(text, headers.get(name.lower(), ""), world.names), f"{name}\n{said}"
        assert _body_fits(example.answer.body, body.decode(), headers, world.names), said


def _body_fits(wanted: str, given: str, headers: dict[str, str], names: dict[str, str]) -> bool:
    if not wanted:
        return given == ""
    if "json" in headers.get("content-type", ""):
        return fits(document(wanted), json.loads(given), names)
    return fits(wanted, given, names)


def test_the_page_shows_every_promise_it_makes() -> None:
    text = PAGE.read_text()
    shown = {example.answer.first.split(" ")[1] for example in examples(text) if example.answer}
    assert {"200", "201", "204", "400", "403", "404", "409", "410", "413", "415", "460"} <= shown
    states = set(re.findall(r'"state": "(\w+)"', text))
    assert {"kept", "already_kept", "quarantined", "refused"} <= states


@pytest.mark.parametrize(
    ("wanted", "given", "does"),
    [
        ('{"a": 1}', {"a": 1}, True),
        ('{"a": 1}', {"a": 2}, False),
        ('{"a": 1}', {"a": 1, "b": 2}, False),
        ('{"a": 1, …}', {"a": 1, "b": 2}, True),
        ('{"a": …}', {"a": [3]}, True),
        ('{"a": "x…"}', {"a": "xyz"}, True),
        ("[1, …]", [1, 2, 3], True),
        ("[1]", [1, 2], False),
        ('{"a": "{{n}}"}', {"a": "7"}, True),
        ('{"a": "{{known}}"}', {"a": "7"}, False),
        ('{"a": true}', {"a": 1}, False),
    ],
)
def test_an_example_fits_what_it_says_and_nothing_else(wanted: str, given: Any, does: bool) -> None:
    assert fits(document(wanted), given, {"known": "8"}) == does
