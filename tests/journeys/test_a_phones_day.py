"""A crew's day with a stock ODK Collect, and the day of the next census, through a live server on both engines."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from lxml import etree
from sqlalchemy import select

from forms.instance import read
from server.__main__ import main
from server.demo.phone import Phone
from server.photos.picture import Shot, draw
from server.settings import Settings
from server.store import schema
from server.store.db import Database
from tests.cast import PLOT_LAT, PLOT_LON, Cast
from tests.engines import scripts
from tests.engines.fill import fill_with_javarosa, missing_java
from tests.journeys.drained import wait_until_drained
from tests.journeys.supervisor import Supervisor, text_of
from tests.live import ROOT, LiveServer, environment

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing_java()), reason=missing_java())]

LIST = "{http://openrosa.org/xforms/xformsList}"
MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"
PHOTOS = ("plot.jpg", "north.jpg", "centre.jpg")
ROOM_BYTES = 300_000
"""What the server takes at a time: two of the three photos, so that they travel in two requests."""


class Offered(NamedTuple):
    """A form as a phone has it after fetching: the XForm and the files beside it."""

    xml: bytes
    media: dict[str, bytes]


@pytest.fixture
def yangdi(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The command line of this installation; returns what it says."""
    for name, text in environment(settings).items():
        monkeypatch.setenv(name, text)

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, list(words), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def fetch(phone: Phone, base_url: str, form_id: str) -> Offered:
    """What Collect does at "get blank form": list, form, manifest, files, each compared with its hash."""
    listed = etree.fromstring(phone.download(f"{base_url}/formList"))
    (line,) = (x for x in listed.iter(f"{LIST}xform") if x.findtext(f"{LIST}formID") == form_id)
    xml = phone.download(str(line.findtext(f"{LIST}downloadUrl")))
    assert line.findtext(f"{LIST}hash") == md5(xml)
    media = {}
    manifest_url = line.findtext(f"{LIST}manifestUrl")
    for file in (
        etree.fromstring(phone.download(manifest_url)).iter(f"{MANIFEST}mediaFile") if manifest_url else ()
    ):
        content = phone.download(str(file.findtext(f"{MANIFEST}downloadUrl")))
        assert file.findtext(f"{MANIFEST}hash") == md5(content)
        media[str(file.findtext(f"{MANIFEST}filename"))] = content
    return Offered(xml, media)


def md5(content: bytes) -> str:
    return "md5:" + hashlib.md5(content, usedforsecurity=False).hexdigest()


def visit_script(census: str, on: str, *diameters: str) -> dict[str, str]:
    """What a crew answers on the plot form: pines on a circle around the centre."""
    script = {**scripts.VISIT, **scripts.FACTORS, **scripts.PHOTOS, "/data/visit/plot_id": "PS-001",
              "/data/visit/census": census, "/data/visit/measured_on": on}  # fmt: skip
    for number, dbh_cm in enumerate(diameters, start=1):
        script |= scripts.tree(number, tag=str(number), species="pinus_tabuliformis", dbh_cm=dbh_cm,
                               azimuth_deg=str(30 * number), distance_m="4.5")  # fmt: skip
    return script


def photos_of(day: datetime) -> dict[str, bytes]:
    """Three pictures as the phone took them, one minute after the other."""
    return {
        name: draw(Shot(k, ("PS-001",), day + timedelta(minutes=k), PLOT_LAT, PLOT_LON, 6.0))
        for k, name in enumerate(PHOTOS)
    }


BEIJING = timezone(timedelta(hours=8))
FIRST_DAY = datetime(2021, 6, 3, 9, 0, tzinfo=BEIJING)


def rows(database: Database, query: Any) -> list[dict[str, Any]]:
    with database.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def cell(page: Any, tag: str, kind: str) -> Any:
    """The cell of a tree in the tally sheet."""
    row = next(r for r in page.xpath("//table[contains(@class,'trees')]/tbody/tr") if tag_of(r) == tag)
    (found,) = row.xpath(f"./td[contains(concat(' ', @class, ' '), ' {kind} ')]")
    return found


def tag_of(row: Any) -> str:
    return str(row.xpath("normalize-space(./th/text())"))


def test_a_crew_measures_a_plot_and_comes_back_five_years_later(
    start_server: Callable[..., LiveServer], yangdi: Callable[..., str], database: Database, cast: Cast,
    tmp_path: Path,
) -> None:  # fmt: skip
    yangdi(
        "form", "publish", str(ROOT / "forms" / "library" / "plot_visit.md"), "--project", str(cast.project)
    )
    server = start_server(accept_content_length=ROOM_BYTES)
    base_url = f"{server.base_url}/v1/key/{cast.token_one}/projects/{cast.project}"
    with Phone(base_url, "collect:9f3a") as phone:
        offered = fetch(phone, base_url, "plot_visit")

        # no line in the forest: the engine inside Collect fills the form, the receipt comes in the evening
        filled = fill_with_javarosa(
            offered.xml, offered.media, visit_script("2021", "2021-06-03", "32.6", "18.4", "25.0")
        )
        assert not filled.violations
        assert phone.limit_bytes() == ROOM_BYTES
        receipt = phone.send(filled.xml, photos_of(FIRST_DAY))
        assert (receipt.status, receipt.requests) == (201, 2)
        assert receipt.message == "已收到 样地 PS-001：3 株样木，照片 3/3。"
        wait_until_drained(database)
        assert_kept(database, filled.xml)

        # five years later the list of trees comes along, and the form itself doubts a tree that has shrunk
        folder = tmp_path / "along"
        told = yangdi("form", "remeasure", "--census", "2026", "--on", "2026-06-03", "--out", str(folder),
                      "--project", str(cast.project))  # fmt: skip
        yangdi(*shlex.split(told.strip().splitlines()[-1])[1:], "--project", str(cast.project))
        again = fetch(phone, base_url, "remeasure")
        assert set(again.media) == {"plots.csv", "trees.csv"}
        slip = {**REMEASURED, **scripts.again(1, dbh_cm="23.1"), **scripts.again(2, dbh_cm="19.0"),
                **scripts.again(3, dbh_cm="25.8")}  # fmt: skip
        doubted = fill_with_javarosa(again.xml, again.media, slip).violations
        assert any(said.startswith("/data/known/tree[1]/stem/dbh_cm") for said in doubted), doubted

        # a crew that went with the plain form is told in the receipt, and the supervisor sees it at the cell
        plain = fill_with_javarosa(
            offered.xml, offered.media, visit_script("2026", "2026-06-03", "23.1", "19.0", "25.8")
        )
        assert not plain.violations
        receipt = phone.send(plain.xml, photos_of(FIRST_DAY + timedelta(days=5 * 365)))
    assert receipt.message.startswith("已收到 样地 PS-001：3 株样木，照片 3/3。请在离开前看一看：样木 1 ")
    wait_until_drained(database)
    assert_doubted(server, cast)


REMEASURED = {
    "/data/visit/plot_id": "PS-001", "/data/visit/crew": "一队", "/data/visit/surveyor": "张三",
    "/data/visit/measured_on": "2026-06-03", "/data/position": "36.2 113.44 1204.5 4.2", "/data/new_found": "no",
    **scripts.PHOTOS,
}  # fmt: skip


def assert_kept(database: Database, xml: bytes) -> None:
    """The visit, its trees and its photos stand in the store as the crew left them."""
    (visit,) = rows(database, select(schema.visit))
    assert (visit["measured_on"], visit["surveyor"], visit["lat"], visit["accuracy_m"]) == (
        "2021-06-03", "张三", 36.2, 4.2,
    )  # fmt: skip
    assert visit["checked_at"] is not None
    trees = rows(database, select(schema.measurement).order_by(schema.measurement.c.ordinal))
    assert [(tree["tag"], tree["dbh_cm"], tree["azimuth_deg"]) for tree in trees] == [
        ("1", 32.6, 30.0), ("2", 18.4, 60.0), ("3", 25.0, 90.0),
    ]  # fmt: skip
    (sent,) = rows(database, select(schema.submission))
    assert sent["instance_id"] == read(xml).meta.instance_id
    assert sent["instance_name"] == "PS-001 / 2021"
    query = select(schema.attachment.c.name, schema.photo).join(
        schema.photo, schema.photo.c.attachment_id == schema.attachment.c.id
    )
    photos = {row["name"]: row for row in rows(database, query)}
    assert set(photos) == set(PHOTOS)
    north = photos["north.jpg"]
    assert (north["taken_at"], north["width_px"], north["height_px"], north["fault"]) == (
        "2021-06-03T09:01:00+08:00", 1280, 960, None,
    )  # fmt: skip
    assert (north["lat"], north["lon"]) == pytest.approx((PLOT_LAT, PLOT_LON), abs=1e-5)
    assert all(photo["thumbnail_sha256"] for photo in photos.values())


def assert_doubted(server: LiveServer, cast: Cast) -> None:
    """The supervisor signs in and sees the slip at its cell, with what was probably meant."""
    supervisor = Supervisor(server.base_url)
    landed = supervisor.sign_in("li")
    assert "PS-001" in text_of(landed)
    page = supervisor.page(f"/projects/{cast.project}/plots/PS-001")
    assert text_of(page.xpath("//h1")[0]) == "PS-001"
    doubted = cell(page, "1", "dbh")
    assert " at " in f" {doubted.get('class')} "
    assert "23.1" in text_of(doubted)
    assert "33.1" in text_of(doubted)
    assert " at " not in f" {cell(page, '2', 'dbh').get('class')} "
    queue = text_of(supervisor.page(f"/projects/{cast.project}/flags"))
    assert "33.1" in queue
    pictures = page.xpath("//section[contains(@class,'photos')]//img/@src")
    assert len(pictures) == len(PHOTOS)
    assert all(supervisor.bytes_of(path)[:2] == b"\xff\xd8" for path in pictures)
