"""`yangdi import outbox`: what a phone could not send comes in from a file, and the exit says whether all is safe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from server.__main__ import main
from server.settings import Settings
from server.store import schema
from server.store.db import Database
from tests.builders import jpeg
from tests.cast import Cast
from tests.dashboard.test_outbox_page import made, without
from tests.live import environment
from tests.phone import Back, form, new_id, plot_visit, put_up

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, settings: Settings, cast: Cast, tmp_path: Path) -> Run:
    """`yangdi import outbox` with a file of this content."""
    put_up(database, cast.project, form("plot_visit"))

    def run(content: bytes, project: int | str = cast.project) -> Result:
        path = tmp_path / "phone.zip"
        path.write_bytes(content)
        arguments = ["import", "outbox", str(path), "--project", str(project)]
        return CliRunner().invoke(main, arguments, env=environment(settings))

    return run


def test_all_of_it_is_safe_and_the_exit_says_so(run: Run, database: Database, settings: Settings) -> None:
    name = new_id()
    content = made((plot_visit(name, photos=["a.jpg"]), {"a.jpg": jpeg()}), (plot_visit(), {}))
    first = run(content)
    assert first.exit_code == 0, first.output
    assert f"kept\t{name}\tphotos 1/1" in first.stdout
    assert "2 kept, 0 already kept, 0 quarantined, 0 refused" in first.stdout
    again = run(content)
    assert again.exit_code == 0
    assert "0 kept, 2 already kept" in again.stdout
    rows = Back(database, settings).rows(select(schema.submission))
    assert [(row.person_id, row.device_id) for row in rows] == [(None, None)] * 2


def test_a_missing_photo_is_named_and_the_exit_says_that_not_all_is_safe(run: Run) -> None:
    content = made((plot_visit(photos=["a.jpg"]), {"a.jpg": jpeg()}))
    result = run(without(content, "files/"))
    assert result.exit_code == 1
    assert "photos 0/1\ta.jpg: missing" in result.stdout
    assert "keep the file and the phone" in result.stderr


def test_what_cannot_be_read_is_named_and_the_rest_is_kept(run: Run) -> None:
    result = run(made((b"<", {}), (plot_visit(), {})))
    assert result.exit_code == 1
    assert "refused\tc0\tnot-xml" in result.stdout
    assert "1 kept" in result.stdout


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_that_broke_off_is_spoken_of(run: Run) -> None:
    content = made((plot_visit(), {}))
    result = run(content[: content.index(b"PK\x01\x02") + 5])  # all is there but the directory
    assert result.exit_code == 0
    assert "phone.zip: cut-off" in result.stderr


@pytest.mark.parametrize("engine", ["sqlite"])
def test_another_file_is_refused(run: Run, database: Database) -> None:
    result = run(b"a holiday photo")
    assert result.exit_code == 1
    assert "not-zip; nothing was brought in" in result.stderr


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_project_is_named_where_there_are_several(run: Run) -> None:
    assert run(made((plot_visit(), {})), "平顺县森林碳汇").exit_code == 0
    assert run(made((plot_visit(), {})), "nowhere").exit_code == 2
