"""Which rules could speak about which visits, found for thousands of visits at once.

Conditions here are necessary ones: wherever a rule raises a flag its condition holds, so the rules themselves need look
only where it does, and say the same as if they had looked everywhere. Most visits are asked for the sake of one odd
tree: of these only that tree and those it may have been exchanged with are handed out (`Sieved.rows`), with what is
known of the others as numbers (`Crowd`). Loads polars: import it only where a whole census is looked at.
"""

from __future__ import annotations

from math import pi
from typing import NamedTuple

import polars as pl

from server.forest.tree import TallyCode
from server.validation import catalogue
from server.validation.parameters.limits import Limits
from server.validation.scene import GONE, WHOLE_CM, Crowd
from server.validation.sieve_slips import may_be_slips
from server.validation.sieve_trees import ROOM, Beside, doubled, keyed, near, of_trees, paired
from server.validation.slips import LEAST_SPREAD, LOOKED_AT
from server.validation.stats import MAD_TO_SD

__all__ = ["STAND", "VISITS", "Asked", "Beside", "Sieved", "keyed", "speakers"]

_DEATHS = [int(code) for code in GONE if code != TallyCode.OVER_COUNTED]
_CUT = [int(TallyCode.CUT), int(TallyCode.CUT_OTHER)]

VISITS = {
    "visit": pl.Int64, "before": pl.Int64, "years": pl.Float64, "has_earlier": pl.Boolean, "has_older": pl.Boolean,
    "thinned": pl.Boolean, "side_m": pl.Float64, "radius_m": pl.Float64, "area_ha": pl.Float64,
}  # fmt: skip
"""Columns of a table of visits to look at: the visit before (null: none), years between the two (never null),
whether there are visits before that one, and whether the first of those is dated and earlier."""

STAND = "stand_flags"
"""What `places.flags_of_stand` says of the trees together, as one more look."""
LOOKS = (*(look.__name__ for look in catalogue.LOOKS), STAND)
OF_ONE_TREE = frozenset({
    "diameter_flags", "size_flags", "position_flags", "pom_flags", "height_flags", "curve_flags", "growth_flags",
    "outlier_flags", "height_change_flags", "fate_flags", "newcomer_flags",
    "pom_change_flags",
})  # fmt: skip
"""Looks that say the same of a tree whoever else is in the scene, its `Crowd` apart."""


class Asked(NamedTuple):
    """Names of the looks that could raise a flag about a visit. With a `crowd` they need only the trees that
    `Sieved.rows` names, without one the whole visit."""

    looks: frozenset[str]
    crowd: Crowd | None


class Sieved(NamedTuple):
    """Who could speak about which visit, one without any left out. `rows` (visit, key) are the trees that are needed
    of a visit with a crowd, and of those before it."""

    asked: dict[int, Asked]
    rows: pl.DataFrame


def speakers(trees: pl.DataFrame, visits: pl.DataFrame, beside: Beside) -> Sieved:
    """Who could speak about these visits. `trees` as `keyed` says, each visit's together and in the crew's order."""
    limits = beside.limits
    rows = paired(trees, visits, beside)
    wide = _by_visit(rows, trees, visits, limits)
    odd = {name: _odd(rows, name, some) for name, some in of_trees(beside).items()}
    slipped = _odd(may_be_slips(rows, limits), "growth_flags", pl.lit(value=True))
    odd["growth_flags"] = pl.concat([odd["growth_flags"], slipped])
    odd["outlier_flags"] = _odd_newcomers(wide, rows, limits)
    twice = doubled(trees)
    every_look = wide.filter(_c("visit").is_in(twice) | _c("before").is_in(twice))
    could = {
        **odd, **{name: wide.filter(some) for name, some in _together(limits).items()}, "tag_flags": every_look,
        "numbering_flags": _odd_numbers(wide, rows, trees, limits), "stem_flags": _odd_stems(wide, rows, limits),
    }  # fmt: skip
    looks = pl.concat(
        _speaking(some, name) for name in LOOKS for some in (could.get(name, wide), every_look)
    ).unique()
    whole = pl.concat([
        looks.filter(~_c("look").is_in(list(OF_ONE_TREE))).select("visit"),
        wide.filter(_c("unknown") | (_c("missing") >= limits.t01_all_missing)).select("visit"),
    ])  # fmt: skip
    alone = pl.concat(odd.values()).join(whole, on="visit", how="anti")
    return _handed_out(looks, alone, rows, wide, limits)


def _handed_out(
    looks: pl.DataFrame, odd: pl.DataFrame, rows: pl.DataFrame, wide: pl.DataFrame, limits: Limits
) -> Sieved:
    """`odd` are the trees that are asked about where other trees of the visit need not be."""
    others = near(rows, odd.filter(_c("look") == "growth_flags"), limits)
    needed = pl.concat([odd.select(others.columns), others]).unique()
    crowds = _crowds(needed, odd, rows, wide)
    asked = {
        visit: Asked(frozenset(names), crowds.get(visit))
        for visit, names in looks.group_by("visit").agg("look").iter_rows()
    }
    return Sieved(asked, needed.select("visit", "key"))


def _crowds(
    needed: pl.DataFrame, odd: pl.DataFrame, rows: pl.DataFrame, wide: pl.DataFrame
) -> dict[int, Crowd]:
    """What is known of all trees, by visit, of visits from which only some trees are handed out."""
    grows_oddly = odd.lazy().filter(_c("look") == "growth_flags")
    asked = grows_oddly.group_by("visit").agg(_c("place").alias("asked"))
    places = needed.lazy().filter("grown").group_by("visit").agg(_c("place").sort())
    sized = rows.lazy().filter("sized").select("visit", "species", "dbh_cm")
    by_species = sized.join(needed.lazy(), on="visit", how="semi").group_by("visit", "species").agg("dbh_cm")
    sizes: dict[int, dict[str, list[float]]] = {}
    for visit, species, dbhs in by_species.collect().iter_rows():
        sizes.setdefault(visit, {})[species] = dbhs
    counts = (
        wide.lazy().select("visit", "grown_rows", "whole_rows").join(needed.lazy(), on="visit", how="semi")
    )
    table = counts.join(places, on="visit", how="left").join(asked, on="visit", how="left").collect()
    return {
        visit: Crowd(all_grown, whole, at or (), odd_at or (), sizes.get(visit, {}))
        for visit, all_grown, whole, at, odd_at in table.iter_rows()
    }


def _c(name: str) -> pl.Expr:
    return pl.col(name)


def _odd(rows: pl.DataFrame, look: str, condition: pl.Expr) -> pl.DataFrame:
    """Trees of which a look could speak: visit, key, grown, place, dbh_cm, look."""
    odd = rows.lazy().filter(condition).select("visit", "key", "grown", "place", "dbh_cm")
    return odd.with_columns(look=pl.lit(look)).collect()


def _speaking(visits: pl.DataFrame, look: str) -> pl.DataFrame:
    return visits.select("visit", look=pl.lit(look))


def _by_visit(rows: pl.DataFrame, trees: pl.DataFrame, visits: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Counts over the trees of each visit."""
    dbh, height, tally, new = _c("dbh_cm"), _c("height_m"), _c("tally_code"), ~_c("here")
    tenths, wood_m2 = dbh * 10, pi / 4 * (dbh / 100) ** 2
    off_grid = (tenths - tenths.round()).abs()
    sized, grown = _c("sized"), _c("grown")
    counted = {
        "blank": (_c("tag") == "").any(), "new": new.any(),
        "stems_differ": (_c("stem_id") != _c("stem_id").first()).any(),
        "alive_rows": _c("alive").sum(), "sized_rows": sized.sum(), "grown_rows": grown.sum(),
        "whole_rows": (grown & ((dbh - dbh.round()).abs() < WHOLE_CM)).sum(),
        "unknown": (grown & _c("rate").is_null()).any(), "missing": (_c("alive") & dbh.is_null()).sum(),
        "thrice": (grown & (dbh >= 2 * _c("last_dbh_cm") - ROOM)).sum(),
        "fine": (sized & (off_grid > 1e-7)).sum(),
        "coarse": (sized & ((tenths.round() % 5 == 0) | (off_grid > 0.4))).sum(),
        "same": (grown & (dbh == _c("last_dbh_cm"))).sum(), "matched_alive": _c("last_alive").sum(),
        "dbh_errors": (tally == int(TallyCode.DBH_ERROR)).sum(),
        "miscounted": tally.is_in([int(TallyCode.MISSED), int(TallyCode.OVER_COUNTED)]).sum(),
        "died": (tally.is_in(_DEATHS) & _c("last_alive")).sum(),
        "recruits": (new & tally.is_in([int(TallyCode.ALIVE), int(TallyCode.INGROWTH)])).sum(),
        "cut": tally.is_in(_CUT).any(),
        "wood_m2": wood_m2.filter(sized).sum(), "largest_m2": wood_m2.filter(sized).max(),
        "stems": (sized & (dbh >= 5 - ROOM)).sum(), "mean_cm": dbh.filter(sized).mean(),
        "measured": (sized & (height != 0)).sum(), "shaped": (sized & height.is_not_null()).sum(),
        "slender": (sized & (height / dbh < 1.5 * limits.h02_min + ROOM)).sum(),
        "tall": (_c("alive") & (height != 0)).sum(), "mean_m": height.filter(_c("alive") & (height != 0)).mean(),
        "elsewhere": _elsewhere().any(),
    }  # fmt: skip
    agg = rows.group_by("visit").agg(some.alias(name) for name, some in counted.items())
    known = trees.group_by(_c("visit").alias("before")).agg(lived=_c("alive").sum())
    return visits.join(agg, on="visit", how="left").join(known, on="before", how="left").with_columns(
        pl.col("blank", "new", "stems_differ", "unknown", "cut", "elsewhere").fill_null(value=False),
        pl.col("lived", "matched_alive").fill_null(0),
    )  # fmt: skip


def _together(limits: Limits) -> dict[str, pl.Expr]:
    """Looks that speak of a visit as a whole."""
    grown, sized, years = _c("grown_rows"), _c("sized_rows"), _c("years")
    lived = _c("lived")
    bound = pl.when(years >= limits.x06_long_years).then(limits.x06_share_long).otherwise(limits.x06_share)
    girths = (
        pl.when(grown > 0)
        .then((grown >= limits.t07_min_trees) & (_c("thrice") >= limits.t07_share * grown - ROOM))
        .otherwise(
            (_c("shaped") >= limits.t07_min_trees) & (_c("slender") >= limits.t07_share * _c("shaped") - ROOM)
        )
    )
    changed = limits.x15_min_changed
    chance = limits.t08_chance_z
    usual = limits.t08_coarse_share
    coarse = usual + chance * (usual * (1 - usual) / sized).sqrt()
    copied = bound + chance * (bound * (1 - bound) / grown).sqrt()
    return {
        STAND: _stand(limits),
        "vanished_flags": lived > _c("matched_alive"),
        "girth_flags": girths,
        "reading_flags": (sized >= limits.t08_min_trees)
        & ((_c("fine") > limits.t08_decimals_share * sized) | (_c("coarse") > coarse * sized - ROOM)),
        "copied_flags": (grown >= limits.x06_min_pairs) & (years >= limits.x06_min_years)
        & ((_c("same") > copied * grown - ROOM) | (_c("same") > limits.x06_share * grown - ROOM)
           | ((_c("same") >= limits.x06_least_same) & (_c("same") > limits.x06_least_share * grown - ROOM))),
        "code_flags": (_c("dbh_errors") >= limits.x11_min_trees) | (_c("miscounted") >= limits.x11_min_trees),
        "rate_flags": _c("before").is_not_null() & ~_c("thinned") & (lived >= limits.x15_min_trees)
        & ((_c("died") >= changed) | (_c("recruits") >= changed)),
        "thinning_flags": _c("cut") | _c("thinned"),
        "few_heights_flags": _c("measured") > 0,
    }  # fmt: skip


def _elsewhere() -> pl.Expr:
    """A living tree with a position that it did not have last time."""
    placed = _c("alive") & _c("x_m").is_not_null() & _c("y_m").is_not_null() & _c("dbh_cm").is_not_null()
    stood = _c("here") & (_c("x_m") == _c("last_x_m")) & (_c("y_m") == _c("last_y_m"))
    return placed & ~stood.fill_null(value=False)


def _stand(limits: Limits) -> pl.Expr:
    """Much wood or many stems on the area, trees of an odd mean size, or new positions."""
    area = _c("area_ha")
    mean_cm, mean_m = _c("mean_cm"), _c("mean_m")
    usual_cm = mean_cm.is_between(limits.p06_mean_dbh_least + ROOM, limits.p06_mean_dbh_most - ROOM)
    usual_m = mean_m.is_between(limits.p06_mean_height_least + ROOM, limits.p06_mean_height_most - ROOM)
    without_largest = _c("wood_m2") - _c("largest_m2")
    too_much = (without_largest > (limits.p06_ba_warn - ROOM) * area) | (
        _c("stems") > (limits.p06_stems_warn - ROOM) * area
    )
    odd_cm = (_c("sized_rows") >= limits.p06_min_trees) & ~usual_cm
    odd_m = (_c("tall") >= limits.p06_min_trees) & ~usual_m
    return _c("elsewhere") | (area > 0) & (too_much | odd_cm | odd_m)


def _odd_numbers(wide: pl.DataFrame, rows: pl.DataFrame, trees: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Of visits with a new tree: those with a blank tag, a new tag that is no number, or one far above the middle of
    all numbers."""
    gap = limits.t10_gap
    some = wide.filter(_c("new") | _c("blank"))
    here = rows.select("visit", "here", "tag").join(some.select("visit"), on="visit", how="semi")
    before = some.select("visit", "before").join(
        trees.select(_c("visit").alias("before"), "tag"), on="before"
    )
    both = pl.concat([here.select("visit", "tag"), before.select("visit", "tag")])
    number = _c("number")
    numbers = both.select("visit", number=_NUMBER).drop_nulls().group_by("visit").agg(
        middle=number.unique().sort().get(number.n_unique() // 2), tags=number.n_unique(),
        spread=number.max() - number.min(),
    )  # fmt: skip
    fresh = here.filter(~_c("here") & (_c("tag") != "")).with_columns(number=_NUMBER)
    in_plot = (_c("spread") > gap) & (_c("middle") <= limits.t10_per_plot_factor * _c("tags") + gap)
    jumps = fresh.join(numbers, on="visit").filter(in_plot & (number > _c("middle") + gap))
    # digits of other scripts, and more of them than a column holds, are numbers all the same
    strange = both.filter((_TAG.len_bytes() != _TAG.len_chars()) | (_TAG.len_bytes() > MOST_DIGITS))
    odd = (jumps, fresh.filter(_c("number").is_null()), strange, some.filter(_c("blank")))
    return pl.concat([one.select("visit") for one in odd])


MOST_DIGITS = 18
"""Numbers of so many digits fit into a column."""
_TAG = _c("tag").str
_NUMBER = (
    pl.when((_TAG.len_bytes() <= MOST_DIGITS) & ~_TAG.starts_with("-") & ~_TAG.starts_with("+"))
    .then(_c("tag").cast(pl.Int64, strict=False))
)  # fmt: skip


def _odd_newcomers(wide: pl.DataFrame, rows: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """New trees far from the middle of the plot's trees or of its species', or with a height."""
    some = wide.filter(_c("new") & (_c("sized_rows") > limits.t05_min_trees))
    sized = rows.lazy().filter("sized").join(some.lazy(), on="visit", how="semi")
    size = _c("dbh_cm").log()
    sizes = sized.select(
        "visit", "key", "grown", "place", "here", "species", "height_m", "dbh_cm", size=size
    ).collect()
    new = sizes.filter(~_c("here"))
    beyond = _c("height_m").is_not_null()
    for number, by in enumerate((["visit"], ["visit", "species"])):
        middle, spread = f"middle_{number}", f"spread_{number}"
        off = (_c("size") - _c("size").median()).abs().median()
        table = sizes.group_by(by).agg(_c("size").median().alias(middle), off.alias(spread))
        new = new.join(table, on=by)
        beyond |= (_c("size") - _c(middle)).abs() > (
            LOOKED_AT * pl.max_horizontal(MAD_TO_SD * _c(spread), LEAST_SPREAD) - 1e-6
        )
    return _odd(new, "outlier_flags", beyond)


def _odd_stems(wide: pl.DataFrame, rows: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Visits with a tag whose stems are of several species or stand apart."""
    here = rows.join(wide.filter("stems_differ"), on="visit", how="semi").filter(_c("tag") != "")
    tags = here.group_by("visit", "tag").agg(
        species=_c("species").filter(_c("species") != "").n_unique(),
        apart=(_c("x_m").max() - _c("x_m").min()) ** 2 + (_c("y_m").max() - _c("y_m").min()) ** 2,
    )
    return tags.filter((_c("species") > 1) | (_c("apart") > limits.t13_apart_m**2 - ROOM)).select("visit")
