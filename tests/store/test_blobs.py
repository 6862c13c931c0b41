"""Blobs are found from wherever one stands."""

from __future__ import annotations

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
