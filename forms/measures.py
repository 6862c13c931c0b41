"""The vocabulary that ties a question to the forest: `bind::yd:measure = "tree.dbh_cm"`.

A form may call its questions what it likes, in any language; what makes the answer of a question a diameter
is this one word beside it. The word is also the column in the store, the key in the JSON and the heading of
the exported table. Nothing here checks values: that is the work of `server.validation`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

NAMESPACE = "https://yangdi.example/xforms/measure"
"""XML namespace of the `yd:measure` attribute on an XForm bind. An identifier, nothing is fetched from it."""


class Kind(StrEnum):
    """What kind of value a measure takes."""

    TEXT = "text"
    CODE = "code"  # a value of a select_one
    CODES = "codes"  # values of a select_multiple, separated by spaces
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"  # ISO 8601 day
    MOMENT = "moment"  # ISO 8601 with offset
    POSITION = "position"  # "lat lon alt accuracy", degrees WGS 84, metres
    FILE = "file"


class Measure(NamedTuple):
    """One word of the vocabulary. `unit` is empty for what has none."""

    key: str
    kind: Kind
    unit: str
    zh: str
    en: str

    @property
    def group(self) -> str:
        """What it is said about: plot, visit, corner, tree or thinning."""
        return self.key.partition(".")[0]

    @property
    def field(self) -> str:
        """The column: the part after the dot."""
        return self.key.partition(".")[2]


_T, _C, _S, _I, _D, _DAY, _AT, _P, _F = (
    Kind.TEXT, Kind.CODE, Kind.CODES, Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.MOMENT, Kind.POSITION,
    Kind.FILE,
)  # fmt: skip

MEASURES: dict[str, Measure] = {
    m.key: m
    for m in (
        # the visit: one crew at one plot in one census
        Measure("visit.kind", _C, "", "调查类别（visit、audit、rework）", "kind (visit, audit, rework)"),
        Measure("visit.audit_kind", _C, "", "抽查原因（random、flagged）", "why audited (random, flagged)"),
        Measure("visit.rework_id", _T, "", "返工单号", "number of the rework"),
        Measure("visit.census", _T, "", "调查期", "census"),
        Measure("visit.crew", _T, "", "调查队", "crew"),
        Measure("visit.surveyor", _T, "", "调查员", "surveyor"),
        Measure("visit.measured_on", _DAY, "", "调查日期", "day of the measurements"),
        Measure("visit.started_at", _AT, "", "开始时间", "start"),
        Measure("visit.ended_at", _AT, "", "结束时间", "end"),
        Measure("visit.position", _P, "", "样地位置（WGS 84）", "position of the plot (WGS 84)"),
        Measure("visit.mock_location", _C, "", "模拟定位（yes 或 no）", "position is mocked (yes or no)"),
        Measure("visit.photo", _F, "", "样地照片", "photo of the plot"),
        Measure("visit.disturbance", _S, "", "灾害", "disturbances"),
        Measure("visit.note", _T, "", "备注", "note"),
        # the plot's header: the codes of the national forest inventory
        Measure("plot.plot_id", _T, "", "样地号", "plot"),
        Measure("plot.land_type", _C, "", "地类", "land type"),
        Measure("plot.origin", _C, "", "起源", "origin of the stand"),
        Measure("plot.dominant_species", _C, "", "优势树种", "dominant species"),
        Measure("plot.age_group", _C, "", "龄组", "age group"),
        Measure("plot.mean_age", _I, "a", "平均年龄", "mean age"),
        Measure("plot.canopy_cover", _D, "", "郁闭度（0 到 1）", "canopy cover (0 to 1)"),
        Measure("plot.canopy_pct", _D, "%", "郁闭度（百分数）", "canopy cover in percent"),
        Measure("plot.elevation_m", _D, "m", "海拔", "elevation"),
        Measure("plot.slope_deg", _D, "°", "坡度", "slope"),
        Measure("plot.slope_pct", _D, "%", "坡度（百分数）", "slope in percent"),
        Measure("plot.aspect", _C, "", "坡向", "aspect"),
        Measure("plot.slope_position", _C, "", "坡位", "position on the slope"),
        Measure("plot.landform", _C, "", "地貌", "landform"),
        Measure("plot.soil_type", _C, "", "土壤类型", "soil type"),
        Measure("plot.soil_depth_cm", _D, "cm", "土层厚度", "depth of the soil"),
        Measure("plot.perimeter_m", _D, "m", "周长", "perimeter"),
        Measure("plot.closure_m", _D, "m", "闭合差", "misclosure of the boundary"),
        # corners of the boundary
        Measure("corner.number", _T, "", "角桩号", "corner"),
        Measure("corner.position", _P, "", "角桩位置", "position of the corner"),
        Measure("corner.photo", _F, "", "角桩照片", "photo of the corner"),
        # trees
        Measure("tree.tag", _T, "", "样木号", "tag"),
        Measure("tree.stem_id", _T, "", "分株号", "stem"),
        Measure("tree.species", _C, "", "树种", "species"),
        Measure("tree.tally_code", _C, "", "检尺类型", "tally code"),
        Measure("tree.dbh_cm", _D, "cm", "胸径", "diameter at breast height"),
        Measure("tree.height_m", _D, "m", "树高", "height"),
        Measure("tree.pom_m", _D, "m", "测量高", "point of measurement"),
        Measure("tree.azimuth_deg", _D, "°", "方位角", "azimuth from the plot centre"),
        Measure("tree.distance_m", _D, "m", "水平距", "horizontal distance from the plot centre"),
        Measure("tree.x_m", _D, "m", "横坐标", "x inside the plot"),
        Measure("tree.y_m", _D, "m", "纵坐标", "y inside the plot"),
        Measure("tree.crown_class", _C, "", "林层", "crown class"),
        Measure("tree.codes", _S, "", "特征代码", "condition codes"),
        Measure("tree.found", _C, "", "找到样木（yes 或 no）", "tree found (yes or no)"),
        Measure("tree.verified", _C, "", "复核", "value verified by the crew"),
        Measure("tree.photo", _F, "", "样木照片", "photo of the tape on the stem"),
        Measure("tree.note", _T, "", "样木备注", "note on the tree"),
        # thinnings
        Measure("thinning.parcel_id", _T, "", "小班号", "parcel"),
        Measure("thinning.plot_ids", _T, "", "涉及样地", "plots it touches"),
        Measure("thinning.felled_on", _DAY, "", "采伐日期", "day of felling"),
        Measure("thinning.method", _C, "", "间伐方式", "method"),
        Measure("thinning.area_ha", _D, "ha", "作业面积", "area"),
        Measure("thinning.trees_cut", _I, "", "采伐株数", "trees cut"),
        Measure("thinning.volume_m3", _D, "m³", "采伐蓄积", "volume cut"),
        Measure("thinning.intensity_pct", _D, "%", "采伐强度", "intensity"),
        Measure("thinning.permit", _T, "", "采伐许可证号", "felling permit"),
        Measure("thinning.photo", _F, "", "伐后照片", "photo after felling"),
        Measure("thinning.note", _T, "", "间伐备注", "note"),
    )
}

ONCE = frozenset({"plot", "visit", "thinning"})
"""Groups of which an instance tells one: it is one visit to one plot, or one thinning."""

BY_NAME: dict[str, str] = {
    **{
        m.field: m.key
        for m in reversed(MEASURES.values())
        if m.group != "thinning" and m.field not in {"note", "photo", "found"}
    },
    "start": "visit.started_at",
    "end": "visit.ended_at",
    "location": "visit.position",
    "remarks": "visit.note",
    "status": "tree.tally_code",
    "plot_photo": "visit.photo",
}
"""Question name -> measure, used only for a form that carries no `yd:measure` at all: a plain form whose
questions already bear our names (`plot_id`, `tag`, `dbh_cm`) works as it is, and publishing says so."""
