"""Phones, forms and jobs: what an administrator of the county looks after."""

from __future__ import annotations

import hashlib
import re

import pytest
from flask import Flask
from sqlalchemy import select

from server.store import schema
from server.store.db import Database
from tests.dashboard.conftest import Scene, SignIn

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])  # `test_pages` opens these on both


def _key_on(page: str) -> str:
    return page.partition("/v1/key/")[2].partition("/projects")[0]


def test_a_new_phones_key_is_shown_once_and_only_its_hash_is_kept(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    browser = sign_in("li")
    answer = browser.post(
        f"/projects/{scene.project}/devices", data={"name": "D-7", "crew": "", "locale": "zh"}
    )
    key = _key_on(answer.text)
    assert len(key) == 43  # 32 bytes in Base64
    assert "<svg" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert key not in browser.get(f"/projects/{scene.project}/devices").text
    with database.reading() as reader:
        kept = reader.scalar(select(schema.device.c.token_hash).where(schema.device.c.name == "D-7"))
    assert kept == hashlib.sha256(key.encode()).hexdigest()


def test_the_key_of_a_new_phone_opens_the_phones_door_until_it_is_revoked(
    app: Flask, sign_in: SignIn, database: Database, scene: Scene
) -> None:
    browser = sign_in("li")
    key = _key_on(browser.post(f"/projects/{scene.project}/devices", data={"name": "D-7"}).text)
    forms = f"/v1/key/{key}/projects/{scene.project}/formList"
    phone = app.test_client()
    assert phone.get(forms, headers={"X-OpenRosa-Version": "1.0"}).status_code == 200
    with database.reading() as reader:
        device = reader.scalar(select(schema.device.c.id).where(schema.device.c.name == "D-7"))
    address = f"/projects/{scene.project}/devices/{device}/revoke"
    assert "已停用" in browser.post(address, follow_redirects=True).text
    assert phone.get(forms, headers={"X-OpenRosa-Version": "1.0"}).status_code == 403
    assert browser.post(address).status_code == 404  # once is enough


@pytest.mark.parametrize("asked", [{"name": " "}, {"name": "D-8", "crew": "999999"}])
def test_a_phone_needs_a_name_and_a_crew_that_is_there(
    sign_in: SignIn, scene: Scene, asked: dict[str, str]
) -> None:
    assert sign_in("li").post(f"/projects/{scene.project}/devices", data=asked).status_code == 422


def test_the_code_of_a_draft_leads_to_the_draft(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li")
    page = browser.get(f"/projects/{scene.project}/forms").text
    assert f"/forms/{scene.draft}/draft" in page
    draft = browser.get(f"/projects/{scene.project}/forms/{scene.draft}/draft").text
    assert f"/v1/test/tok-P-west/projects/{scene.project}/forms/plot_visit/draft" in draft
    assert browser.get(f"/projects/{scene.project}/forms/{scene.form_version}/draft").status_code == 404


def test_a_form_tells_how_it_is_tied_to_the_forest(sign_in: SignIn, scene: Scene) -> None:
    text = re.sub(
        r"\s+", " ", re.sub("<[^>]+>", " ", sign_in("li").get(f"/projects/{scene.project}/forms").text)
    )
    assert "按标注 4/4" in text
    assert "N-1" in text  # what publishing warned of
    assert "现行" in text


def test_the_form_is_handed_out_as_phones_get_it(sign_in: SignIn, scene: Scene) -> None:
    answer = sign_in("li").get(f"/projects/{scene.project}/forms/{scene.form_version}.xml")
    assert (answer.data, answer.mimetype) == (b"<h:html/>", "text/xml")


def test_a_dead_letter_says_what_went_wrong_and_is_tried_again(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    browser = sign_in("li")
    page = browser.get("/jobs").text
    assert "E-1" in page
    assert "6 次" in page
    assert "没有失败的作业" in browser.post(f"/jobs/{scene.letter}/revive", follow_redirects=True).text
    with database.reading() as reader:
        row = reader.execute(schema.job.select().where(schema.job.c.id == scene.letter)).one()
        assert "job.revive" in reader.scalars(select(schema.event.c.action)).all()
    assert (row.dead_at, row.attempts) == (None, 0)
    assert browser.post(f"/jobs/{scene.letter}/revive").status_code == 404
