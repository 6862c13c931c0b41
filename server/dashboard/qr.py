"""The codes that a phone scans to set itself up, as SVG inside the page: no picture that a browser could keep."""

from __future__ import annotations

from urllib.parse import quote

import segno
from flask import request
from markupsafe import Markup

from server.dashboard import language
from server.web import connection
from sync import join, settings_qr

MODULE_PX = 4


def device_url(project_id: int, token: str) -> str:
    """The address that a phone with this key talks to."""
    return f"{_root()}/v1/key/{token}/projects/{project_id}"


def join_url(project_id: int, token: str) -> str:
    """The link by which a phone with this key joins."""
    return join.link(_root(), token, project_id)


def join_svg(project_id: int, token: str) -> Markup:
    """The join link as an SVG element; level M, since it may be read from crumpled paper."""
    return _svg(segno.make(join_url(project_id, token), error="m", micro=False))


def draft_url(project_id: int, token: str, form_id: str) -> str:
    """The address of a draft, for whoever holds its token."""
    return f"{_root()}/v1/test/{token}/projects/{project_id}/forms/{quote(form_id)}/draft"


def settings_svg(address: str, project_name: str, locale: str = "") -> Markup:
    """The settings for this address as an SVG element. `locale`: of the phone, else the reader's."""
    settings = settings_qr.settings_json(address, project_name, locale or language.locale())
    return _svg(segno.make(settings_qr.encode(settings), error="l", micro=False))


def _svg(code: segno.QRCode) -> Markup:
    # made of digits and paths only: nothing of the project's name is in the markup
    return Markup(code.svg_inline(scale=MODULE_PX, border=4, svgclass="qr", lineclass=None, omitsize=True))


def _root() -> str:
    return connection.settings().public_url.rstrip("/") or request.host_url.rstrip("/")
