"""The pages' own style and script: small files of ours, kept by browsers until their content changes."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Response, request, send_from_directory, url_for

FOLDER = Path(__file__).parent / "assets"
A_YEAR_S = 31_536_000


@cache
def digest_of(name: str) -> str:
    """First 12 hex digits of the file's SHA-256: the address changes when the content does."""
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]


def url_of(name: str) -> str:
    """Address of an asset, with its content's digest."""
    return url_for("dashboard.asset", name=name, v=digest_of(name))


def send(name: str) -> Response:
    """The file, for a year where the address carries its digest."""
    response = send_from_directory(FOLDER, name)
    if request.args.get("v") == digest_of(name):
        response.cache_control.no_cache = None
        response.cache_control.max_age = A_YEAR_S
        response.cache_control.public, response.cache_control.immutable = True, True
    return response
