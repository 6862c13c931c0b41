"""Small copies of real pictures, and the refusal of what only claims to be one."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from server.photos.exif import exif_of
from server.photos.picture import Shot, draw
from server.photos.thumbnail import PhotoUnreadable, Size, make_thumbnail

SHOT = Shot(3, ("PS-0001", "17  23.4 cm"), datetime(2026, 8, 11, 9, tzinfo=UTC), 36.2, 113.4, 5.0, 23.4)


def _scene() -> Image.Image:
    """80 × 40: red above blue, with a green stripe on the left: each of the eight turns looks different."""
    scene = Image.new("RGB", (80, 40), (220, 20, 20))
    scene.paste((20, 20, 220), (0, 20, 80, 40))
    scene.paste((20, 220, 20), (0, 0, 16, 40))
    return scene


# what a camera stores when it is held in each of the eight ways
STORED = {
    1: lambda scene: scene,
    2: lambda scene: scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda scene: scene.transpose(Image.Transpose.ROTATE_180),
    4: lambda scene: scene.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda scene: scene.transpose(Image.Transpose.TRANSPOSE),
    6: lambda scene: scene.transpose(Image.Transpose.ROTATE_90),
    7: lambda scene: scene.transpose(Image.Transpose.TRANSVERSE),
    8: lambda scene: scene.transpose(Image.Transpose.ROTATE_270),
}


def _file(tmp_path: Path, data: bytes, name: str = "photo") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def _picture(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def _near(pixel: object, colour: tuple[int, int, int]) -> bool:
    return isinstance(pixel, tuple) and all(abs(a - b) < 60 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_however_the_phone_was_held_the_copy_stands_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    STORED[orientation](_scene()).save(tmp_path / "photo.jpg", exif=exif, quality=95)

    size = make_thumbnail(tmp_path / "photo.jpg", tmp_path / "small.jpg").size

    small = _picture(tmp_path / "small.jpg")
    assert size == Size(80, 40) == small.size
    assert _near(small.getpixel((5, 20)), (20, 220, 20))
    assert _near(small.getpixel((60, 5)), (220, 20, 20))
    assert _near(small.getpixel((60, 35)), (20, 20, 220))


def test_a_copy_is_small_and_has_none_of_the_cameras_notes(tmp_path: Path) -> None:
    target = io.BytesIO()
    size = make_thumbnail(_file(tmp_path, draw(SHOT)), target).size
    assert size == Size(1280, 960)
    assert Image.open(target).size == (320, 240)
    assert exif_of(target.getvalue()).lat is None
    assert len(target.getvalue()) < 30_000


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB"), ("JPEG", "CMYK"), ("JPEG", "L")],
)
def test_every_kind_of_picture_that_phones_send_gets_a_copy(tmp_path: Path, kind: str, mode: str) -> None:
    Image.new(mode, (640, 480)).save(tmp_path / "photo", kind)
    assert make_thumbnail(tmp_path / "photo", tmp_path / "small.jpg", max_px=100).size == Size(640, 480)
    assert _picture(tmp_path / "small.jpg").size == (100, 75)


def test_a_photo_that_was_cut_off_on_its_way_is_damaged(tmp_path: Path) -> None:
    whole = draw(SHOT)
    with pytest.raises(PhotoUnreadable) as refused:
        make_thumbnail(_file(tmp_path, whole[: len(whole) // 2]), io.BytesIO())
    assert refused.value.reason == "damaged"


def _png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + _chunk(header) + _chunk(data)


def _chunk(content: bytes) -> bytes:
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (12_000, 10_001)])
def test_a_picture_with_too_many_pixels_is_not_decoded(tmp_path: Path, width: int, height: int) -> None:
    with pytest.raises(PhotoUnreadable) as refused:
        make_thumbnail(_file(tmp_path, _png_header(width, height)), io.BytesIO())
    assert refused.value.reason == "too-many-pixels"


@pytest.mark.parametrize(
    "data", [b"", b"tag,dbh_cm\n", b"GIF89a" + bytes(40), b"%PDF-1.7\n", b"BM" + bytes(60)]
)
def test_what_is_not_a_photo_is_said_not_to_be_one(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PhotoUnreadable) as refused:
        make_thumbnail(_file(tmp_path, data), io.BytesIO())
    assert refused.value.reason == "not-a-picture"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow says so and goes on
def test_a_picture_with_broken_exif_is_still_a_picture(tmp_path: Path) -> None:
    whole = bytearray(draw(SHOT))
    start = whole.index(b"Exif\0\0")
    whole[start + 10 : start + 40] = b"\xff" * 30
    assert make_thumbnail(_file(tmp_path, bytes(whole)), io.BytesIO()).size == Size(1280, 960)
