"""A batch of instances as a phone of ours pushes it: read leniently, item by item, so that one bad item spoils none.

The shapes stand in `sync.messages`, for whoever writes a phone; here they are checked by hand, since five hundred
items through a schema would cost as much as keeping them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MOST_INSTANCES = 500
"""Instances of one batch: about 5 MB of plots, a fifth of a second of work."""
MOST_FILES = 1000
"""Files of one instance; a plot with a photo of each of 900 trees is beyond any crew."""
MOST_ID_CHARS = 200
MOST_NAME_CHARS = 200
MOST_FILE_BYTES = 2**53
"""A number that JSON can carry; how large a file may be is said when it comes."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Malformed(ValueError):
    """Not of the shape that the protocol says; the text says where."""


class TooMany(ValueError):
    """More instances than one batch carries."""


class Named(NamedTuple):
    """A file that an instance has, by its content."""

    name: str
    sha256: str
    size_bytes: int


class Item(NamedTuple):
    """One instance of a batch. `client_id` is the phone's own name for it."""

    client_id: str
    xml: bytes
    files: Sequence[Named]


class Batch(NamedTuple):
    """What a phone sends at once; `items` are not looked at yet."""

    items: Sequence[Any]
    flags: bool


def read_batch(body: bytes) -> Batch:
    """The batch in the body of a request. Raises Malformed, TooMany."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"JSON: {error}") from error
    if not isinstance(said, dict) or not isinstance(said.get("instances"), list):
        raise Malformed("instances[]")
    if not isinstance(said.get("flags", False), bool):
        raise Malformed("flags: true | false")
    if len(said["instances"]) > MOST_INSTANCES:
        raise TooMany(str(len(said["instances"])))
    return Batch(said["instances"], said.get("flags", False))


def client_id_of(raw: object) -> str:
    """How the phone calls an item; "" where it cannot be told."""
    told = raw.get("client_id") if isinstance(raw, Mapping) else None
    return _sound(told)[:MOST_ID_CHARS] if isinstance(told, str) else ""


def read_item(raw: object) -> Item:
    """One instance of the batch. Raises Malformed."""
    if not isinstance(raw, Mapping):
        raise Malformed("{client_id, xml, files}")
    xml, files = raw.get("xml"), raw.get("files", ())
    if not isinstance(xml, str):
        raise Malformed("xml")
    if not isinstance(files, list | tuple) or len(files) > MOST_FILES:
        raise Malformed(f"files[], {MOST_FILES}")
    return Item(client_id_of(raw), xml.encode("utf-8", "replace"), [_named(file) for file in files])


def _named(raw: object) -> Named:
    match raw:
        case {"name": str(name), "sha256": str(sha256), "size_bytes": int(size_bytes)} if (
            name and _SHA256.fullmatch(sha256) and 0 <= size_bytes < MOST_FILE_BYTES
        ):
            return Named(file_name(name), sha256, int(size_bytes))
        case _:
            raise Malformed("files[]: name, sha256, size_bytes")


def file_name(text: str) -> str:
    """The name of a file as it is kept: data, never a path, and nothing that a store cannot hold."""
    last = text.replace("\\", "/").rsplit("/", 1)[-1] or text
    return _sound(last).replace("\0", "\ufffd")[:MOST_NAME_CHARS]


def _sound(text: str) -> str:
    """Without half characters, which JSON can carry and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
