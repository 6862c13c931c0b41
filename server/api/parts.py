"""A multipart request as it streams in: files go to the photo folder while they arrive, never into memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple, cast

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from server.problems import CutOff, NotMultipart, PartMissing
from server.store.blobs import Blobs, Incoming

XML_PART = "xml_submission_file"
MOST_PARTS = 1000
"""Parts of one request. Collect sends at most 101; a plot with a photo of each of 900 trees is beyond any crew."""
MOST_FIELD_BYTES = 256_000
"""Bytes of a text field; the only one we know, `*isIncomplete*`, has three. Werkzeug holds its read buffer of
65,536 bytes against the same limit: a smaller one would refuse every photo."""


class Part(NamedTuple):
    """One file of the request. `name` is data, never a path."""

    name: str
    content_type: str
    content: Incoming


class Parts(NamedTuple):
    """The instance's XML and the files beside it."""

    xml: bytes
    files: list[Part]


@contextmanager
def read_parts(blobs: Blobs) -> Iterator[Parts]:
    """The parts of the current request, removed again at the end unless they were kept.

    Raises NotMultipart, CutOff, PartMissing, and werkzeug's RequestEntityTooLarge.
    """
    mime, options = parse_options_header(request.headers.get("Content-Type", ""))
    boundary = options.get("boundary", "").encode("latin-1", "replace")
    if mime != "multipart/form-data" or not boundary:
        raise NotMultipart(mime)
    opened: list[Incoming] = []
    try:
        yield _parse(blobs, boundary, opened)
    finally:
        for incoming in opened:
            incoming.close()


def _parse(blobs: Blobs, boundary: bytes, opened: list[Incoming]) -> Parts:
    def open_part(*_: object, **__: object) -> IO[bytes]:
        opened.append(blobs.incoming())
        return cast("IO[bytes]", opened[-1])

    parser = MultiPartParser(open_part, max_form_memory_size=MOST_FIELD_BYTES, max_form_parts=MOST_PARTS)
    try:
        _, files = parser.parse(request.stream, boundary, request.content_length)
    except (ClientDisconnected, ValueError) as error:
        raise CutOff(str(error)) from error
    except RequestEntityTooLarge:
        raise
    found: Part | None = None
    others = []
    for field, storage in files.items(multi=True):
        part = _part(field, storage)
        if field == XML_PART and found is None:
            found = part
        elif field != XML_PART:
            others.append(part)
    if found is None:
        raise PartMissing()
    found.content.seek(0)
    return Parts(found.content.read(), others)


def _part(field: str, storage: FileStorage) -> Part:
    name = (storage.filename or field).replace("\\", "/").rsplit("/", 1)[-1]
    name = name.replace("\0", "\ufffd")  # PostgreSQL holds no NUL, and a name is no reason to lose a record
    return Part(name[:200], storage.content_type or "", cast("Incoming", storage.stream))
