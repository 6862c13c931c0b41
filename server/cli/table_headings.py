"""What people call the columns of tables of trees, plots and photos, and in which unit they write them.

Letters' case, spaces, brackets, points and lines between the words do not matter: "Plot ID", "plot_id" and "plotID"
are one. A unit at the end of a measure's heading is understood: "DBH (mm)", "胸径(毫米)".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

HEADINGS: dict[str, tuple[str, ...]] = {
    "plot_id": ("plot", "plotno", "plotcode", "plotname", "quadrat", "样地号", "样地", "样地编号"),
    "tag": ("样木号", "树号", "tree", "treetag", "tagno", "treeno", "treeid"),
    "stem_id": ("stem", "stemtag", "stemid", "stemno", "分株号", "萌条号"),
    "species": ("sp", "spcode", "speciescode", "spp", "树种", "树种代码", "树种名称"),
    "status": ("tally_code", "检尺类型", "状态", "treestatus"),
    "dbh_cm": ("dbh", "diameter", "胸径"),
    "height_m": ("height", "ht", "树高"),
    "pom_m": ("hom", "pom", "测量高"),
    "date": (
        "measured_on",
        "exactdate",
        "datemeasured",
        "measuredate",
        "surveydate",
        "调查日期",
        "日期",
        "调查时间",
    ),
    "year": ("surveyyear", "censusyear", "measyear", "年份", "年度", "调查年份", "调查年度"),
    "census": ("censusid", "censusno", "cycle", "调查期", "期次"),
    "x_m": ("x", "横坐标", "lx", "px", "gx"),
    "y_m": ("y", "纵坐标", "ly", "py", "gy"),
    "codes": ("特征代码",),
    "verified": ("复核",),
    "thinned": ("间伐",),
    "area_ha": ("area", "面积", "样地面积"),
    "lat": ("latitude", "design_lat", "plan_lat", "纬度"),
    "lon": ("longitude", "lng", "design_lon", "plan_lon", "经度"),
    "fix_lat": ("gps_lat", "measured_lat", "实测纬度"),
    "fix_lon": ("gps_lon", "measured_lon", "实测经度"),
    "accuracy_m": ("accuracy", "gps_accuracy", "精度"),
    "altitude_m": ("altitude", "海拔"),
    "started_at": ("start", "start_time", "开始时间"),
    "ended_at": ("end", "end_time", "结束时间"),
    "entered_at": ("entry_time", "录入时间"),
    "photo": ("file", "filename", "照片"),
    "taken_at": ("DateTimeOriginal", "拍摄时间"),
    "crew": ("调查队", "班组", "调查员"),
}
"""Our names and what else such columns are called, the surest first."""

UNITS: dict[str, dict[str, float]] = {
    "dbh_cm": {"cm": 1.0, "mm": 0.1, "m": 100.0, "in": 2.54, "inch": 2.54, "厘米": 1.0, "公分": 1.0, "毫米": 0.1},
    "height_m": {"m": 1.0, "cm": 0.01, "dm": 0.1, "ft": 0.3048, "feet": 0.3048, "米": 1.0, "厘米": 0.01},
    "pom_m": {"m": 1.0, "cm": 0.01, "米": 1.0, "厘米": 0.01},
    "x_m": {"m": 1.0, "米": 1.0},
    "y_m": {"m": 1.0, "米": 1.0},
    "area_ha": {"ha": 1.0, "m2": 0.0001, "m²": 0.0001, "公顷": 1.0, "亩": 1 / 15, "平方米": 0.0001},
}  # fmt: skip
"""What a number under such a heading is multiplied with to be in our unit."""


class Column(NamedTuple):
    """A column that we know: its place in a row, what a number in it is multiplied with, whether its heading names
    the unit."""

    at: int
    factor: float
    has_unit: bool


def columns_of(headings: Sequence[str]) -> dict[str, Column]:
    """Our columns by our names. Where two headings mean one column the surer one counts ("tag" before "treeID"), of
    equals the first ("sp" before "Species", an epithet). A heading that nobody knows has its own plain name."""
    found: dict[str, tuple[int, Column]] = {}
    for at, heading in enumerate(headings):
        name, sureness, factor, has_unit = _understood(_plain(heading))
        if name and (name not in found or sureness < found[name][0]):
            found[name] = (sureness, Column(at, factor, has_unit))
    return {name: column for name, (_, column) in found.items()}


def _understood(plain: str) -> tuple[str, int, float, bool]:
    known = _KNOWN.get(plain)
    return known if known is not None else (plain, 0, 1.0, False)


def _plain(text: str) -> str:
    return re.sub(r"[\s()（）\[\]_.:：/·-]", "", text).casefold()


def _known() -> dict[str, tuple[str, int, float, bool]]:
    known: dict[str, tuple[str, int, float, bool]] = {}
    for name, others in HEADINGS.items():
        for place, other in enumerate((name, *others)):
            sureness = 0 if name == "species" else place
            for unit, factor in UNITS.get(name, {}).items():
                known.setdefault(_plain(other) + unit, (name, sureness, factor, True))
    for name, others in HEADINGS.items():
        for place, other in enumerate((name, *others)):
            known[_plain(other)] = (
                name,
                0 if name == "species" else place,
                1.0,
                place == 0 and name in UNITS,
            )
    return known


_KNOWN = _known()
