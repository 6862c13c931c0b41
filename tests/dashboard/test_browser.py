"""The pages in a real browser: keys, a flag's note by mouse, keyboard and on paper, a phone's width."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import chromium
from tests.dashboard.conftest import Scene
from tests.live import LiveServer

pytestmark = chromium.NEEDED


@pytest.fixture
def page(live_server: LiveServer, scene: Scene) -> Iterator[object]:
    """A browser's page in which li has signed in."""
    with chromium.browser(live_server.base_url) as browser:
        yield chromium.signed_in(browser)


def test_keys_go_through_the_queue_and_open_a_flag_and_its_forms(page, scene: Scene) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"/projects/{scene.project}/flags")
    links = page.locator("table.queue a.go")
    assert links.count() >= 2
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert links.nth(0).evaluate("link => link === document.activeElement")
    page.keyboard.press("Enter")
    page.wait_for_url("**/flags/*")
    first = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != first)
    page.keyboard.press("k")
    page.wait_for_url(first)
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.name") == "why"
    page.keyboard.type("jj")
    assert page.url == first


def test_a_flags_note_opens_by_mouse_and_by_keyboard_and_stands_on_paper(page, scene: Scene) -> None:  # type: ignore[no-untyped-def]
    page.goto(f"/projects/{scene.project}/plots/P-1")
    note = page.locator("#t1 .dbh .note")
    assert not note.is_visible()
    page.hover("#t1 .dbh")
    assert note.is_visible()
    page.hover("h1")
    assert not note.is_visible()
    page.focus("#t1 .dbh .mark")
    assert note.is_visible()
    page.keyboard.press("Escape")
    assert not note.is_visible()
    page.emulate_media(media="print")
    assert note.is_visible()
    assert not page.locator("nav.rooms").is_visible()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_no_page_is_wider_than_a_phone(page, scene: Scene, locale: str) -> None:  # type: ignore[no-untyped-def]
    page.set_viewport_size({"width": 390, "height": 844})
    if page.locator(f"button[value={locale}]").count():
        page.click(f"button[value={locale}]")
        page.wait_for_selector(f"html[lang^={locale}]")
    at = f"/projects/{scene.project}"
    for address in [
        f"{at}/plots",
        f"{at}/plots/P-1",
        f"{at}/flags",
        f"{at}/flags/{scene.flag}",
        f"{at}/rules",
        f"{at}/rules/X04",
        f"{at}/quarantine",
        f"{at}/devices",
        f"{at}/forms",
        "/jobs",
    ]:
        page.goto(address)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0, address
