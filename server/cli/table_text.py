"""Text of a table into rows: encodings, delimiters, blanks, numbers and days.

What cannot be read is refused with file, row and column. What columns are called is said in `table_headings`; what a
row means is the business of `tree_table` and `species_table`.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path

from server.cli.table_days import day_of, is_day_first, moment_ms
from server.cli.table_headings import Column, columns_of

BLANK = frozenset({"", "na", "n/a", "nan", "<na>", "#n/a", "null", "none", "\\n", ".", "-", "—", "/", "无"})
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of Excel begin, new and old."""
MOST_LINES = 50
"""Lines of one cell beyond which a quotation mark was never closed."""


class TableUnreadable(ValueError):
    """A table that cannot be read; says in which file, row and column, and what was expected there."""


class Row:
    """One row, read by our names; knows where it is for the sake of messages."""

    __slots__ = ("cells", "line", "sheet")

    def __init__(self, sheet: Sheet, line: int, cells: Sequence[str]) -> None:
        self.sheet, self.line, self.cells = sheet, line, cells

    def text(self, name: str) -> str:
        """What stands there; "" for blank, whatever a program writes for it, and where there is no such column."""
        column = self.sheet.columns.get(name)
        if column is None or column.at >= len(self.cells):
            return ""
        found = self.cells[column.at].strip()
        if found[:1].isdigit():  # most cells are numbers
            return found
        return "" if found.casefold() in BLANK else found

    def number(self, name: str) -> float | None:
        """In our unit; None for blank."""
        text = self.text(name)
        if not text:
            return None
        try:
            value = float(_with_point(text) if "," in text else text)
        except ValueError:
            raise self.refuse(name, text, "a number (without its unit)") from None
        if not math.isfinite(value):
            raise self.refuse(name, text, "a number")
        factor = self.sheet.columns[name].factor
        return value if factor == 1.0 else round(value * factor, 6)

    def day(self, name: str) -> date | None:
        """The day; None for blank."""
        text = self.text(name)
        if not text:
            return None
        try:
            return day_of(text)
        except (TypeError, ValueError):
            pass
        try:
            return day_of(text, day_first=self.sheet.day_first(name))
        except (TypeError, ValueError):
            raise self.refuse(name, text, "a date like 2024-06-01") from None

    def moment_ms(self, name: str) -> int | None:
        """A moment in ms since 1970 UTC; None for blank."""
        text = self.text(name)
        if not text:
            return None
        try:
            return moment_ms(text)
        except ValueError:
            raise self.refuse(name, text, "a moment like 2024-06-01 08:30:15") from None

    def refuse(self, name: str, text: str, wanted: str) -> TableUnreadable:
        """To be raised."""
        return TableUnreadable(f"{self.sheet.path}, row {self.line}, column {name}: {text!r} is not {wanted}")


def _with_point(text: str) -> str:
    """10,5 is how half of Europe writes ten and a half; 1,050 stays what it is, and is refused."""
    return text.replace(",", ".") if re.fullmatch(r"-?\d+,\d{1,2}", text) else text


class Sheet:
    """A table in a file: its headings, and its rows as often as they are asked for. Raises TableUnreadable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = _decoded(path)
        first = self._text.split("\n", 1)[0]
        if not self._text.strip():
            raise TableUnreadable(f"{path}: the file is empty")
        self._delimiter = Counter({mark: first.count(mark) for mark in ",\t;"}).most_common(1)[0][0]
        self.headings = next(self._records())[1]
        self.columns: Mapping[str, Column] = columns_of(self.headings)
        self._day_first: dict[str, bool | None] = {}

    def __iter__(self) -> Iterator[Row]:
        """The rows under the headings that are not blank; the headings are row 1, as in a spreadsheet."""
        records = self._records()
        next(records)
        for line, cells in records:
            if any(text.strip() for text in cells):
                yield Row(self, line, cells)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(self._text), delimiter=self._delimiter)
        before = 0
        try:
            for line, cells in enumerate(reader, 1):
                if reader.line_num - before > MOST_LINES:
                    raise csv.Error
                before = reader.line_num
                yield line, cells
        except csv.Error:
            raise TableUnreadable(
                f"{self.path}, line {before + 1} of the text: a quotation mark opens there and is not closed"
            ) from None

    @cached_property
    def names(self) -> str:
        """The columns there are, for a message."""
        return ", ".join(self.columns)

    def day_first(self, name: str) -> bool | None:
        """Do the days of this column begin with the day?"""
        if name not in self._day_first:
            self._day_first[name] = is_day_first(row.text(name) for row in self)
        return self._day_first[name]


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(WORKBOOKS):
        raise TableUnreadable(f"{path}: this is an Excel workbook; save the sheet as CSV UTF-8")
    for encoding in ("utf-16",) if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    raise TableUnreadable(f"{path}: neither UTF-8 nor GBK text; save it as CSV UTF-8")
