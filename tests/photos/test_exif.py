"""What is read of a camera's notes, from real bytes; what is not, without a murmur."""

from __future__ import annotations

import base64
import io
import random
import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from PIL import Image

from server.photos.exif import Exif, exif_of, read_exif
from server.photos.picture import Shot, draw

BEIJING = timezone(timedelta(hours=8))

# 64 × 32 pixels, red over blue, Make "Pear", 36°12'N 113°26'24"E; written once with Debian's libheif
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAeRtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "AA5waXRtAAAAAAACAAAAEGlkYXQAAAAAAEAAIAAAAExpbG9jAQAAAERAAAMAAQAAAAAAAAIIAAEAAAAAAAAAMQACAAEAAAAAAAAA"
    "AQAAAAAAAAAIAAMAAAAAAAACOQABAAAAAAAAAJYAAABNaWluZgAAAAAAAwAAABVpbmZlAgAAAQABAABodmMxAAAAABVpbmZlAgAA"
    "AAACAABncmlkAAAAABVpbmZlAgAAAQADAABFeGlmAAAAANhpcHJwAAAAtmlwY28AAAB2aHZjQwEDcAAAAAAAAAAAAB7wAPz9+PgA"
    "AA8DIAABABhAAQwB//8DcAAAAwCQAAADAAADAB66AkAhAAEAKkIBAQNwAAADAJAAAAMAAAMAHqAggQWW6uSmubgQEDAgAAADACAA"
    "AAMAISIAAQAGRAHBc8CJAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAUaXNwZQAAAAAAAABAAAAAIAAAABBwaXhpAAAAAAMICAgAAAAa"
    "aXBtYQAAAAAAAAACAAECgQIAAgIDhAAAAChpcmVmAAAAAAAAAA5kaW1nAAIAAQABAAAADmNkc2MAAwABAAIAAADPbWRhdAAAAC0o"
    "Aa8ZgPeEW9/6Ez9i1+aCyt/69H1gi2sP5lKZnJmqPC4XPW7hy+I/3B8NIsAAAAAATU0AKgAAAAgAAgEPAAIAAAAFAAAAJoglAAQA"
    "AAABAAAALAAAAABQZWFyAAAABAABAAIAAAACTgAAAAACAAUAAAADAAAAYgADAAIAAAACRQAAAAAEAAUAAAADAAAAegAAAAAAAAAk"
    "AAAAAQAAAAwAAAABAAAAAAAAAAEAAABxAAAAAQAAABoAAAABAAAAGAAAAAE="
)


def _jpeg(image_tags: dict[int, object], exif_tags: dict[int, object], gps: dict[int, object]) -> bytes:
    exif = Image.Exif()
    exif.update(image_tags)
    exif.get_ifd(0x8769).update(exif_tags)
    exif.get_ifd(0x8825).update(gps)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize(
    ("north", "east", "lat", "lon"),
    [
        ("N", "E", 36.2, 113.44),
        ("S", "E", -36.2, 113.44),
        ("N", "W", 36.2, -113.44),
        ("S", "W", -36.2, -113.44),
    ],
)
def test_the_hemisphere_gives_the_sign(north: str, east: str, lat: float, lon: float) -> None:
    # 36°12'0" = 36 + 12/60 = 36.2; 113°26'24" = 113 + 26/60 + 24/3600 = 113.44
    gps = {1: north, 2: (36.0, 12.0, 0.0), 3: east, 4: (113.0, 26.0, 24.0), 0x1F: 4.5}
    found = exif_of(_jpeg({}, {}, gps))
    assert (found.lat, found.lon) == pytest.approx((lat, lon))
    assert found.accuracy_m == 4.5


def test_the_moment_is_the_cameras_own_with_its_offset() -> None:
    tags = {0x9003: "2026:08:11 09:12:33", 0x9011: "+08:00"}
    assert exif_of(_jpeg({0x132: "2026:09:01 00:00:00"}, tags, {})).taken_at == "2026-08-11T09:12:33+08:00"


def test_a_moment_without_an_offset_stays_without_one() -> None:
    assert exif_of(_jpeg({0x132: "2026:08:11 09:12:33"}, {}, {})).taken_at == "2026-08-11T09:12:33"


def test_a_clock_that_was_never_set_gives_no_moment() -> None:
    assert exif_of(_jpeg({}, {0x9003: "0000:00:00 00:00:00"}, {})).taken_at is None


def test_a_camera_without_a_fix_gives_no_position() -> None:
    assert exif_of(_jpeg({}, {}, {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)})).lat is None


def test_one_broken_tag_does_not_take_the_others_with_it() -> None:
    nowhere = {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (500.0, 0.0, 0.0)}
    found = exif_of(_jpeg({0x10F: "Pear", 0x110: "P1"}, {}, nowhere))
    assert (found.make, found.model, found.lat) == ("Pear", "P1", None)


def test_a_simulated_phone_writes_what_it_was_told() -> None:
    taken = datetime(2026, 8, 11, 9, 12, 33, tzinfo=BEIJING)
    found = exif_of(draw(Shot(7, ("PS-0001",), taken, 36.20123, 113.4400123, 6.0, 23.4)))
    assert found == Exif(
        "2026-08-11T09:12:33+08:00", 36.20123, 113.4400123, 6.0,
        "Simulated", "Yangdi demo phone", "yangdi simulate",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_kind_of_picture_has_its_exif_read(kind: str) -> None:
    exif = Image.Exif()
    exif[0x10F] = "Pear"
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, kind, exif=exif)
    assert exif_of(file.getvalue()).make == "Pear"


def test_a_heic_is_read_like_a_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(HEIC)
    assert read_exif(path) == Exif(lat=36.2, lon=113.44, make="Pear")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"RIFF\0\0\0\0WEBPVP8X",
        b"\x89PNG\r\n\x1a\n\xff\xff\xff\xff\xff",
        HEIC[:300],
        b"tag,dbh_cm\n1,12.3\n",
    ],
)
def test_what_has_no_exif_gives_an_empty_one(data: bytes) -> None:
    assert exif_of(data) == Exif()


def test_no_damage_makes_the_reader_raise() -> None:
    luck = random.Random(5)
    whole = draw(Shot(1, ("PS-0001",), datetime(2026, 8, 11, tzinfo=BEIJING), 36.2, 113.4, 5.0))[:2_000]
    for _ in range(400):
        broken = bytearray(whole)
        for _ in range(luck.randrange(1, 12)):
            broken[luck.randrange(len(broken))] = luck.randrange(256)
        assert isinstance(exif_of(bytes(broken)), Exif)


def test_directories_that_point_at_one_another_end_soon() -> None:
    entries = 2_000  # each of 2,000 entries leads to the same directory: 4 million tags
    to_gps = struct.pack("<HHII", 0x8825, 4, 1, 8 + 2 + 12 * entries + 4) * entries
    texts = struct.pack("<HHII", 0x1, 5, 900, 0) * entries
    directory = struct.pack("<H", entries)
    tiff = b"II*\0" + struct.pack("<I", 8) + directory + to_gps + bytes(4) + directory + texts + bytes(4)
    assert exif_of(tiff) == Exif()
