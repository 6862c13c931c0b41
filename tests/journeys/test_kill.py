"""kill -9 in the middle of the morning's uploads: what was acknowledged is there, once and whole."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.demo.phone import NotSent, Phone
from server.steps.publish import publish
from server.store import schema
from server.store.blobs import Blobs
from server.store.db import Database
from tests.bench import made
from tests.builders import jpeg
from tests.cast import Cast
from tests.conftest import NOW
from tests.journeys.drained import wait_until_drained
from tests.live import LiveServer

pytestmark = pytest.mark.slow

PLOTS, TREES, PHONES = 160, 20, 4
LEASE_S = 2
"""s after which the jobs of a killed worker are taken again; a minute as shipped."""


@dataclass
class Crews:
    """Phones that send plots one after the other, and what they were told is safe."""

    base_url: str
    acknowledged: set[int] = field(default_factory=set)

    def send(self, numbers: range) -> None:
        """Send these plots from PHONES phones at once; what fails is left for another day."""
        shares = [numbers[k::PHONES] for k in range(PHONES)]
        self._threads = [threading.Thread(target=self._one_phone, args=(share,)) for share in shares]
        for thread in self._threads:
            thread.start()

    def _one_phone(self, numbers: range) -> None:
        with Phone(self.base_url, pause=lambda _s: time.sleep(0.02)) as phone:
            for number in numbers:
                try:
                    receipt = phone.send(plot(number), {photo_name(number): picture(number)})
                except NotSent:
                    continue
                assert receipt.status == 201
                self.acknowledged.add(number)

    def await_acknowledged(self, least: int) -> None:
        """Return once so many plots are safe and others are on their way."""
        while len(self.acknowledged) < least:
            assert any(thread.is_alive() for thread in self._threads), (
                f"{len(self.acknowledged)} acknowledged"
            )
            time.sleep(0.005)
        assert any(thread.is_alive() for thread in self._threads), "all is sent already"

    def await_end(self) -> None:
        for thread in self._threads:
            thread.join()


@cache
def plot(number: int) -> bytes:
    return made.instance(number, TREES, photo_name(number))


def photo_name(number: int) -> str:
    return f"plot_{number}.jpg"


@cache
def picture(number: int) -> bytes:
    return jpeg(number)


def instance_id(number: int) -> str:
    """As the plot's own XML says it."""
    text = plot(number).decode()
    found = text[text.index("<instanceID>") + len("<instanceID>") : text.index("</instanceID>")]
    assert uuid.UUID(found.removeprefix("uuid:"))
    return found


def children(pid: int) -> dict[int, bytes]:
    """Processes that a process started, with their command lines."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in listed}


def kill_a_web_process(server: LiveServer) -> None:
    os.kill(
        next(p for p, said in children(server.process.pid).items() if b"\0work\0" not in said), signal.SIGKILL
    )


def kill_the_worker(server: LiveServer) -> None:
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at:
        for pid, said in children(server.process.pid).items():
            if b"\0work\0" in said:
                os.kill(pid, signal.SIGKILL)
                return
        time.sleep(0.01)
    raise AssertionError("no worker to kill")


def kill_everyone(server: LiveServer) -> None:
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()


def stored(database: Database) -> list[str]:
    """Instance ids that the store holds, as often as it holds them."""
    with database.reading() as connection:
        return list(connection.execute(select(schema.submission.c.instance_id)).scalars())


def trees_of_visits(database: Database) -> dict[int, int]:
    """Number of trees of each visit, by the submission that it was read from."""
    query = (
        select(schema.visit.c.source_id, func.count(schema.measurement.c.ordinal))
        .outerjoin(schema.measurement, schema.measurement.c.visit_id == schema.visit.c.id)
        .group_by(schema.visit.c.id, schema.visit.c.source_id)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
    assert len({row[0] for row in rows}) == len(rows), "two visits of one submission"
    return {row[0]: row[1] for row in rows}


def assert_safe(database: Database, blobs: Blobs, numbers: set[int]) -> None:
    """Each of these plots is kept once, with its photo."""
    ids = stored(database)
    assert len(set(ids)) == len(ids)
    wanted = {instance_id(number) for number in numbers}
    assert wanted <= set(ids)
    a, s = schema.attachment.c, schema.submission.c
    query = select(s.instance_id, a.name, a.sha256).join(schema.submission, s.id == a.submission_id)
    with database.reading() as connection:
        photos = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
    for number in numbers:
        name, sha256 = photos[instance_id(number)]
        assert name == photo_name(number)
        assert blobs.path(sha256).read_bytes() == picture(number)


def test_what_was_acknowledged_survives_kill_9(
    start_server: Callable[..., LiveServer], database: Database, cast: Cast
) -> None:
    with database.writing() as pen:
        publish(pen, cast.project, made.form().form, made.form().xml, {}, "test", NOW)
    knobs = {"web_processes": 2, "job_lease_s": LEASE_S}
    server = start_server(**knobs)
    blobs = Blobs(server.settings.photo_dir)
    crews = Crews(f"{server.base_url}/v1/key/{cast.token_one}/projects/{cast.project}")

    crews.send(range(PLOTS))
    crews.await_acknowledged(25)
    kill_a_web_process(server)
    crews.await_acknowledged(50)
    kill_the_worker(server)
    crews.await_acknowledged(80)
    kill_everyone(server)
    crews.await_end()

    acknowledged = set(crews.acknowledged)
    assert 80 <= len(acknowledged) < PLOTS
    assert_safe(database, blobs, acknowledged)
    assert set(trees_of_visits(database).values()) <= {TREES}, "a plot is half unfolded"

    again = start_server(port=server.settings.port, **knobs)
    assert again.base_url == server.base_url
    crews.send(range(PLOTS))
    crews.await_end()
    assert crews.acknowledged == set(range(PLOTS))
    wait_until_drained(database)

    assert sorted(stored(database)) == sorted(instance_id(number) for number in range(PLOTS))
    assert_safe(database, blobs, set(range(PLOTS)))
    assert list(trees_of_visits(database).values()) == [TREES] * PLOTS
    with database.reading() as connection:
        unchecked = select(func.count()).where(schema.visit.c.checked_at.is_(None))
        assert connection.scalar(unchecked) == 0
        looked_at = connection.scalar(select(func.count()).select_from(schema.photo))
    assert looked_at == PLOTS
