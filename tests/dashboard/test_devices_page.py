"""Phones as a supervisor sees them: what they owe, what they see, a new code for one, an end for another."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import segno
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from server.dashboard import language
from server.dashboard.devices import OVERDUE_MS, is_silent, plots_of
from server.settings import Settings
from server.store import schema
from server.store.db import Database
from server.web import connection
from sync import join, settings_qr
from tests import builders
from tests.cast import Cast
from tests.conftest import Clock
from tests.dashboard.conftest import SignIn
from tests.phone import Back, Phone, form, key_address, new_id, plot_visit, put_up
from tests.scan import NO_ZBARIMG, ZBARIMG, scan

DAY_S = 86_400


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Clock:
    """The door's clock, moved by the test."""
    monkeypatch.setattr(connection, "now_ms", clock)
    return clock


@pytest.fixture
def li(sign_in: SignIn, now: Clock) -> FlaskClient:
    return sign_in("li")


def _list(cast: Cast) -> str:
    return f"/projects/{cast.project}/devices"


def _page(cast: Cast, device_id: int | None = None) -> str:
    return f"{_list(cast)}/{device_id or cast.device_one}"


def _plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html.partition("<main")[2])))


def _row(page: str, name: str) -> str:
    return next(_plain("<main" + row) for row in page.split("<tr")[1:] if f">{name}</a>" in row)


def _row_of(database: Database, device_id: int) -> Any:
    with database.reading() as reader:
        return reader.execute(select(schema.device).where(schema.device.c.id == device_id)).one()


def _ask(app: Flask, cast: Cast, key: str, **headers: str) -> Any:
    """A phone asks who it is, and says how much it has."""
    return app.test_client().get(
        f"/v1/projects/{cast.project}/sync/device", headers={"Authorization": f"Bearer {key}", **headers}
    )


def _links(page: str) -> tuple[str, str]:
    """The join link and Collect's address on an enrolment sheet."""
    (link,) = re.findall(r">(http[^<]*/join#[^<]*)<", page)
    (address,) = re.findall(r">(http[^<]*/v1/key/[^<]*)<", page)
    return unescape(link), address


# the list


def test_the_list_says_when_a_phone_was_seen_and_what_it_owes(
    app: Flask, li: FlaskClient, cast: Cast, now: Clock
) -> None:
    _ask(app, cast, cast.token_one, **{"Yangdi-Pending": "3", "Yangdi-App": "field-kit/1.0"})
    now.tick(3 * 3600)
    row = _row(li.get(_list(cast)).text, "一队手机")
    assert "一队 不限 3小时前 2026-06-01 08:00 3 3小时前" in row
    assert "field-kit/1.0 已加入" in row


def test_what_collect_cannot_say_is_a_dash(client: FlaskClient, li: FlaskClient, cast: Cast) -> None:
    client.get(f"{key_address(cast)}/formList", headers={"User-Agent": "org.odk.collect.android/v2026.2"})
    row = _row(li.get(_list(cast)).text, "一队手机")
    assert "刚刚 2026-06-01 08:00 — — org.odk.collect.android/v2026.2 已加入" in row
    assert "从未 — — — 尚未扫码" in _row(li.get(_list(cast)).text, "二队手机")


def test_photos_that_are_still_on_the_phone_are_counted_and_named(
    client: FlaskClient, li: FlaskClient, database: Database, cast: Cast
) -> None:
    put_up(database, cast.project, form("plot_visit"))
    phone = Phone(client, key_address(cast))
    first = new_id()
    phone.send(plot_visit(first, photos=["a.jpg", "b.jpg"]), {"a.jpg": builders.jpeg()})
    phone.send(plot_visit(photos=["c.jpg"], plot_id="PS-002"), {"c.jpg": builders.jpeg(200)})
    assert " 2/3 " in _row(li.get(_list(cast)).text, "一队手机")
    page = _plain(li.get(_page(cast)).text)
    assert first in page
    assert "b.jpg" in page
    assert "a.jpg" not in page
    edit = plot_visit(photos=["a.jpg", "b.jpg"], deprecated_id=first)
    phone.send(edit, {"b.jpg": builders.jpeg(90)})  # what has been superseded is missed by nobody
    assert " 3/3 " in _row(li.get(_list(cast)).text, "一队手机")


def test_a_phone_that_is_silent_while_its_plots_wait_is_overdue(
    li: FlaskClient, database: Database, settings: Settings, cast: Cast, now: Clock
) -> None:
    assert "逾期" not in li.get(_list(cast)).text
    now.tick(OVERDUE_MS / 1000 + 60)
    assert "逾期未联系 还有 1 块样地待调查" in _row(li.get(_list(cast)).text, "一队手机")
    assert "逾期未联系 还有 1 块样地待调查" in _plain(li.get(_page(cast)).text)
    assert "已停用" in _row(li.get(_list(cast)).text, "丢了的手机")
    with database.writing() as pen:
        builders.visit(pen, cast.project, cast.plot, cast.census)  # one's only plot is measured
    assert "逾期" not in _row(li.get(_list(cast)).text, "一队手机")
    assert "逾期" in _row(li.get(_list(cast)).text, "二队手机")
    with database.writing() as pen:
        pen.execute(update(schema.census).values(ends_on="2026-06-03"))
    assert "逾期" not in li.get(_list(cast)).text  # the census is over


def test_a_phone_is_silent_after_a_week_and_waits_for_its_crews_plots_and_nobodys() -> None:
    assert not is_silent(None, 0, OVERDUE_MS)
    assert is_silent(None, 0, OVERDUE_MS + 1)
    assert not is_silent(1, 0, OVERDUE_MS + 1)
    waiting = {1: 4, 2: 8, None: 1}
    assert [plots_of(waiting, crew) for crew in (1, 3, None)] == [5, 1, 13]


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(("seconds", "zh", "en"), [
    (-5, "刚刚", "just now"), (59, "刚刚", "just now"), (150, "2分钟前", "2 minutes ago"),
    (9 * DAY_S, "9天前", "9 days ago"),
])  # fmt: skip
def test_how_long_ago_is_said_in_words(app: Flask, cast: Cast, sign_in: SignIn, now: Clock, seconds: float, zh: str,
                                       en: str) -> None:  # fmt: skip
    for locale, words in (("zh", zh), ("en", en)):
        with app.test_request_context(headers={"Cookie": f"yangdi_locale={locale}"}):
            assert language.ago(int(now.at - seconds * 1000)) == words
            assert language.ago(None) == ""


# one phone


def test_a_phone_is_renamed(li: FlaskClient, database: Database, cast: Cast) -> None:
    answer = li.post(
        f"{_page(cast)}/rename", data={"name": " 一队 <1> ", "locale": "en"}, follow_redirects=True
    )
    assert "已保存" in answer.text
    assert "一队 &lt;1&gt;" in answer.text
    row = _row_of(database, cast.device_one)
    assert (row.name, row.locale) == ("一队 <1>", "en")
    assert li.post(f"{_page(cast)}/rename", data={"name": " "}).status_code == 422


def test_what_a_phone_sees_is_narrowed_and_it_begins_anew(
    app: Flask, li: FlaskClient, database: Database, cast: Cast
) -> None:
    before = _row_of(database, cast.device_one).scope_number
    asked = {
        "crew": str(cast.crew_two),
        "township": [str(cast.township)],
        "plots": " PS-002 \r\n\r\nPS-001\r\nPS-001",
    }
    assert "重新取数据" in li.post(f"{_page(cast)}/scope", data=asked, follow_redirects=True).text
    row = _row_of(database, cast.device_one)
    assert row.crew_id == cast.crew_two
    assert row.scope_number > before
    said = _ask(app, cast, cast.token_one).json["device"]
    assert (said["crew"], said["townships"], said["plots"]) == ("二队", ["青羊镇"], ["PS-001", "PS-002"])
    assert "范围没有变化" in li.post(f"{_page(cast)}/scope", data=asked, follow_redirects=True).text
    li.post(f"{_page(cast)}/scope", data={"crew": "", "plots": ""})
    said = _ask(app, cast, cast.token_one).json["device"]
    assert (said["crew"], said["townships"], said["plots"]) == (None, [], [])


@pytest.mark.parametrize("asked", [
    {"crew": "999999"}, {"crew": "x"}, {"township": "999999"}, {"township": "x"}, {"plots": "PS-999"},
    {"plots": "PS-\0"}, {"plots": "\n".join(f"P-{n}" for n in range(2001))},
])  # fmt: skip
def test_limits_that_are_not_there_change_nothing(
    li: FlaskClient, database: Database, cast: Cast, asked: dict[str, str]
) -> None:
    before = _row_of(database, cast.device_one)
    assert li.post(f"{_page(cast)}/scope", data={"crew": str(cast.crew_one), **asked}).status_code == 422
    assert _row_of(database, cast.device_one) == before


def test_another_projects_plots_and_townships_are_not_there(
    li: FlaskClient, database: Database, cast: Cast
) -> None:
    with database.writing() as pen:
        pen.execute(insert(schema.plot).values(project_id=cast.other_project, plot_id="LX-1"))
        other = pen.execute(
            insert(schema.township)
            .values(project_id=cast.other_project, name="T")
            .returning(schema.township.c.id)
        ).scalar_one()
    assert li.post(f"{_page(cast)}/scope", data={"plots": "LX-1"}).status_code == 422
    assert li.post(f"{_page(cast)}/scope", data={"township": str(other)}).status_code == 422


def test_a_new_code_opens_and_the_old_one_does_not(
    app: Flask, li: FlaskClient, database: Database, cast: Cast
) -> None:
    _ask(app, cast, cast.token_one)
    assert "旧的二维码和登记单立即失效" in li.get(f"{_page(cast)}/new-code").text
    assert _ask(app, cast, cast.token_one).status_code == 200  # to ask is not yet to do
    link, address = _links(li.post(f"{_page(cast)}/new-code").text)
    said = join.read(link)
    assert said.project_id == cast.project
    assert f"/v1/key/{said.key}/projects/{cast.project}" in address
    assert _row_of(database, cast.device_one).joined_at is None
    assert _ask(app, cast, cast.token_one).status_code == 403
    assert _ask(app, cast, said.key).json["device"]["name"] == "一队手机"
    assert _row_of(database, cast.device_one).joined_at is not None
    assert said.key not in li.get(_page(cast)).text
    with database.reading() as reader:
        events = reader.execute(select(schema.event)).all()
    assert [(row.action, row.actor) for row in events] == [("device.rotate", "li")]
    assert said.key not in str(events)


def test_a_lost_phone_is_revoked_after_a_page_that_says_what_happens(
    app: Flask, client: FlaskClient, li: FlaskClient, database: Database, settings: Settings, cast: Cast
) -> None:
    put_up(database, cast.project, form("plot_visit"))
    _ask(app, cast, cast.token_one, **{"Yangdi-Pending": "2"})
    page = _plain(li.get(f"{_page(cast)}/revoke").text)
    assert "还有 2 份记录没有发出" in page
    assert "待定记录" in page
    assert _ask(app, cast, cast.token_one).status_code == 200
    assert "已停用" in li.post(f"{_page(cast)}/revoke", follow_redirects=True).text
    assert _ask(app, cast, cast.token_one).status_code == 403
    assert Phone(client, key_address(cast)).send(plot_visit()).status_code == 202  # kept, held back
    for path in ("revoke", "new-code"):
        assert li.get(f"{_page(cast)}/{path}").status_code == 404
        assert li.post(f"{_page(cast)}/{path}").status_code == 404
    assert li.post(f"{_page(cast)}/rename", data={"name": "x"}).status_code == 404
    assert "/rename" not in li.get(_page(cast)).text
    assert Back(database, settings).count(schema.submission) == 1


@pytest.mark.parametrize("engine", ["sqlite"])
def test_who_only_looks_is_offered_nothing_to_change(sign_in: SignIn, cast: Cast) -> None:
    browser = sign_in("zhou")
    for address in (_list(cast), _page(cast)):
        page = browser.get(address)
        assert page.status_code == 200
        assert "<button" not in page.text.partition("<main")[2]
    assert browser.get(f"{_page(cast)}/revoke").status_code == 403


# the sheet


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(("locale", "words"), [("zh", "手机登记单"), ("en", "Phone enrolment")])
def test_the_sheet_speaks_the_language_of_the_phone(
    sign_in: SignIn, cast: Cast, locale: str, words: str
) -> None:
    page = (
        sign_in("li")
        .post(_list(cast), data={"name": "D-9", "crew": str(cast.crew_one), "locale": locale})
        .text
    )
    sheet = page.partition("<article")[2].partition("</article>")[0]
    assert words in sheet
    assert ("用手机相机" in sheet) == (locale == "zh")
    assert "请现在扫码" in page  # the page around it speaks the supervisor's
    assert page.count('class="qr"') == 2


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_page_behind_a_join_link_asks_for_no_name_and_says_what_to_do(app: Flask, cast: Cast) -> None:
    answer = app.test_client().get(join.PATH)
    assert answer.status_code == 200
    assert "这是一台手机的加入链接" in answer.text
    assert "<form" not in answer.text.partition("<main")[2]
    browser = app.test_client()
    browser.set_cookie("yangdi_locale", "en")
    assert "This is a phone" in browser.get(join.PATH).text


@pytest.mark.skipif(ZBARIMG is None, reason=NO_ZBARIMG)
def test_what_a_camera_reads_from_both_codes_opens_the_door(
    app: Flask, li: FlaskClient, cast: Cast, tmp_path: Path
) -> None:
    link, address = _links(li.post(_list(cast), data={"name": "D-7", "crew": str(cast.crew_one)}).text)
    settings = settings_qr.settings_json(address, "平顺县森林碳汇", "zh")
    segno.make(link, error="m", micro=False).save(tmp_path / "join.png", scale=4)
    segno.make(settings_qr.encode(settings), error="l", micro=False).save(tmp_path / "collect.png", scale=4)
    said = join.read(*scan(tmp_path / "join.png"))
    assert _ask(app, cast, said.key).json["device"] == {
        "name": "D-7", "crew": "一队", "locale": "zh", "townships": [], "plots": [],
    }  # fmt: skip
    (code,) = scan(tmp_path / "collect.png")
    url = settings_qr.decode(code)["general"]["server_url"]
    answer = app.test_client().get(f"{url.removeprefix('http://localhost')}/formList")
    assert answer.status_code == 200
