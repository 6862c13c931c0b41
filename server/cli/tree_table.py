"""Tables of trees as people have them (CSV from Excel, with tabs, in GBK) into visits.

The edge where text becomes numbers: what cannot be read is refused with file, row and column; what is merely odd
is for the rules. Rows of one plot and one census become one visit.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from server.forest.species import SpeciesInfo
from server.forest.tree import Measurement, TallyCode, tally_code
from server.forest.visit import Visit
from server.validation.parameters import read_table

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

NEEDED = ("plot_id", "tag", "dbh_cm")
BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "—", "/", "无"})
YES = frozenset({"1", "true", "yes", "y", "是", "√", "复核", "x"})
VERIFIED_CODE = "DV"  # "diameter verified" in the code lists of ForestGEO's field application


class TableUnreadable(ValueError):
    """A table that cannot be read; says in which file, row and column, and what was expected there."""


class Table(NamedTuple):
    """The visits of a file by census, oldest census first; `has_thinned` where a column says what was thinned."""

    censuses: dict[str, dict[str, Visit]]
    has_thinned: bool


class _Cell:
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


def read_trees(path: Path) -> Table:
    """All visits in a table. Raises TableUnreadable."""
    header, rows = _rows(path)
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise TableUnreadable(f"{path}, row 1: no column {', '.join(missing)}; there are {', '.join(header)}")
    trees: dict[tuple[str, str], list[Measurement]] = {}
    days: dict[tuple[str, str], list[date]] = {}
    about: dict[tuple[str, str], _Cell] = {}
    has_status = "status" in header
    for row in rows:
        plot_id = row.text("plot_id")
        if not plot_id:
            raise row.refuse("plot_id", "", "a plot")
        place = (row.text("census"), plot_id)
        here = trees.setdefault(place, [])
        here.append(_tree(row, len(here), has_status=has_status))
        about.setdefault(place, row)
        day = row.day("date")
        if day is not None:
            days.setdefault(place, []).append(day)
    visits = [_visit(*place, trees[place], days.get(place, []), about[place]) for place in trees]
    return Table(_by_census(visits), "thinned" in header)


def _tree(row: _Cell, ordinal: int, *, has_status: bool) -> Measurement:
    dbh_text = row.text("dbh_cm")
    codes = frozenset(filter(None, re.split(r"[;,|\s]+", row.text("codes"))))
    return Measurement(
        ordinal=ordinal,
        tag=_whole(row.text("tag")),
        stem_id=_whole(row.text("stem_id")) or "1",
        species=row.text("species"),
        tally_code=_tally_code(row, known=bool(dbh_text) or not has_status),
        dbh_cm=row.number("dbh_cm"),
        height_m=row.number("height_m"),
        pom_m=row.number("pom_m"),
        x_m=row.number("x_m"),
        y_m=row.number("y_m"),
        verified=VERIFIED_CODE in codes or row.text("verified").casefold() in YES,
        codes=codes,
        dbh_text=dbh_text,
    )


def _whole(text: str) -> str:
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text  # Excel's numbers


def _tally_code(row: _Cell, *, known: bool) -> TallyCode | None:
    text = row.text("status")
    if not text:
        return TallyCode.ALIVE if known else None
    code = tally_code(_whole(text))
    if code is None and text.casefold() not in {"missing", "unknown"}:
        raise row.refuse("status", text, "a tally code (11 … 20, 24, alive, dead, cut, missing …)")
    return code


def _visit(census: str, plot_id: str, trees: list[Measurement], days: list[date], row: _Cell) -> Visit:
    days = sorted(days)
    return Visit(
        plot_id=plot_id,
        census=census,
        measured_on=days[len(days) // 2] if days else None,  # a plot may take weeks: the middle day
        trees=tuple(trees),
        area_ha=row.number("area_ha"),
        thinned=row.text("thinned").casefold() in YES,
    )


def _by_census(visits: Iterable[Visit]) -> dict[str, dict[str, Visit]]:
    found: dict[str, dict[str, Visit]] = {}
    for visit in visits:
        found.setdefault(visit.census, {})[visit.plot_id] = visit
    return dict(sorted(found.items(), key=lambda item: _age(item[0], item[1].values())))


def _age(census: str, visits: Iterable[Visit]) -> tuple[date, list[tuple[int, str]]]:
    days = sorted(visit.measured_on for visit in visits if visit.measured_on)
    parts = [
        (int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", census) if part
    ]
    return (days[len(days) // 2] if days else date.min, parts)


def _rows(path: Path) -> tuple[list[str], Iterable[_Cell]]:
    lines = _decoded(path).splitlines()
    if not lines:
        raise TableUnreadable(f"{path}: the file is empty")
    delimiter = Counter({mark: lines[0].count(mark) for mark in ",\t;"}).most_common(1)[0][0]
    table = csv.reader(lines, delimiter=delimiter)
    header = _header(next(table))
    cells = (
        _Cell(path, table.line_num, dict(zip(header, row, strict=False)))
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


def read_species(path: Path) -> dict[str, SpeciesInfo]:
    """A species list: a column `species` (or sp, code, 树种), and `genus` or `latin`, `group` where known."""
    header, rows = _rows(path)
    code = next((name for name in ("species", "code") if name in header), None)
    if code is None:
        raise TableUnreadable(f"{path}, row 1: no column species; there are {', '.join(header)}")
    groups = {row["genus"]: row["group"] for row in read_table("genera.csv")}
    found: dict[str, SpeciesInfo] = {}
    for row in rows:
        genus = row.text("genus") or row.text("属") or row.text("latin").partition(" ")[0]
        if row.text(code):
            found[row.text(code)] = SpeciesInfo(
                row.text(code), genus, row.text("group") or groups.get(genus, "")
            )
    return found
