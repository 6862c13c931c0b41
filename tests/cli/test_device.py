"""`yangdi device`: a phone's whole life from the command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from server.__main__ import main
from server.settings import Settings
from server.store import schema
from server.store.db import Database
from sync import join
from tests.cast import Cast
from tests.live import environment

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, cast: Cast) -> Run:
    """`yangdi device ...` in the cast's project."""

    def run(*arguments: object) -> Result:
        line = ["device", *map(str, arguments), "--project", str(cast.project)]
        return CliRunner().invoke(main, line, env=environment(settings))

    return run


def _key(result: Result) -> str:
    assert result.exit_code == 0, result.output
    (link,) = [line for line in result.output.splitlines() if "/join#" in line]
    key = join.read(link).key
    assert f"/v1/key/{key}/projects/" in result.output
    return key


def _who(app: Flask, cast: Cast, key: str) -> object:
    answer = app.test_client().get(
        f"/v1/projects/{cast.project}/sync/device", headers={"Authorization": f"Bearer {key}"}
    )
    return answer.json["device"] if answer.status_code == 200 else answer.status_code


def _number(database: Database, name: str) -> int:
    with database.reading() as reader:
        return int(
            reader.execute(select(schema.device.c.id).where(schema.device.c.name == name)).scalar_one()
        )


def test_a_phone_is_enrolled_narrowed_given_another_key_and_revoked(
    run: Run, app: Flask, database: Database, cast: Cast
) -> None:
    key = _key(run("add", "D-9", "--crew", "三队", "--url", "https://yd.example"))
    device = {"name": "D-9", "crew": "三队", "locale": "zh", "townships": [], "plots": []}
    assert _who(app, cast, key) == device
    number = _number(database, "D-9")
    assert run("scope", number, "--township", "青羊镇", "--plot", "PS-001").output == "changed\n"
    assert _who(app, cast, key) == {**device, "townships": ["青羊镇"], "plots": ["PS-001"]}
    assert run("scope", number, "--every-crew").output == "changed\n"
    assert run("scope", number, "--every-crew").output == "as before\n"
    assert _who(app, cast, key) == {**device, "crew": None}
    again = _key(run("rotate", "D-9", "--url", "https://yd.example"))
    assert (_who(app, cast, key), _who(app, cast, again)) == (403, {**device, "crew": None})
    assert run("revoke", number).exit_code == 0
    assert _who(app, cast, again) == 403
    for gone in (run("revoke", number), run("rotate", number), run("revoke", 999), run("revoke", "D-9")):
        assert gone.exit_code == 1
        assert "yangdi device list" in gone.output


def test_the_list_says_what_each_phone_owes(run: Run, app: Flask, cast: Cast) -> None:
    headers = {
        "Authorization": f"Bearer {cast.token_one}",
        "Yangdi-Pending": "4",
        "Yangdi-App": "field-kit/1.0",
    }
    app.test_client().get(f"/v1/projects/{cast.project}/sync/device", headers=headers)
    head, *rows = [line.split("\t") for line in run("list").output.splitlines()]
    phones = {row[1]: dict(zip(head, row, strict=True)) for row in rows}
    assert phones["一队手机"]["pending"].startswith("4 at 20")
    assert phones["一队手机"]["app"] == "field-kit/1.0"
    assert [phones[name]["state"] for name in ("一队手机", "二队手机", "丢了的手机")] == [
        "joined",
        "enrolled",
        "revoked",
    ]
    assert phones["二队手机"]["pending"] == "-"


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("asked", [
    ("--crew", "nobody"), ("--township", "nowhere"), ("--plot", "PS-999"),
])  # fmt: skip
def test_limits_that_are_not_there_are_named(run: Run, cast: Cast, asked: tuple[str, str]) -> None:
    result = run("scope", cast.device_one, *asked)
    assert result.exit_code == 1
    assert asked[1] in result.output
    assert run("scope", 999).exit_code == 1
