"""A phone's outbox file, brought in on the page: kept once, told instance by instance, safe before it says so."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.settings import Settings
from server.store import schema
from server.store.blobs import Blobs
from server.store.db import Database
from sync import outbox
from sync.outbox import Outgoing
from tests.builders import jpeg
from tests.cast import Cast
from tests.dashboard.conftest import SignIn
from tests.phone import Back, Phone, form, key_address, new_id, plot_visit, put_up, tree


def made(*instances: tuple[bytes, Mapping[str, bytes]]) -> bytes:
    """An outbox file as a phone writes it, of instances and their photos."""
    with tempfile.TemporaryDirectory() as folder, io.BytesIO() as target:
        waiting = []
        for number, (xml, photos) in enumerate(instances):
            files = []
            for name, content in photos.items():
                path = Path(folder) / f"{number}-{name}"
                path.write_bytes(content)
                files.append((name, path))
            waiting.append(Outgoing(f"c{number}", xml, files))
        outbox.write(target, "一队手机", 1_780_272_000_000, waiting)
        return target.getvalue()


def without(content: bytes, *starts: str) -> bytes:
    """The same zip without members whose names start so."""
    with zipfile.ZipFile(io.BytesIO(content)) as old, io.BytesIO() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                if not name.startswith(starts):
                    new.writestr(name, old.read(name))
        return target.getvalue()


@pytest.fixture
def project(database: Database, cast: Cast) -> int:
    """The cast's project with our form."""
    put_up(database, cast.project, form("plot_visit"))
    return cast.project


@pytest.fixture
def li(sign_in: SignIn) -> FlaskClient:
    return sign_in("li")


def _bring(browser: FlaskClient, project: int, content: bytes, name: str = "D-1.zip") -> TestResponse:
    return browser.post(f"/projects/{project}/outbox", data={"file": (io.BytesIO(content), name)})


def _told(browser: FlaskClient, answer: TestResponse) -> str:
    """What the page of the import says, without markup."""
    assert answer.status_code == 303, answer.text
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.get(answer.location).text.partition("<main")[2])
    )


def _detail(database: Database) -> Any:
    with database.reading() as reader:
        query = select(schema.event.c.detail).where(schema.event.c.action == "outbox.import")
        return list(reader.scalars(query.order_by(schema.event.c.id)))[-1]


def test_what_a_phone_could_not_send_counts_as_if_it_had(
    li: FlaskClient, project: int, database: Database, settings: Settings, cast: Cast
) -> None:
    first = new_id()
    xml = plot_visit(first, trees=[tree("1", "12.1")], photos=["a.jpg"])
    answer = _bring(li, project, made((xml, {"a.jpg": jpeg()}), (plot_visit(plot_id="PS-002"), {})))
    told = _told(li, answer)
    assert "都已安全保存" in told
    assert "已保存 2" in told
    assert "照片 1/1" in told
    back = Back(database, settings)
    back.drain()
    (row,) = back.rows(select(schema.submission).where(schema.submission.c.instance_id == first))
    assert (row.person_id, row.device_id, row.phone_id) == (cast.supervisor, None, "一队手机")
    assert len(back.rows(select(schema.visit))) == 2
    (file,) = back.rows(select(schema.attachment))
    assert Blobs(settings.photo_dir).path(file.sha256).read_bytes() == jpeg()
    assert back.count(schema.photo) == 1


def test_the_same_file_twice_changes_nothing(
    li: FlaskClient, project: int, database: Database, settings: Settings
) -> None:
    content = made((plot_visit(trees=[tree("1", "12.1")], photos=["a.jpg"]), {"a.jpg": jpeg()}))
    _bring(li, project, content)
    Back(database, settings).drain()
    before = [
        Back(database, settings).count(table) for table in (schema.submission, schema.attachment, schema.job)
    ]
    told = _told(li, _bring(li, project, content))
    assert "以前已收到 1" in told
    assert "照片 1/1" in told
    after = [
        Back(database, settings).count(table) for table in (schema.submission, schema.attachment, schema.job)
    ]
    assert after == before


def test_what_the_phone_sent_itself_is_not_kept_again(
    li: FlaskClient, project: int, client: FlaskClient, database: Database, settings: Settings, cast: Cast
) -> None:
    xml = plot_visit(photos=["a.jpg", "b.jpg"])
    photos = {"a.jpg": jpeg(10), "b.jpg": jpeg(200)}
    phone = Phone(client, key_address(cast))
    assert phone.send(xml, {"a.jpg": photos["a.jpg"]}).status_code == 201  # then the line broke for good
    told = _told(li, _bring(li, project, made((xml, photos))))
    assert "以前已收到 1" in told
    assert "照片 2/2" in told
    assert phone.send(xml, photos).status_code == 201
    assert Back(database, settings).count(schema.submission) == 1
    assert Back(database, settings).count(schema.attachment) == 2


def test_a_missing_photo_is_named_and_comes_with_a_later_file(
    li: FlaskClient, project: int, database: Database
) -> None:
    content = made((plot_visit(photos=["a.jpg", "b.jpg"]), {"a.jpg": jpeg(10), "b.jpg": jpeg(200)}))
    told = _told(li, _bring(li, project, without(content, f"files/{hashlib.sha256(jpeg(200)).hexdigest()}")))
    assert "还不完整" in told
    assert "1/2" in told
    assert "b.jpg: 没有附带" in told
    assert _detail(database)["instances"][0]["missing"] == ["b.jpg"]
    assert "都已安全保存" in _told(li, _bring(li, project, content))


def test_a_photo_with_other_bytes_is_not_taken_for_it(
    li: FlaskClient, project: int, database: Database, settings: Settings
) -> None:
    content = made((plot_visit(photos=["a.jpg"]), {"a.jpg": b"right bytes"}))
    bad = content.replace(b"right bytes", b"wrong bytes")
    assert "a.jpg: 已损坏" in _told(li, _bring(li, project, bad))  # the zip's own checksum says so
    with zipfile.ZipFile(io.BytesIO(content)) as old, io.BytesIO() as target:
        with zipfile.ZipFile(target, "w") as new:
            for name in old.namelist():
                new.writestr(name, b"wrong bytes" if name.startswith("files/") else old.read(name))
        bad = target.getvalue()
    assert "a.jpg: 内容与校验值不符" in _told(li, _bring(li, project, bad))
    assert [row.sha256 for row in Back(database, settings).rows(select(schema.attachment))] == [None]
    assert "都已安全保存" in _told(li, _bring(li, project, content))


def test_an_instance_that_is_none_spoils_no_other(li: FlaskClient, project: int, database: Database) -> None:
    told = _told(li, _bring(li, project, made((b"<broken", {}), (plot_visit(), {}), (b"", {}))))
    assert "未保存 2" in told
    assert "已保存 1" in told
    assert "c0" in told
    assert [one["reason"] for one in _detail(database)["instances"]] == ["not-xml", None, "empty"]


def test_what_cannot_count_yet_waits_in_quarantine(li: FlaskClient, project: int, database: Database) -> None:
    xml = plot_visit().replace(b'version="2026112202"', b'version="1"')
    told = _told(li, _bring(li, project, made((xml, {}))))
    assert "已保存，待定 1" in told
    assert "都已安全保存" in told
    assert "服务器上没有这个调查表版本" in told


def test_a_project_of_strict_intake_says_why_it_keeps_nothing(
    li: FlaskClient, project: int, database: Database
) -> None:
    with database.writing() as pen:
        pen.execute(schema.project.update().values(strict_intake=True))
    xml = plot_visit().replace(b'version="2026112202"', b'version="1"')
    told = _told(li, _bring(li, project, made((xml, {}))))
    assert "未保存 1" in told
    assert "服务器上没有这个调查表版本" in told


def test_an_edit_finds_its_original_in_the_same_file(
    li: FlaskClient, project: int, database: Database, settings: Settings
) -> None:
    first = new_id()
    edit = plot_visit(trees=[tree("1", "13.0")], deprecated_id=first)
    original = plot_visit(first, trees=[tree("1", "12.0")])
    assert "已保存 2" in _told(li, _bring(li, project, made((edit, {}), (original, {}))))
    Back(database, settings).drain()
    (row,) = Back(database, settings).rows(select(schema.measurement.c.dbh_cm))
    assert row.dbh_cm == 13.0


def test_without_its_list_instances_are_kept_and_photos_awaited(
    li: FlaskClient, project: int, database: Database
) -> None:
    content = made((plot_visit(photos=["a.jpg"]), {"a.jpg": jpeg()}))
    told = _told(li, _bring(li, project, without(content, "outbox.json")))
    assert "清单（outbox.json）缺失" in told
    assert "还不完整" in told
    assert "a.jpg: 没有附带" in told
    assert _detail(database)["counts"]["kept"] == 1


def test_a_file_that_broke_off_gives_what_came_before(
    li: FlaskClient, project: int, database: Database
) -> None:
    content = made(*((plot_visit(photos=["a.jpg"]), {"a.jpg": bytes([n]) * 5000}) for n in range(3)))
    told = _told(li, _bring(li, project, content[:9000]))
    assert "结尾缺失" in told
    assert "还不完整" in told
    states = [one["state"] for one in _detail(database)["instances"]]
    assert states[0] == "kept"
    assert "refused" in states
    assert "都已安全保存" in _told(li, _bring(li, project, content))


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(("content", "said"), [
    (b"not a zip", "这不是待发箱文件"), (b"", "这不是待发箱文件"),
    (None, "请选择一个待发箱文件"),
])  # fmt: skip
def test_what_is_no_outbox_file_is_refused_in_words(
    li: FlaskClient, project: int, database: Database, settings: Settings, content: bytes | None, said: str
) -> None:
    answer = li.post(f"/projects/{project}/outbox") if content is None else _bring(li, project, content)
    assert answer.status_code == 422
    assert said in answer.text
    assert Back(database, settings).count(schema.event) == 1  # the form was published; nothing else happened


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_of_a_newer_program_asks_for_a_newer_server(li: FlaskClient, project: int) -> None:
    with io.BytesIO() as target:
        with zipfile.ZipFile(target, "w") as packed:
            packed.writestr("outbox.json", json.dumps({"format": "yangdi-outbox", "version": 2}))
        answer = _bring(li, project, target.getvalue())
    assert answer.status_code == 422
    assert "请先升级服务器" in answer.text


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_phone_that_the_file_names_is_shown_but_not_believed(
    li: FlaskClient, project: int, cast: Cast, database: Database
) -> None:
    answer = _bring(li, project, made((plot_visit(), {})))
    page = li.get(answer.location).text
    assert f"/projects/{project}/devices/{cast.device_one}" in page
    assert "不以手机名称为凭" in page
    with database.reading() as reader:
        assert reader.scalars(select(schema.submission.c.device_id)).all() == [None]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_only_who_decides_brings_files_in(app: Flask, sign_in: SignIn, project: int, cast: Cast) -> None:
    content = made((plot_visit(), {}))
    assert _bring(sign_in("zhou"), project, content).status_code == 403
    assert sign_in("zhou").get(f"/projects/{project}/outbox").status_code == 403
    assert _bring(sign_in("li"), cast.other_project, content).status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_beyond_the_bound_is_told_so(app: Flask, li: FlaskClient, project: int) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    assert _bring(li, project, b"x" * 20_000).status_code == 413


@pytest.mark.parametrize("engine", ["sqlite"])
def test_earlier_imports_are_listed_with_their_end(li: FlaskClient, project: int) -> None:
    _bring(li, project, made((plot_visit(), {})), "D-1.zip")
    _bring(li, project, made((b"<", {})), "<b>D-2.zip")
    page = li.get(f"/projects/{project}/outbox").text
    assert page.index("&lt;b&gt;D-2.zip") < page.index("D-1.zip")
    assert page.count("全部安全") == page.count("不完整") == 1


@pytest.mark.parametrize("engine", ["sqlite"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_no_damage_breaks_the_page_or_loses_what_can_be_read(
    li: FlaskClient, project: int, database: Database, data: st.DataObject
) -> None:
    ids = ("uuid:a", "uuid:b")  # the same bytes for every example
    content = bytearray(
        made((plot_visit(ids[0], photos=["a.jpg"]), {"a.jpg": jpeg()}), (plot_visit(ids[1]), {}))
    )
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    answer = _bring(li, project, bytes(content))
    assert answer.status_code in {303, 422}
    if answer.status_code == 303:
        assert li.get(answer.location).status_code == 200


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_on_its_way_lies_on_the_data_disk_and_leaves_nothing_behind(
    app: Flask, settings: Settings
) -> None:
    data = {"file": (io.BytesIO(b"x" * 300_000), "D-1.zip")}
    with app.test_request_context("/projects/1/outbox", method="POST", data=data):
        stream = request.files["file"].stream
        place = Path(f"/proc/self/fd/{stream.fileno()}").readlink()
        assert place.is_relative_to(settings.data_dir)
        stream.close()
    assert not [path for path in settings.data_dir.iterdir() if path.stat().st_size == 300_000]
