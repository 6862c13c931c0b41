"""A file that travels in pieces by tus 1.0.0: what the headers say, and what becomes of a piece.

Pure: how many bytes are here is told by whoever keeps them. <https://tus.io/protocols/resumable-upload>
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sync.push import MOST_ID_CHARS, file_name

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
PIECE = "application/offset+octet-stream"
"""The content type of a piece."""
EXPIRES_MS = 7 * 24 * 3600 * 1000
"""ms after which an upload that nobody went on with is forgotten: a crew that stays out for a week comes back to it."""
MOST_LENGTH_DIGITS = 15
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Malformed(ValueError):
    """A header does not say what it should; the text is its name and what should stand there."""


class Wanted(NamedTuple):
    """A file that a phone wants to bring: how long it is, what it is, and which instance it belongs to."""

    size_bytes: int
    form_id: str
    instance_id: str
    name: str
    sha256: str
    content_type: str


class Checksum(NamedTuple):
    """What the bytes of a piece should hash to."""

    algorithm: str
    digest: bytes

    def begin(self) -> Any:
        """A hash to be fed with the piece."""
        return ALGORITHMS[self.algorithm](usedforsecurity=False)


def read_wanted(headers: Mapping[str, str]) -> Wanted:
    """What a creation asks for. Raises Malformed."""
    said = _metadata(headers.get("Upload-Metadata", ""))
    sha256 = _needed(said, "sha256").lower()
    if not _SHA256.fullmatch(sha256):
        raise Malformed("Upload-Metadata: sha256, hex")
    return Wanted(
        read_number(headers, "Upload-Length"),
        _needed(said, "form_id"),
        _needed(said, "instance_id"),
        file_name(_needed(said, "name", most_chars=4000)),
        sha256,
        said.get("content_type", "").replace("\0", "")[:MOST_ID_CHARS],
    )


def read_number(headers: Mapping[str, str], name: str) -> int:
    """A count of bytes in a header. Raises Malformed."""
    text = headers.get(name, "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_LENGTH_DIGITS):
        raise Malformed(f"{name}: 0 …")
    return int(text)


def read_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """What the piece should hash to, where the phone says it. Raises Malformed."""
    text = headers.get("Upload-Checksum", "").strip()
    if not text:
        return None
    algorithm, _, digest = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Malformed(f"Upload-Checksum: {', '.join(ALGORITHMS)}")
    return Checksum(algorithm, _from_base64(digest, "Upload-Checksum"))


def metadata(wanted: Wanted) -> str:
    """Upload-Metadata as a phone would say it."""
    said = {name: value for name, value in wanted._asdict().items() if value and name != "size_bytes"}
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


def _metadata(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = _from_base64(value, f"Upload-Metadata: {name[:40]}").decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"Upload-Metadata: {name[:40]}, UTF-8") from error
    return found


def _from_base64(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"{where}, Base64") from error


def _needed(said: Mapping[str, str], name: str, most_chars: int = MOST_ID_CHARS) -> str:
    value = said.get(name, "")
    if not value or len(value) > most_chars or ("\0" in value and name != "name"):
        raise Malformed(f"Upload-Metadata: {name}")
    return value


@dataclass(frozen=True, slots=True)
class Append:
    """Take the piece, at most so many bytes of it: they follow what is here."""

    most_bytes: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """It does not follow what is here."""


@dataclass(frozen=True, slots=True)
class Overflow:
    """It is longer than what is missing."""


def on_piece(here: int, length: int, offset: int, size_bytes: int | None) -> Append | Conflict | Overflow:
    """What to do with a piece that says to begin at `offset`, when `here` of `length` bytes are kept. `size_bytes` is
    None where that is not known beforehand."""
    if offset != here:
        return Conflict()
    if size_bytes is not None and here + size_bytes > length:
        return Overflow()
    return Append(length - here)
