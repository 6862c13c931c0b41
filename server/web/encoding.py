"""Bodies that travel compressed, both ways: gzip, and zstd, which is smaller and quicker.

A request is decompressed while it is read and never beyond the size that its door allows, so that a few bytes
cannot become a full memory. An answer is compressed when the phone says that it can read that.
"""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, cast

import zstandard
from flask import Blueprint, Response, request

from server.problems import BadRequest, EncodingUnknown, TooLarge
from server.web import connection

CHUNK_BYTES = 65_536
"""Bytes read from the connection at once: as much as the kernel usually has ready."""
WORTHWHILE_BYTES = 500
"""Answers below this stay as they are: they fit one packet anyway."""
WINDOW_BYTES = 8 * 1024 * 1024
"""Memory that a zstd frame may ask for; RFC 9659 lets no encoder ask for more on the web."""
LEVELS = {"zstd": 3, "gzip": 6}
"""How hard answers are squeezed: both take about 10 ms for a megabyte of JSON."""


class Body(io.RawIOBase):
    """The current request's body, decompressed as it is read and counted. Raises TooLarge, BadRequest, EncodingUnknown,
    and werkzeug's ClientDisconnected where the line broke."""

    def __init__(self, most_bytes: int | None = None) -> None:
        limit = connection.settings().max_request_bytes
        self._most_bytes = limit if most_bytes is None else min(most_bytes, limit)
        self._left = self._most_bytes
        self._stream = _opened(request.headers.get("Content-Encoding", "").strip().lower())

    def readable(self) -> bool:
        return True

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """What has come, at most `size` bytes; b"" at the end."""
        try:
            data = self._stream.read(size)
        except (gzip.BadGzipFile, zlib.error, EOFError, zstandard.ZstdError) as error:
            raise BadRequest(f"Content-Encoding: {error}") from error
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(limit_mb=self._most_bytes // 1_000_000)
        return data

    def whole(self) -> bytes:
        """All of it."""
        return b"".join(iter(self.read, b""))


class _AsItComes:
    """Gives what one read of a decompressor brings, so that what came before a line broke is not lost."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        return self._stream.read1(size)


def _opened(encoding: str) -> IO[bytes]:
    match encoding:
        case "" | "identity":
            return request.stream
        case "gzip" | "x-gzip":
            return cast("IO[bytes]", _AsItComes(gzip.GzipFile(fileobj=request.stream)))
        case "zstd":
            reader = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES)
            frames = reader.stream_reader(request.stream, read_across_frames=True, closefd=False)
            return cast("IO[bytes]", _AsItComes(cast("io.BufferedIOBase", frames)))
        case _:
            raise EncodingUnknown()


def join(blueprint: Blueprint) -> None:
    """Compress the answers of a door for whoever can read that."""
    blueprint.after_request(compressed)


def compressed(response: Response) -> Response:
    """The answer, smaller where the phone asks for it and it pays."""
    response.vary.add("Accept-Encoding")
    encoding = next((name for name in LEVELS if request.accept_encodings[name] > 0), None)
    if encoding is None or not _can_shrink(response):
        return response
    response.set_data(_squeezed(response.get_data(), encoding))
    response.headers["Content-Encoding"] = encoding
    return response


def _can_shrink(response: Response) -> bool:
    if response.is_streamed or response.direct_passthrough or "Content-Encoding" in response.headers:
        return False
    return (response.content_length or 0) >= WORTHWHILE_BYTES


def _squeezed(data: bytes, encoding: str) -> bytes:
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=LEVELS["zstd"]).compress(data)
    return gzip.compress(data, LEVELS["gzip"], mtime=0)
