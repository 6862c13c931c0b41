"""Addresses that the store can be asked about: no NUL, no number that no row can have.

PostgreSQL takes no NUL in a text, SQLite no integer above 63 bits; asked all the same, both fail in ways that look
like a fault of ours, and a phone would send again for ever.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from werkzeug.routing import IntegerConverter

from server.problems import BadRequest

MOST = 2**63 - 1
"""The largest number a row can have, on either engine."""


class _Number(IntegerConverter):
    """`<int:...>` in an address; a larger number names nothing (404)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max": MOST} | kwargs)


def join(app: Flask) -> None:
    """Hold every address of the app to this; before its doors are opened."""
    app.url_map.converters["int"] = _Number
    app.before_request(_refuse_nul)


def _refuse_nul() -> None:
    """Raises BadRequest."""
    said = [request.path, *(text for pair in request.args.items(multi=True) for text in pair)]
    if request.authorization is not None:
        said += [request.authorization.username or ""]
    if any("\0" in text for text in said):
        raise BadRequest("NUL")
