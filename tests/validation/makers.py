"""Small plots made by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit
from server.validation.catalogue import flags_of
from server.validation.flag import Flag
from server.validation.parameters import Parameters

PARAMETERS = Parameters.default()
LAST, NOW = date(2019, 7, 1), date(2024, 7, 1)  # five years apart


def tree(tag: str, dbh_cm: float | None = 15.0, species: str = "油松", **other: Any) -> Measurement:
    return Measurement(ordinal=0, tag=tag, species=species, dbh_cm=dbh_cm, **other)


def visit(*trees: Measurement, on: date | None = NOW, **other: Any) -> Visit:
    placed = tuple(one._replace(ordinal=place) for place, one in enumerate(trees))
    return Visit("1", str(on), on, placed, **other)


def last(*trees: Measurement, on: date | None = LAST, **other: Any) -> Visit:
    return visit(*trees, on=on, **other)


def flags(
    now: Visit, before: Visit | None = None, parameters: Parameters = PARAMETERS, **other: Any
) -> list[Flag]:
    return flags_of(now, before, parameters=parameters, **other)


def said(now: Visit, before: Visit | None = None, **other: Any) -> list[tuple[str, str]]:
    """Rule and severity of every flag, most suspicious first."""
    return [(flag.rule, str(flag.severity)) for flag in flags(now, before, **other)]


def stand(
    count: int = 12, first_cm: float = 10.0, step_cm: float = 1.3, grown_cm: float = 0.0
) -> list[Measurement]:
    """Ordinary trees tagged from 1, all of one species; `grown_cm` is added to each, and a little that differs."""
    return [
        tree(str(i + 1), round(first_cm + i * step_cm + (grown_cm + 0.1 * (i % 4) if grown_cm else 0.0), 1))
        for i in range(count)
    ]


def changed(trees: list[Measurement], tag: str, **values: Any) -> list[Measurement]:
    """The same trees with other values at one."""
    return [one._replace(**values) if one.tag == tag else one for one in trees]


CUT, DEAD, OVER = TallyCode.CUT, TallyCode.STANDING_DEAD, TallyCode.OVER_COUNTED
