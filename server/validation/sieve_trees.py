"""Which trees a rule about single trees could speak about, found for a million at once as columns.

A condition here is wider than its rule, never narrower. Loads polars: import it only where a whole census is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

import polars as pl

from server.forest.species import SpeciesInfo
from server.forest.tree import TallyCode
from server.validation.bands import SIZE_CLASSES_CM
from server.validation.growth import FITS_STEPS
from server.validation.parameters.limits import Limits
from server.validation.reference import Reference
from server.validation.scene import ALIVE, GONE

ROOM = 1e-9
"""Sums and roots in another order differ in the last digit: a condition is this much wider than its rule."""
LIVING = [int(code) for code in ALIVE]
_GONE = [int(code) for code in GONE]

_BAND, _LARGEST = ("rate", "up", "down"), ("most_cm", "most_m")
_SIZES = len(SIZE_CLASSES_CM) + 1
_LAST = ("species", "tally_code", "alive", "dbh_cm", "pom_m", "x_m", "y_m", "height_m")


class Beside(NamedTuple):
    """What visits are judged beside: the thresholds, accepted trees, the species list."""

    limits: Limits
    reference: Reference | None
    species: Mapping[str, SpeciesInfo] | None


def _c(name: str) -> pl.Expr:
    return pl.col(name)


def keyed(trees: pl.DataFrame) -> pl.DataFrame:
    """The trees with a number of their tag and stem, `key`, which is compared faster than words; and `alive`."""
    words = _c("tag") + "\x1f" + _c("stem_id")
    return trees.with_columns(
        key=words.cast(pl.Categorical).to_physical().cast(pl.Int64),
        alive=_c("tally_code").is_in(LIVING).fill_null(value=False),
    )


def pair(visit: str, keys: int) -> pl.Expr:
    """One number of a visit and a key below `keys`."""
    return _c(visit) * keys + _c("key")


def number_of_keys(trees: pl.DataFrame) -> int:
    """Every key is below it."""
    return int(trees.get_column("key").max() or 0) + 1  # type: ignore[arg-type]


def doubled(trees: pl.DataFrame) -> list[int]:
    """Visits in which a tag and stem stand twice."""
    pairs = trees.select("visit", pair=pair("visit", number_of_keys(trees)))
    if pairs.get_column("pair").n_unique() == pairs.height:
        return []
    return pairs.filter(_c("pair").is_duplicated()).get_column("visit").unique().to_list()


def paired(trees: pl.DataFrame, visits: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    """Trees (`keyed`) of the visits to look at, each beside the tree of the same tag and stem of the visit before
    (`last_`): is it `here`, did it live both times and was measured (`grown`), which `place` it has among such."""
    keys = number_of_keys(trees)
    last = trees.join(visits.select(visit="before"), on="visit", how="semi").select(
        pair("visit", keys).alias("pair"), *(_c(name).alias(f"last_{name}") for name in _LAST),
        here=pl.lit(value=True),
    )  # fmt: skip
    if last.get_column("pair").n_unique() != last.height:
        last = last.unique("pair", keep="first")
    rows = trees.drop("verified", "codes", "dbh_text").join(visits, on="visit", maintain_order="left")
    rows = rows.with_columns(pair=pair("before", keys)).join(
        last, on="pair", how="left", maintain_order="left"
    )
    rows = rows.with_columns(
        here=_c("here").fill_null(value=False), last_alive=_c("last_alive").fill_null(value=False),
        sized=(_c("alive") & (_c("dbh_cm") > 0)).fill_null(value=False),
    )  # fmt: skip
    grown = (_c("sized") & _c("last_alive") & (_c("last_dbh_cm") > 0)).fill_null(value=False)
    return _with_bands(rows.with_columns(grown=grown, place=grown.cum_sum()), beside)


def _with_bands(rows: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    """Growth and largest size of each row's species, as accepted trees say: rate, up, down, most_cm, most_m."""
    reference = beside.reference
    if reference is None:
        return rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in (*_BAND, *_LARGEST))
    numbers = rows.get_column("species").cast(pl.Categorical).to_physical().alias("number")
    species = dict(rows.select("species", numbers).unique().select("number", "species").iter_rows())
    names = [species.get(number, "") for number in range(max(species, default=-1) + 1)]
    bands = [_band(reference, beside, name, size) for name in names for size in range(_SIZES)]
    largest = [_largest(reference, beside, name) for name in names]
    size = sum(
        ((_c("last_dbh_cm") >= bound).cast(pl.UInt32) for bound in SIZE_CLASSES_CM), pl.lit(0, pl.UInt32)
    )
    return rows.with_columns(
        *_looked_up(_BAND, bands, pl.lit(numbers) * _SIZES + size),
        *_looked_up(_LARGEST, largest, pl.lit(numbers)),
    )


def _looked_up(
    names: Sequence[str], table: Sequence[Sequence[float | None]], at: pl.Expr
) -> Iterator[pl.Expr]:
    """Columns of these names: of a table, the row that each tree's number says."""
    for place, name in enumerate(names):
        yield pl.lit(pl.Series([row[place] for row in table], dtype=pl.Float64)).gather(at).alias(name)


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


def tape_cm(limits: Limits) -> pl.Expr:
    """What two tapes differ by at the last diameter, as a standard deviation, cm."""
    return sqrt(2) * (limits.x01_sigma_slope * _c("last_dbh_cm") + limits.x01_sigma_cm)


def _out_of_bounds(limits: Limits) -> pl.Expr:
    """Outside `screen.bounds_cm`; true where no band is known."""
    last, years = _c("last_dbh_cm"), _c("years")
    noise = tape_cm(limits) ** 2
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


def of_trees(beside: Beside) -> dict[str, pl.Expr]:
    """Looks that speak of single trees: true at a row of which they could."""
    limits = beside.limits
    dbh, height, pom = _c("dbh_cm"), _c("height_m"), _c("pom_m")
    last_m = _c("last_height_m")
    alive, here, tally, last_tally = _c("alive"), _c("here"), _c("tally_code"), _c("last_tally_code")
    ratio = height / dbh
    odd_ratio = (dbh >= limits.h02_min_dbh_cm) & ~ratio.is_between(
        limits.h02_min + ROOM, limits.h02_max - ROOM
    )
    outside = pl.when(_c("radius_m").is_not_null()).then(
        (_c("x_m") ** 2 + _c("y_m") ** 2).sqrt() - _c("radius_m")
    ).otherwise(pl.max_horizontal(-_c("x_m"), _c("x_m") - _c("side_m"), -_c("y_m"), _c("y_m") - _c("side_m"))
                * 2**0.5)  # fmt: skip
    moved = (_c("x_m") - _c("last_x_m")) ** 2 + (
        _c("y_m") - _c("last_y_m")
    ) ** 2 > limits.x13_shift_m**2 - ROOM
    unlisted = (
        ~_c("species").is_in(list(beside.species)) if beside.species is not None else pl.lit(value=False)
    )
    pom_differs = (pom != 0) & (_c("last_pom_m") != 0) & (pom != _c("last_pom_m"))
    newcomer = limits.t02_min_cm + limits.x10_growth_cm_yr * _c("years") + limits.x10_slack_cm
    fate = (
        (alive & last_tally.is_in(_GONE)) | (tally.is_null() & _c("last_alive"))
        | (~alive & tally.is_not_null() & ((dbh - _c("last_dbh_cm")).abs() > limits.t12_tolerance_cm - ROOM))
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
        "height_change_flags": here & _c("alive") & _c("last_alive") & (height != 0) & (last_m != 0)
        & ~height.is_between(
            last_m - pl.max_horizontal(limits.h05_repeat_m, limits.h05_repeat_share * last_m) + ROOM,
            last_m + limits.h05_growth_m_yr * _c("years") + limits.h05_repeat_m - ROOM,
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
        & ((pom - _c("last_pom_m")).abs() > limits.x14_use_share * _c("last_pom_m") - ROOM),
    }  # fmt: skip


def _curved(beside: Beside, limits: Limits) -> pl.Expr:
    """A height where a curve is known. Heights are few: the rule itself measures how far it lies off."""
    if beside.reference is None or not beside.reference.heights:
        return pl.lit(value=False)
    return _c("sized") & (_c("height_m") > 0) & (_c("dbh_cm") >= limits.h02_min_dbh_cm)


def near(rows: pl.DataFrame, odd: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Trees (visit, key, grown, place) that one of these odd trees may have been exchanged with, each within reach of
    the other's diameter: as `Expectations.near`, whatever a tree's own rate was."""
    last, years, steps, share = _c("last_dbh_cm"), _c("years"), FITS_STEPS, limits.x03_own_share
    usual = pl.max_horizontal(_c("rate"), 0.0)
    released = pl.when(_c("thinned")).then(limits.x04_thinned_factor).otherwise(1.0)
    most = usual + share * 3 * _c("up") + steps * _c("up") * released
    least = (1 - share) * usual - steps * _c("down")
    tape = steps * tape_cm(limits) + pl.when(
        _c("pom_m").eq_missing(_c("last_pom_m"))
    ).then(0.0).otherwise(steps * limits.x14_taper_share * last) + ROOM  # fmt: skip
    reach = rows.lazy().filter("grown").select(
        "visit", "key", "grown", "place", "dbh_cm", low=last + least * years - tape, high=last + most * years + tape
    )  # fmt: skip
    asked = reach.join(odd.lazy(), on=["visit", "key"], how="semi")
    mine = asked.select("visit", my_cm="dbh_cm", my_low="low", my_high="high")
    fits = _c("my_cm").is_between("low", "high") & _c("dbh_cm").is_between("my_low", "my_high")
    return reach.join(mine, on="visit").filter(fits).select("visit", "key", "grown", "place").collect()
