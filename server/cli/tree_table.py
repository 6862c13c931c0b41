"""Tables of trees as people have them into visits: rows of one plot and one census are one visit.

What is merely odd is for the rules; only what cannot be read at all is refused (`table_text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from server.cli.table_text import Row, TableUnreadable, rows_of
from server.forest.tree import Measurement, TallyCode, tally_code
from server.forest.visit import Visit

NEEDED = ("plot_id", "tag", "dbh_cm")
YES = frozenset({"1", "true", "yes", "y", "是", "√", "复核", "x"})
VERIFIED_CODE = "DV"  # "diameter verified" in the code lists of ForestGEO's field application


class Table(NamedTuple):
    """The visits of a file by census, oldest census first; `has_thinned` where a column says what was thinned."""

    censuses: dict[str, dict[str, Visit]]
    has_thinned: bool


def read_trees(path: Path) -> Table:
    """All visits in a table. Raises TableUnreadable."""
    header, rows = rows_of(path)
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise TableUnreadable(f"{path}, row 1: no column {', '.join(missing)}; there are {', '.join(header)}")
    trees: dict[tuple[str, str], list[Measurement]] = {}
    days: dict[tuple[str, str], list[date]] = {}
    about: dict[tuple[str, str], Row] = {}
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


class Place(NamedTuple):
    """Where a row of a table belongs: its plot, census, tag and stem."""

    plot_id: str
    census: str
    tag: str
    stem_id: str


def place_of(path: Path, line: int) -> Place:
    """What stands in this line of a file, the heading being line 1. Raises TableUnreadable."""
    for row in rows_of(path)[1]:
        if row.line == line:
            stem = _whole(row.text("stem_id")) or "1"
            return Place(row.text("plot_id"), row.text("census"), _whole(row.text("tag")), stem)
    raise TableUnreadable(f"{path}: there is no row {line}")


def _tree(row: Row, ordinal: int, *, has_status: bool) -> Measurement:
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


def _tally_code(row: Row, *, known: bool) -> TallyCode | None:
    text = row.text("status")
    if not text:
        return TallyCode.ALIVE if known else None
    code = tally_code(_whole(text))
    if code is None and text.casefold() not in {"missing", "unknown"}:
        raise row.refuse("status", text, "a tally code (11 … 20, 24, alive, dead, cut, missing …)")
    return code


def _visit(census: str, plot_id: str, trees: list[Measurement], days: list[date], row: Row) -> Visit:
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
