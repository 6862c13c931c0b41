"""What kind of file this is, by its first bytes and never by its name or by what the sender calls it.

It looks at bytes only: no picture is opened here, and a file called JPEG may still turn out to be damaged.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

HEAD_BYTES = 512
"""Bytes that are looked at: every signature below ends within 32, and a text shows itself within a few
lines."""

HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""Brands of ISO/IEC 23008-12 (HEIF with HEVC inside), as the `ftyp` box names them."""


class Kind(Enum):
    """A kind of file and the content type to hand it out with. Only pictures are ever shown in a page."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"
    PDF = "application/pdf"
    ZIP = "application/zip"  # .xlsx and .docx are zips as well
    TEXT = "text/plain; charset=utf-8"  # CSV, audit logs, XML
    OTHER = "application/octet-stream"

    @property
    def is_picture(self) -> bool:
        """Can this room make a thumbnail of it?"""
        return self in _PICTURES

    @property
    def content_type(self) -> str:
        return self.value


_PICTURES = frozenset({Kind.JPEG, Kind.PNG, Kind.WEBP, Kind.HEIC})
_SIGNATURES = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"%PDF-", Kind.PDF),
    (b"PK\x03\x04", Kind.ZIP),
)


def kind_of(head: bytes) -> Kind:
    """The kind of a file that begins with `head` (512 bytes are plenty, 16 are the least)."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.WEBP
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return Kind.HEIC
    return Kind.TEXT if _is_text(head) else Kind.OTHER


def kind_of_file(path: Path) -> Kind:
    """As `kind_of`, for a file on disk. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return kind_of(file.read(HEAD_BYTES))


def _is_text(head: bytes) -> bool:
    """UTF-8 or GB 18030 (a CSV from Excel in China) without control characters."""
    if not head or any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return False
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):  # the last character may have been cut in the middle
            try:
                head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return True
    return False
