"""What happened to a value: honest work, or a named slip of hand, eye or book-keeping.

Each hypothesis is weighed by how often it occurs among published corrections of census data and by how likely it
makes the value that stands there; together they say how probable it is that the value is wrong. What was probably
meant is shown to a person and never applied.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from math import exp, inf, log, pi, sqrt
from operator import itemgetter, mul
from typing import NamedTuple

CM_PER_INCH = 2.54

# shares of the kinds among real corrections (SCBI-ForestGEO, two published versions of one census, and values
# proven wrong by later censuses)
TENS, TWENTY, DECIMAL, DIGIT, TRANSPOSED, DROPPED, ADDED, GIRTH, INCH, SWAP, POM, GUESS, STEM, OTHER = (
    0.20, 0.02, 0.14, 0.12, 0.08, 0.08, 0.01, 0.05, 0.03, 0.10, 0.10, 0.08, 0.02, 0.10,
)  # fmt: skip
MOVED_TAPE = tuple(sign * share for share in (0.045, 0.06, 0.075, 0.09, 0.105) for sign in (-1, 1))
"""Another point of measurement changes a diameter by some 4 to 12 %."""
TAPES = len(MOVED_TAPE)
BY_EYE = (-0.15, -0.09, -0.05, -0.015, 0.015, 0.05, 0.09, 0.15)
"""A guess errs by some 10 % (octiles of a normal distribution)."""
OTHER_RANGE = log(200 / 5)
OTHER_SPREAD = 0.4
"""Whatever else happened leaves a diameter half of the time within some 40 % of the true one (wrong stems, misread
tapes), else any between 5 and 200 cm."""
WHOLE_SHARE = 0.1
"""One honest reading in ten is a whole centimetre."""

TYPED = frozenset({"tens", "digit", "transposed", "dropped", "added"})
RATIOS = frozenset({"decimal", "girth", "inch"})
KEPT = 512
"""Diameters whose slips are kept, 2 kB each: those that are doubted in a county, to 0.1 cm, are some hundred, and each
process keeps its own."""
UNSHOWN = 0.01
"""Hypotheses less likely than this are not told."""

Densities = Callable[[Sequence[float]], list[float]]
"""How likely honest work finds each of some diameters, per cm: a hundred are asked about at once."""
Reach = tuple[float, float]
"""Diameters between which honest work finds what it finds, cm."""
EVERYWHERE: Reach = (0.0, inf)


class Hypothesis(NamedTuple):
    """One story: its kind, the diameter (cm) that was meant (None: not one value), and its probability."""

    kind: str
    meant_cm: float | None
    chance: float

    @property
    def text(self) -> str:
        """As facts hold it: "tens 23.1 0.71"."""
        return f"{self.kind} {'' if self.meant_cm is None else f'{self.meant_cm:.1f} '}{self.chance:.2f}"


class Verdict(NamedTuple):
    """`wrong` is the probability that the value is wrong, `stories` what may have happened, likeliest first."""

    wrong: float
    stories: tuple[Hypothesis, ...]

    @property
    def likeliest(self) -> Hypothesis | None:
        """The likeliest slip that names a value, None where honest work or something nameless is likelier."""
        first = next((story for story in self.stories if story.kind not in {"honest", "last"}), None)
        return first if first is not None and first.meant_cm is not None else None


Story = tuple[str, float | None]  # kind, what was meant, to a millimetre
Slip = tuple[str, float | None, float]  # kind, what was meant, how likely it makes the value (per cm)


def weighed(
    dbh_cm: float, honest: Densities, usual_cm: float, prior: float, *,
    reach: Reach = EVERYWHERE, more: Iterable[Slip] = (), last_wrong: float = 0.0,
    whole_share: float = WHOLE_SHARE, possible: float = 1.0, shift: float = 0.0, slope: float = 1.0,
) -> Verdict:  # fmt: skip
    """How probable it is that `dbh_cm` is wrong.

    `honest` says what honest work finds around `usual_cm`, next to nothing outside of `reach`; `prior` is the share of
    wrong values among all. `more` are slips that only the caller knows (neighbours); `last_wrong` is how likely a wrong
    value last time explains this one (per cm); `whole_share` is the share of whole centimetres in the plot; `possible`
    is below 1 where honest work is next to impossible for a reason that `honest` does not know. `shift` and `slope`
    calibrate the log-odds.
    """
    may_be = meant_by(dbh_cm).within(reach)
    likely = list(map(mul, may_be.shares, honest(may_be.meant_cm)))
    tape, pen, eye = likely[:TAPES], likely[TAPES : may_be.eyes], likely[may_be.eyes :]
    by_story: dict[Story, float] = {}
    for kind, meant, likelihood in (
        ("pom", None, sum(tape)), ("guess", None, sum(eye) * WHOLE_SHARE / max(whole_share, WHOLE_SHARE)),
        ("other", None, otherwise(dbh_cm, usual_cm)), *more,
    ):  # fmt: skip
        story = (kind, None if meant is None else round(meant, 1))
        by_story[story] = by_story.get(story, 0.0) + prior * likelihood
    fair = (1 - prior) * possible * max(*honest((dbh_cm,)), 1e-12)
    slipped = prior * sum(pen) + sum(by_story.values())
    odds = slipped / (fair + last_wrong)
    wrong = 1 / (1 + exp(-shift - slope * log(max(odds, 1e-12))))
    stories = [
        Hypothesis(kind, meant, chance)
        for (kind, meant), part in by_story.items()
        if part and (chance := wrong * part / slipped) >= UNSHOWN
    ]
    told = UNSHOWN * slipped / (wrong * prior)  # of eighty slips of the pen one or two
    stories += [
        Hypothesis(kind, round(meant, 1), wrong * prior * likelihood / slipped)
        for kind, meant, likelihood in zip(
            may_be.pens, may_be.meant_cm[TAPES : may_be.eyes], pen, strict=True
        )
        if likelihood >= told
    ]
    rest = (1 - wrong) / (fair + last_wrong)
    for kind, part in (("honest", fair), ("last", last_wrong)):
        if (chance := part * rest) >= UNSHOWN:
            stories.append(Hypothesis(kind, None, chance))
    return Verdict(wrong, tuple(sorted(stories, key=_rank)))


def _rank(story: Hypothesis) -> tuple[float, str, float]:
    return (-story.chance, story.kind, story.meant_cm or 0.0)


def likely_slip(dbh_cm: float, honest: Densities, usual_cm: float, reach: Reach) -> float:
    """How likely the value is as any slip that it can tell by itself, per cm; words as for `weighed`."""
    may_be = meant_by(dbh_cm).within(reach)
    return float(sum(map(mul, may_be.shares, honest(may_be.meant_cm)))) + otherwise(dbh_cm, usual_cm)


def otherwise(dbh_cm: float, usual_cm: float) -> float:
    """How likely the value is as a mistake that has no name, per cm."""
    near = exp(-0.5 * (log(dbh_cm / usual_cm) / OTHER_SPREAD) ** 2) / (OTHER_SPREAD * sqrt(2 * pi))
    return OTHER / 2 / dbh_cm * (1 / OTHER_RANGE + near)


class MayBe(NamedTuple):
    """What may have been meant: values, and how likely each makes the written one, per cm, where it is as likely as one
    per cm itself: the share of the slip, divided among what it could have made, times how much wider a centimetre of
    the meant value is than one of the written. First what a moved tape makes, then slips of the pen, each once and the
    smallest value first, of these kinds (`pens`), from `eyes` on what was guessed. Columns take less room than rows."""

    meant_cm: array[float]
    shares: array[float]
    pens: tuple[str, ...]
    eyes: int

    def within(self, reach: Reach) -> MayBe:
        """Without slips of the pen that would have been made of a value out of reach: half of them, mostly."""
        meant, shares, pens, eyes = self
        first = bisect_left(meant, reach[0], TAPES, eyes)
        last = bisect_right(meant, reach[1], first, eyes)
        return MayBe(
            meant[:TAPES] + meant[first:last] + meant[eyes:], shares[:TAPES] + shares[first:last] + shares[eyes:],
            pens[first - TAPES : last - TAPES], TAPES + last - first,
        )  # fmt: skip


@lru_cache(maxsize=KEPT)
def meant_by(dbh_cm: float) -> MayBe:
    """What a diameter may have been meant to say. Kept: a census has some hundred diameters."""
    stories: dict[Story, tuple[float, float]] = {}
    for kind, meant, share in _slips(dbh_cm):
        if meant > 0:
            story = (kind, round(meant, 1))
            stories[story] = (meant, share + stories.get(story, (0.0, 0.0))[1])
    by_size = sorted(stories.items(), key=itemgetter(1))
    is_whole = abs(dbh_cm - round(dbh_cm)) < 1e-6
    eye = _off(dbh_cm, BY_EYE, GUESS / WHOLE_SHARE) if is_whole else []
    pens = [value for _, value in by_size]
    meant_cm, shares = zip(*_off(dbh_cm, MOVED_TAPE, POM), *pens, *eye, strict=True)
    return MayBe(
        array("d", meant_cm), array("d", shares), tuple(kind for (kind, _), _ in by_size), TAPES + len(pens)
    )


def _off(dbh_cm: float, errors: Sequence[float], share: float) -> list[tuple[float, float]]:
    """What was there if the value is off by one of these shares of itself."""
    return [(dbh_cm / (1 + error), share / len(errors) / (1 + error)) for error in errors]


def _slips(dbh: float) -> Iterator[tuple[str, float, float]]:
    yield "decimal", dbh / 10, DECIMAL / 20
    yield "decimal", dbh * 10, DECIMAL * 5
    yield "girth", dbh / pi, GIRTH / pi
    yield "inch", dbh * CM_PER_INCH, INCH * CM_PER_INCH * 0.8
    yield "inch", dbh / CM_PER_INCH, INCH / CM_PER_INCH * 0.2
    for step, share in ((10, TENS), (20, TWENTY)):
        yield "tens", dbh - step, share / 2
        yield "tens", dbh + step, share / 2
    digits = str(round(dbh * 10))
    yield from _digits(digits, len(digits))


def _digits(digits: str, size: int) -> Iterator[tuple[str, float, float]]:
    for place in range(size - 1):
        left, right = digits[place], digits[place + 1]
        if left != right:
            yield (
                "transposed",
                _cm(digits[:place] + right + left + digits[place + 2 :]),
                TRANSPOSED / (size - 1),
            )
    for place in range(size + 1):
        head, tail = digits[:place], digits[place:]
        if place < size and size > 1:
            yield "added", _cm(head + tail[1:]), ADDED / size / 10
        for digit in "0123456789":
            yield "dropped", _cm(head + digit + tail), DROPPED / (size + 1)
            if place < size and digit != tail[0]:
                yield "digit", _cm(head + digit + tail[1:]), DIGIT / size / 9


def _cm(tenths: str) -> float:
    return int(tenths) / 10


def exchanged(
    dbh_cm: float, honest: Densities, others: Sequence[tuple[float, Densities, float]], another: float = 0.0
) -> Iterator[Slip]:
    """The value may be another tree's: the two were exchanged, or another one was measured. `others` are their diameter
    now, what honest work would find there, and how close they stand in the list (shares of 1); `another` is how likely
    any tree of the stand has the value, per cm."""
    yield "stem", None, STEM * another
    fit_here = honest([theirs_cm for theirs_cm, _, _ in others])
    for (theirs_cm, theirs, share), fits_here in zip(others, fit_here, strict=True):
        fits_there, own = theirs((dbh_cm, theirs_cm))
        yield "swap", theirs_cm, SWAP * share * fits_there * fits_here / max(own, 1e-12)
