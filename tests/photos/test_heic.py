"""The format that iPhones keep their photos in."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from server.photos.sniff import Kind, kind_of_file
from server.photos.thumbnail import PhotoUnreadable, Size, make_thumbnail

# 64 × 32 pixels, red over blue; written once with Debian's libheif, because no library here writes HEIC
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


def test_a_heic_gets_a_copy_that_any_browser_shows(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(HEIC)
    target = io.BytesIO()
    assert kind_of_file(path) is Kind.HEIC
    assert make_thumbnail(path, target).size == Size(64, 32)
    red, _, blue = Image.open(target).getpixel((30, 5))
    assert red > 150 > 100 > blue


def test_a_heic_that_was_cut_off_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(HEIC[:-60])
    with pytest.raises(PhotoUnreadable):
        make_thumbnail(path, io.BytesIO())
