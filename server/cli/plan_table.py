"""The table of planned plots as an office keeps it, read into planned plots; the edge where text becomes numbers.

What cannot be read is refused with row and column. Putting the plots into the store is `yangdi project plan`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

HEADINGS = {
    "plot_id": ("plot_id", "plot", "样地号", "样地编号", "样地"),
    "lat": ("lat", "latitude", "纬度"),
    "lon": ("lon", "longitude", "经度"),
    "area_ha": ("area_ha", "面积", "面积ha", "样地面积"),
    "shape": ("shape", "形状"),
    "stratum": ("stratum", "碳层"),
    "township": ("township", "乡镇"),
    "crew": ("crew", "调查队"),
}
SHAPES = {"square": "square", "方形": "square", "正方形": "square", "circle": "circle", "圆形": "circle"}
RANGES = {"lat": (-90.0, 90.0), "lon": (-180.0, 180.0), "area_ha": (0.001, 10.0)}
"""Degrees WGS 84; ha: from a 10 m² regeneration plot to ten hectares, beyond which a slip of unit is likelier."""


class PlanUnreadable(ValueError):
    """A table that cannot be read; says in which row and column, and what was expected there."""


class PlanRow(NamedTuple):
    """One planned plot, other things by their names; None where the table does not say."""

    plot_id: str
    lat: float | None
    lon: float | None
    area_ha: float | None
    shape: str | None
    stratum: str | None
    township: str | None
    crew: str | None


def read_plan(path: Path) -> list[PlanRow]:
    """Every row of a CSV in UTF-8 or GBK. Raises PlanUnreadable: no plot_id, twice the same, not a number."""
    rows = [_row(line, texts) for line, texts in _lines(_decoded(path.read_bytes()))]
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        if row.plot_id in seen:
            raise PlanUnreadable(f"plot {number} of the table: {row.plot_id} stands there twice")
        seen.add(row.plot_id)
    return rows


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise PlanUnreadable("neither UTF-8 nor GBK text; save the table as CSV UTF-8")


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number, then what the line says under our names."""
    table = csv.reader(text.splitlines(), delimiter="\t" if "\t" in text.partition("\n")[0] else ",")
    ours = {other.casefold(): name for name, others in HEADINGS.items() for other in others}
    header = [ours.get(heading.strip().casefold(), "") for heading in next(table, [])]
    if "plot_id" not in header:
        raise PlanUnreadable(f"row 1: no column plot_id; known columns are {', '.join(HEADINGS)}")
    for cells in table:
        if any(cell.strip() for cell in cells):
            yield table.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=False)}


def _row(line: int, texts: Mapping[str, str]) -> PlanRow:
    if not texts.get("plot_id"):
        raise PlanUnreadable(f"row {line}, column plot_id: empty")
    shape = texts.get("shape") or None
    if shape is not None and shape not in SHAPES:
        raise PlanUnreadable(f"row {line}, column shape: {shape!r} is none of {', '.join(SHAPES)}")
    return PlanRow(
        plot_id=texts["plot_id"],
        lat=_number(line, "lat", texts),
        lon=_number(line, "lon", texts),
        area_ha=_number(line, "area_ha", texts),
        shape=SHAPES[shape] if shape else None,
        stratum=texts.get("stratum") or None,
        township=texts.get("township") or None,
        crew=texts.get("crew") or None,
    )


def _number(line: int, name: str, texts: Mapping[str, str]) -> float | None:
    text = texts.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    low, high = RANGES[name]
    if not low <= value <= high:
        raise PlanUnreadable(f"row {line}, column {name}: {text!r} is not a number from {low:g} to {high:g}")
    return value
