"""What the camera wrote beside the picture: when, where, with what.

Nothing is judged or corrected here: a clock that is eight hours off and a position in another datum come
out as they are. Anybody can write EXIF, so nothing in it is trusted: reading is bounded and never raises.
"""

from __future__ import annotations

import io
import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import exifread
import pi_heif

from server.photos.sniff import HEAD_BYTES, Kind, kind_of

T = TypeVar("T")

MAX_READS = 50_000
"""Reads from one file. A phone's photo needs about a thousand (measured: 300 to 900); directories that
point at one another could ask for billions."""
MAX_READ_BYTES = 64_000_000
"""Bytes read from one file, for the same reason: a short file may claim thousands of long texts."""
MAX_TEXT_CHARS = 120
"""Characters kept of make, model and software."""

logging.getLogger("exifread").setLevel(logging.CRITICAL)  # a damaged photo is a value here, not a log line


@dataclass(frozen=True, slots=True)
class Exif:
    """What could be read; None where the file does not say, or says what cannot be.

    `gps_at` is the moment of the fix by the satellites' clocks, ms since 1970 UTC, and may be minutes old.
    `taken_at` is ISO 8601 local time as the camera's clock had it, with the offset where there is one.
    `lat` and `lon` are degrees, north and east positive, in whatever datum the phone used; `accuracy_m` is
    the horizontal error in metres that the phone claims (GPSHPositioningError).
    """

    taken_at: str | None = None
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    make: str | None = None
    model: str | None = None
    software: str | None = None
    gps_at: int | None = None


class _TooMuch(Exception):
    """The reader was led around in circles."""


class _Bounded(io.BytesIO):
    """A file that can only be read so often and so much."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._reads = MAX_READS
        self._bytes = MAX_READ_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._reads -= 1
        self._bytes -= len(data)
        if self._reads < 0 or self._bytes < 0:
            raise _TooMuch
        return data


def read_exif(path: Path) -> Exif:
    """The EXIF of a JPEG, PNG, WebP or HEIC file; an empty Exif where there is none or it is not readable.

    Raises OSError only where the file itself cannot be read.
    """
    return exif_of(path.read_bytes())


def exif_of(data: bytes) -> Exif:
    """As `read_exif`, for bytes in memory. Never raises."""
    try:
        tags = exifread.process_file(_Bounded(_block(data)), details=False, extract_thumbnail=False)
    except Exception:  # the library meets bytes that it was never shown: whatever it raises, there is no EXIF
        return Exif()
    lat, lon = _readable(lambda: _position(tags)) or (None, None)
    return Exif(
        taken_at=_readable(lambda: _taken_at(tags)),
        lat=lat,
        lon=lon,
        accuracy_m=_readable(lambda: _accuracy(tags)),
        make=_readable(lambda: _text(tags, "Image Make")),
        model=_readable(lambda: _text(tags, "Image Model")),
        software=_readable(lambda: _text(tags, "Image Software")),
        gps_at=_readable(lambda: _gps_ms(tags)),
    )


def _block(data: bytes) -> bytes:
    """What exifread is given: the whole file, or the EXIF block inside it, which reads like a TIFF.

    In HEIC exifread finds the block in few brands only, and not where its header offset is 0; in WebP it takes
    it for granted that the block begins with "Exif", which the format does not ask for.
    """
    match kind_of(data[:HEAD_BYTES]):
        case Kind.HEIC:
            block: bytes = pi_heif.open_heif(data).info.get("exif") or b""  # decodes nothing
        case Kind.WEBP:
            block = _webp_chunk(data, b"EXIF")
        case _:
            return data
    return block.removeprefix(b"Exif\x00\x00")


def _webp_chunk(data: bytes, wanted: bytes) -> bytes:
    """The content of a RIFF chunk; empty where the file has none among its first thousand."""
    at = 12
    for _ in range(1_000):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == wanted:
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return b""


def _readable(read: Callable[[], T | None]) -> T | None:
    """What `read` gives, or None: one tag written wrongly must not take the others with it."""
    try:
        return read()
    except Exception:  # a ratio over zero, a text where a number belongs, a list too short ...
        return None


def _text(tags: Mapping[str, Any], name: str) -> str | None:
    tag = tags.get(name)
    if tag is None or not isinstance(tag.values, str):
        return None
    words = "".join(c for c in tag.values if c.isprintable()).strip()
    return words[:MAX_TEXT_CHARS] or None


def _taken_at(tags: Mapping[str, Any]) -> str | None:
    """DateTimeOriginal with its own offset, else DateTimeDigitized, else the file's DateTime."""
    for moment, offset in (
        ("EXIF DateTimeOriginal", "EXIF OffsetTimeOriginal"),
        ("EXIF DateTimeDigitized", "EXIF OffsetTimeDigitized"),
        ("Image DateTime", "EXIF OffsetTime"),
    ):
        text = _text(tags, moment)
        if text is None:
            continue
        try:
            taken = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")
        except ValueError:  # "0000:00:00 00:00:00": the clock was never set
            continue
        zone = _text(tags, offset) or _text(tags, "EXIF OffsetTime") or ""
        return taken.isoformat() + (zone if re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", zone) else "")
    return None


def _position(tags: Mapping[str, Any]) -> tuple[float, float] | None:
    lat = _degrees(tags["GPS GPSLatitude"].values)
    lon = _degrees(tags["GPS GPSLongitude"].values)
    if _text(tags, "GPS GPSLatitudeRef") == "S":
        lat = -lat
    if _text(tags, "GPS GPSLongitudeRef") == "W":
        lon = -lon
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        return None
    # exactly 0° 0° is what cameras write before they have a fix
    return None if lat == 0 and lon == 0 else (lat, lon)


def _degrees(parts: Sequence[Any]) -> float:
    """Degrees from degrees, minutes and seconds; some phones leave the seconds, or the minutes, out."""
    value = math.fsum(_number(part) / 60.0**power for power, part in enumerate(parts[:3]))
    if not parts or not math.isfinite(value) or value < 0:
        raise ValueError("not an angle")
    return round(value, 7)  # 1 cm


def _gps_ms(tags: Mapping[str, Any]) -> int | None:
    """GPSDateStamp and GPSTimeStamp together: UTC."""
    day = datetime.strptime(tags["GPS GPSDate"].values, "%Y:%m:%d").replace(tzinfo=UTC)
    hours, minutes, seconds = (_number(part) for part in tags["GPS GPSTimeStamp"].values[:3])
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61):
        return None
    return int((day + timedelta(hours=hours, minutes=minutes, seconds=seconds)).timestamp() * 1000)


def _accuracy(tags: Mapping[str, Any]) -> float | None:
    tag = tags.get("GPS Tag 0x001F")  # GPSHPositioningError, which exifread does not name
    if tag is None:
        return None
    error_m = _number(tag.values[0])
    return round(error_m, 2) if math.isfinite(error_m) and 0 <= error_m < 1e6 else None


def _number(value: Any) -> float:
    if hasattr(value, "den"):
        return float(value.num) / float(value.den)
    return float(value)
