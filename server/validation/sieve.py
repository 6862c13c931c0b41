"""Which rules could speak about which visits, found for thousands of visits at once.

Conditions here are necessary ones: wherever a rule raises a flag its condition holds, so the rules themselves need look
only where it does, and say the same as if they had looked everywhere. A rule without a condition here is asked
everywhere. Loads polars: import it only where a whole census is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import NamedTuple

import polars as pl

from server.forest.species import SpeciesInfo
from server.forest.tree import TallyCode
from server.validation import catalogue
from server.validation.bands import SIZE_CLASSES_CM
from server.validation.parameters.limits import Limits
from server.validation.reference import Reference
from server.validation.scene import ALIVE, GONE
from server.validation.slips import LEAST_SPREAD, LOOKED_AT
from server.validation.stats import MAD_TO_SD

ROOM = 1e-9
"""Sums and roots in another order differ in the last digit: a condition is this much wider than its rule."""
_ALIVE, _GONE = [int(code) for code in ALIVE], [int(code) for code in GONE]
_DEATHS = [code for code in _GONE if code != TallyCode.OVER_COUNTED]
_CUT = [int(TallyCode.CUT), int(TallyCode.CUT_OTHER)]

VISITS = {
    "visit": pl.Int64, "before": pl.Int64, "years": pl.Float64, "has_earlier": pl.Boolean, "has_older": pl.Boolean,
    "thinned": pl.Boolean, "side_m": pl.Float64, "radius_m": pl.Float64, "area_ha": pl.Float64,
}  # fmt: skip
"""Columns of a table of visits to look at: the visit before (null: none), years between the two (never null),
whether there are visits before that one, and whether the first of those is dated and earlier."""


_BANDS = {"species": pl.String, "size": pl.Int64, "rate": pl.Float64, "up": pl.Float64, "down": pl.Float64}
_SIZES = {"species": pl.String, "most_cm": pl.Float64, "most_m": pl.Float64}


STAND = "stand_flags"
"""What `places.flags_of_stand` says of the trees together, as one more look."""


class Beside(NamedTuple):
    """What visits are judged beside: the thresholds, accepted trees, the species list."""

    limits: Limits
    reference: Reference | None
    species: Mapping[str, SpeciesInfo] | None


def speakers(trees: pl.DataFrame, visits: pl.DataFrame, beside: Beside) -> dict[int, frozenset[str]]:
    """Names of the looks (`catalogue.looks`) that could raise a flag, by visit; a visit without any is left out."""
    rows = _paired(trees, visits, beside)
    by_visit = _by_visit(rows, trees, visits, beside)
    known = [name for name in by_visit.columns if name.endswith("_flags")]
    names = [*(look.__name__ for look in catalogue.LOOKS), STAND]
    always = frozenset(name for name in names if name not in known)
    found: dict[int, frozenset[str]] = {}
    everything = frozenset(names)
    for visit, doubled, *could in by_visit.select("visit", "doubled", *known).iter_rows():
        speaking = (
            everything if doubled else always.union(n for n, yes in zip(known, could, strict=True) if yes)
        )
        if speaking:
            found[visit] = speaking
    return found


def _c(name: str) -> pl.Expr:
    return pl.col(name)


def _paired(trees: pl.DataFrame, visits: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    """Rows of the visits to look at, each beside the row of the same tag and stem of the visit before (`last_`)."""
    key = (_c("tag") + "\x1f" + _c("stem_id")).alias("key")
    slim = trees.drop("verified", "dbh_text").with_columns(
        key, alive=_c("tally_code").is_in(_ALIVE).fill_null(value=False)
    )
    last = slim.select(
        _c("visit").alias("before"), "key", here=pl.lit(value=True), last_species=_c("species"),
        last_tally=_c("tally_code"), last_alive=_c("alive"), last_cm=_c("dbh_cm"), last_pom=_c("pom_m"),
        last_x=_c("x_m"), last_y=_c("y_m"), last_m=_c("height_m"),
    ).unique(["before", "key"], keep="first")  # fmt: skip
    rows = slim.join(visits, on="visit").join(last, on=["before", "key"], how="left", nulls_equal=False)
    rows = rows.with_columns(
        here=_c("here").fill_null(value=False), last_alive=_c("last_alive").fill_null(value=False),
        sized=(_c("alive") & (_c("dbh_cm") > 0)).fill_null(value=False),
    )  # fmt: skip
    rows = rows.with_columns(
        grown=(_c("sized") & _c("last_alive") & (_c("last_cm") > 0)).fill_null(value=False)
    )
    return _with_bands(rows, beside)


def _with_bands(rows: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    """Growth and largest size of each row's species, as accepted trees say: rate, up, down, most_cm, most_m."""
    reference = beside.reference
    if reference is None:
        nothing = {name: pl.lit(None, pl.Float64) for name in ("rate", "up", "down", "most_cm", "most_m")}
        return rows.with_columns(**nothing)
    size = sum(((_c("last_cm") >= bound).cast(pl.Int64) for bound in SIZE_CLASSES_CM), pl.lit(0))
    known = rows.get_column("species").unique().to_list()
    table = [
        (name, place, *_band(reference, beside, name, place))
        for name in known
        for place in range(len(SIZE_CLASSES_CM) + 1)
    ]
    bands = pl.DataFrame(table, _BANDS, orient="row")
    sizes = pl.DataFrame([(name, *_largest(reference, beside, name)) for name in known], _SIZES, orient="row")
    return (
        rows.with_columns(size=size)
        .join(bands, on=["species", "size"], how="left")
        .join(sizes, on="species", how="left")
    )


def _genus(beside: Beside, species: str) -> str:
    info = beside.species.get(species) if beside.species else None
    return info.genus if info else ""


def _band(reference: Reference, beside: Beside, species: str, place: int) -> tuple[float | None, ...]:
    middle = 0.0 if place == 0 else SIZE_CLASSES_CM[place - 1]
    found = reference.growth_of(species, _genus(beside, species), middle)
    return (found.rate_cm_yr, found.up_cm_yr, found.down_cm_yr) if found else (None, None, None)


def _largest(reference: Reference, beside: Beside, species: str) -> tuple[float | None, float | None]:
    limits, genus = beside.limits, _genus(beside, species)
    dbh_cm = reference.largest_dbh_cm(species, genus, limits.t04_min_trees)
    height_m = reference.largest_height_m(species, genus, limits.t04_min_trees)
    return (
        None if dbh_cm is None else limits.t04_factor * dbh_cm + limits.t04_margin_cm,
        None if height_m is None else limits.t04_factor * height_m + limits.t04_margin_m,
    )


def _out_of_bounds(limits: Limits) -> pl.Expr:
    """Outside `screen.bounds_cm`; true where no band is known."""
    last, years = _c("last_cm"), _c("years")
    tape = limits.x01_sigma_slope * last + limits.x01_sigma_cm
    noise = 2 * tape * tape
    share = pl.when(_c("has_older")).then(1 - limits.x03_own_share).otherwise(1.0)
    grown = last + pl.max_horizontal(_c("rate"), 0.0) * share * years
    up, down = _c("up") * years, _c("down") * years
    tolerance = pl.when(last < limits.x02_large_cm).then(limits.x02_tolerance_cm).otherwise(
        limits.x02_tolerance_share * last
    )  # fmt: skip
    low = pl.max_horizontal(
        grown - limits.x03_screen_down * (down * down + noise).sqrt(), last - limits.x02_factor * tolerance
    )
    high = grown + limits.x03_screen_up * (up * up + noise).sqrt()
    inside = (_c("dbh_cm") >= low + ROOM) & (_c("dbh_cm") <= high - ROOM)
    return _c("grown") & ~(inside & _c("rate").is_not_null()).fill_null(value=False)


def _of_trees(limits: Limits, beside: Beside) -> dict[str, pl.Expr]:
    """Looks that speak of single trees: true at a row of which they could."""
    dbh, height, pom = _c("dbh_cm"), _c("height_m"), _c("pom_m")
    alive, here, tally, last_tally = _c("alive"), _c("here"), _c("tally_code"), _c("last_tally")
    ratio = height / dbh
    odd_ratio = (dbh >= limits.h02_min_dbh_cm) & ~ratio.is_between(
        limits.h02_min + ROOM, limits.h02_max - ROOM
    )
    outside = pl.when(_c("radius_m").is_not_null()).then(
        (_c("x_m") ** 2 + _c("y_m") ** 2).sqrt() - _c("radius_m")
    ).otherwise(pl.max_horizontal(-_c("x_m"), _c("x_m") - _c("side_m"), -_c("y_m"), _c("y_m") - _c("side_m"))
                * 2**0.5)  # fmt: skip
    moved = (_c("x_m") - _c("last_x")) ** 2 + (_c("y_m") - _c("last_y")) ** 2 > limits.x13_shift_m**2 - ROOM
    unlisted = (
        ~_c("species").is_in(list(beside.species)) if beside.species is not None else pl.lit(value=False)
    )
    pom_differs = (pom != 0) & (_c("last_pom") != 0) & (pom != _c("last_pom"))
    newcomer = limits.t02_min_cm + limits.x10_growth_cm_yr * _c("years") + limits.x10_slack_cm
    fate = (
        (alive & last_tally.is_in(_GONE)) | (tally.is_null() & _c("last_alive"))
        | (~alive & tally.is_not_null() & ((dbh - _c("last_cm")).abs() > limits.t12_tolerance_cm - ROOM))
    )  # fmt: skip
    return {
        "diameter_flags": alive & (dbh.is_null() | (dbh < limits.t02_min_cm - limits.t02_slack_cm)
                                   | (dbh > limits.t03_max_cm) | (dbh <= 0)),
        "size_flags": _c("sized") & ((dbh > _c("most_cm")) | (height > _c("most_m"))),
        "species_flags": alive & ((_c("species") == "") | unlisted),
        "position_flags": outside >= limits.t14_warn_m - ROOM,
        "pom_flags": _c("sized") & (pom != limits.t15_usual_m) & (pom != 0)
        & (~here | (pom < 0) | (pom > limits.t15_most_m)),
        "height_flags": alive & ((height < limits.h01_min_m) | (height > limits.h01_warn_m) | odd_ratio),
        "growth_flags": _out_of_bounds(limits),
        "height_change_flags": here & _c("alive") & _c("last_alive") & (height != 0) & (_c("last_m") != 0)
        & ~height.is_between(
            _c("last_m") - pl.max_horizontal(limits.h05_repeat_m, limits.h05_repeat_share * _c("last_m")) + ROOM,
            _c("last_m") + limits.h05_growth_m_yr * _c("years") + limits.h05_repeat_m - ROOM,
        ),
        "curve_flags": _curved(beside, limits),
        "fate_flags": here & fate,
        "species_change_flags": here & (_c("species") != _c("last_species")) & (_c("species") != "")
        & (_c("last_species") != ""),
        "newcomer_flags": _c("before").is_not_null()
        & ((here & (tally == int(TallyCode.INGROWTH)))
           | (~here & (_c("has_earlier") | (alive & (dbh > newcomer - ROOM))))),
        "place_flags": here & moved,
        "pom_change_flags": _c("grown") & pom_differs
        & ((pom - _c("last_pom")).abs() > limits.x14_use_share * _c("last_pom") - ROOM),
    }  # fmt: skip


def _curved(beside: Beside, limits: Limits) -> pl.Expr:
    """A height where a curve is known. Heights are few: the rule itself measures how far it lies off."""
    if beside.reference is None or not beside.reference.heights:
        return pl.lit(value=False)
    return _c("sized") & (_c("height_m") > 0) & (_c("dbh_cm") >= limits.h02_min_dbh_cm)


def _by_visit(rows: pl.DataFrame, trees: pl.DataFrame, visits: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    limits = beside.limits
    of_trees = _of_trees(limits, beside)
    dbh, tally, new = _c("dbh_cm"), _c("tally_code"), ~_c("here")
    tenths = dbh * 10
    off_grid = (tenths - tenths.round()).abs()
    shape = _c("height_m") / dbh
    sized, grown = _c("sized"), _c("grown")
    counted = {
        "rows": pl.len(), "keys": _c("key").n_unique(), "tags": _c("tag").n_unique(), "blank": (_c("tag") == "").any(),
        "new": new.any(), "alive_rows": _c("alive").sum(), "sized_rows": sized.sum(), "grown_rows": grown.sum(),
        "thrice": (grown & (dbh >= 2 * _c("last_cm") - ROOM)).sum(),
        "shaped": (sized & _c("height_m").is_not_null()).sum(),
        "slender": (sized & (shape < 1.5 * limits.h02_min + ROOM)).sum(),
        "fine": (sized & (off_grid > 1e-7)).sum(),
        "coarse": (sized & ((tenths.round() % 5 == 0) | (off_grid > 0.4))).sum(),
        "measured": (sized & (_c("height_m") != 0)).sum(), "same": (grown & (dbh == _c("last_cm"))).sum(),
        "matched_alive": _c("last_alive").sum(),
        "matched": _c("here").sum(),
        "dbh_errors": (tally == int(TallyCode.DBH_ERROR)).sum(),
        "miscounted": tally.is_in([int(TallyCode.MISSED), int(TallyCode.OVER_COUNTED)]).sum(),
        "died": (tally.is_in(_DEATHS) & _c("last_alive")).sum(),
        "recruits": (new & tally.is_in([int(TallyCode.ALIVE), int(TallyCode.INGROWTH)])).sum(),
        "cut": tally.is_in(_CUT).any(),
        "wood_m2": (pi / 4 * (dbh / 100) ** 2).filter(sized).sum(), "stems": (sized & (dbh >= 5 - ROOM)).sum(),
        "mean_cm": dbh.filter(sized).mean(),
        "mean_m": _c("height_m").filter(_c("alive") & (_c("height_m") != 0)).mean(),
        "tall": (_c("alive") & (_c("height_m") != 0)).sum(), "elsewhere": _elsewhere().any(),
    }  # fmt: skip
    agg = rows.group_by("visit").agg(
        *(some.fill_null(value=False).any().alias(name) for name, some in of_trees.items()),
        *(some.alias(name) for name, some in counted.items()),
    )
    known = trees.group_by(_c("visit").alias("before")).agg(
        known_rows=pl.len(), known_keys=pl.struct("tag", "stem_id").n_unique(),
        lived=_c("tally_code").is_in(_ALIVE).sum(),
    )  # fmt: skip
    wide = visits.join(agg, on="visit", how="left").join(known, on="before", how="left")
    wide = wide.with_columns(*_whole(limits), *(_c(name).fill_null(value=False) for name in of_trees))
    return _narrowed(wide, rows, trees, limits)


def _whole(limits: Limits) -> list[pl.Expr]:
    """Looks that speak of a visit as a whole, and whether tags stand twice (`doubled`: every look is asked)."""
    grown, sized, years = _c("grown_rows"), _c("sized_rows"), _c("years")
    lived = _c("lived").fill_null(0)
    bound = pl.when(years >= limits.x06_long_years).then(limits.x06_share_long).otherwise(limits.x06_share)
    girths = (
        pl.when(grown > 0)
        .then((grown >= limits.t07_min_trees) & (_c("thrice") >= limits.t07_share * grown - ROOM))
        .otherwise(
            (_c("shaped") >= limits.t07_min_trees) & (_c("slender") >= limits.t07_share * _c("shaped") - ROOM)
        )
    )
    changed = limits.x15_min_changed
    conditions = {
        "doubled": (_c("rows") != _c("keys")) | (_c("known_rows") != _c("known_keys")),
        STAND: _stand(limits),
        "tag_flags": pl.lit(value=False),
        "numbering_flags": _c("blank") | _c("new"),
        "outlier_flags": _c("new") & (sized > limits.t05_min_trees),
        "vanished_flags": lived > _c("matched_alive").fill_null(0),
        "girth_flags": girths,
        "reading_flags": (sized >= limits.t08_min_trees)
        & ((_c("fine") > limits.t08_decimals_share * sized) | (_c("coarse") > limits.t08_coarse_share * sized - ROOM)),
        "copied_flags": (grown >= limits.x06_min_pairs) & (years >= limits.x06_min_years)
        & ((_c("same") > bound * grown - ROOM) | (_c("same") > limits.x06_share * grown - ROOM)),
        "code_flags": (_c("dbh_errors") >= limits.x11_min_trees) | (_c("miscounted") >= limits.x11_min_trees),
        "rate_flags": _c("before").is_not_null() & ~_c("thinned") & (lived >= limits.x15_min_trees)
        & ((_c("died") >= changed) | (_c("recruits") >= changed)),
        "thinning_flags": _c("cut") | _c("thinned"),
        "stem_flags": _c("tags") != _c("rows"),
        "few_heights_flags": _c("measured") > 0,
    }  # fmt: skip
    return [some.fill_null(value=False).alias(name) for name, some in conditions.items()]


def _elsewhere() -> pl.Expr:
    """A living tree with a position that it did not have last time."""
    placed = _c("alive") & _c("x_m").is_not_null() & _c("y_m").is_not_null() & _c("dbh_cm").is_not_null()
    stood = _c("here") & (_c("x_m") == _c("last_x")) & (_c("y_m") == _c("last_y"))
    return placed & ~stood.fill_null(value=False)


def _stand(limits: Limits) -> pl.Expr:
    """Much wood or many stems on the area, trees of an odd mean size, or new positions."""
    area = _c("area_ha")
    mean_cm, mean_m = _c("mean_cm"), _c("mean_m")
    usual_cm = mean_cm.is_between(limits.p06_mean_dbh_least + ROOM, limits.p06_mean_dbh_most - ROOM)
    usual_m = mean_m.is_between(limits.p06_mean_height_least + ROOM, limits.p06_mean_height_most - ROOM)
    too_much = (_c("wood_m2") > (limits.p06_ba_warn - ROOM) * area) | (
        _c("stems") > (limits.p06_stems_warn - ROOM) * area
    )
    odd_cm = (_c("sized_rows") >= limits.p06_min_trees) & ~usual_cm
    odd_m = (_c("tall") >= limits.p06_min_trees) & ~usual_m
    return _c("elsewhere") | (area > 0) & (too_much | odd_cm | odd_m)


def _narrowed(wide: pl.DataFrame, rows: pl.DataFrame, trees: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """New trees are in most visits, and stems in some: a second look at those alone."""
    for name, narrow in (
        ("numbering_flags", _odd_numbers), ("outlier_flags", _odd_newcomers), ("stem_flags", _odd_stems),
    ):  # fmt: skip
        some = wide.filter(_c(name)).select("visit", "before", "blank")
        if not some.is_empty():
            odd = narrow(some, rows, trees, limits).with_columns(odd=pl.lit(value=True)).unique("visit")
            wide = wide.join(odd.select("visit", "odd"), on="visit", how="left")
            wide = wide.with_columns((_c(name) & _c("odd").fill_null(value=False)).alias(name)).drop("odd")
    return wide


def _odd_numbers(some: pl.DataFrame, rows: pl.DataFrame, trees: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Visits with a blank tag, a new tag that is no number, or one far above the middle of all numbers."""
    number = _c("tag").str.extract(r"^([0-9]{1,18})$").cast(pl.Int64)
    here = rows.join(some.select("visit"), on="visit", how="semi").select(
        "visit", "here", "tag", number=number
    )
    before = some.join(trees.select(_c("visit").alias("before"), "tag"), on="before").select("visit", "tag")
    both = pl.concat([here.select("visit", "tag"), before])
    values = both.select("visit", number=number).drop_nulls().unique()
    middle = values.sort("number").group_by("visit", maintain_order=True).agg(
        middle=_c("number").get(pl.len() // 2), spread=_c("number").max() - _c("number").min(), numbers=pl.len()
    )  # fmt: skip
    fresh = here.filter(~_c("here") & (_c("tag") != "")).join(middle, on="visit", how="left")
    gap = limits.t10_gap
    in_plot = (_c("spread") > gap) & (_c("middle") <= limits.t10_per_plot_factor * _c("numbers") + gap)
    odd = fresh.filter(
        _c("number").is_null() | (in_plot & (_c("number") > _c("middle") + gap)).fill_null(value=True)
    )
    strange = both.filter(_c("tag").str.contains(r"[^\x00-\x7F]|[0-9]{19}"))  # numbers all the same
    return pl.concat([one.select("visit") for one in (odd, strange, some.filter(_c("blank")))])


def _odd_newcomers(
    some: pl.DataFrame, rows: pl.DataFrame, _trees: pl.DataFrame, _limits: Limits
) -> pl.DataFrame:
    """Visits with a new tree far from the middle of the plot's trees or of its species', or one with a height."""
    here = rows.filter(_c("sized")).join(some.select("visit"), on="visit", how="semi")
    here = here.select("visit", "here", "species", "height_m", size=_c("dbh_cm").log())

    def away(by: list[str]) -> pl.Expr:
        off = (_c("size") - _c("size").median().over(by)).abs()
        spread = pl.max_horizontal(MAD_TO_SD * off.median().over(by), LEAST_SPREAD)
        return off > LOOKED_AT * spread - 1e-6

    odd = away(["visit"]) | away(["visit", "species"]) | _c("height_m").is_not_null()
    return here.filter(odd & ~_c("here")).select("visit")


def _odd_stems(some: pl.DataFrame, rows: pl.DataFrame, _trees: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Visits with a tag whose stems are of several species or stand apart."""
    here = rows.join(some.select("visit"), on="visit", how="semi").filter(_c("tag") != "")
    tags = here.group_by("visit", "tag").agg(
        species=_c("species").filter(_c("species") != "").n_unique(),
        apart=(_c("x_m").max() - _c("x_m").min()) ** 2 + (_c("y_m").max() - _c("y_m").min()) ** 2,
    )
    return tags.filter((_c("species") > 1) | (_c("apart") > limits.t13_apart_m**2 - ROOM)).select("visit")
