"""A supervisor at her browser, without the browser: cookies, forms with their tokens, pages as trees of elements."""

from __future__ import annotations

from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from lxml import html

from tests.cast import PASSWORD


class Supervisor:
    """One person with one session at a live server."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def sign_in(self, login: str) -> html.HtmlElement:
        """Through the form, as the page has it; returns the page she lands on."""
        (form,) = self.page("/login").xpath("//form[.//input[@name='password']]")
        fields = dict(form.form_values()) | {"login": login, "password": PASSWORD}
        return self._open(form.get("action"), urlencode(fields).encode())

    def page(self, path: str) -> html.HtmlElement:
        """A page that must be there."""
        return self._open(path, None)

    def post(self, page: str, action: str, fields: dict[str, str]) -> html.HtmlElement:
        """Send a form of a page; returns the page she lands on."""
        (token, *_) = self.page(page).xpath("//main//input[@name='csrf_token']/@value")
        return self._open(action, urlencode({"csrf_token": str(token), **fields}).encode())

    def bytes_of(self, path: str) -> bytes:
        """A file that a page names."""
        with self._opener.open(self._base_url + path, timeout=30) as answer:
            return bytes(answer.read())

    def _open(self, path: str, body: bytes | None) -> html.HtmlElement:
        with self._opener.open(self._base_url + path, body, timeout=30) as answer:
            return html.document_fromstring(answer.read().decode())


def text_of(element: html.HtmlElement) -> str:
    """What a person reads there, in one line."""
    return " ".join(element.text_content().split())
