"""A phone asks who it is, and says of itself how much it still has to send."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from server.store import devices, schema
from server.store.db import Database
from server.web import connection
from tests.cast import Cast
from tests.conftest import Clock


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Clock:
    """The door's clock, moved by the test."""
    monkeypatch.setattr(connection, "now_ms", clock)
    return clock


def _ask(client: FlaskClient, cast: Cast, token: str | None = None, **headers: str) -> Any:
    shown = {"Authorization": f"Bearer {token or cast.token_one}", **headers}
    return client.get(f"/v1/projects/{cast.project}/sync/device", headers=shown)


def _row(database: Database, device_id: int) -> Any:
    with database.reading() as reader:
        return reader.execute(select(schema.device).where(schema.device.c.id == device_id)).one()


def test_a_phone_hears_who_it_is_and_what_time_it_is(client: FlaskClient, cast: Cast, now: Clock) -> None:
    answer = _ask(client, cast)
    assert answer.status_code == 200
    assert answer.json == {
        "device": {"name": "一队手机", "crew": "一队", "locale": "zh", "townships": [], "plots": []},
        "project": {"id": cast.project, "name": "平顺县森林碳汇"},
        "server_at": now.at,
    }


def test_a_phone_hears_what_it_is_narrowed_to(client: FlaskClient, database: Database, cast: Cast) -> None:
    with database.writing() as pen:
        pen.execute(
            insert(schema.device_township).values(device_id=cast.device_one, township_id=cast.township)
        )
        pen.execute(insert(schema.device_plot).values(device_id=cast.device_one, plot_id=cast.plot))
    device = _ask(client, cast).json["device"]
    assert (device["townships"], device["plots"]) == (["青羊镇"], ["PS-001"])


@pytest.mark.parametrize("token", ["nobody's", "token-lost"])
def test_an_unknown_and_a_revoked_phone_are_told_nothing(client: FlaskClient, cast: Cast, token: str) -> None:
    answer = _ask(client, cast, token)
    assert (answer.status_code, answer.json["title"]) == (403, "device-unknown")


def test_a_phone_of_one_project_is_unknown_in_another(client: FlaskClient, cast: Cast) -> None:
    shown = {"Authorization": f"Bearer {cast.token_one}"}
    assert client.get(f"/v1/projects/{cast.other_project}/sync/device", headers=shown).status_code == 403


def test_a_person_is_no_phone(client: FlaskClient, cast: Cast) -> None:
    address = f"/v1/projects/{cast.project}/sync/device"
    assert client.get(address).status_code == 401
    from tests.cast import PASSWORD

    answer = client.get(address, auth=("li", PASSWORD), base_url="https://localhost")
    assert answer.status_code == 403


def test_with_its_first_question_a_phone_has_joined(
    client: FlaskClient, database: Database, cast: Cast, now: Clock
) -> None:
    assert _row(database, cast.device_one).joined_at is None
    first = now.at
    _ask(client, cast)
    now.tick(3600)
    _ask(client, cast)
    row = _row(database, cast.device_one)
    assert (row.joined_at, row.last_seen_at) == (first, now.at)


def test_what_a_phone_still_has_to_send_is_noted_with_its_time(
    client: FlaskClient, database: Database, cast: Cast, now: Clock
) -> None:
    _ask(client, cast, **{"Yangdi-Pending": "3", "Yangdi-App": "field-kit/1.0"})
    row = _row(database, cast.device_one)
    assert (row.pending_count, row.pending_at, row.app_version) == (3, now.at, "field-kit/1.0")
    now.tick(5)
    _ask(client, cast, **{"Yangdi-Pending": "0"})  # news is noted at once ...
    row = _row(database, cast.device_one)
    assert (row.pending_count, row.pending_at, row.app_version) == (0, now.at, "field-kit/1.0")
    noted = now.at
    now.tick(5)
    _ask(client, cast, **{"Yangdi-Pending": "0"})  # ... the same again once a minute
    assert _row(database, cast.device_one).pending_at == noted
    now.tick(61)
    _ask(client, cast, **{"Yangdi-Pending": "0"})
    assert _row(database, cast.device_one).pending_at == now.at


@pytest.mark.parametrize("said", ["-1", "many", "1e3", "9" * 30, "", "٣", "3.5"])
def test_a_count_that_no_phone_can_mean_is_passed_over(
    client: FlaskClient, database: Database, cast: Cast, said: str
) -> None:
    headers = {"Authorization": f"Bearer {cast.token_one}"}
    environ = {"HTTP_YANGDI_PENDING": said.encode().decode("latin-1")}
    address = f"/v1/projects/{cast.project}/sync/device"
    assert client.get(address, headers=headers, environ_overrides=environ).status_code == 200
    assert _row(database, cast.device_one).pending_count is None


def test_a_phone_that_collect_runs_on_never_said(client: FlaskClient, database: Database, cast: Cast) -> None:
    client.get(f"/v1/key/{cast.token_one}/projects/{cast.project}/formList")
    row = _row(database, cast.device_one)
    assert (row.pending_count, row.app_version) == (None, None)
    assert row.joined_at is not None


def test_a_clock_that_was_set_back_does_not_stop_the_noting(
    client: FlaskClient, database: Database, cast: Cast, now: Clock
) -> None:
    _ask(client, cast)
    now.tick(-8 * 3600)
    _ask(client, cast)
    assert _row(database, cast.device_one).last_seen_at == now.at


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_phone_is_answered_though_nothing_can_be_noted(
    client: FlaskClient, database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as pen:
        pen.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE ON device BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    assert _ask(client, cast).status_code == 200


def test_a_revoked_phone_that_shows_up_again_is_seen(
    client: FlaskClient, database: Database, cast: Cast, now: Clock
) -> None:
    _ask(client, cast, cast.revoked_token)
    assert _row(database, cast.revoked_device).last_seen_at == now.at


def test_phones_never_show_the_hash_of_their_key(database: Database, cast: Cast) -> None:
    with database.writing() as pen:
        pen.execute(update(schema.device).values(locale="en"))
    with database.reading() as reader:
        shown = devices.of_project(reader, cast.project)
    assert len(shown) == 3
    assert not any("token" in name for row in shown for name in row._fields)
