"""A diameter against last time's (X01-X05, X13 exchanged values) and the slips that explain it (T05, T06).

A tree gets one flag at most from here: the one that explains most. How far it lies from what was expected decides
whether that is an error or a warn.
"""

from __future__ import annotations

from collections.abc import Iterator

from server.forest.tree import TallyCode
from server.validation.expected import Expectations, Judged, allowance_cm, pom_changed
from server.validation.flag import Fact, Flag, Severity
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.scene import Scene, shown
from server.validation.suggest import Slip, best_slip, ratio_slip


def growth_flags(scene: Scene) -> Iterator[Flag]:
    """Every tree that lived and was measured both times, against its own last diameter."""
    if not scene.grown:
        return
    odd = list(_odd(scene))
    for judged in odd:
        flag = _flag(scene, judged, odd)
        if flag is not None:
            yield flag


def _odd(scene: Scene) -> Iterator[Judged]:
    """Trees worth a closer look; nearly every tree is passed over by the first comparison."""
    limits, years = scene.limits, scene.years
    expectations = Expectations(scene)
    share, small = limits.x02_factor * limits.x02_tolerance_share, limits.x02_factor * limits.x02_tolerance_cm
    large_cm, ratio = limits.x02_large_cm, limits.x05_high
    for pair in scene.grown:
        dbh, last = pair.now.dbh_cm or 0.0, pair.before.dbh_cm or 0.0
        growth = expectations.growth(pair.now, last)
        allowed = small if last < large_cm else share * last
        # no wider than the narrowest `soft`: its rate is at least the kind's less what a tree's own history takes
        usual = last + (1 - limits.x03_own_share) * max(growth.rate_cm_yr, 0.0) * years
        if last - allowed <= dbh <= usual + limits.x03_steps * limits.t06_spread_cm_yr * years:
            continue
        judged = expectations.judged(pair, growth)
        if dbh < last - allowed or dbh > judged.soft or dbh > ratio * last:
            yield judged


def _flag(scene: Scene, judged: Judged, odd: list[Judged]) -> Flag | None:
    dbh = judged.dbh
    beyond = _questioned_from(scene, judged)
    if dbh < judged.low or dbh > beyond:
        return _gross(scene, judged, odd)
    if _odd_ratio(scene.limits, judged):
        slip = best_slip(dbh, judged.expected, _partners(judged, odd))
        return _raise(scene, "X05", judged, slip, ratio=f"{dbh / judged.last:.2f}")
    if dbh > judged.soft:
        return _fast(scene, judged, odd)
    if dbh < judged.last and not pom_changed(judged.pair, scene.limits.x14_use_share):
        return _raise(
            scene,
            "X02",
            judged,
            None,
            severity=Severity.INFO if judged.steps < scene.limits.x03_steps else None,
        )
    return None


def _questioned_from(scene: Scene, judged: Judged) -> float:
    """Growth beyond this is gross, cm: the cap of the species' group; a lower doubt where its group is not known
    and neither the plot nor accepted data say how trees grow here."""
    limits = scene.limits
    if judged.growth.trees or scene.info(judged.pair.now.species).group in limits.x04_cap_by_group:
        return judged.high
    excess = allowance_cm(scene, limits.x04_cap_cm_yr) - allowance_cm(scene, limits.x04_warn_cm_yr)
    return judged.high - max(excess, 0.0)


def _gross(scene: Scene, judged: Judged, odd: list[Judged]) -> Flag:
    slip = ratio_slip(judged.dbh, judged.expected)
    if slip is not None:
        return _raise(scene, "T05", judged, slip, severity=Severity.ERROR, case=slip.kind)
    slip = best_slip(judged.dbh, judged.expected, _partners(judged, odd))
    if judged.dbh < judged.low:
        return _raise(scene, "X01", judged, slip)
    sure = judged.dbh > judged.high
    cap = (judged.high - judged.last) / scene.years
    return _raise(scene, "X04", judged, slip, severity=Severity.ERROR if sure else Severity.WARN,
                  years=round(scene.years, 1), cap_cm_yr=round(cap, 2))  # fmt: skip


def _fast(scene: Scene, judged: Judged, odd: list[Judged]) -> Flag | None:
    """Grown more than trees do here: a slip that explains it, two trees exchanged, or only the growth."""
    rate = round(judged.growth.rate_cm_yr, 2)
    slip = ratio_slip(judged.dbh, judged.expected)
    if slip is not None and judged.growth.trees:
        return _raise(scene, "T05", judged, slip, case=slip.kind)
    slip = best_slip(judged.dbh, judged.expected, typed_only=True)
    if slip is not None:
        case = "tens" if slip.kind == "tens" else ""
        return _raise(scene, "T06", judged, slip, case=case, plot_rate_cm_yr=rate)
    swap = best_slip(judged.dbh, judged.expected, _partners(judged, odd))
    if swap is not None and swap.kind == "swap":
        other = next(one.pair.now.tag for one in odd if one.dbh == swap.value_cm)
        return _raise(scene, "X13", judged, swap, case="swap", other=other)
    if judged.growth.trees:
        return _raise(scene, "X03", judged, swap, years=round(scene.years, 1), plot_rate_cm_yr=rate)
    return None


def _odd_ratio(limits: Limits, judged: Judged) -> bool:
    """Asked only where nothing is known of growth here; else growth itself is the better measure."""
    if judged.growth.trees or abs(judged.dbh - judged.last) < limits.x05_min_change_cm:
        return False
    small = judged.last < limits.x05_small_cm
    return judged.dbh < limits.x05_low * judged.last or (small and judged.dbh > limits.x05_high * judged.last)


def _partners(judged: Judged, odd: list[Judged]) -> list[float]:
    """Diameters now of other odd trees that would fit here while this one's fits there."""
    return [
        other.dbh
        for other in odd
        if other is not judged and judged.expected.holds(other.dbh) and other.expected.holds(judged.dbh)
    ]


def _raise(
    scene: Scene,
    rule: str,
    judged: Judged,
    slip: Slip | None,
    *,
    severity: Severity | None = None,
    **facts: Fact,
) -> Flag:
    now = judged.pair.now
    up = judged.dbh > judged.last
    evidence = judged.steps * (scene.limits.x03_up_weight if up else 1.0)
    severity = severity or (Severity.ERROR if judged.steps >= scene.limits.x03_error_steps else Severity.WARN)
    if judged.last_was_odd:
        severity, evidence = (Severity.WARN if severity is Severity.ERROR else severity), evidence / 2
        facts |= {"case": "before", "older_cm": judged.older}
    if now.tally_code is TallyCode.DBH_ERROR:  # the crew says that last time's value was the wrong one
        severity = Severity.INFO
    return raised(
        rule, now.ordinal, now.tag, now.stem_id, "dbh_cm", shown(now),
        round(judged.expected.low_cm, 1), round(judged.expected.high_cm, 1),
        suggestion="" if slip is None or judged.last_was_odd else slip.text, severity=severity,
        score=10 * evidence / (evidence + 8), before_cm=judged.last, slip=slip.kind if slip else "", **facts,
    )  # fmt: skip
