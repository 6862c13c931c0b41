"""What a phone waits for, and what follows it, looks things up: nothing walks through a table that grows."""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from server.settings import Settings
from server.store.db import Database
from sync.upload import PIECE
from tests.builders import jpeg
from tests.cast import Cast
from tests.phone import Back, Phone, form, key_address, new_id, plot_visit, put_up, tree

GROWING = "submission|attachment|upload|visit|tree|measurement|plot|flag|photo|thinning|thinning_plot"


@pytest.fixture
def engine() -> str:
    """SQLite says how it goes about a query; what it must walk through, PostgreSQL must too."""
    return "sqlite"


@pytest.fixture
def said(database: Database) -> Iterator[list[str]]:
    """Every statement that reaches the store, values filled in."""
    statements: list[str] = []

    def listen(raw: sqlite3.Connection, *_: object) -> None:
        raw.set_trace_callback(statements.append)

    database.close()  # connections that are there already would not be heard
    event.listen(database.engine, "connect", listen)
    yield statements
    event.remove(database.engine, "connect", listen)


def test_no_step_of_a_plot_walks_through_a_table_that_grows(
    database: Database, settings: Settings, client: FlaskClient, cast: Cast, said: list[str]
) -> None:
    put_up(database, cast.project, form("plot_visit"))
    phone, back = Phone(client, key_address(cast)), Back(database, settings)
    first = new_id()
    said.clear()  # publishing happens once in a while
    phone.get("/formList")
    for number, (instance, deprecated, year) in enumerate(
        [(first, None, "2021"), (new_id(), None, "2026"), (new_id(), first, "2021")]
    ):
        trees = [tree("1", "12.1"), tree("2", "0")]
        when = {"census": year, "on": f"{year}-06-0{number + 1}"}
        xml = plot_visit(instance, trees=trees, photos=["a.jpg"], deprecated_id=deprecated, **when)
        assert phone.send(xml, {"a.jpg": jpeg(number)}).status_code == 201
        assert phone.send(plot_visit(trees=trees, plot_id=f"P-{number}", **when)).status_code == 201
        back.drain()  # two plots at once: a list of one is looked up however the query is written
    walks = sorted(set(_walks(database, said)))
    assert len(said) > 100
    assert walks == [], "\n".join(walks)


def test_no_batch_and_no_upload_walks_through_a_table_that_grows(
    database: Database, client: FlaskClient, cast: Cast, said: list[str]
) -> None:
    put_up(database, cast.project, form("plot_visit"))
    first, photo = new_id(), jpeg(7)
    named = [{"name": "1.jpg", "sha256": hashlib.sha256(photo).hexdigest(), "size_bytes": len(photo)}]
    xmls = [
        plot_visit(first, photos=["1.jpg"]),
        plot_visit(deprecated_id=first),
        plot_visit(deprecated_id=new_id()),
    ]
    items = [{"client_id": "", "xml": xml.decode(), "files": named} for xml in xmls]
    key, base = {"Authorization": f"Bearer {cast.token_one}"}, f"/v1/projects/{cast.project}/sync"
    said.clear()
    for instance_id in (new_id(), first, first):  # before its plot, for its plot, known
        about = {"form_id": "plot_visit", "instance_id": instance_id, **named[0]}
        texts = {name: base64.b64encode(str(text).encode()).decode() for name, text in about.items()}
        tus = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(photo)), "Content-Type": PIECE,
               "Upload-Metadata": ",".join(map(" ".join, texts.items()))}  # fmt: skip
        assert client.post(f"{base}/uploads", data=photo, headers=key | tus).status_code == 201
        assert (
            client.post(f"{base}/push", json={"instances": items, "flags": True}, headers=key).status_code
            == 200
        )
    walks = sorted(set(_walks(database, said)))
    assert len(said) > 50
    assert walks == [], "\n".join(walks)


def _walks(database: Database, said: list[str]) -> Iterator[str]:
    with database.reading() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        for statement in set(said):
            # an INSERT shows scans for foreign keys that it makes only where some are already broken
            if re.match(r"\s*(SELECT|UPDATE|DELETE)\b", statement):
                for row in raw.execute("EXPLAIN QUERY PLAN " + statement):
                    if re.match(rf"SCAN ({GROWING})\b", row[3]):
                        yield f"{row[3]}: {' '.join(statement.split())[:200]}"
