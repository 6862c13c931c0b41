"""An XLSForm as a workbook, for authors who work in a spreadsheet program.

Cells only: what the form means is judged by `forms.compile` when the workbook comes back.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from forms.compile import sheets

WIDEST = 48
"""Columns are as wide as their longest line, in characters, up to this; longer text is wrapped."""


def workbook(source: Path) -> bytes:
    """The XLSForm in `source` (.md, .csv or .xlsx) as the bytes of an .xlsx.

    Every cell is text, so that a version such as 2026112201 or a code such as 011 stays as it was written.
    Raises FormInvalid for a file that cannot be read, OSError where there is none.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in _in_order(sheets(source)).items():
        _write(book.create_sheet(name), rows)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def shipped() -> tuple[str, ...]:
    """Names of the forms that we ship, as `shipped_form` takes them."""
    found = (entry.name for entry in files("forms").joinpath("library").iterdir())
    return tuple(
        sorted(name.removesuffix(".md") for name in found if name.endswith(".md") and name != "README.md")
    )


def shipped_form(name: str) -> bytes:
    """A form that we ship as a workbook. Raises KeyError for a name that is not among `shipped()`."""
    if name not in shipped():
        raise KeyError(name)
    with as_file(files("forms").joinpath("library", f"{name}.md")) as source:
        return workbook(source)


def _in_order(found: Mapping[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    order = ("survey", "choices", "settings", "entities")
    return {name: found[name] for name in order if name in found}


def _write(page: Worksheet, rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            if text:
                cell = page.cell(number, column, text)
                cell.data_type = "s"  # a text that begins with "=" is no formula here
                cell.number_format = "@"
                cell.font = Font(bold=number == 1)
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    page.freeze_panes = "C2"  # the headings, type and name stay in sight
    for column, texts in enumerate(zip(*rows, strict=True), start=1):
        page.column_dimensions[get_column_letter(column)].width = _width(texts)


def _width(texts: Iterable[str]) -> int:
    longest = max((sum(2 if character > "\u2e80" else 1 for character in text) for text in texts), default=0)
    return min(WIDEST, longest + 2)
