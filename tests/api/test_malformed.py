"""What is no instance at all is refused in words, at once, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from server.settings import Settings
from server.store import schema
from server.store.db import Database
from tests.cast import Cast
from tests.phone import (
    BOUNDARY,
    INCOMPLETE,
    Back,
    Phone,
    key_address,
    message,
    multipart,
    photo_part,
    xml_part,
)

GOOD = (
    b'<data id="plot_visit" version="2026112202"><visit><plot_id>PS-001</plot_id></visit>'
    b"<meta><instanceID>uuid:1</instanceID></meta></data>"
)
FORM = f"multipart/form-data; boundary={BOUNDARY}"
PHOTO = photo_part("1.jpg", bytes(200_000))  # large enough to lie in a file while it arrives

BODIES = {
    "nothing at all": (b"", ""),
    "plain XML": (GOOD, "text/xml"),
    "a form of a web page": (b"xml_submission_file=1", "application/x-www-form-urlencoded"),
    "no boundary": (multipart([xml_part(GOOD)]), "multipart/form-data"),
    "another boundary": (multipart([xml_part(GOOD)]), "multipart/form-data; boundary=other"),
    "no part": (multipart([]), FORM),
    "photos without their record": (multipart([PHOTO, INCOMPLETE]), FORM),
    "a body without its end": (multipart([PHOTO, xml_part(GOOD)])[:-60], FORM),
    "a part without its head": (f"--{BOUNDARY}\r\n\r\nhello\r\n--{BOUNDARY}--\r\n".encode(), FORM),
    "an absurd boundary": (multipart([xml_part(GOOD)]), "multipart/form-data; boundary=\"样地\""),
    "too many parts": (multipart([INCOMPLETE] * 1001), FORM),
    "a text of 300 kB": (multipart([INCOMPLETE._replace(content=b"y" * 300_000), xml_part(GOOD)]), FORM),
}  # fmt: skip

DEEP = b"<data id='plot_visit'>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</data>"
BOMB = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + GOOD.replace(b"PS-001", b"&b;")
OUTSIDE = b'<!DOCTYPE d SYSTEM "file:///etc/passwd">' + GOOD
RECORDS = {
    "empty": b"",
    "blank": b" \n ",
    "one open tag": b"<test",
    "a tag that is closed by another": GOOD.replace(b"</visit>", b"</data>"),
    "a tail cut off": GOOD[:-20],
    "an entity bomb": BOMB,
    "a file of ours": OUTSIDE,
    "10,000 levels": DEEP,
    "a NUL": GOOD.replace(b"PS-001", b"PS\0001"),
    "bytes that are not UTF-8": GOOD.replace(b"PS-001", "样地".encode("gbk")),
    "UTF-16": b"<?xml version='1.0' encoding='UTF-16'?>".decode().encode("utf-16")
    + GOOD.decode().encode("utf-16")[2:],
    "an encoding that nobody knows": b"<?xml version='1.0' encoding='klingon'?>" + GOOD,
    "no form id": GOOD.replace(b'id="plot_visit"', b""),
    "an empty form id": GOOD.replace(b'id="plot_visit"', b'id=" "'),
    "a form id of 300 characters": GOOD.replace(b"plot_visit", b"p" * 300),
    "a version of 300 characters": GOOD.replace(b"2026112202", b"2" * 300),
    "no instanceID": GOOD.replace(b"<instanceID>uuid:1</instanceID>", b""),
    "an empty instanceID": GOOD.replace(b"uuid:1", b" "),
    "an instanceID of 201 characters": GOOD.replace(b"uuid:1", b"u" * 201),
    "a deprecatedID of 201 characters": GOOD.replace(
        b"<meta>", b"<meta><deprecatedID>" + b"u" * 201 + b"</deprecatedID>"
    ),
    "12 MB": GOOD.replace(b"PS-001", b"x" * 12_000_000),
    "half a million elements": GOOD.replace(b"PS-001", b"<a/>" * 500_000),
}


def left_behind(back: Back) -> list[str]:
    """Rows and files that should not be there."""
    rows = [t.name for t in (schema.submission, schema.attachment, schema.job) if back.count(t)]
    return rows + [str(path) for path in back.settings.photo_dir.rglob("*") if path.is_file()]


def test_a_request_that_is_no_submission_is_refused_in_words(phone: Phone, back: Back) -> None:
    for what, (body, content_type) in BODIES.items():
        answer = phone.client.post(f"{phone.base}/submission", data=body, content_type=content_type)
        assert (400 <= answer.status_code < 500, left_behind(back)) == (True, []), what
        assert len(message(answer)) > 10, what


def test_a_record_that_cannot_be_read_is_refused_in_words(phone: Phone, back: Back) -> None:
    for what, xml in RECORDS.items():
        answer = phone.post([PHOTO, xml_part(xml)])
        assert (answer.status_code, left_behind(back)) == (400, []), what
        assert "服务器没有保存" in message(answer), what


def test_the_record_that_the_others_are_spoiled_from_is_good(phone: Phone) -> None:
    assert phone.post([PHOTO, xml_part(GOOD)]).status_code == 201


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    "good",
    [
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>" + GOOD,
        GOOD.replace(b"<data", b'<data xmlns="http://example.org/form"'),
        GOOD.replace(b"<meta>", b'<orx:meta xmlns:orx="http://openrosa.org/xforms">')
        .replace(b"instanceID>", b"orx:instanceID>")
        .replace(b"</meta>", b"</orx:meta>"),
        GOOD.replace(b"<meta>", b"").replace(b"</meta>", b""),
        GOOD.replace(b"<meta>", b"<nobody_asked>1</nobody_asked><!-- hm --><?pi x?><meta>"),
    ],
    ids=["byte order mark", "namespace", "prefix", "id under the root", "unknown element"],
)
def test_what_is_merely_unusual_is_taken(phone: Phone, good: bytes) -> None:
    assert phone.post([xml_part(good)]).status_code == 201


@pytest.mark.parametrize("engine", ["sqlite"])
def test_more_than_a_request_may_carry_is_refused_with_the_limit(
    client: FlaskClient, settings: Settings, database: Database, cast: Cast, version: int, back: Back
) -> None:
    from server.app import create_app

    small = create_app(replace(settings, max_request_bytes=1_000_000), database)
    phone = Phone(small.test_client(), key_address(cast))
    answer = phone.post([photo_part("1.jpg", bytes(2_000_000)), xml_part(GOOD)])
    assert answer.status_code == 413
    assert "最多 1 MB" in message(answer)
    assert left_behind(back) == []


@pytest.mark.parametrize("engine", ["sqlite"])
def test_an_unforeseen_method_is_answered_as_openrosa(phone: Phone) -> None:
    answer = phone.client.put(f"{phone.base}/submission", data=b"x")
    assert answer.status_code == 405
