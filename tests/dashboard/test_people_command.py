"""`yangdi people`: the administrator's way to let someone in and out."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from server.cli.people import people
from server.settings import Settings
from tests.cast import Cast

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])


@pytest.fixture
def run(settings: Settings, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> object:
    """The command over this test's store."""
    monkeypatch.setenv("YANGDI_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("YANGDI_DATABASE_URL", settings.database_url)
    return lambda *words: CliRunner().invoke(people, words)


def _status(client: FlaskClient, login: str, password: str) -> int:
    return client.post("/login", data={"login": login, "password": password}).status_code


def _made(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output.rpartition("password: ")[2].strip()


def test_who_is_added_can_sign_in_with_the_password_that_was_printed(
    run, client: FlaskClient, cast: Cast
) -> None:  # type: ignore[no-untyped-def]
    result = run("add", "wu", "--name", "吴监督", "--project", "平顺县森林碳汇", "--role", "supervisor")
    assert len(_made(result)) == 19
    assert _status(client, "wu", _made(result)) == 303
    assert client.get(f"/projects/{cast.project}/plots").status_code == 200
    assert client.get(f"/projects/{cast.other_project}/plots").status_code == 404


def test_a_second_project_is_added_without_a_second_password(run, client: FlaskClient, cast: Cast) -> None:  # type: ignore[no-untyped-def]
    result = run("add", "li", "--name", "李监督", "--project", str(cast.other_project), "--role", "verifier")
    assert "password" not in result.output
    listed = run("list").output
    assert "平顺县森林碳汇: supervisor" in listed
    assert "邻县项目: verifier" in listed


def test_a_changed_password_replaces_the_old_one(run, client: FlaskClient) -> None:  # type: ignore[no-untyped-def]
    assert run("password", "li", "--password", "a new long password").exit_code == 0
    assert _status(client, "li", "a new long password") == 303


def test_who_is_closed_stays_in_the_list_and_out_of_the_pages(run, client: FlaskClient) -> None:  # type: ignore[no-untyped-def]
    run("password", "li", "--password", "a new long password")
    assert run("close", "li").exit_code == 0
    assert _status(client, "li", "a new long password") == 401
    assert any(
        line.startswith("li\t") and line.endswith("closed") for line in run("list").output.splitlines()
    )


@pytest.mark.parametrize(
    "words",
    [
        ("add", "x", "--name", "X", "--role", "supervisor"),
        ("add", "x", "--name", "X", "--role", "supervisor", "--project", "nowhere"),
        ("add", "x", "--name", "X", "--role", "king", "--project", "1"),
        ("add", "x", "--name", "X", "--role", "admin", "--password", "short"),
        ("add", "li", "--name", "X", "--role", "admin"),
        ("password", "nobody"),
        ("close", "nobody"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(run, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    result = run(*words)
    assert result.exit_code == 2
    assert "Error: " in result.output
