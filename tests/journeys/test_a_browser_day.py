"""A supervisor's morning in Chromium, over what phones really sent: by clicks alone, in Chinese and in English."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from server.demo.phone import Phone
from server.store.db import Database
from tests import phone as sent_by
from tests.builders import jpeg
from tests.cast import PASSWORD, Cast
from tests.journeys.drained import wait_until_drained
from tests.live import LiveServer

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed (pip install playwright)"
)
CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not on this machine (Debian: apt-get install chromium)"
    ),
]

LAST_TIME = [sent_by.tree("1", "32.6"), sent_by.tree("2", "18.4"), sent_by.tree("3", "25.0")]
THIS_TIME = [sent_by.tree("1", "23.1"), sent_by.tree("2", "19.0"), sent_by.tree("3", "25.8")]
"""33.1 cm, and a 2 in place of the 3."""


@pytest.fixture
def sent(live_server: LiveServer, database: Database, cast: Cast) -> None:
    """Two censuses of PS-001, the second with a slip and a photo; one record whose form nobody published."""
    sent_by.put_up(database, cast.project, sent_by.form("plot_visit"))
    with Phone(f"{live_server.base_url}/v1/key/{cast.token_one}/projects/{cast.project}") as phone:
        assert phone.send(sent_by.plot_visit(trees=LAST_TIME, census="2021", on="2021-06-01")).status == 201
        now = sent_by.plot_visit(trees=THIS_TIME, census="2026", on="2026-06-01", photos=["plot.jpg"])
        assert phone.send(now, {"plot.jpg": jpeg()}).status == 201
        assert phone.send(sent_by.plot_visit(trees=LAST_TIME, version="1999010101")).status == 202
    wait_until_drained(database)


@pytest.fixture
def page(live_server: LiveServer, sent: None) -> Iterator[Any]:
    """Chromium at the server. A complaint in its console or a request to another host fails the test."""
    complaints: list[str] = []
    asked: set[str] = set()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(base_url=live_server.base_url)
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        page.on("requestfailed", lambda request: complaints.extend(_lost(request)))
        page.on("response", lambda r: complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None,
        )
        yield page
        browser.close()
    assert complaints == []
    assert asked == {urlsplit(live_server.base_url).netloc}


def _lost(request: Any) -> list[str]:
    """The address of a request that got no answer; not of one that Chromium gave up because she went on to another
    page before the picture on this one had come."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.failure} {request.url}"]


MENU = {
    "zh": (
        "样地列表",
        "疑点",
        "返工",
        "冲突",
        "调查队",
        "抽查",
        "待定记录",
        "手机",
        "调查表",
        "规则目录",
        "后台作业",
    ),
    "en": (
        "Plots",
        "Flags",
        "Rework",
        "Conflicts",
        "Crews",
        "Audits",
        "Held back",
        "Phones",
        "Forms",
        "Rules",
        "Jobs",
    ),
}
MESSAGE = {"zh": "样木 1", "en": "Tree 1"}


def sign_in(page: Any) -> None:
    page.goto("/")
    page.fill("[name=login]", "li")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("nav.rooms")


def go_round(page: Any, locale: str) -> None:
    """Through every room of the menu, and from the queue to the cell."""
    assert page.locator("html").get_attribute("lang").startswith(locale)
    rooms = page.locator("nav.rooms a")
    assert tuple(words(rooms.nth(k).text_content()) for k in range(rooms.count())) == MENU[locale]

    assert "PS-001" in page.inner_text("main")
    assert "PS-002" in page.inner_text("main")

    enter(page, 1)
    doubted = page.locator("table.queue tbody tr").first
    assert "33.1" in doubted.inner_text()
    assert MESSAGE[locale] in doubted.inner_text()
    doubted.locator("a.go").click()
    page.wait_for_url("**/flags/*")
    drawn = page.locator("figure svg text.number").all_text_contents()
    assert {"23.1", "33.1?"} <= set(drawn)
    page.locator(".head a[href*='/plots/']").click()
    page.wait_for_url("**/plots/PS-001?*")
    cell = page.locator("tr:target td.dbh")
    assert "23.1" in cell.inner_text()
    cell.locator(".mark").hover()
    note = cell.locator(".note")
    assert note.is_visible()
    assert "33.1" in note.inner_text()
    picture = page.locator("section.photos img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('section.photos img').naturalWidth > 0")

    enter(page, 6)
    assert "1999010101" in page.inner_text("main")
    for room in (2, 3, 4, 5, 7, 8, 9, 10, 0):
        enter(page, room)
        assert page.locator("h1").is_visible()


def enter(page: Any, room: int) -> None:
    """By the menu; /jobs belongs to no project, so its way back is the browser's own."""
    if not page.locator("nav.rooms a").count():
        page.go_back()
    with page.expect_navigation():
        page.locator("nav.rooms a").nth(room).click()


def words(text: str) -> str:
    """A menu's word without the count beside it."""
    return " ".join(text.split()).rstrip(" 0123456789")


def test_a_supervisor_goes_from_the_plots_to_the_cell_in_both_languages(page: Any) -> None:
    sign_in(page)
    go_round(page, "zh")
    page.click("button[value=en]")
    page.wait_for_selector("html[lang=en]")
    go_round(page, "en")
    page.locator("header form button").last.click()
    page.wait_for_selector("[name=password]")
