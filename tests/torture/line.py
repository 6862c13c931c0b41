"""The line of twenty phones is bad: everything arrives all the same, exactly once, photos byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import insert, select

from server.store import schema
from tests.journeys.drained import wait_until_drained
from tests.outbox_phone.known import KEYS
from tests.outbox_phone.phone import OutboxPhone
from tests.torture.losses import Told, reckon
from tests.torture.outcome import Outcome
from tests.torture.plots import plot
from tests.torture.proxy import FaultProxy
from tests.torture.stage import Stage

AT_ONCE = 4
"""Plots that a phone sends in one batch: small, so that a line can break between many of them."""


def run(stage: Stage, plots: int, phones: int, seed: int = 1, share_of_faults: float = 0.5) -> Outcome:
    """So many plots with two photos each, shared among so many phones, through a line that fails half of the time."""
    keys = _enrol(stage, phones)
    server = stage.start()
    told = Told()
    with FaultProxy(server.settings.port, seed, share_of_faults) as line, ThreadPoolExecutor(phones) as pool:
        shares = [range(number, plots, phones) for number in range(phones)]
        list(pool.map(lambda k: _one_phone(stage, line, k, keys[k], shares[k], told), range(phones)))
    wait_until_drained(stage.database)
    losses = reckon(stage.database, stage.blobs, told, drained=True)
    wrong = _know_the_same(stage, keys)
    wanted = {plot(number).instance_id for number in range(plots)}
    wrong = (
        [] if told.instances == wanted else [f"{len(wanted - told.instances)} plots were never acknowledged"]
    )
    wrong += _strangers(stage, wanted) + _photos_amiss(stage, plots)
    faults = sum(n for kind, n in line.happened.items() if kind != "whole")
    return Outcome(
        f"bad line, {stage.engine}", f"{plots} plots, {phones} phones, {faults} faults", losses, tuple(wrong)
    )


def _one_phone(
    stage: Stage, line: FaultProxy, number: int, key: str, share: Sequence[int], told: Told
) -> None:
    with _phone(stage, line.base_url, key, number) as phone:
        for start in range(0, len(share), AT_ONCE):
            for one in map(_plot, share[start : start + AT_ONCE]):
                phone.save("plot_visit", one.instance_id, one.xml, one.photos)
            phone.send()
            phone.pull_patiently()
        told.all_of(phone.outbox)


def _know_the_same(stage: Stage, keys: Sequence[str]) -> list[str]:
    """What each phone has learned bit by bit, while all of them sent, against what one learns that asks for all."""
    wrong = []
    with _phone(stage, stage.base_url, keys[0], "fresh") as fresh:
        fresh.pull()
        for number, key in enumerate(keys):
            with _phone(stage, stage.base_url, key, number) as phone:
                phone.pull()
                unknown = [kind for kind in KEYS if phone.known.all(kind) != fresh.known.all(kind)]
                wrong += [f"phone {number} does not know every {kind}" for kind in unknown]
    return wrong


def _phone(stage: Stage, server: str, key: str, name: object) -> OutboxPhone:
    seed = name if isinstance(name, int) else 0
    return OutboxPhone(server, key, stage.cast.project, stage.folder / f"line-{name}", seed=seed)


def _plot(number: int) -> Any:
    return plot(number, 20_000 + number % 7 * 20_000, photos=2)


def _enrol(stage: Stage, phones: int) -> list[str]:
    keys = [f"key-of-phone-{number}" for number in range(phones)]
    rows = [
        {
            "project_id": stage.cast.project, "crew_id": stage.cast.crew_one, "name": key, "created_at": 0,
            "token_hash": hashlib.sha256(key.encode()).hexdigest(),
        }
        for key in keys
    ]  # fmt: skip
    with stage.database.writing() as connection:
        connection.execute(insert(schema.device), rows)
    return keys


def _strangers(stage: Stage, wanted: set[str]) -> list[str]:
    with stage.database.reading() as connection:
        rows = connection.execute(
            select(schema.submission.c.instance_id, schema.submission.c.quarantine)
        ).all()
    return [f"{row[0]}: {row[1]}" for row in rows if row[0] not in wanted or row[1]]


def _photos_amiss(stage: Stage, plots: int) -> list[str]:
    """Photos whose bytes in the folder are not those that were taken."""
    a, s = schema.attachment.c, schema.submission.c
    query = select(s.instance_id, a.name, a.sha256).join(schema.submission, s.id == a.submission_id)
    with stage.database.reading() as connection:
        here = {(row[0], row[1]): row[2] for row in connection.execute(query)}
    amiss = []
    for one in map(_plot, range(plots)):
        for name, content in one.photos.items():
            sha256 = here.pop((one.instance_id, name), None)
            if sha256 is None or stage.blobs.path(sha256).read_bytes() != content:
                amiss.append(name)
    return amiss + [f"nobody took {name}" for name in here]
