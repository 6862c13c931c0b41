"""A bad diameter goes back to the crew that wrote it: from the code that a phone scans to the closed flag.

A stock ODK Collect: set up by the code on a supervisor's page, filled in by the engine inside it, over real HTTP.
"""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select

from server.demo.phone import Phone
from server.store import schema, visits
from server.store.db import Database
from sync import settings_qr
from tests import phone as sent_by
from tests.cast import Cast
from tests.engines.fill import fill_with_javarosa, missing_java
from tests.journeys.drained import wait_until_drained
from tests.journeys.supervisor import Supervisor, text_of
from tests.journeys.test_a_phones_day import FIRST_DAY, fetch, photos_of, rows, visit_script
from tests.live import LiveServer
from tests.scan import NO_ZBARIMG, ZBARIMG, photograph, scan

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed (pip install playwright)"
)
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_java()), reason=missing_java()),
    pytest.mark.skipif(ZBARIMG is None, reason=NO_ZBARIMG),
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not on this machine (Debian: apt-get install chromium)"
    ),
]


def test_a_doubted_tree_is_measured_again_and_both_values_stay(
    live_server: LiveServer, database: Database, cast: Cast, tmp_path: Path
) -> None:
    sent_by.put_up(database, cast.project, sent_by.form("plot_visit"))
    supervisor = Supervisor(live_server.base_url)
    supervisor.sign_in("li")

    # a new phone reads its settings from the supervisor's screen
    base_url = scanned(supervisor, live_server, cast, tmp_path)
    assert base_url.startswith(f"{live_server.base_url}/v1/key/")
    with Phone(base_url, "collect:77aa") as phone:
        # the plot of 2021, and of 2026 with a decimal point in the wrong place
        offered = fetch(phone, base_url, "plot_visit")
        earlier = visit_script("2021", "2021-06-03", "22.6", "18.4", "25.0")
        now = visit_script("2026", "2026-06-03", "231", "19.0", "25.8") | VERIFIED
        for script in (earlier, now):
            filled = fill_with_javarosa(offered.xml, offered.media, script)
            assert not filled.violations
            assert phone.send(filled.xml, photos_of(FIRST_DAY)).status == 201
        wait_until_drained(database)
        assert "返工" not in phone.download(f"{base_url}/formList").decode()

        # the supervisor sends that tree back, on the plot's page
        send_tree_back(supervisor, cast)
        wait_until_drained(database)

        # the form and its lists arrive by the ordinary way
        again = fetch(phone, base_url, "rework")
        [order] = table(again.media["rework_plots.csv"])
        [doubted] = table(again.media["rework.csv"])
        assert (order["plot_id"], order["trees"], order["due_on"]) == ("PS-001", "1", "2026-06-30")
        assert (doubted["tag"], doubted["dbh_cm"], doubted["reason"]) == (
            "1", "231.0", "小数点？请再量",
        )  # fmt: skip
        # 22.6 cm five years before: no less than two tapes differ, no more than five centimetres a year
        assert (doubted["low_cm"], doubted["high_cm"]) == ("21.9", "48.3")

        # the crew measures it once more; the same slip would be questioned by the form itself
        slip = fill_with_javarosa(again.xml, again.media, answer(order, dbh_cm="231"))
        assert any(said.endswith("dbh_cm constraint") for said in slip.violations)
        filled = fill_with_javarosa(again.xml, again.media, answer(order, dbh_cm="23.1"))
        assert not filled.violations
        receipt = phone.send(filled.xml, {"tape.jpg": photos_of(FIRST_DAY)["plot.jpg"]})
        assert receipt.status == 201
        wait_until_drained(database)
        assert table(fetch(phone, base_url, "rework").media["rework.csv"]) == []
    assert_closed(database)
    assert_seen(supervisor, cast)


VERIFIED = {"/data/trees/tree[1]/stem/verified": "yes"}


def scanned(supervisor: Supervisor, server: LiveServer, cast: Cast, folder: Path) -> str:
    """Enrol a phone on the page, photograph the code for Collect, and read the address in it."""
    sheet = supervisor.post(
        f"/projects/{cast.project}/devices", f"/projects/{cast.project}/devices",
        {"name": "三号手机", "crew": str(cast.crew_one), "locale": "zh"},
    )  # fmt: skip
    codes = [html.tostring(svg, encoding="unicode") for svg in sheet.xpath("//*[contains(@class,'qr')]")]
    assert codes
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1000, "height": 1000})
        said = [text for n, svg in enumerate(codes) for text in photographed(page, svg, folder / f"{n}.png")]
        browser.close()
    decoded = [settings_qr.decode(text) for text in said if not text.startswith("http")]
    [settings] = decoded
    return str(settings["general"]["server_url"])


def photographed(page: Any, svg: str, picture: Path) -> list[str]:
    page.set_content(f"<style>svg{{width:900px;height:900px;background:#fff;stroke:#000}}</style>{svg}")
    return scan(photograph(page, picture))


def send_tree_back(supervisor: Supervisor, cast: Cast) -> None:
    page = f"/projects/{cast.project}/plots/PS-001"
    (form,) = supervisor.page(page).xpath("//form[@id='send-back']")
    tick = supervisor.page(page).xpath("//tr[@id='t0']//input[@name='tree']/@value")
    said = supervisor.post(
        page,
        form.get("action"),
        {"tree": str(tick[0]), "why": "小数点？请再量", "due_on": "2026-06-30", "crew": ""},
    )
    assert "已送回返工" in text_of(said)


def answer(order: dict[str, str], **stem: str) -> dict[str, str]:
    script = {"/data/visit/order": order["name"], "/data/visit/surveyor": "张三",
              "/data/visit/measured_on": "2026-06-10"}  # fmt: skip
    asked = {"found": "yes", "tally_code": "11", "tree_photo": "tape.jpg", **stem}
    return script | {f"/data/doubted/tree[1]/stem/{name}": text for name, text in asked.items()}


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def assert_closed(database: Database) -> None:
    """The flag is closed, both values can be read, and the rules go by the second."""
    found = rows(database, select(schema.flag).where(schema.flag.c.tag == "1"))
    assert found
    assert {flag["state"] for flag in found} == {"corrected"}
    [tree] = rows(database, select(schema.rework_tree))
    assert (tree["state"], tree["before"]["dbh_cm"], tree["after"]["dbh_cm"]) == (
        "corrected",
        "231.0",
        "23.1",
    )
    [order] = rows(database, select(schema.rework))
    assert order["state"] == "returned"
    with database.reading() as connection:
        raw = visits.raw_measurements(connection, [order["visit_id"]])[order["visit_id"]][0]
        counts = visits.measurements(connection, [order["visit_id"]])[order["visit_id"]][0]
    assert (raw.dbh_cm, counts.dbh_cm, counts.verified) == (231.0, 23.1, True)


def assert_seen(supervisor: Supervisor, cast: Cast) -> None:
    """The supervisor reads both values, on the plot's page and among the orders that came back."""
    page = supervisor.page(f"/projects/{cast.project}/plots/PS-001")
    cell = text_of(page.xpath("//tr[@id='t0']/td[contains(@class,'dbh')]")[0])
    assert "231.0" in cell
    assert "23.1" in cell
    returned = text_of(supervisor.page(f"/projects/{cast.project}/rework?state=returned"))
    assert "231.0" in returned
    assert "23.1" in returned
    assert "待处理" not in text_of(page.xpath("//table[contains(@class,'trees')]")[0])
