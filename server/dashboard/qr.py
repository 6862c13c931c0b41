"""The code that a phone scans to set itself up, as SVG inside the page: no picture that a browser could keep."""

from __future__ import annotations

from urllib.parse import quote

import segno
from flask import request
from markupsafe import Markup

from server.dashboard import language
from server.web import connection
from sync import settings_qr

MODULE_PX = 4


def device_url(project_id: int, token: str) -> str:
    """The address that a phone with this key talks to."""
    return f"{_root()}/v1/key/{token}/projects/{project_id}"


def draft_url(project_id: int, token: str, form_id: str) -> str:
    """The address of a draft, for whoever holds its token."""
    return f"{_root()}/v1/test/{token}/projects/{project_id}/forms/{quote(form_id)}/draft"


def settings_svg(address: str, project_name: str, locale: str = "") -> Markup:
    """The settings for this address as an SVG element. `locale`: of the phone, else the reader's."""
    settings = settings_qr.settings_json(address, project_name, locale or language.locale())
    code = segno.make(settings_qr.encode(settings), error="l", micro=False)
    # made of digits and paths only: nothing of the project's name is in the markup
    return Markup(code.svg_inline(scale=MODULE_PX, border=4, svgclass="qr", lineclass=None, omitsize=True))


def _root() -> str:
    return connection.settings().public_url.rstrip("/") or request.host_url.rstrip("/")
