"""A diameter against last time's (X01-X05, X13 exchanged values) and the slips that explain it (T05, T06).

A tree gets one flag at most from here, named after the likeliest story. Its score is the probability that the value
is wrong; that alone decides between error, warn and info.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from server.forest.tree import TallyCode
from server.validation.bands import Growth
from server.validation.expected import Expectations, Expected, Judged, after, allowance_cm, pom_changed
from server.validation.flag import Fact, Flag, Severity
from server.validation.hypotheses import (
    RATIOS,
    TYPED,
    Densities,
    Hypothesis,
    Verdict,
    exchanged,
    likely_slip,
    weighed,
)
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.scene import Key, Scene, shown
from server.validation.screen import bounds_cm, is_usual, shrunk_cm
from server.validation.slips import Stands

NEXT_IN_LIST = 0.25
"""Half of all exchanges are between neighbours in the list, a quarter to each side (project default)."""
FITS_STEPS = 4
"""Spreads around what a tree was expected to be within which another's diameter may be its own (project default)."""
PARTNER_CHANCE = 0.02
"""Where an exchange is this likely the other tree is asked about as well (project default)."""
BEYOND_CAP = 0.005
"""How much rarer honest work is beyond the cap of the species' group, or below half of the last diameter (project
default)."""
HALF = 0.5  # a wrong last value is never an error of this visit
NAMED_SHARE = 0.3
"""A slip names the flag when it is at least this part of all that may be wrong (project default)."""
TOLD = 3
"""Stories that a flag tells."""


class Doubt(NamedTuple):
    """A diameter that is worth a closer look, and what probably happened to it."""

    judged: Judged
    verdict: Verdict
    others: dict[float, Key]  # trees whose value may stand here, by that value to a millimetre


def growth_flags(scene: Scene) -> Iterator[Flag]:
    """Every tree that lived and was measured both times, against its own last diameter."""
    if not scene.grown:
        return
    expectations = Expectations(scene)
    odd = _odd(scene, expectations)
    if not odd:
        return
    found = list(doubts(scene, expectations, odd))
    partners = doubts(scene, expectations, _partners(scene, found, odd), frozenset(odd))
    found += [doubt for doubt in partners if _is_exchange(doubt)]
    for doubt in found:
        flag = _flag(scene, doubt)
        if flag is not None:
            yield flag


def _partners(scene: Scene, found: Sequence[Doubt], odd: Sequence[int]) -> list[int]:
    """Places of trees that are not odd by themselves but may hold an odd one's diameter: of two that were exchanged
    often only one shows it."""
    keys = {
        doubt.others.get(story.meant_cm or 0.0)
        for doubt in found for story in doubt.verdict.stories
        if story.kind == "swap" and story.chance >= PARTNER_CHANCE
    }  # fmt: skip
    return (
        [at for at, pair in enumerate(scene.grown) if pair.now.key in keys and at not in odd] if keys else []
    )


def doubt_of(scene: Scene, key: tuple[str, str]) -> Doubt | None:
    """What may have happened to one tree's diameter, questioned or not; None where it has no last diameter."""
    for place, pair in enumerate(scene.grown):
        if pair.now.key == key:
            return next(doubts(scene, Expectations(scene), [place]))
    return None


def _odd(scene: Scene, expectations: Expectations) -> list[int]:
    """Places of trees worth a closer look; nearly every tree is passed over by the first comparison."""
    limits, years, has_older = scene.limits, scene.years, bool(expectations.older_years)
    odd, asked = [], scene.asked
    for place, (at, (now, before)) in enumerate(zip(scene.places, scene.grown, strict=True)):
        if at not in asked:
            continue
        dbh, last = now.dbh_cm or 0.0, before.dbh_cm or 0.0
        growth = expectations.growth(now, last)
        low, high = bounds_cm(limits, growth, last, years, has_older=has_older)
        if not low <= dbh <= high or (scene.bands is not None and _may_be_slip(scene, growth, last, dbh)):
            odd.append(place)
    return odd


def _may_be_slip(scene: Scene, growth: Growth, last_cm: float, dbh_cm: float) -> bool:
    """Does a slip explain the value well enough to look closer, whatever the tree's own rate was? Asked only where
    accepted trees tell how trees grow: the few of a plot do not know how odd an odd one is."""
    limits = scene.limits
    if is_usual(limits, growth, last_cm, dbh_cm, scene.years):
        return False
    prior, enough = limits.x03_prior_error, limits.x03_screen_score
    expected = after(
        limits, growth, last_cm, max(growth.rate_cm_yr, 0.0), scene.years, thinned=scene.now.thinned
    )
    slip = prior * likely_slip(dbh_cm, expected.densities, expected.cm, expected.reach)
    [honest] = expected.densities((dbh_cm,))
    return slip >= enough * (slip + (1 - prior) * honest)


def _is_exchange(doubt: Doubt) -> bool:
    story = _main_story(doubt.verdict)
    return story is not None and story.kind == "swap"


def doubts(
    scene: Scene, expectations: Expectations, odd: Sequence[int], among: Collection[int] | None = None
) -> Iterator[Doubt]:
    """What may have happened to the trees at these places of `scene.grown`, exchanges only with those `among` places
    (None: with any)."""
    limits = scene.limits
    whole, stands = _whole_share(scene), Stands(scene)
    theirs: dict[int, Expected] = {}
    for place in odd:
        judged = expectations.judged(scene.grown[place])
        honest = judged.expected.densities
        others, keys = _others(scene, expectations, theirs, place, judged.expected, among)
        [another] = stands.densities("", (judged.dbh,))
        verdict = weighed(
            judged.dbh, honest, judged.expected.cm, limits.x03_prior_error,
            reach=judged.expected.reach, more=exchanged(judged.dbh, honest, others, another),
            last_wrong=_last_wrong(scene, expectations, judged, stands), whole_share=whole,
            possible=1.0 if judged.is_possible else BEYOND_CAP,
            shift=limits.x03_score_shift, slope=limits.x03_score_slope,
        )  # fmt: skip
        yield Doubt(judged, verdict, keys)


def _others(
    scene: Scene,
    expectations: Expectations,
    theirs: dict[int, Expected],
    place: int,
    mine: Expected,
    among: Collection[int] | None,
) -> tuple[list[tuple[float, Densities, float]], dict[float, Key]]:
    """Trees that this one may have been exchanged with: the growth of each would have made the other's value. `mine` is
    where this tree should be, `theirs` where trees should be that were asked about before."""
    dbh = scene.grown[place].now.dbh_cm or 0.0
    apart, places = (1 - 2 * NEXT_IN_LIST) / max(scene.all_grown - 1, 1), scene.places
    found: list[tuple[float, Densities, float]] = []
    keys = {}
    for at in expectations.near(dbh, FITS_STEPS):
        other = scene.grown[at]
        other_cm = other.now.dbh_cm or 0.0
        if at == place or (among is not None and at not in among) or mine.steps(other_cm) >= FITS_STEPS:
            continue
        expected = theirs.get(at) or theirs.setdefault(at, expectations.expected(other))
        if expected.steps(dbh) < FITS_STEPS:
            share = apart + (NEXT_IN_LIST if abs(places[at] - places[place]) == 1 else 0.0)
            found.append((other_cm, expected.densities, share))
            keys[round(other_cm, 1)] = other.now.key
    return found, keys


def _whole_share(scene: Scene) -> float:
    """Share of whole centimetres in the plot: where all are whole, a whole one is no sign of a guess."""
    return (scene.all_whole + 1) / (scene.all_grown + 10)


def _last_wrong(scene: Scene, expectations: Expectations, judged: Judged, stands: Stands) -> float:
    """How likely a wrong value last time makes today's, per cm. Accepted data hold few errors; where the diameter
    before last is known, it says which of the two values is out of line, else the stand says which of them trees here
    are likelier to have."""
    limits = scene.limits
    if judged.older is None:
        return limits.x03_prior_error * limits.x03_first_share * _first_wrong(judged, stands)
    prior = limits.x03_prior_error * limits.x03_last_share
    years = expectations.older_years
    usual = max(judged.growth.rate_cm_yr, 0.0)
    then = after(limits, judged.growth, judged.older, usual, years)
    both = after(limits, judged.growth, judged.older, usual, years + scene.years)
    last_slips = likely_slip(judged.last, then.densities, then.cm, then.reach)
    [today], [was] = both.densities((judged.dbh,)), then.densities((judged.last,))
    return prior * last_slips * today / max(was, 1e-12)


def _first_wrong(judged: Judged, stands: Stands) -> float:
    """The same for a last diameter that had none before it, its share apart."""
    was = judged.expected.backwards(judged.dbh)
    made = likely_slip(judged.last, was.densities, was.cm, was.reach)
    usual, found = stands.densities(judged.pair.now.species, (was.cm, judged.last))
    return made * usual / found


def _flag(scene: Scene, doubt: Doubt) -> Flag | None:
    judged, verdict, limits = doubt.judged, doubt.verdict, scene.limits
    story = _main_story(verdict)
    kind = story.kind if story else ""
    if kind in RATIOS:
        return _raise(scene, "T05", doubt, story, case=kind)
    if kind == "swap" and judged.low <= judged.dbh <= judged.high:
        other, _ = doubt.others.get(story.meant_cm or 0.0, ("", "")) if story else ("", "")
        return _raise(scene, "X13", doubt, story, case="swap", other=other)
    if judged.dbh < judged.low:
        return _raise(scene, "X01", doubt, story)
    if judged.dbh > _questioned_from(scene, judged):
        cap = (judged.high - judged.last) / scene.years
        return _raise(scene, "X04", doubt, story, years=round(scene.years, 1), cap_cm_yr=round(cap, 2))
    if _odd_ratio(limits, judged):
        return _raise(scene, "X05", doubt, story, ratio=f"{judged.dbh / judged.last:.2f}")
    if judged.dbh < shrunk_cm(limits, judged.last) and not pom_changed(judged.pair, limits.x14_use_share):
        return _raise(scene, "X02", doubt, story)
    if max(verdict.wrong, _last_chance(verdict)) < limits.x03_info_score:
        return None
    slow = judged.dbh < judged.expected.cm
    if kind in TYPED:
        case = "slow" if slow else "tens" if kind == "tens" else ""
        return _raise(
            scene, "T06", doubt, story, case=case, plot_rate_cm_yr=round(judged.growth.rate_cm_yr, 2)
        )
    return _raise(scene, "X03", doubt, story, case="slow" if slow else "", years=round(scene.years, 1))


def _questioned_from(scene: Scene, judged: Judged) -> float:
    """Growth beyond this is gross, cm: the cap of the species' group; a lower doubt where its group is not known
    and neither the plot nor accepted data say how trees grow here."""
    limits = scene.limits
    if judged.growth.trees or scene.info(judged.pair.now.species).group in limits.x04_cap_by_group:
        return judged.high
    excess = allowance_cm(scene, limits.x04_cap_cm_yr) - allowance_cm(scene, limits.x04_warn_cm_yr)
    return judged.high - max(excess, 0.0)


def _odd_ratio(limits: Limits, judged: Judged) -> bool:
    """Asked only where nothing is known of growth here; else growth itself is the better measure."""
    if judged.growth.trees or abs(judged.dbh - judged.last) < limits.x05_min_change_cm:
        return False
    small = judged.last < limits.x05_small_cm
    return judged.dbh < limits.x05_low * judged.last or (small and judged.dbh > limits.x05_high * judged.last)


def _main_story(verdict: Verdict) -> Hypothesis | None:
    """The likeliest slip that names what was meant, where it is a good part of all that may have gone wrong."""
    story = verdict.likeliest
    return story if story is not None and story.chance >= NAMED_SHARE * verdict.wrong else None


def _last_chance(verdict: Verdict) -> float:
    """How probably last time's value is the wrong one of the two."""
    return next((one.chance for one in verdict.stories if one.kind == "last"), 0.0)


def _severity(limits: Limits, wrong: float) -> Severity:
    if wrong >= limits.x03_error_score:
        return Severity.ERROR
    return Severity.WARN if wrong >= limits.x03_warn_score else Severity.INFO


def _severity_of(limits: Limits, rule: str, judged: Judged, wrong: float, last: float) -> Severity:
    """A value is `wrong` with this probability, or the `last` one with that. Two that cannot both be right are an
    error, whichever it is, unless an older one says that it is the last."""
    one_of_two = rule == "T05" or not judged.is_possible
    if one_of_two and (judged.older is None or wrong >= last):
        return _severity(limits, wrong + last)
    return _severity(limits, min(last, HALF) if last > wrong else wrong)


def _raise(scene: Scene, rule: str, doubt: Doubt, story: Hypothesis | None, **facts: Fact) -> Flag:
    judged, verdict = doubt.judged, doubt.verdict
    now, wrong = judged.pair.now, verdict.wrong
    last = _last_chance(verdict)
    severity = _severity_of(scene.limits, rule, judged, wrong, last)
    if last > wrong:
        facts |= {"case": "last"} if judged.older is None else {"case": "before", "older_cm": judged.older}
    if now.tally_code is TallyCode.DBH_ERROR:  # the crew says that last time's value was the wrong one
        severity, wrong = Severity.INFO, wrong / 10
    low, high = _usual_cm(judged)
    suggestion = "" if story is None or story.meant_cm is None or last > wrong else f"{story.meant_cm:.1f}"
    return raised(
        rule, now.ordinal, now.tag, now.stem_id, "dbh_cm", shown(now), low, high, suggestion=suggestion,
        severity=severity, score=round(wrong, 4), before_cm=judged.last, slip=story.kind if story else "",
        expected_cm=round(judged.expected.cm, 1), bands=_bands(scene),
        hypotheses=[one.text for one in verdict.stories[:TOLD]], **facts,
    )  # fmt: skip


def _bands(scene: Scene) -> str:
    """The version of the bands; "" where none are known."""
    return "" if scene.bands is None else scene.bands.version


def _usual_cm(judged: Judged) -> tuple[float, float]:
    """Between these, two spreads around the expected value, nine trees of ten would be, cm."""
    cm, up, down, *_ = judged.expected
    return round(cm - 2 * down, 1), round(cm + 2 * up, 1)
