"""Published rule sets for remeasured trees, in our own words, for the same table as our rules.

Each says whether a diameter is questioned: last time's and today's in cm, the years between. Numbers and their
sources are those that the systems publish; what they say about codes, species or places is not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import exp, log, sqrt

from server.validation.hd import quadratic

Detector = Callable[[float, float, float], bool]


def _range(_last: float, now: float, _years: float) -> bool:
    return not 5.0 <= now <= 200.0  # the national inventory's tablet app


def _ctfs(last: float, now: float, years: float) -> bool:
    four_deviations_cm = 4 * (0.006214 * 10 * last + 0.9036) / 10
    return now <= last - four_deviations_cm or (now - last) / years > 7.5


def _paracou(last: float, now: float, years: float) -> bool:
    return now - last < -2.0 or (now - last) / years > 5.0


def _ratio(last: float, now: float, _years: float) -> bool:
    return now < 0.75 * last or (last < 15 and now > 1.92 * last)


def _field_prompts(last: float, now: float, _years: float) -> bool:
    return now - last <= -0.5 or now - last > 4.0


def _forestgeo(last: float, now: float, _years: float) -> bool:
    return now - last > 6.5 or now < 0.95 * last or now >= 350


def _inventory_app(last: float, now: float, years: float) -> bool:
    return now < last or now - last > 40.0 or _range(last, now, years)


def _pspclean(last: float, now: float, years: float) -> bool:
    return not -0.5 <= (now - last) / years <= 2.5 or now > 200


def _tolerance(last: float, now: float, years: float) -> bool:
    tolerance_cm = 0.3 if last < 20 else 0.015 * last
    return now < last - 2 * tolerance_cm or (now - last) / years > 2.5 or _range(last, now, years)


DETECTORS: dict[str, Detector] = {
    "range 5-200": _range,
    "CTFS trim.growth": _ctfs,
    "range + CTFS": lambda *pair: _range(*pair) or _ctfs(*pair),
    "Paracou / TreeData": _paracou,
    "SCBI CI ratio": _ratio,
    "SCBI field app": _field_prompts,
    "ForestGEO web": _forestgeo,
    "CN NFI app": _inventory_app,
    "PSPcleanTools": _pspclean,
    "2 tol + 2.5 cm/yr + range": _tolerance,
}


def height_residuals(clean: Iterable[tuple[float, float]]) -> Callable[[float, float], bool]:
    """The height-diameter check of the BIOMASS package: ln H against ln D and its square on clean (cm, m) pairs;
    a height beyond three residual standard errors is questioned."""
    points = [(log(d), log(h), 1) for d, h in clean]
    a, b, c = quadratic(points, [1.0] * len(points))
    error = sqrt(sum((y - (a + b * x + c * x * x)) ** 2 for x, y, _ in points) / (len(points) - 3))

    def questioned(dbh_cm: float, height_m: float) -> bool:
        if dbh_cm <= 0 or height_m <= 0:
            return True
        x = log(dbh_cm)
        usual = a + b * x + c * x * x
        return not exp(usual - 3 * error) <= height_m <= exp(usual + 3 * error)

    return questioned
