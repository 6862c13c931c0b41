"""The sync door for photos: tus 1.0.0, so that a line that drops costs nothing that has arrived.

<https://tus.io/protocols/resumable-upload>. What becomes of a piece is decided by `sync.upload`, the bytes are kept by
`server.store.arriving`, a whole file is given to its instance by `steps.upload`.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from flask import Response, request, url_for
from flask_smorest import Blueprint
from werkzeug.http import http_date

from server import problems
from server.problems import BadRequest, ChecksumMismatch, NotFound, OffsetConflict, Problem
from server.steps import upload as step
from server.store import attachments, uploads
from server.store.arriving import Arriving, Overtaken
from server.store.blobs import Blobs, Incoming
from server.store.uploads import Upload
from server.web import access, connection, encoding
from server.web.access import Caller
from sync.upload import (
    ALGORITHMS,
    EXPIRES_MS,
    EXTENSIONS,
    PIECE,
    VERSION,
    Append,
    Checksum,
    Conflict,
    Malformed,
    Overflow,
    Wanted,
    metadata,
    on_piece,
    read_checksum,
    read_number,
    read_wanted,
)

blueprint = Blueprint("uploads", __name__, url_prefix="/v1", description="Phones bring photos, by tus 1.0.0")
encoding.join(blueprint)

ALL = "/projects/<int:project_id>/sync/uploads"
ONE = f"{ALL}/<upload_id>"
EXTEND_MS = 3_600_000
"""An upload's end is put off in steps of an hour: a write for each piece would be one too many."""
SWEPT_AT_ONCE = 20
"""Uploads that nobody went on with, removed whenever a new one begins."""


@blueprint.before_request
def speak_tus() -> None:
    """Raises TusVersion."""
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
        raise problems.TusVersion()


@blueprint.after_request
def spoken(response: Response) -> Response:
    """What every answer says."""
    response.headers["Tus-Resumable"] = VERSION
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == problems.TusVersion.status:
        response.headers["Tus-Version"] = VERSION
    return response


@blueprint.route(ALL, methods=["OPTIONS"])
@blueprint.route(ONE, methods=["OPTIONS"])
@blueprint.response(204, description="What this server can do stands in its headers")
def capabilities(**_where: object) -> Response:
    """What this server can do; asked without a key."""
    return _said(
        204,
        {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": connection.settings().max_request_bytes,
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )


@blueprint.post(ALL)
@blueprint.response(201, description="Upload-Offset equal to Upload-Length: the server has the file already")
def create(project_id: int) -> Response:
    """Begin to bring a file, with its first piece or all of it in the body, or with none."""
    if request.headers.get("X-HTTP-Method-Override", "").upper() == "OPTIONS":
        return capabilities()  # type: ignore[no-any-return]
    who = access.phone(project_id)
    wanted = _read(read_wanted)
    if wanted.size_bytes > connection.settings().max_request_bytes:
        raise problems.TooLarge(limit_mb=connection.settings().max_request_bytes // 1_000_000)
    new = _new(who, wanted)
    if _is_known(wanted, project_id):
        _attach(who, new)
        return _created(new, wanted.size_bytes)
    return _created(new, _first_piece(who, new))


def _read(reader: Callable[[Any], Any]) -> Any:
    """What the headers say. Raises BadRequest."""
    try:
        return reader(request.headers)
    except Malformed as error:
        raise BadRequest(str(error)) from error


def _new(who: Caller, wanted: Wanted) -> Upload:
    now = connection.now_ms()
    return Upload(
        id=secrets.token_urlsafe(32),
        project_id=who.project_id,
        device_id=who.device_id,
        **wanted._asdict(),
        created_at=now,
        expires_at=now + EXPIRES_MS,
        completed_at=None,
    )


def _is_known(wanted: Wanted, project_id: int) -> bool:
    reading = connection.reading()
    found = attachments.known(reading, project_id, [wanted.sha256])
    size_bytes, _ = found.get(wanted.sha256, (None, ""))
    known = size_bytes == wanted.size_bytes or uploads.is_waiting(
        reading, project_id, wanted.sha256, wanted.size_bytes
    )
    return known and _blobs().has(wanted.sha256)


def _first_piece(who: Caller, new: Upload) -> int:
    """Take what stands in the body and return how far the upload has come; a whole file is done with one sync."""
    has_body = request.mimetype == PIECE
    most_bytes = _fits(0, new.size_bytes, 0) if has_body else 0
    checksum = _read(read_checksum)
    connection.read_again()  # a piece may take minutes: nothing is kept open meanwhile
    with _blobs().incoming() as part:
        if has_body:
            _take_in(part, most_bytes, checksum)
        if part.size < new.size_bytes:
            return _begin(new, part)
        if part.sha256 != new.sha256:
            raise ChecksumMismatch()
        _blobs().keep(part)
    _attach(who, new)
    return new.size_bytes


def _take_in(part: Incoming, most_bytes: int, checksum: Checksum | None) -> None:
    """The piece in the body into a place of its own, which is kept only where its checksum is right."""
    digest = checksum.begin() if checksum else None
    for data in _body(most_bytes):
        part.write(data)
        if digest:
            digest.update(data)
    if checksum and digest and not hmac.compare_digest(digest.digest(), checksum.digest):
        raise ChecksumMismatch()


def _begin(new: Upload, part: Incoming) -> int:
    """Keep the first piece; the rest will come by and by."""
    if part.size:
        part.sync()
        assert part.path is not None  # sync moved it to a file
        _arriving(new.id).take_over(part.path)
        part.path = None
    gone = _swept(new.created_at)
    connection.database().write(lambda c: uploads.begin(c, new, gone))
    return part.size


def _swept(now: int) -> list[str]:
    """Names of uploads that nobody went on with; what had come of them is gone."""
    gone = uploads.expired(connection.reading(), now, SWEPT_AT_ONCE)
    connection.read_again()  # give the view back before waiting for the pen
    for upload_id in gone:
        _arriving(upload_id).forget()
    return gone


@blueprint.route(ONE, methods=["HEAD"])
@blueprint.response(200, description="Upload-Offset: bytes that are here and safe")
def how_far(project_id: int, upload_id: str) -> Response:
    """How much of the file is here."""
    who = access.phone(project_id)
    found = _find(who, upload_id)
    return _said(200, {**_place(found, _offset(who, found)), "Upload-Metadata": _metadata(found)})


@blueprint.route(ONE, methods=["PATCH"])
@blueprint.response(204, description="Upload-Offset: bytes that are here and safe")
def go_on(project_id: int, upload_id: str) -> Response:
    """The next piece of the file."""
    who = access.phone(project_id)
    found = _find(who, upload_id)
    if request.mimetype != PIECE:
        raise problems.NotAPiece()
    offset = _read(lambda headers: read_number(headers, "Upload-Offset"))
    checksum = _read(read_checksum)
    here = _offset(who, found)
    most_bytes = _fits(here, found.size_bytes, offset)
    connection.read_again()  # a piece may take minutes: nothing is kept open meanwhile
    pieces = _body(most_bytes) if checksum is None else _checked(most_bytes, checksum)
    here = _append(who, found, here, pieces)
    if here == found.size_bytes and found.completed_at is None:
        _finish(who, found)
    else:
        _put_off(found)
    return _said(204, _place(found, here))


@blueprint.route(ONE, methods=["DELETE"])
@blueprint.response(204, description="Forgotten")
def give_up(project_id: int, upload_id: str) -> Response:
    """Forget the upload and what has come of it."""
    found = _find(access.phone(project_id), upload_id)
    connection.read_again()
    connection.database().write(lambda c: uploads.forget(c, [found.id]))
    _arriving(found.id).forget()
    return _said(204, {})


OVERRIDDEN = {"PATCH": go_on, "DELETE": give_up, "HEAD": how_far}


@blueprint.post(ONE)
@blueprint.response(204, description="As the method that X-HTTP-Method-Override names")
def overridden(project_id: int, upload_id: str) -> Response:
    """For a phone behind something that lets POST pass alone: PATCH, DELETE or HEAD by X-HTTP-Method-Override."""
    named = OVERRIDDEN.get(request.headers.get("X-HTTP-Method-Override", "").upper())
    if named is None:
        raise problems.MethodNotAllowed()
    return named(project_id=project_id, upload_id=upload_id)  # type: ignore[no-any-return]


def _find(who: Caller, upload_id: str) -> Upload:
    """An upload of this phone. Raises NotFound, UploadGone."""
    found = uploads.find(connection.reading(), upload_id)
    if found is None or (found.project_id, found.device_id) != (who.project_id, who.device_id):
        raise NotFound()
    if found.completed_at is None and found.expires_at < connection.now_ms():
        raise problems.UploadGone()
    return found


def _offset(who: Caller, found: Upload) -> int:
    """Bytes that are here and safe. All of them are named only when they are what they should be."""
    if found.completed_at is not None:
        return found.size_bytes
    here = _arriving(found.id).size()
    if here == found.size_bytes:  # the server went away between the last byte and the end
        _finish(who, found)
    return here


def _fits(here: int, length: int, offset: int) -> int:
    """How many bytes the body may have at most. Raises OffsetConflict; BadRequest where it says that it has more."""
    is_plain = not request.headers.get("Content-Encoding")
    match on_piece(here, length, offset, request.content_length if is_plain else None):
        case Append(most_bytes=most_bytes):
            return most_bytes
        case Overflow():
            raise BadRequest("Upload-Length")
        case Conflict():
            raise OffsetConflict()


def _body(most_bytes: int) -> Iterable[bytes]:
    """The body as it comes. Raises BadRequest where it has more than it should."""
    body = encoding.Body()
    left = most_bytes
    while data := body.read():
        left -= len(data)
        if left < 0:
            raise BadRequest("Upload-Length")
        yield data


def _checked(most_bytes: int, checksum: Checksum) -> Iterable[bytes]:
    """The body, all of it or, where its checksum is wrong, nothing. Raises ChecksumMismatch."""
    with _blobs().incoming() as part:
        _take_in(part, most_bytes, checksum)
        part.seek(0)
        yield from iter(lambda: part.read(encoding.CHUNK_BYTES), b"")


def _append(who: Caller, found: Upload, here: int, pieces: Iterable[bytes]) -> int:
    """Go on from `here`; what came before a line broke is kept. Raises OffsetConflict where another was quicker."""
    if here == found.size_bytes:
        return here
    try:
        with _arriving(found.id).going_on(here) as piece:
            if here == 0:
                _still_wanted(who, found)
            for data in pieces:
                piece.write(data)
    except Overtaken as error:
        raise OffsetConflict() from error
    return piece.offset


def _still_wanted(who: Caller, found: Upload) -> None:
    """Another request may have brought all of it just now, and then there must be no second beginning of it."""
    try:
        _find(who, found.id)
    except Problem:
        _arriving(found.id).forget()
        raise
    finally:
        connection.read_again()


def _put_off(found: Upload) -> None:
    expires_at = connection.now_ms() + EXPIRES_MS
    if abs(expires_at - found.expires_at) > EXTEND_MS:
        connection.database().write(lambda c: uploads.extend(c, found.id, expires_at))


def _finish(who: Caller, found: Upload) -> None:
    """All bytes are here: they are compared with what the phone said, and go where they belong."""
    arriving = _arriving(found.id)
    try:
        if arriving.size() != found.size_bytes:
            raise OffsetConflict()  # another request has finished it just now
        if arriving.sha256() != found.sha256:
            arriving.forget()
            raise ChecksumMismatch()
        arriving.keep(found.sha256)
    except FileNotFoundError as error:
        raise OffsetConflict() from error
    _attach(who, found)
    arriving.forget()  # last of all: whoever comes too late meets a file that is whole, or no upload


def _attach(who: Caller, whole: Upload) -> None:
    now = connection.now_ms()
    connection.read_again()  # give the view back before waiting for the pen
    connection.database().write(lambda c: step.attach(c, whole, now, only_its_own=who.revoked))


def _blobs() -> Blobs:
    return Blobs(connection.settings().photo_dir)


def _arriving(upload_id: str) -> Arriving:
    return Arriving(_blobs(), upload_id)


def _metadata(found: Upload) -> str:
    return metadata(Wanted(**{name: getattr(found, name) for name in Wanted._fields}))


def _place(found: Upload, here: int) -> dict[str, object]:
    said: dict[str, object] = {"Upload-Offset": here, "Upload-Length": found.size_bytes}
    if here < found.size_bytes:
        said["Upload-Expires"] = http_date(found.expires_at / 1000)
    return said


def _created(new: Upload, here: int) -> Response:
    base = connection.settings().public_url.rstrip("/")
    location = base + url_for("uploads.how_far", project_id=new.project_id, upload_id=new.id)
    return _said(201, {"Location": location, **_place(new, here)})


def _said(status: int, headers: dict[str, object]) -> Response:
    return Response(status=status, headers={name: str(value) for name, value in headers.items()})
