"""Phones and outbox files in a real browser: codes as a camera sees them, one sheet of paper, a file on its way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.store.db import Database
from sync import join, settings_qr
from tests import chromium
from tests.builders import jpeg
from tests.cast import Cast
from tests.dashboard.test_outbox_page import made
from tests.live import LiveServer
from tests.phone import form, plot_visit, put_up
from tests.scan import NO_ZBARIMG, ZBARIMG, photograph, scan

pytestmark = chromium.NEEDED


@pytest.fixture
def browser(live_server: LiveServer, cast: Cast) -> Iterator[object]:
    """A browser that fails the test when it has to complain, but for what the server refuses."""
    with chromium.browser(live_server.base_url, "status of 422") as context:
        yield context


@pytest.fixture
def page(browser) -> object:  # type: ignore[no-untyped-def]
    """A page in which li has signed in."""
    return chromium.signed_in(browser)


def _enrol(page, cast: Cast, locale: str = "zh") -> None:  # type: ignore[no-untyped-def]
    page.goto(f"/projects/{cast.project}/devices")
    page.fill(".enrol [name=name]", "D-7")
    page.select_option(".enrol [name=crew]", str(cast.crew_one))
    page.select_option(".enrol [name=locale]", locale)
    page.click(".enrol button")
    page.wait_for_selector(".paper")


@pytest.mark.skipif(ZBARIMG is None, reason=NO_ZBARIMG)
def test_a_camera_reads_both_codes_from_the_screen_and_from_paper(page, cast: Cast, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    _enrol(page, cast)
    for paper in ("screen", "print"):
        page.emulate_media(media=paper)
        photograph(page.locator(".join .scan"), tmp_path / "join.png")
        photograph(page.locator(".collect .scan"), tmp_path / "collect.png")
        said = join.read(*scan(tmp_path / "join.png"))
        shown = {"Authorization": f"Bearer {said.key}"}
        me = page.request.get(f"/v1/projects/{said.project_id}/sync/device", headers=shown).json()
        assert (me["device"]["name"], me["device"]["crew"]) == ("D-7", "一队")
        (code,) = scan(tmp_path / "collect.png")
        url = settings_qr.decode(code)["general"]["server_url"]
        assert page.request.get(f"{url}/formList").ok
        assert page.request.get(f"{url.replace(said.key, 'other')}/formList").status == 403


def _speak(page, locale: str) -> None:  # type: ignore[no-untyped-def]
    if page.locator(f"button[value={locale}]").count():
        page.click(f"button[value={locale}]")
        page.wait_for_selector(f"html[lang^={locale}]")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_sheet_fits_one_side_of_paper(page, cast: Cast, locale: str) -> None:  # type: ignore[no-untyped-def]
    _speak(page, locale)
    _enrol(page, cast, locale)
    assert page.locator("[data-print]").is_visible()
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_what_follows_the_hash_of_a_join_link_is_not_sent(browser, live_server: LiveServer) -> None:  # type: ignore[no-untyped-def]
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers}"))
    page.goto(f"{live_server.base_url}/join?x=1#k=s3cret&p=1")
    assert asked
    assert not any("s3cret" in one.replace("#k=s3cret&p=1", "") for one in asked)
    assert "s3cret" not in live_server.log.read_text()


def test_a_file_goes_up_with_a_bar_that_tells_how_far(
    page, cast: Cast, database: Database, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    put_up(database, cast.project, form("plot_visit"))
    file = tmp_path / "D-1.zip"
    file.write_bytes(made((plot_visit(photos=["a.jpg"]), {"a.jpg": jpeg()})))
    page.goto(f"/projects/{cast.project}/outbox")
    assert not page.locator("#going").is_visible()
    page.set_input_files("[name=file]", file)
    page.click("form[data-progress] button")
    page.wait_for_url(f"**/projects/{cast.project}/outbox/*")
    assert "都已安全保存" in page.inner_text("main")
    file.write_bytes(b"no zip")
    page.goto(f"/projects/{cast.project}/outbox")
    page.set_input_files("[name=file]", file)
    page.click("form[data-progress] button")
    page.wait_for_selector(".problem")
    assert "这不是待发箱文件" in page.inner_text("main")


def test_a_file_goes_up_without_scripts_as_well(browser, cast: Cast, database: Database, tmp_path: Path,
                                                live_server: LiveServer) -> None:  # type: ignore[no-untyped-def]  # fmt: skip
    put_up(database, cast.project, form("plot_visit"))
    file = tmp_path / "D-1.zip"
    file.write_bytes(made((plot_visit(), {})))
    plain = chromium.signed_in(
        browser.browser.new_context(base_url=live_server.base_url, java_script_enabled=False)
    )
    plain.goto(f"/projects/{cast.project}/outbox")
    plain.set_input_files("[name=file]", file)
    plain.click("form[data-progress] button")
    plain.wait_for_url(f"**/projects/{cast.project}/outbox/*")
    assert "都已安全保存" in plain.inner_text("main")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_no_page_of_phones_is_wider_than_a_phone(page, cast: Cast, locale: str) -> None:  # type: ignore[no-untyped-def]
    page.set_viewport_size({"width": 390, "height": 844})
    _speak(page, locale)
    at = f"/projects/{cast.project}"
    phone = f"{at}/devices/{cast.device_one}"
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for address in [f"{at}/devices", phone, f"{phone}/revoke", f"{phone}/new-code", f"{at}/outbox", "/join"]:
        page.goto(address)
        assert page.evaluate(wide) == 0, address
    _enrol(page, cast, locale)
    assert page.evaluate(wide) == 0
