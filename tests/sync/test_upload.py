"""Pieces of a file: whatever comes in whatever order, what is kept is the beginning of the file and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.upload import (
    Append,
    Conflict,
    Malformed,
    Overflow,
    Wanted,
    metadata,
    on_piece,
    read_checksum,
    read_number,
    read_wanted,
)

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0/\\"), min_size=1, max_size=200)


@given(st.binary(max_size=50), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
def test_what_is_kept_is_always_the_beginning_of_the_file(
    content: bytes, pieces: list[tuple[int, int]]
) -> None:
    kept = b""
    for offset, size in pieces:
        data = content[offset : offset + size].ljust(size, b"!")  # a phone that says more than it has
        match on_piece(len(kept), len(content), offset, size):
            case Append(most_bytes=most_bytes):
                assert size <= most_bytes
                kept += data
            case Conflict():
                assert offset != len(kept)
            case Overflow():
                assert offset + size > len(content)
        assert content.startswith(kept)


@given(st.binary(min_size=1, max_size=50), st.data())
def test_whoever_asks_how_far_it_is_can_always_go_on(content: bytes, data: st.DataObject) -> None:
    here = 0
    while here < len(content):
        size = data.draw(st.integers(1, len(content) - here))
        assert on_piece(here, len(content), here, size) == Append(len(content) - here)
        here += size


@given(
    st.builds(
        Wanted, size_bytes=st.integers(0, 10**15 - 1), form_id=TEXTS, instance_id=TEXTS, name=TEXTS,
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64), content_type=TEXTS | st.just(""),
    )
)  # fmt: skip
def test_what_is_told_of_an_upload_is_what_was_said(wanted: Wanted) -> None:
    said = {"Upload-Length": str(wanted.size_bytes), "Upload-Metadata": metadata(wanted)}
    assert read_wanted(said) == wanted


READERS: dict[str, Callable[[dict[str, str]], object]] = {
    "Upload-Metadata": read_wanted,
    "Upload-Checksum": read_checksum,
    "Upload-Offset": lambda headers: read_number(headers, "Upload-Offset"),
}


@given(st.text(max_size=80), st.sampled_from(list(READERS)))
def test_any_header_is_read_or_refused(text: str, name: str) -> None:
    with suppress(Malformed):
        READERS[name]({name: text, "Upload-Length": "3"})


def test_a_checksum_is_of_an_algorithm_that_the_server_knows() -> None:
    digest = base64.b64encode(b"x" * 20).decode()
    assert read_checksum({}) is None
    assert read_checksum({"Upload-Checksum": f"sha1 {digest}"}) == ("sha1", b"x" * 20)
    with pytest.raises(Malformed, match="sha256, sha1"):
        read_checksum({"Upload-Checksum": f"md5 {digest}"})
