"""Text of a table into rows with our column names: encodings, delimiters, headings, blanks, numbers and days.

What cannot be read is refused with file, row and column. What a row means is the business of `tree_table` and
`species_table`.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

HEADINGS: dict[str, tuple[str, ...]] = {
    "plot_id": ("plot", "样地号", "样地", "样地编号"),
    "tag": ("样木号", "树号", "tree"),
    "stem_id": ("stem", "分株号", "萌条号"),
    "species": ("sp", "树种", "树种代码"),
    "status": ("tally_code", "检尺类型", "状态"),
    "dbh_cm": ("dbh", "胸径", "胸径cm"),
    "height_m": ("height", "树高", "树高m"),
    "pom_m": ("hom_m", "测量高"),
    "date": ("measured_on", "调查日期", "日期"),
    "census": ("调查期", "期次"),
    "x_m": ("x", "横坐标"),
    "y_m": ("y", "纵坐标"),
    "codes": ("特征代码",),
    "verified": ("复核",),
    "thinned": ("间伐",),
    "area_ha": ("面积", "样地面积"),
}
"""Our names and what else such columns are called; letters' case, spaces and brackets do not matter."""

BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "—", "/", "无"})


class TableUnreadable(ValueError):
    """A table that cannot be read; says in which file, row and column, and what was expected there."""


class Row:
    """One row, read by our names; knows where it is for the sake of messages."""

    def __init__(self, path: Path, line: int, texts: Mapping[str, str]) -> None:
        self.path, self.line, self.texts = path, line, texts

    def text(self, name: str) -> str:
        found = self.texts.get(name, "").strip()
        return "" if found.casefold() in BLANK else found

    def number(self, name: str) -> float | None:
        text = self.text(name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.refuse(name, text, "a number") from None
        if not math.isfinite(value):
            raise self.refuse(name, text, "a number")
        return value

    def day(self, name: str) -> date | None:
        text = self.text(name)
        if not text:
            return None
        parts = [int(part) for part in re.findall(r"\d+", text.split("T")[0].split(" ")[0])]
        if len(parts) == 1 and len(text) == 8:
            parts = [int(text[:4]), int(text[4:6]), int(text[6:])]
        elif len(parts) == 1 and len(text) == 4:
            parts = [parts[0], 7, 1]  # only the year is known: its middle
        try:
            return date(*parts)
        except (TypeError, ValueError):
            raise self.refuse(name, text, "a date like 2024-06-01") from None

    def refuse(self, name: str, text: str, wanted: str) -> TableUnreadable:
        return TableUnreadable(f"{self.path}, row {self.line}, column {name}: {text!r} is not {wanted}")


def rows_of(path: Path) -> tuple[list[str], Iterable[Row]]:
    """The headings by our names, and the rows under them that are not blank. Raises TableUnreadable."""
    lines = _decoded(path).splitlines()
    if not lines:
        raise TableUnreadable(f"{path}: the file is empty")
    delimiter = Counter({mark: lines[0].count(mark) for mark in ",\t;"}).most_common(1)[0][0]
    table = csv.reader(lines, delimiter=delimiter)
    header = _header(next(table))
    cells = (
        Row(path, table.line_num, dict(zip(header, row, strict=False)))
        for row in table
        if any(text.strip() for text in row)
    )
    return header, cells


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    for encoding in ("utf-16",) if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableUnreadable(f"{path}: neither UTF-8 nor GBK text; save it as CSV UTF-8")


def _header(headings: Iterable[str]) -> list[str]:
    """Our names; where two columns have one name, the first is meant ("sp" before "Species", an epithet)."""
    header: list[str] = []
    for heading in headings:
        name = _our_name(heading)
        header.append(f"{name} {len(header) + 1}" if name in header else name)
    return header


def _our_name(heading: str) -> str:
    plain = re.sub(r"[\s()（）\[\]]", "", heading).casefold()
    for name, others in HEADINGS.items():
        if plain == name or plain in others:
            return name
    return plain
