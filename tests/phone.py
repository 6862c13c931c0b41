"""A phone at the OpenRosa door, as tests use it: forms published for real, instances rendered from them, requests
made byte by byte as ODK Collect makes them. Nothing here looks behind the door."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from flask.testing import FlaskClient
from sqlalchemy import Select
from werkzeug.test import TestResponse

from forms.compile import Compiled, compile_form
from server.demo.instance import Renderer
from server.settings import Settings
from server.steps import publish
from server.store.db import Database
from server.worker import Worker
from tests.cast import Cast
from tests.conftest import Clock

LIBRARY = Path(__file__).parents[1] / "forms" / "library"
RESPONSE = "{http://openrosa.org/http/response}"
BOUNDARY = "----a-phone-s-own-boundary"
_numbers = count(1)


@cache
def form(name: str, version: str | None = None) -> Compiled:
    """A form of our library; under another version where one is given."""
    text = (LIBRARY / f"{name}.md").read_text()
    if version is not None:
        text = re.sub(r"\b20261122\d\d\b", version, text)
    return compile_text(text, name)


def compile_text(text: str, name: str = "form", media: Mapping[str, bytes] | None = None) -> Compiled:
    """An XLSForm written as a Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.md"
        path.write_text(text)
        return compile_form(path, media=media)


def put_up(
    database: Database,
    project: int,
    compiled: Compiled,
    media: Mapping[str, bytes] | None = None,
    at: int = 0,
) -> int:
    """Publish a form; the number of its version."""
    with database.writing() as connection:
        return publish.publish(connection, project, compiled.form, compiled.xml, media or {}, "test", at)


def draft(database: Database, project: int, compiled: Compiled) -> str:
    """Put up a draft; the token that opens it."""
    with database.writing() as connection:
        return publish.draft(connection, project, compiled.form, compiled.xml, {}, "test", 0)


def tree(tag: str, dbh_cm: float | str, **fields: str) -> dict[str, str]:
    """A living 油松 as a crew types it."""
    return {"tag": tag, "species": "pinus_tabuliformis", "tally_code": "11", "dbh_cm": str(dbh_cm), **fields}


def new_id() -> str:
    """An instanceID that nobody has used."""
    return f"uuid:00000000-0000-4000-8000-{next(_numbers):012d}"


def plot_visit(
    instance_id: str | None = None,
    *,
    trees: Sequence[Mapping[str, str]] = (),
    plot_id: str = "PS-001",
    census: str = "2026",
    on: str = "2026-06-01",
    photos: Sequence[str] = (),
    deprecated_id: str | None = None,
    version: str | None = None,
    **groups: Any,
) -> bytes:
    """A filled-in plot visit of our library's form."""
    about = {"census": census, "measured_on": on, **groups.pop("visit", {})}
    if photos:
        about["photo"] = list(photos)
    rows = {
        "plot": [{"plot_id": plot_id, **groups.pop("plot", {})}],
        "visit": [{name: text for name, text in about.items() if text}],
        **({"tree": trees} if trees else {}),
        **groups,
    }
    return Renderer(form("plot_visit", version).form).render(
        rows, instance_id or new_id(), deprecated_id=deprecated_id
    )


class Part(NamedTuple):
    """One part of a request; without `filename` a text field."""

    field: str
    content: bytes
    filename: str | None = None
    content_type: str = "application/octet-stream"


def xml_part(xml: bytes) -> Part:
    return Part("xml_submission_file", xml, "submission.xml", "text/xml")


def photo_part(name: str, content: bytes) -> Part:
    return Part(name, content, name, "image/jpeg")


INCOMPLETE = Part("*isIncomplete*", b"yes")


def multipart(parts: Iterable[Part]) -> bytes:
    """The body of a request with these parts in this order."""
    return b"".join(_lines(part) for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def _lines(part: Part) -> bytes:
    named = f'; filename="{part.filename}"' if part.filename is not None else ""
    kind = f"\r\nContent-Type: {part.content_type}" if part.filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part.field}"{named}{kind}\r\n\r\n'
    return head.encode() + part.content + b"\r\n"


class Phone:
    """Whoever knocks at `base`, an address as it stands in the phone's settings."""

    def __init__(self, client: FlaskClient, base: str) -> None:
        self.client = client
        self.base = base

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.get(self.base + path, **kwargs)

    def head(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.head(self.base + path, **kwargs)

    def post(self, parts: Iterable[Part], query: str = "", **kwargs: Any) -> TestResponse:
        """One request made of just these parts."""
        content_type = f"multipart/form-data; boundary={BOUNDARY}"
        return self.client.post(
            f"{self.base}/submission{query}", data=multipart(parts), content_type=content_type, **kwargs
        )

    def send(self, xml: bytes, photos: Mapping[str, bytes] | None = None, **kwargs: Any) -> TestResponse:
        """One instance with its photos, whole."""
        parts = [xml_part(xml), *(photo_part(name, content) for name, content in (photos or {}).items())]
        return self.post(parts, **kwargs)


def message(response: TestResponse) -> str:
    """The sentence that Collect shows; fails where the answer is not one that Collect reads."""
    assert response.headers["Content-Type"].startswith("text/xml")
    assert response.headers["X-OpenRosa-Version"] == "1.0"
    root = ElementTree.fromstring(response.data)
    assert root.tag == f"{RESPONSE}OpenRosaResponse"
    text = root.findtext(f"{RESPONSE}message")
    assert text
    return text


class Back:
    """What stands behind the door: tests look at it only to see what was kept."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.clock = Clock(4_102_444_800_000)  # 2100: whatever a door has promised is due

    def drain(self) -> int:
        """Let a worker do everything that is promised."""
        self.clock.tick(86_400)
        return Worker(self.database, self.settings, self.clock).drain()

    def rows(self, query: Select[Any]) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(query))

    def count(self, table: Any) -> int:
        with self.database.reading() as connection:
            return len(list(connection.execute(table.select())))


def key_address(cast: Cast, token: str | None = None, project: int | None = None) -> str:
    """The address in the QR code of a phone; 一队's unless said otherwise."""
    return f"/v1/key/{token or cast.token_one}/projects/{project or cast.project}"
