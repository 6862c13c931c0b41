"""What a form's author does at the command line before anything is published."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli.form import form

WRONG = """
| survey |
| | type | name | label | bind::yd:measure |
| | text | d | DBH | tree.dbh_cm |
"""


def yangdi_form(*words: str) -> Result:
    return CliRunner().invoke(form, words)


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    path = tmp_path / "wrong.md"
    path.write_text(WRONG)
    return str(path)


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "survey · 第 2 行 · type"), ("en", "survey · row 2 · type")]
)
def test_every_fault_is_told_in_the_authors_language(wrong: str, language: str, words: str) -> None:
    said = yangdi_form("check", wrong, "--lang", language)
    assert said.exit_code == 1
    assert words in said.stderr
    assert "settings" in said.stderr


def test_a_sound_form_shows_what_it_maps_to() -> None:
    library = Path(__file__).parents[2] / "forms" / "library"
    said = yangdi_form("check", str(library / "plot_visit.md"), "--lang", "en")
    assert said.exit_code == 0
    assert "tree.dbh_cm" in said.stdout


def test_the_measures_are_listed() -> None:
    assert "tree.dbh_cm" in yangdi_form("measures").stdout


def test_a_shipped_form_is_written_as_a_workbook(tmp_path: Path) -> None:
    out = tmp_path / "mine.xlsx"
    assert yangdi_form("export", "plot_visit", "--out", str(out)).exit_code == 0
    assert yangdi_form("check", str(out)).exit_code == 0


def test_a_form_that_is_nowhere_brings_the_list_of_those_that_are() -> None:
    said = yangdi_form("export", "plot_vist")
    assert said.exit_code == 1
    assert "plot_visit" in said.stderr
