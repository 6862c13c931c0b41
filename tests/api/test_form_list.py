"""What a phone finds: the form list, the forms, and that it is told when nothing has changed."""

from __future__ import annotations

import hashlib
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from server.store import forms, schema
from server.store.db import Database
from tests.cast import Cast
from tests.phone import Phone, draft, form, key_address, message, plot_visit, put_up

LIST = "{http://openrosa.org/xforms/xformsList}"


def entries(answer: TestResponse) -> list[dict[str, str]]:
    """The form list as Collect reads it; fails on what Collect would not take."""
    assert answer.status_code == 200
    assert "text/xml" in answer.headers["Content-Type"]
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    root = ElementTree.fromstring(answer.data)
    assert root.tag == f"{LIST}xforms"
    found = [{child.tag.removeprefix(LIST): child.text or "" for child in xform} for xform in root]
    assert all(
        {"formID", "name", "downloadUrl"} <= {name for name, text in one.items() if text} for one in found
    )
    return found


def path_of(url: str) -> str:
    return url.removeprefix("http://localhost")


def test_a_phone_is_offered_the_forms_of_its_project(phone: Phone) -> None:
    [listed] = entries(phone.get("/formList"))
    assert (listed["formID"], listed["name"], listed["version"]) == (
        "plot_visit",
        "样地调查 Plot visit",
        "2026112202",
    )


def test_the_hash_in_the_list_is_of_the_bytes_at_its_address(phone: Phone) -> None:
    [listed] = entries(phone.get("/formList?deviceID=collect:abc"))
    served = phone.client.get(path_of(listed["downloadUrl"]))
    assert served.data == form("plot_visit").xml
    assert listed["hash"] == "md5:" + hashlib.md5(served.data).hexdigest()
    assert served.headers["X-OpenRosa-Version"] == "1.0"


def test_a_form_without_files_has_no_manifest_address(phone: Phone) -> None:
    [listed] = entries(phone.get("/formList"))
    assert "manifestUrl" not in listed


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("path", ["/formList", "form"])
def test_a_phone_that_has_it_already_is_told_so(phone: Phone, path: str) -> None:
    if path == "form":
        path = path_of(entries(phone.get("/formList"))[0]["downloadUrl"]).removeprefix(phone.base)
    etag = phone.get(path).headers["ETag"]
    again = phone.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert phone.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_new_version_changes_the_list_and_its_etag(phone: Phone, database: Database, cast: Cast) -> None:
    before = phone.get("/formList").headers["ETag"]
    put_up(database, cast.project, form("plot_visit", "2027010101"))
    after = phone.get("/formList", headers={"If-None-Match": before})
    assert [listed["version"] for listed in entries(after)] == ["2027010101"]


def test_a_phone_may_ask_for_one_form(phone: Phone, database: Database, cast: Cast) -> None:
    put_up(database, cast.project, form("thinning_record"))
    assert len(entries(phone.get("/formList"))) == 2
    assert [f["formID"] for f in entries(phone.get("/formList?formID=thinning_record"))] == [
        "thinning_record"
    ]
    assert entries(phone.get("/formList?formID=nobody_knows")) == []


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(("state", "form_status"), [("closing", 200), ("closed", 409)])
def test_a_form_that_is_wound_down_is_not_offered(
    phone: Phone, database: Database, cast: Cast, state: str, form_status: int
) -> None:
    address = path_of(entries(phone.get("/formList"))[0]["downloadUrl"])
    with database.writing() as connection:
        assert forms.set_state(connection, cast.project, "plot_visit", state)
    assert entries(phone.get("/formList")) == []
    assert phone.client.get(address).status_code == form_status


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_closing_form_still_takes_what_was_filled_in(phone: Phone, database: Database, cast: Cast) -> None:
    with database.writing() as connection:
        forms.set_state(connection, cast.project, "plot_visit", "closing")
    assert phone.send(plot_visit()).status_code == 201


def test_a_draft_is_offered_to_nobody_but_its_tester(
    client: FlaskClient, cast: Cast, database: Database
) -> None:
    token = draft(database, cast.project, form("plot_visit"))
    assert entries(client.get(f"{key_address(cast)}/formList")) == []
    base = f"/v1/test/{token}/projects/{cast.project}/forms/plot_visit/draft"
    [listed] = entries(client.get(f"{base}/formList"))
    assert path_of(listed["downloadUrl"]).startswith(base)
    assert client.get(path_of(listed["downloadUrl"])).data == form("plot_visit").xml
    by_key = path_of(listed["downloadUrl"]).replace(base, key_address(cast))
    assert client.get(by_key).status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_test_address_ends_when_its_draft_is_published(
    client: FlaskClient, cast: Cast, database: Database
) -> None:
    token = draft(database, cast.project, form("plot_visit"))
    put_up(database, cast.project, form("plot_visit"))
    answer = client.get(f"/v1/test/{token}/projects/{cast.project}/forms/plot_visit/draft/formList")
    assert answer.status_code == 404
    assert "测试二维码已失效" in message(answer)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_addresses_repeat_the_key_under_which_the_phone_came(phone: Phone) -> None:
    [listed] = entries(phone.get("/formList"))
    assert listed["downloadUrl"].startswith(f"http://localhost{phone.base}/")


def test_the_forms_of_another_project_are_not_to_be_seen(
    phone: Phone, database: Database, cast: Cast
) -> None:
    theirs = put_up(database, cast.other_project, form("audit_visit"))
    assert [f["formID"] for f in entries(phone.get("/formList"))] == ["plot_visit"]
    assert phone.get(f"/versions/{theirs}/form.xml").status_code == 404
    assert phone.get(f"/versions/{theirs}/manifest").status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
def test_signs_in_a_title_do_not_break_the_list(phone: Phone, database: Database) -> None:
    with database.writing() as connection:
        connection.execute(update(schema.form_version).values(title="样地 <2026> & 复查"))
    assert entries(phone.get("/formList"))[0]["name"] == "样地 <2026> & 复查"
