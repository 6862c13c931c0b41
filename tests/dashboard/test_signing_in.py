"""Who gets in, who does not, and for how long."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.problems import PageExpired, TooOften, WrongPassword
from server.store import passwords, people
from server.store.db import Database
from tests.cast import PASSWORD, Cast
from tests.dashboard.conftest import SignIn

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])  # `test_pages` asks both


def test_a_supervisor_signs_in_and_lands_on_her_only_project(client: FlaskClient, cast: Cast) -> None:
    answer = client.post("/login", data={"login": "li", "password": PASSWORD}, follow_redirects=True)
    assert answer.request.path == f"/projects/{cast.project}/plots"
    assert "李监督" in answer.text


def test_who_has_not_signed_in_is_asked_to_and_comes_back_afterwards(client: FlaskClient, cast: Cast) -> None:
    page = f"/projects/{cast.project}/flags?severity=warn"
    asked = client.get(page)
    assert asked.status_code == 302
    form = client.get(asked.location)
    assert 'value="/projects/' in form.text
    answer = client.post("/login", data={"login": "li", "password": PASSWORD, "next": page})
    assert answer.location == page


@pytest.mark.parametrize("login", ["li", "nobody-of-this-name", ""])
def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(
    client: FlaskClient, cast: Cast, login: str
) -> None:
    answer = client.post("/login", data={"login": login, "password": "wrong"})
    assert answer.status_code == 401
    assert WrongPassword.zh in answer.text
    assert "Set-Cookie" not in answer.headers or "person" not in answer.headers["Set-Cookie"]


def test_after_ten_wrong_tries_even_the_right_password_must_wait(client: FlaskClient, cast: Cast) -> None:
    for _ in range(10):
        assert client.post("/login", data={"login": "li", "password": "wrong"}).status_code == 401
    answer = client.post("/login", data={"login": "li", "password": PASSWORD})
    assert answer.status_code == 429
    assert TooOften.zh in answer.text


def test_one_person_locked_out_does_not_lock_out_her_colleague(client: FlaskClient, cast: Cast) -> None:
    for _ in range(11):
        client.post("/login", data={"login": "li", "password": "wrong"})
    assert client.post("/login", data={"login": "zhou", "password": PASSWORD}).status_code == 303


def test_right_passwords_are_never_too_many(client: FlaskClient, cast: Cast) -> None:
    for _ in range(12):
        assert client.post("/login", data={"login": "li", "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
     "javascript:alert(1)", "evil"],
)  # fmt: skip
def test_signing_in_never_leads_to_another_server(client: FlaskClient, cast: Cast, elsewhere: str) -> None:
    answer = client.post("/login", data={"login": "li", "password": PASSWORD, "next": elsewhere})
    assert answer.location == "/"


def test_a_new_password_ends_every_session(sign_in: SignIn, database: Database, cast: Cast) -> None:
    browser = sign_in("li")
    with database.writing() as pen:
        people.set_password(pen, cast.supervisor, passwords.hash_of("another password"))
    assert browser.get("/").location.startswith("/login")


def test_who_is_closed_is_out_at_once_and_cannot_come_back(
    sign_in: SignIn, database: Database, cast: Cast
) -> None:
    browser = sign_in("li")
    with database.writing() as pen:
        people.close(pen, cast.supervisor, 1)
    assert browser.get("/").location.startswith("/login")
    assert browser.post("/login", data={"login": "li", "password": PASSWORD}).status_code == 401


def test_signing_out_ends_the_session_here(sign_in: SignIn) -> None:
    browser = sign_in("li")
    assert browser.post("/logout").status_code == 303
    assert browser.get("/").location.startswith("/login")


def test_a_form_without_the_pages_token_is_refused(app: Flask, cast: Cast) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post("/login", data={"login": "li", "password": PASSWORD})
    assert answer.status_code == 400
    assert PageExpired.zh in answer.text


def test_a_form_with_the_pages_token_is_taken(app: Flask, cast: Cast) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    browser = app.test_client()
    token = browser.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = browser.post("/login", data={"login": "li", "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 303


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(client: FlaskClient, cast: Cast) -> None:
    answer = client.post(
        "/login", data={"login": "li", "password": PASSWORD}, base_url="https://yangdi.example"
    )
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie


def test_without_https_the_cookie_still_works_on_a_laptop(client: FlaskClient, cast: Cast) -> None:
    answer = client.post("/login", data={"login": "li", "password": PASSWORD}, base_url="http://127.0.0.1")
    assert "Secure" not in answer.headers["Set-Cookie"]


def test_the_language_she_chose_goes_with_her_to_another_browser(sign_in: SignIn, app: Flask) -> None:
    sign_in("li", "en")
    other = app.test_client()
    other.post("/login", data={"login": "li", "password": PASSWORD})
    assert '<html lang="en">' in other.get("/jobs").text


def test_before_signing_in_the_browser_remembers_the_language(client: FlaskClient, cast: Cast) -> None:
    client.post("/language", data={"to": "en", "next": "/login"})
    assert "Password" in client.get("/login").text
