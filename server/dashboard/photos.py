"""Photos and other attachments, to whoever may see their project."""

from __future__ import annotations

from pathlib import Path

from flask import Response, send_file
from werkzeug.utils import secure_filename

from server.dashboard import scope
from server.dashboard.door import blueprint
from server.photos.sniff import HEAD_BYTES, Kind, kind_of
from server.problems import NotFound
from server.store import plot_report
from server.store.blobs import Blobs
from server.web import connection

SHOWN = frozenset({Kind.JPEG, Kind.PNG, Kind.WEBP})
"""Kinds that a browser shows in place; everything else is only ever saved, so that none of it can run."""
A_WEEK_S = 604_800


@blueprint.get("/projects/<int:project_id>/photos/<int:attachment_id>")
def photo(project_id: int, attachment_id: int) -> Response:
    """An attachment's bytes as they came."""
    row = _found(project_id, attachment_id)
    return _send(row["sha256"], row["name"])


@blueprint.get("/projects/<int:project_id>/photos/<int:attachment_id>/thumbnail")
def thumbnail(project_id: int, attachment_id: int) -> Response:
    """The small copy that was made of a photo. Raises NotFound while there is none."""
    row = _found(project_id, attachment_id)
    if row["thumbnail_sha256"] is None:
        raise NotFound(f"thumbnail of {attachment_id}")
    return _send(row["thumbnail_sha256"], row["name"])


def _found(project_id: int, attachment_id: int) -> dict[str, str]:
    scope.of_project(project_id)
    row = plot_report.attachment_of(connection.reading(), project_id, attachment_id)
    if row is None:
        raise NotFound(f"attachment {attachment_id}")
    return row


def _send(sha256: str, name: str) -> Response:
    path = Blobs(connection.settings().photo_dir).path(sha256)
    if not path.is_file():
        raise NotFound(f"blob {sha256}")
    kind = _kind(path)
    response = send_file(
        path, kind.content_type if kind in SHOWN else Kind.OTHER.content_type, as_attachment=kind not in SHOWN,
        download_name=secure_filename(name) or "file", conditional=True, etag=sha256,
    )  # fmt: skip
    response.headers["Cache-Control"] = f"private, max-age={A_WEEK_S}"
    response.headers["Vary"] = "Cookie"
    return response


def _kind(path: Path) -> Kind:
    with path.open("rb") as file:
        return kind_of(file.read(HEAD_BYTES))
