"""`yangdi demo` where it cannot serve; a whole county is made in tests/demo."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli.demo import demo


def test_a_demo_makes_no_county_where_somebody_listens_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("YANGDI_HOST", "127.0.0.1")
        monkeypatch.setenv("YANGDI_PORT", str(other.getsockname()[1]))
        monkeypatch.setenv("YANGDI_DATA_DIR", str(tmp_path / "county"))
        said = CliRunner().invoke(demo)
    assert said.exit_code == 1
    assert "YANGDI_PORT" in said.output
    assert not (tmp_path / "county").exists()
