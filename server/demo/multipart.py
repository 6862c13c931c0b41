"""The bodies that ODK Collect makes of one instance and its files: multipart/form-data, split to what a
server takes at a time. Pure: files in, bodies out."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import NamedTuple

BOUNDARY = "----yangdi-simulated-phone-7f3a9c51e2"
"""Stands in no photo: 16 random letters would be one chance in 10^24 of standing in 1 GB."""
MOST_FILES = 100
"""Files that Collect puts into one request."""
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


class Body(NamedTuple):
    """One request: its bytes and whether more of the same instance follows."""

    content: bytes
    is_incomplete: bool


def bodies(xml: bytes, files: Mapping[str, bytes], limit_bytes: int) -> list[Body]:
    """The requests that carry an instance: every one repeats the XML, all but the last say `*isIncomplete*`.

    A file that is too large for `limit_bytes` together with the XML travels with the XML alone. Sizes are
    counted as Collect counts them: the XML and the files, not what multipart adds.
    """
    batches: list[list[str]] = [[]]
    room = limit_bytes - len(xml)
    for name, content in files.items():
        if batches[-1] and (len(content) > room or len(batches[-1]) >= MOST_FILES):
            batches.append([])
            room = limit_bytes - len(xml)
        batches[-1].append(name)
        room -= len(content)
    last = len(batches) - 1
    return [_body(xml, {name: files[name] for name in batch}, n < last) for n, batch in enumerate(batches)]


def _body(xml: bytes, files: Mapping[str, bytes], is_incomplete: bool) -> Body:
    parts = [_part("xml_submission_file", "submission.xml", "text/xml", xml)]
    if is_incomplete:
        parts.append(_field("*isIncomplete*", "yes"))
    for name, content in files.items():
        parts.append(_part(name, name, mimetypes.guess_type(name)[0] or "application/octet-stream", content))
    return Body(b"".join(parts) + f"--{BOUNDARY}--\r\n".encode(), is_incomplete)


def _part(field: str, name: str, content_type: str, content: bytes) -> bytes:
    head = f'form-data; name="{field}"; filename="{name}"\r\nContent-Type: {content_type}'
    return f"--{BOUNDARY}\r\nContent-Disposition: {head}\r\n\r\n".encode() + content + b"\r\n"


def _field(field: str, text: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{text}\r\n'.encode()
