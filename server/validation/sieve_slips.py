"""Which unusual diameters a slip may explain, found for a million at once as columns: `growth._may_be_slip`, never
narrower. Loads polars: import it only where a whole census is looked at.
"""

from __future__ import annotations

from math import pi, sqrt

import polars as pl

from server.validation.expected import FAR, FAR_RATE, SHAPE_DOWN, SHAPE_UP, STANDING_STILL, student
from server.validation.hypotheses import OTHER, OTHER_RANGE, OTHER_SPREAD, meant_by
from server.validation.parameters.limits import Limits
from server.validation.sieve_trees import ROOM, tape_cm


def may_be_slips(rows: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Those of the grown trees (columns of `sieve_trees.paired`) that a slip explains well enough to look closer."""
    unusual = (
        rows.lazy()
        .filter("grown", ~_is_usual(limits))
        .with_row_index("at")
        .with_columns(_expected(limits))
        .collect()
    )
    weights = _meant(unusual.get_column("dbh_cm").unique().to_list())
    asked = unusual.lazy().select("at", *_EXPECTED)
    near = unusual.lazy().select("at", "dbh_cm", *_near()).join(weights.lazy(), on="dbh_cm").filter(
        _c("meant_cm").is_between(_c("low"), _c("high"))
    ).select("at", "meant_cm", "share")  # fmt: skip
    slips = near.join(asked, on="at").group_by("at").agg(slip=(_c("share") * _density(_c("meant_cm"))).sum())
    far = weights.lazy().group_by("dbh_cm").agg(all_shares=_c("share").sum())
    prior, enough = limits.x03_prior_error, limits.x03_screen_score
    slip = prior * (_c("slip").fill_null(0.0) + _c("all_shares") * _far_density() + _otherwise()) * (1 + ROOM)
    return (
        unusual.lazy()
        .join(far, on="dbh_cm")
        .join(slips, on="at", how="left")
        .filter(slip >= enough * (slip + (1 - prior) * _density(_c("dbh_cm"))))
        .select(rows.columns)
        .collect()
    )


def _c(name: str) -> pl.Expr:
    return pl.col(name)


def _grown_cm() -> pl.Expr:
    return _c("last_dbh_cm") + pl.max_horizontal(_c("rate"), 0.0) * _c("years")


def _is_usual(limits: Limits) -> pl.Expr:
    """`screen.is_usual`, never wider; true where no band is known, since then the whole visit is looked at."""
    away = _c("dbh_cm") - _grown_cm()
    side = pl.when(away > 0).then(_c("up")).otherwise(_c("down")) * _c("years")
    usual = away * away <= limits.x03_screen_steps**2 * (side * side + tape_cm(limits) ** 2) * (1 - ROOM)
    return usual | _c("rate").is_null()


_EXPECTED = ("cm", "above", "below", "last_dbh_cm", "tape")


def _expected(limits: Limits) -> list[pl.Expr]:
    """`expected.after` for a tree that goes on as its kind: the likeliest value and the widths on both sides, cm."""
    released = pl.when(_c("thinned")).then(limits.x04_thinned_factor).otherwise(1.0)
    up, down, tape = _c("up") * _c("years") * released, _c("down") * _c("years"), tape_cm(limits)
    return [
        _grown_cm().alias("cm"), tape.alias("tape"),
        (SHAPE_UP * (up * up + tape * tape).sqrt()).alias("above"),
        (SHAPE_DOWN * (down * down + tape * tape).sqrt()).alias("below"),
    ]  # fmt: skip


def _density(dbh_cm: pl.Expr) -> pl.Expr:
    """`Expected.densities`, per cm."""
    is_above = dbh_cm > _c("cm")
    width = pl.when(is_above).then(_c("above")).otherwise(_c("below"))
    away = (dbh_cm - _c("cm")).abs() / width
    still = STANDING_STILL * _student((dbh_cm - _c("last_dbh_cm")).abs() / _c("tape")) / _c("tape")
    return _student(away) / width + pl.when(is_above).then(0.0).otherwise(still)


def _near() -> list[pl.Expr]:
    """Bounds of `FAR` widths around where the tree should be and was, cm: few values that may be meant lie between."""
    cm, last, still = _c("cm"), _c("last_dbh_cm"), FAR * _c("tape")
    return [
        pl.min_horizontal(cm - FAR * _c("below"), last - still).alias("low"),
        pl.max_horizontal(cm + FAR * _c("above"), last + still).alias("high"),
    ]


def _far_density() -> pl.Expr:
    """What `_density` nowhere exceeds but near."""
    return student(FAR) * (1 / pl.min_horizontal("above", "below") + STANDING_STILL / _c("tape"))


def _student(away: pl.Expr) -> pl.Expr:
    """`expected.student`."""
    thin = 1 + 0.25 * away * away
    far = student(FAR) * ((FAR - away) * FAR_RATE).exp()
    return pl.when(away > FAR).then(far).otherwise(0.375 / (thin * thin * thin.sqrt()))


def _otherwise() -> pl.Expr:
    """`hypotheses.otherwise`, per cm."""
    steps = (_c("dbh_cm") / _c("cm")).log() / OTHER_SPREAD
    near = (-0.5 * steps * steps).exp() / (OTHER_SPREAD * sqrt(2 * pi))
    return (1 / OTHER_RANGE + near) * (OTHER / 2) / _c("dbh_cm")


def _meant(dbhs_cm: list[float]) -> pl.DataFrame:
    """`hypotheses.meant_by` of some diameters, each with a row for every value that may have been meant."""
    may_be = [meant_by(dbh_cm) for dbh_cm in dbhs_cm]
    meant_cm = pl.Series([list(one.meant_cm) for one in may_be], dtype=pl.List(pl.Float64))
    share = pl.Series([list(one.shares) for one in may_be], dtype=pl.List(pl.Float64))
    every = pl.select(dbh_cm=pl.Series(dbhs_cm, dtype=pl.Float64), meant_cm=meant_cm, share=share)
    return every.explode("meant_cm", "share")
