"""Requests as Collect splits them."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import parse_form_data

from server.demo.multipart import CONTENT_TYPE, MOST_FILES, bodies

Read = tuple[dict[str, str], dict[str, tuple[str | None, str, bytes]]]


def _read(content: bytes) -> Read:
    """Fields, and files by field: name, content type, bytes; read by a library that did not write them."""
    environ = {
        "wsgi.input": io.BytesIO(content),
        "CONTENT_LENGTH": str(len(content)),
        "CONTENT_TYPE": CONTENT_TYPE,
        "REQUEST_METHOD": "POST",
    }
    _, fields, files = parse_form_data(environ)
    parts = {key: (f.filename, f.content_type, f.read()) for key, f in files.items()}
    for file in files.values():
        file.close()
    return dict(fields), parts


def test_a_visit_without_photos_is_one_request() -> None:
    (body,) = bodies(b"<data/>", {}, 1000)
    assert _read(body.content) == ({}, {"xml_submission_file": ("submission.xml", "text/xml", b"<data/>")})
    assert not body.is_incomplete


def test_a_photo_travels_under_its_own_name() -> None:
    (body,) = bodies(b"<data/>", {"17.jpg": b"\xff\xd8", "audit.csv": b"event\n"}, 1000)
    fields, files = _read(body.content)
    assert fields == {}
    assert files["17.jpg"] == ("17.jpg", "image/jpeg", b"\xff\xd8")
    assert files["audit.csv"] == ("audit.csv", "text/csv", b"event\n")


def test_a_photo_that_is_too_large_travels_alone_with_the_xml() -> None:
    requests = bodies(b"<data/>", {"a.jpg": b"1" * 10, "b.jpg": b"2" * 500, "c.jpg": b"3" * 10}, 100)
    assert [[*_read(r.content)[1]][1:] for r in requests] == [["a.jpg"], ["b.jpg"], ["c.jpg"]]
    assert [r.is_incomplete for r in requests] == [True, True, False]


def test_no_request_carries_more_files_than_collect_would() -> None:
    requests = bodies(b"<data/>", {f"{n}.jpg": b"" for n in range(250)}, 10_000)
    assert [len(_read(r.content)[1]) - 1 for r in requests] == [MOST_FILES, MOST_FILES, 50]


@given(
    st.binary(max_size=50),
    st.dictionaries(st.from_regex(r"[0-9]{1,6}\.jpg", fullmatch=True), st.binary(max_size=300), max_size=12),
    st.integers(1, 600),
)
def test_however_it_is_split_everything_comes_and_every_request_has_the_xml(
    xml: bytes, files: dict[str, bytes], limit_bytes: int
) -> None:
    requests = bodies(xml, files, limit_bytes)
    came: dict[str, bytes] = {}
    for request in requests:
        fields, parts = _read(request.content)
        assert parts.pop("xml_submission_file")[2] == xml
        assert fields == ({"*isIncomplete*": "yes"} if request.is_incomplete else {})
        assert len(parts) <= 1 or len(xml) + sum(len(p[2]) for p in parts.values()) <= limit_bytes
        came |= {name: part[2] for name, part in parts.items()}
    assert came == files
    assert [request.is_incomplete for request in requests] == [True] * (len(requests) - 1) + [False]
