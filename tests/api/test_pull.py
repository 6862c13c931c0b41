"""Tools that pull what phones have sent: the list of ids, one submission, its files."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.settings import Settings
from server.store.db import Database
from tests.builders import jpeg
from tests.cast import PASSWORD, Cast
from tests.phone import Phone, key_address, new_id, plot_visit, tree

CHUNK = "{http://opendatakit.org/submissions}"


class Supervisor(Phone):
    """李监督 with a tool that pulls, behind the county's proxy."""

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        who = base64.b64encode(f"li:{PASSWORD}".encode()).decode()
        headers = {
            "Authorization": f"Basic {who}",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "yd.example",
        }
        return super().get(path, headers=headers, **kwargs)


@pytest.fixture
def li(settings: Settings, database: Database, cast: Cast) -> Supervisor:
    from server.app import create_app

    app = create_app(replace(settings, trust_proxy=True), database)
    return Supervisor(app.test_client(), f"/v1/projects/{cast.project}")


@pytest.fixture
def second(client: FlaskClient, cast: Cast, version: int) -> Phone:
    return Phone(client, key_address(cast, cast.token_two))


def ids(caller: Phone, cursor: str = "", most: int = 100) -> tuple[list[str], str]:
    """One page of ids and the cursor after it."""
    answer = caller.get(f"/view/submissionList?formId=plot_visit&cursor={cursor}&numEntries={most}")
    assert answer.status_code == 200
    root = ElementTree.fromstring(answer.data)
    assert root.tag == f"{CHUNK}idChunk"
    return [one.text or "" for one in root.iter(f"{CHUNK}id")], root.findtext(f"{CHUNK}resumptionCursor", "")


def download(caller: Phone, instance_id: str) -> TestResponse:
    key = f"plot_visit[@version=null and @uiVersion=null]/data[@key={instance_id}]"
    return caller.get(f"/view/downloadSubmission?formId={quote(key)}")


def test_a_supervisor_pulls_every_record_page_by_page(phone: Phone, second: Phone, li: Supervisor) -> None:
    sent = [new_id() for _ in range(5)]
    for number, one in enumerate(sent):
        assert (phone, second)[number % 2].send(plot_visit(one)).status_code == 201
    found, cursor = [], ""
    for _ in range(3):
        page, cursor = ids(li, cursor, most=2)
        found += page
    assert found == sent
    assert ids(li, cursor) == ([], cursor)  # the same cursor again: that was all


def test_a_record_that_was_edited_is_listed_once_as_it_is_now(phone: Phone, li: Supervisor) -> None:
    first, edit, held = new_id(), new_id(), new_id()
    phone.send(plot_visit(first))
    phone.send(plot_visit(edit, deprecated_id=first))
    phone.send(plot_visit(held, version="1999"))
    assert ids(li)[0] == [edit]


def test_a_phone_sees_what_it_sent_itself(phone: Phone, second: Phone) -> None:
    mine, theirs = new_id(), new_id()
    phone.send(plot_visit(mine))
    second.send(plot_visit(theirs))
    assert ids(phone)[0] == [mine]
    assert download(phone, mine).status_code == 200
    assert download(phone, theirs).status_code == 404


def test_a_record_comes_back_with_the_addresses_of_its_files(
    phone: Phone, second: Phone, li: Supervisor
) -> None:
    sent, picture = new_id(), jpeg()
    phone.send(
        plot_visit(sent, photos=["样木 1.jpg", "2.jpg"], trees=[tree("1", 12.3)]), {"样木 1.jpg": picture}
    )
    answer = download(li, sent)
    root = ElementTree.fromstring(answer.data)
    data = root.find(f"{CHUNK}data")
    assert data is not None
    assert data[0].get("id") == "plot_visit"
    assert "12.3" in "".join(data.itertext())
    [file] = root.iter(f"{CHUNK}mediaFile")
    assert file.findtext(f"{CHUNK}filename") == "样木 1.jpg"
    url = file.findtext(f"{CHUNK}downloadUrl", "")
    assert url.startswith(f"https://yd.example{li.base}/submissions/")
    path = url.removeprefix(f"https://yd.example{li.base}")
    with li.get(path) as served, phone.get(path) as mine:
        assert served.data == mine.data == picture
        assert served.headers["Content-Disposition"].startswith("attachment")
    assert second.get(path).status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_record_of_another_project_is_not_to_be_had(phone: Phone, li: Supervisor, cast: Cast) -> None:
    phone.send(plot_visit(sent := new_id(), photos=["1.jpg"]), {"1.jpg": jpeg()})
    li.base = f"/v1/projects/{cast.other_project}"
    assert download(li, sent).status_code == 404
    assert li.get("/submissions/1/1/1.jpg").status_code == 404
