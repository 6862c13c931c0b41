"""Blobs are found from wherever one stands."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.store.blobs import Blobs


def test_a_folder_named_from_here_is_found_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blobs = Blobs(Path("var/photos"))
    with blobs.incoming() as part:
        part.write(b"a photo")
        name = blobs.keep(part)
    monkeypatch.chdir("/")
    assert blobs.path(name).read_bytes() == b"a photo"


@pytest.fixture
def only_70_kb() -> Iterator[None]:
    """A disk that takes the first 70,000 bytes of a file, as one does that is full but for a few pages."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def kept(blobs: Blobs, pieces: list[int]) -> str:
    with blobs.incoming() as part:
        for size in pieces:
            part.write(bytes(size))
        return blobs.keep(part)


@pytest.mark.parametrize("pieces", [[100_000], [60_000, 40_000], [66_000, 34_000]])
def test_a_disk_that_takes_half_of_a_piece_keeps_none_of_the_photo(
    tmp_path: Path, only_70_kb: None, pieces: list[int]
) -> None:
    with pytest.raises(OSError, match="too large"):
        kept(Blobs(tmp_path), pieces)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
