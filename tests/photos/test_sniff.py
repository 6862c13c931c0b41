"""A file is what its first bytes say."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from server.photos.sniff import Kind, kind_of


@pytest.mark.parametrize(
    ("format_name", "kind"),
    [
        ("JPEG", Kind.JPEG),
        ("PNG", Kind.PNG),
        ("WEBP", Kind.WEBP),
        ("PDF", Kind.PDF),
        ("GIF", Kind.OTHER),
    ],
)
def test_a_file_is_what_its_first_bytes_say(format_name: str, kind: Kind) -> None:
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, format_name)
    assert kind_of(file.getvalue()[:512]) is kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("样地号,胸径\n".encode(), Kind.TEXT),
        ("样地号,胸径\n".encode("gb18030"), Kind.TEXT),
        (("油松," * 200).encode()[:511], Kind.TEXT),
        (b"event,node,start\r\n", Kind.TEXT),
        (b"PK\x03\x04" + bytes(30), Kind.ZIP),
        (b"\0\0\0\x18ftypmp42" + bytes(30), Kind.OTHER),
        (b"", Kind.OTHER),
        (b"\0\1\2", Kind.OTHER),
    ],
)
def test_tables_archives_and_the_rest_are_told_apart(head: bytes, kind: Kind) -> None:
    assert kind_of(head) is kind


def test_a_page_that_calls_itself_a_picture_is_text() -> None:
    assert not kind_of(b"<html><script>alert(1)</script>").is_picture
