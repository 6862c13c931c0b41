"""Tables of trees as people have them into visits: rows of one plot and one census are one visit.

What is merely odd is for the rules; only what cannot be read at all is refused (`table_text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from server.cli.table_status import StatusUnknown, status_of
from server.cli.table_text import Row, Sheet, TableUnreadable
from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit

NEEDED = ("tag", "dbh_cm")
YES = frozenset({"1", "true", "yes", "y", "是", "√", "复核", "x"})
VERIFIED_CODE = "DV"  # "diameter verified" in the code lists of ForestGEO's field application
THE_PLOT = "1"
"""What the only plot is called where a table has no column for plots."""
APART_DAYS = 180
"""Days between two measurements of a tree from which they are of two visits, where no column says so (project
default: crews come back to a plot within a season, a census comes after a year at least)."""
MOST_CM, MIDDLE_CM = 200.0, 100.0
LARGE_SHARE = 0.05
"""Where so many diameters are above the one (the inventory's tablet app takes none larger), or half of them above the
other, and the heading names no unit, they are millimetres: no forest has such trees (project default)."""
ENOUGH_TREES = 10

Of = tuple[str, str]  # census and plot


class Table(NamedTuple):
    """The visits of a file by census, oldest census first; `has_thinned`: a column says what was thinned. By census
    and plot: `lines`, the rows of the file that a visit's trees stand in; where a column says so `crews`, who measured,
    and `entered`, when trees were written down (ms since 1970 UTC). `is_rolling`: the visits were told apart by their
    days alone."""

    censuses: dict[str, dict[str, Visit]]
    has_thinned: bool
    lines: dict[Of, Sequence[int]]
    crews: dict[Of, str]
    entered: dict[Of, Sequence[int]]
    is_rolling: bool = False


class _Gathered:
    """What belongs to one visit: its trees with their rows, days and moments, and its first row."""

    __slots__ = ("days", "entered", "first", "lines", "trees")

    def __init__(self, first: Row) -> None:
        self.first = first
        self.trees: list[Measurement] = []
        self.lines: list[int] = []
        self.days: list[date | None] = []
        self.entered: list[int | None] = []

    def add(self, tree: Measurement, line: int, day: date | None, entered_at: int | None) -> None:
        self.trees.append(tree._replace(ordinal=len(self.trees)) if tree.ordinal != len(self.trees) else tree)
        self.lines.append(line)
        self.days.append(day)
        self.entered.append(entered_at)


def read_trees(path: Path) -> Table:
    """All visits in a table. Raises TableUnreadable."""
    sheet = Sheet(path)
    missing = [name for name in NEEDED if name not in sheet.columns]
    if missing:
        raise TableUnreadable(f"{path}, row 1: no column {', '.join(missing)}; there are {sheet.names}")
    gathered: dict[Of, _Gathered] = {}
    has_status = "status" in sheet.columns
    for row in sheet:
        of = _visit_of(row)
        here = gathered.get(of)
        if here is None:
            here = gathered[of] = _Gathered(row)
        tree = _tree(row, len(here.trees), has_status=has_status)
        here.add(tree, row.line, row.day("date") or row.day("year"), row.moment_ms("entered_at"))
    is_rolling = not ({"census", "year"} & sheet.columns.keys()) and any(map(_came_back, gathered.values()))
    if is_rolling:
        gathered = dict(one for of, here in gathered.items() for one in _told_apart(of[1], here))
    _refuse_millimetres(sheet, gathered.values())
    _refuse_plotless(sheet, gathered.values())
    visits = [_visit(*of, here) for of, here in gathered.items()]
    return Table(
        _by_census(visits), "thinned" in sheet.columns, {of: here.lines for of, here in gathered.items()},
        {of: here.first.text("crew") for of, here in gathered.items() if here.first.text("crew")},
        {of: [at for at in here.entered if at is not None] for of, here in gathered.items()}, is_rolling,
    )  # fmt: skip


class Place(NamedTuple):
    """Where a row of a table belongs: its plot, census, tag and stem."""

    plot_id: str
    census: str
    tag: str
    stem_id: str


def place_of(table: Table, path: Path, line: int) -> Place:
    """What stands in this line of a file, the heading being line 1. Raises TableUnreadable."""
    for (census, plot_id), lines in table.lines.items():
        if line in lines:
            tree = table.censuses[census][plot_id].trees[lines.index(line)]
            return Place(plot_id, census, tree.tag, tree.stem_id)
    raise TableUnreadable(f"{path}: there is no row {line}")


def _visit_of(row: Row) -> Of:
    plot_id = _whole(row.text("plot_id"))
    if not plot_id:
        if "plot_id" in row.sheet.columns:
            raise row.refuse("plot_id", "", "a plot")
        plot_id = THE_PLOT
    return (_whole(row.text("census") or row.text("year")), plot_id)


def _tree(row: Row, ordinal: int, *, has_status: bool) -> Measurement:
    dbh_text, dbh_cm = row.text("dbh_cm"), row.number("dbh_cm")
    if dbh_cm is not None and row.sheet.columns["dbh_cm"].factor != 1.0:
        dbh_text = f"{dbh_cm:g}"
    codes = _codes(row.text("codes"))
    return Measurement(
        ordinal=ordinal,
        tag=_whole(row.text("tag")),
        stem_id=_whole(row.text("stem_id")) or "1",
        species=row.text("species"),
        tally_code=_tally_code(row, known=bool(dbh_text) or not has_status),
        dbh_cm=dbh_cm,
        height_m=row.number("height_m"),
        pom_m=row.number("pom_m"),
        x_m=row.number("x_m"),
        y_m=row.number("y_m"),
        verified=VERIFIED_CODE in codes or row.text("verified").casefold() in YES,
        codes=codes,
        dbh_text=dbh_text,
    )


@lru_cache(maxsize=4096)
def _codes(text: str) -> frozenset[str]:
    return frozenset(filter(None, re.split(r"[;,|\s]+", text)))


def _whole(text: str) -> str:
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text  # Excel's numbers


def _tally_code(row: Row, *, known: bool) -> TallyCode | None:
    text = row.text("status")
    if not text:
        return TallyCode.ALIVE if known else None
    try:
        return status_of(_whole(text))
    except StatusUnknown:
        raise row.refuse("status", text, "a tally code (11 … 20, 24, alive, dead, cut, missing …)") from None


def _came_back(here: _Gathered) -> bool:
    """Do the same trees stand in the table again, much later?"""
    if len({tree.key for tree in here.trees}) == len(here.trees):
        return False
    days = [day for day in here.days if day is not None]
    return bool(days) and (max(days) - min(days)).days > APART_DAYS


def _told_apart(plot_id: str, all_rows: _Gathered) -> Iterator[tuple[Of, _Gathered]]:
    """The visits of a plot by their days, each called after its last day."""
    days = sorted({day for day in all_rows.days if day is not None})
    begins = [
        day
        for last, day in zip([None, *days], days, strict=False)
        if last is None or (day - last).days > APART_DAYS
    ]
    visits: dict[int, _Gathered] = {}
    for tree, line, day, at in zip(
        all_rows.trees, all_rows.lines, all_rows.days, all_rows.entered, strict=True
    ):
        number = sum(day >= begin for begin in begins) if day is not None else len(begins)
        visits.setdefault(number, _Gathered(all_rows.first)).add(tree, line, day, at)
    for number in sorted(visits):
        here = visits[number]
        yield (str(max(day for day in here.days if day is not None)), plot_id), here


def _refuse_millimetres(sheet: Sheet, visits: Iterable[_Gathered]) -> None:
    column = sheet.columns["dbh_cm"]
    if column.has_unit:
        return
    dbhs = sorted(tree.dbh_cm for here in visits for tree in here.trees if tree.dbh_cm)
    large = sum(dbh_cm > MOST_CM for dbh_cm in dbhs)
    if len(dbhs) >= ENOUGH_TREES and (dbhs[len(dbhs) // 2] > MIDDLE_CM or large > LARGE_SHARE * len(dbhs)):
        raise TableUnreadable(
            f"{sheet.path}, column {sheet.headings[column.at]}: the middle one of {len(dbhs)} values is"
            f" {dbhs[len(dbhs) // 2]:g}, {large} are above {MOST_CM:g}; call the column dbh_mm if they are millimetres,"
            " dbh_cm if centimetres"
        )


def _refuse_plotless(sheet: Sheet, visits: Iterable[_Gathered]) -> None:
    if "plot_id" in sheet.columns:
        return
    if any(len({tree.key for tree in here.trees}) < len(here.trees) for here in visits):
        raise TableUnreadable(
            f"{sheet.path}, row 1: no column plot_id, and tags occur more than once; there are {sheet.names}"
        )


def _visit(census: str, plot_id: str, here: _Gathered) -> Visit:
    days = sorted(day for day in here.days if day is not None)
    row = here.first
    return Visit(
        plot_id=plot_id,
        census=census,
        measured_on=days[len(days) // 2]
        if days
        else _year_of(census),  # a plot may take weeks: the middle day
        trees=tuple(here.trees),
        area_ha=row.number("area_ha"),
        thinned=row.text("thinned").casefold() in YES,
    )


def _year_of(census: str) -> date | None:
    """The middle of the year that a census is called after, where the rows have no days."""
    return date(int(census), 7, 1) if re.fullmatch(r"(19|20)\d\d", census) else None


def _by_census(visits: Iterable[Visit]) -> dict[str, dict[str, Visit]]:
    found: dict[str, dict[str, Visit]] = {}
    for visit in visits:
        found.setdefault(visit.census, {})[visit.plot_id] = visit
    return dict(sorted(found.items(), key=lambda item: _age(item[0], item[1].values())))


def _age(census: str, visits: Iterable[Visit]) -> tuple[date, list[tuple[int, str]]]:
    days = sorted(visit.measured_on for visit in visits if visit.measured_on)
    return (days[len(days) // 2] if days else date.min, in_order(census))


def in_order(census: str) -> list[tuple[int, str]]:
    """To sort names of censuses by the numbers in them: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", census) if part]
