"""A multipart request as it streams in: files go to the photo folder while they arrive, never into memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from flask import request
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_options_header

from server.problems import BadRequest, CutOff, NotMultipart, PartMissing, TooLarge
from server.store.blobs import Blobs, Incoming

XML_PART = "xml_submission_file"
MOST_PARTS = 1000
"""Parts of one request. Collect sends at most 101; a plot with a photo of each of 900 trees is beyond any crew."""
MOST_TEXT_BYTES = 64_000
"""Bytes of all text fields; the only one we know, `*isIncomplete*`, has three."""
CHUNK_BYTES = 65_536
"""Bytes read from the connection at once: as much as the kernel usually has ready."""


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
def read_parts(blobs: Blobs, max_xml_bytes: int) -> Iterator[Parts]:
    """The parts of the current request, removed again at the end unless they were kept.

    XML beyond `max_xml_bytes` is cut a little above, for its reader to refuse. Raises NotMultipart, CutOff,
    PartMissing, TooLarge, and werkzeug's RequestEntityTooLarge.
    """
    mime, options = parse_options_header(request.headers.get("Content-Type", ""))
    boundary = options.get("boundary", "")
    if mime != "multipart/form-data" or not boundary:
        raise NotMultipart(mime)
    reading = _Reading(blobs, max_xml_bytes)
    try:
        yield reading.parse(boundary)
    finally:
        for part in reading.files:
            part.content.close()


class _Reading:
    """One request being read. The first XML part is the instance; text fields (`*isIncomplete*`) say nothing that we
    need: every part is kept for itself."""

    def __init__(self, blobs: Blobs, max_xml_bytes: int) -> None:
        self._blobs = blobs
        self._max_xml_bytes = max_xml_bytes
        self._xml: bytearray | None = None
        self._in_xml = False
        self._part: Part | None = None
        self._text_bytes = 0
        self.files: list[Part] = []

    def parse(self, boundary: str) -> Parts:
        try:
            parser = PushMultipartParser(boundary, max_segment_count=MOST_PARTS)
            while not parser.closed:
                # an empty chunk tells the parser that there is no more
                for event in parser.parse(request.stream.read(CHUNK_BYTES)):
                    self._take(event)
        except ParserLimitReached as error:
            raise BadRequest(f"{error}; {MOST_PARTS}") from error
        except (MultipartError, ClientDisconnected) as error:
            raise CutOff(str(error)) from error
        if self._xml is None:
            raise PartMissing()
        return Parts(bytes(self._xml), self.files)

    def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._in_xml, self._part = False, None
        elif self._in_xml and self._xml is not None:
            if (
                len(self._xml) <= self._max_xml_bytes
            ):  # one chunk too many is enough for the reader to refuse it
                self._xml += event
        elif self._part is not None:
            self._part.content.write(bytes(event))
        else:
            self._text_bytes += len(event)
            if self._text_bytes > MOST_TEXT_BYTES:
                raise TooLarge(limit_mb=1)

    def _begin(self, segment: MultipartSegment) -> None:
        if segment.name == XML_PART:
            self._in_xml = self._xml is None
            if self._in_xml:
                self._xml = bytearray()
        elif segment.filename is not None:
            name = segment.filename.replace("\\", "/").rsplit("/", 1)[-1] or segment.name
            name = name.replace(
                "\0", "\ufffd"
            )  # PostgreSQL holds no NUL, and a name is no reason to lose a record
            self._part = Part(name[:200], segment.content_type or "", self._blobs.incoming())
            self.files.append(self._part)
