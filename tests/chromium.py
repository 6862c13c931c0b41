"""A real browser for tests: Chromium of this machine, quiet, and failing the test when it has to complain."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.cast import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

CHROMIUM = shutil.which("chromium")
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync"]  # fmt: skip

NEEDED = [
    pytest.mark.slow,
    pytest.mark.parametrize("engine", ["sqlite"]),
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not on this machine (Debian: apt-get install chromium)"
    ),
]
"""Marks of a module that opens a browser."""


@contextmanager
def browser(base_url: str, *expected: str) -> Iterator[BrowserContext]:
    """A fresh browser in front of a server. A word of complaint fails the test, but for those with an expected part."""
    sync_api = pytest.importorskip("playwright.sync_api")
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        context: Any = chromium.new_context(base_url=base_url)
        context.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None,
        )
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield context
        chromium.close()
    assert [said for said in complaints if not any(part in said for part in expected)] == []


def signed_in(context: BrowserContext, login: str = "li") -> Page:
    """A page in which a person of the cast has signed in."""
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("h1")
    return page
