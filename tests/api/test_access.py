"""Who may come in at the OpenRosa door, and what the others hear."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from server.settings import Settings
from server.store import devices, schema
from server.store.db import Database
from tests.cast import PASSWORD, Cast
from tests.phone import Back, Phone, form, key_address, message, plot_visit, put_up

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.9", "X-Forwarded-Host": "yd.example"}


def basic(login: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


@pytest.fixture
def project_door(client: FlaskClient, cast: Cast, version: int) -> Phone:
    """The address without a key."""
    return Phone(client, f"/v1/projects/{cast.project}")


@pytest.fixture
def behind_a_proxy(settings: Settings, database: Database, cast: Cast, version: int) -> Phone:
    """The same address in an installation that believes its proxy."""
    from server.app import create_app

    app = create_app(replace(settings, trust_proxy=True), database)
    return Phone(app.test_client(), f"/v1/projects/{cast.project}")


def refused(answer: TestResponse, status: int, words: str) -> None:
    assert answer.status_code == status
    assert words in message(answer)


def nothing_kept(back: Back) -> bool:
    folder = back.settings.photo_dir
    return back.count(schema.submission) == 0 and not [p for p in folder.rglob("*") if p.is_file()]


def test_a_phone_may_ask_whether_it_may_send(phone: Phone, settings: Settings) -> None:
    answer = phone.head("/submission?deviceID=collect%3Aabc")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert answer.headers["X-OpenRosa-Accept-Content-Length"] == str(settings.accept_content_length)
    assert "Location" not in answer.headers


@pytest.mark.parametrize("engine", ["sqlite"])
def test_how_much_a_phone_may_send_at_once_is_a_setting(behind_a_proxy: Phone) -> None:
    answer = behind_a_proxy.head("/submission", headers=FORWARDED | basic("li", PASSWORD))
    assert answer.headers["X-OpenRosa-Accept-Content-Length"] == "4000000"


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_who_shows_nothing_is_asked_for_a_password(project_door: Phone, back: Back, method: str) -> None:
    path = f"{project_door.base}/{'formList' if method == 'get' else 'submission'}"
    answer = project_door.client.open(path, method=method.upper(), data=b"not a form at all" * 10_000)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert nothing_kept(back)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_key_that_nobody_knows_is_refused_without_asking_for_a_password(client: FlaskClient, cast: Cast,
                                                                         back: Back) -> None:  # fmt: skip
    stranger = Phone(client, key_address(cast, token="made-up"))
    refused(stranger.get("/formList"), 403, "没有登记")
    answer = stranger.send(plot_visit(), {"a.jpg": b"x" * 100_000})
    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer.headers
    assert nothing_kept(back)


def test_a_key_opens_its_own_project_only(
    client: FlaskClient, cast: Cast, database: Database, back: Back
) -> None:
    put_up(database, cast.other_project, form("plot_visit"))
    neighbour = Phone(client, key_address(cast, project=cast.other_project))
    assert neighbour.get("/formList").status_code == 403
    assert neighbour.send(plot_visit()).status_code == 403
    assert nothing_kept(back)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_password_is_not_taken_over_http(project_door: Phone, back: Back) -> None:
    refused(project_door.get("/formList", headers=basic("li", PASSWORD)), 403, "https")
    refused(project_door.send(plot_visit(), headers=basic("li", PASSWORD)), 403, "https")
    forged = basic("li", PASSWORD) | FORWARDED  # no proxy is trusted here: anybody could have written this
    refused(project_door.get("/formList", headers=forged), 403, "https")
    assert nothing_kept(back)


def test_a_password_opens_the_door_behind_a_proxy_that_says_https(behind_a_proxy: Phone, back: Back) -> None:
    who = FORWARDED | basic("li", PASSWORD)
    listed = behind_a_proxy.get("/formList", headers=who)
    assert listed.status_code == 200
    assert b"https://yd.example/v1/projects/" in listed.data
    assert behind_a_proxy.send(plot_visit(), headers=who).status_code == 201
    assert back.rows(select(schema.submission.c.person_id, schema.submission.c.device_id)) == [(1, None)]


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(("login", "password"), [("li", "guess"), ("nobody", PASSWORD), ("li", "")])
def test_a_wrong_password_is_asked_for_again(behind_a_proxy: Phone, login: str, password: str) -> None:
    answer = behind_a_proxy.get("/formList", headers=FORWARDED | basic(login, password))
    refused(answer, 401, "用户名或密码不对")
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_password_that_was_right_is_wrong_once_it_is_changed(
    behind_a_proxy: Phone, database: Database
) -> None:
    who = FORWARDED | basic("li", PASSWORD)
    assert behind_a_proxy.get("/formList", headers=who).status_code == 200
    with database.writing() as connection:
        connection.execute(update(schema.person).where(schema.person.c.login == "li").values(closed_at=1))
    assert behind_a_proxy.get("/formList", headers=who).status_code == 401


@pytest.mark.parametrize("engine", ["sqlite"])
def test_whoever_guesses_is_stopped_at_every_door_and_whoever_was_right_before_is_not(
    behind_a_proxy: Phone,
) -> None:
    right, wrong = (FORWARDED | basic("li", password) for password in (PASSWORD, "guess"))
    assert behind_a_proxy.get("/formList", headers=right).status_code == 200
    guesses = [behind_a_proxy.get("/formList", headers=wrong).status_code for _ in range(11)]
    assert guesses == [401] * 10 + [429]
    refused(behind_a_proxy.get("/formList", headers=wrong), 429, "尝试次数太多")
    other_door = behind_a_proxy.client.get("/v1/projects", headers=wrong)
    assert (other_door.status_code, other_door.json["type"]) == (429, "urn:yangdi:problem:too-often")
    assert behind_a_proxy.get("/formList", headers=right).status_code == 200


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_person_sees_no_project_that_is_not_hers(behind_a_proxy: Phone, cast: Cast) -> None:
    other = Phone(behind_a_proxy.client, f"/v1/projects/{cast.other_project}")
    assert other.get("/formList", headers=FORWARDED | basic("li", PASSWORD)).status_code == 404


def test_a_key_may_travel_in_a_header_instead_of_the_address(
    project_door: Phone, cast: Cast, back: Back
) -> None:
    bearer = {"Authorization": f"Bearer {cast.token_one}"}
    listed = project_door.get("/formList", headers=bearer)
    assert b"http://localhost/v1/projects/1/versions/" in listed.data
    assert cast.token_one.encode() not in listed.data
    assert project_door.send(plot_visit(), headers=bearer).status_code == 201
    assert project_door.get("/formList", headers={"Authorization": "Bearer made-up"}).status_code == 403


def test_a_lost_phone_sees_nothing_and_what_it_sends_is_held_back(client: FlaskClient, cast: Cast, version: int,
                                                                 back: Back) -> None:  # fmt: skip
    lost = Phone(client, key_address(cast, cast.revoked_token))
    for path in ("/formList", f"/versions/{version}/form.xml", "/view/submissionList?formId=plot_visit"):
        assert lost.get(path).status_code == 403
    answer = lost.send(plot_visit())
    assert answer.status_code == 202
    assert "这台手机已被停用" in message(answer)
    assert back.rows(select(schema.submission.c.quarantine)) == [("revoked-device",)]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_phone_that_is_revoked_is_revoked_at_once(phone: Phone, cast: Cast, database: Database) -> None:
    assert phone.get("/formList").status_code == 200
    with database.writing() as connection:
        assert devices.revoke(connection, cast.project, cast.device_one, 1)
    assert phone.get("/formList").status_code == 403


def test_the_store_knows_which_phone_and_app_sent(phone: Phone, cast: Cast, back: Back) -> None:
    app = {"User-Agent": "org.odk.collect.android/v2026.1"}
    assert phone.send(plot_visit(), query="?deviceID=collect:abc", headers=app).status_code == 201
    sent = schema.submission.c
    query = select(sent.device_id, sent.phone_id, sent.app)
    assert back.rows(query) == [(cast.device_one, "collect:abc", app["User-Agent"])]
    seen = select(schema.device.c.app).where(schema.device.c.id == cast.device_one)
    assert back.rows(seen) == [(app["User-Agent"],)]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_keys_are_kept_as_hashes_only(cast: Cast, database: Database) -> None:
    with database.reading() as connection:
        kept = connection.execute(select(schema.device.c.token_hash)).scalars().all()
    assert hashlib.sha256(cast.token_one.encode()).hexdigest() in kept
    assert cast.token_one not in kept


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_phone_is_answered_in_its_own_language(phone: Phone, database: Database, cast: Cast) -> None:
    with database.writing() as connection:
        connection.execute(update(schema.device).values(locale="en"))
    assert message(phone.send(plot_visit())) == "Received plot PS-001: the record."
    assert message(phone.get("/versions/999/form.xml")) == (
        "The server has no such form. Refresh the forms on the phone."
    )


# what no phone sends: it is refused like anything else, on either engine

ODD = [
    "/view/submissionList?formId=a%00b",
    "/view/submissionList?formId=plot_visit&cursor=%C2%B2",
    "/view/submissionList?formId=plot_visit&cursor=99999999999999999999999",
    "/view/submissionList?formId=plot_visit&numEntries=-5",
    "/versions/99999999999999999999999/form.xml",
    "/versions/{version}/media/a%00b.csv",
    "/versions/{version}/integrity?id=a%00b,,c",
    "/submissions/99999999999999999999999/1/a.jpg",
    "/view/downloadSubmission?formId=a%00b[@version=null]/data[@key=uuid:1%00]",
    "/view/downloadSubmission?formId=plot_visit",
]


def test_an_odd_address_is_no_fault_of_the_server(phone: Phone, version: int) -> None:
    for path in ODD:
        answer = phone.get(path.format(version=version))
        assert answer.status_code < 500, (path, answer.data)


def test_an_odd_sender_is_no_fault_of_the_server(
    client: FlaskClient, cast: Cast, behind_a_proxy: Phone
) -> None:
    huge = 99999999999999999999999
    for path in (f"/v1/projects/{huge}/formList", f"/v1/test/a%00b/projects/{cast.project}/forms/f/draft/formList",
                 f"/v1/test/x/projects/{huge}/forms/f/draft/formList",
                 f"/v1/key/a%00b/projects/{cast.project}/formList"):  # fmt: skip
        assert client.get(path).status_code < 500, path
    answer = behind_a_proxy.get("/formList", headers=FORWARDED | basic("l\0i", PASSWORD))
    assert answer.status_code < 500


def test_an_odd_name_of_a_phone_is_no_fault_of_the_server(phone: Phone, back: Back) -> None:
    answer = phone.send(plot_visit(), query="?deviceID=a%00b")
    assert answer.status_code < 500
