"""A form goes into a spreadsheet program and comes back the same."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from forms.compile import compile_form
from forms.workbook import shipped, shipped_form, workbook
from tests.forms.conftest import LIBRARY, SETTINGS, library


@pytest.mark.parametrize("name", shipped())
def test_a_form_that_went_through_a_spreadsheet_is_the_same_form(tmp_path: Path, name: str) -> None:
    again = tmp_path / f"{name}.xlsx"
    again.write_bytes(workbook(LIBRARY / f"{name}.md"))
    assert compile_form(again).xml == library(name).xml


def test_a_shipped_form_can_be_had_by_its_name() -> None:
    book = openpyxl.load_workbook(io.BytesIO(shipped_form("plot_visit")))
    assert book.sheetnames == ["survey", "choices", "settings"]
    assert book["survey"]["A1"].value == "type"


def test_a_form_that_we_do_not_ship_has_no_workbook() -> None:
    with pytest.raises(KeyError):
        shipped_form("../../pyproject")


def test_no_cell_of_a_form_becomes_a_formula_or_a_number(tmp_path: Path) -> None:
    source = tmp_path / "form.md"
    source.write_text(
        "| survey |\n| | type | name | label |\n| | text | a | =1+1 |\n| | text | b | 007 |\n" + SETTINGS
    )
    page = openpyxl.load_workbook(io.BytesIO(workbook(source)))["survey"]
    assert [(page[at].value, page[at].data_type) for at in ("C2", "C3")] == [("=1+1", "s"), ("007", "s")]
