"""Visits as the tables that the sieve takes, and the rules asked only where it says that they could speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import polars as pl

from server.forest.species import SpeciesInfo
from server.forest.visit import Visit, years_between
from server.store import census_stream
from server.validation import sieve
from server.validation.catalogue import flags_of
from server.validation.flag import Flag
from server.validation.parameters import Parameters
from server.validation.places import flags_of_stand
from server.validation.reference import Reference
from server.validation.sieve import Asked, Beside


class Case(NamedTuple):
    """A visit to look at and what was known of its plot, the latest first."""

    now: Visit
    known: Sequence[Visit] = ()

    @property
    def before(self) -> Visit | None:
        return self.known[0] if self.known else None


def tables(cases: Sequence[Case], years_unknown: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The trees and the visits of these cases; a case's visit has its place as its number."""
    trees, visits = [], []
    for place, case in enumerate(cases):
        before = -place - 1 if case.before else None
        trees += _rows(place, case.now) + (_rows(-place - 1, case.before) if case.before else [])
        visits.append((place, before, _years(case) or years_unknown, len(case.known) > 1, _has_older(case),
                       case.now.thinned, case.now.side_m, case.now.radius_m, case.now.area_ha))  # fmt: skip
    return (
        pl.DataFrame(trees, census_stream.SCHEMA, orient="row"),
        pl.DataFrame(visits, sieve.VISITS, orient="row"),
    )


def _years(case: Case) -> float | None:
    return years_between(case.before.measured_on, case.now.measured_on) if case.before else None


def _has_older(case: Case) -> bool:
    if len(case.known) < 2:
        return False
    older, last = case.known[1].measured_on, case.known[0].measured_on
    return older is not None and last is not None and older < last


def _rows(number: int, visit: Visit) -> list[tuple[object, ...]]:
    return [
        (number, t.ordinal, t.tag, t.stem_id, t.species, None if t.tally_code is None else int(t.tally_code),
         t.dbh_cm, t.height_m, t.pom_m, t.x_m, t.y_m, t.verified, " ".join(sorted(t.codes)), t.dbh_text)
        for t in visit.trees
    ]  # fmt: skip


def sieved(
    cases: Sequence[Case], parameters: Parameters, reference: Reference | None = None,
    species: dict[str, SpeciesInfo] | None = None,
) -> tuple[list[list[Flag]], int]:  # fmt: skip
    """Flags of every case, the rules asked only where the sieve lets them; and of how many cases any rule was asked."""
    found, needed = _speakers(cases, parameters, reference, species)
    said = [
        _asked(_cut(case, place, needed, asked), asked, parameters, reference, species)
        if (asked := found.asked.get(place)) else []
        for place, case in enumerate(cases)
    ]  # fmt: skip
    return said, len(found.asked)


def handed_out(case: Case, parameters: Parameters, reference: Reference) -> set[str]:
    """Tags of the trees that the rules get to see of a visit."""
    return {tag for _, tag, _ in _speakers([case], parameters, reference, None)[1]}


def _speakers(
    cases: Sequence[Case],
    parameters: Parameters,
    reference: Reference | None,
    species: dict[str, SpeciesInfo] | None,
) -> tuple[sieve.Sieved, set[tuple[int, str, str]]]:
    """What the sieve says, and the place of the case, tag and stem of each tree that it hands out."""
    trees, visits = tables(cases, parameters.limits.x04_years_unknown)
    trees = sieve.keyed(trees)
    found = sieve.speakers(trees, visits, Beside(parameters.limits, reference, species))
    named = trees.select("key", "tag", "stem_id").unique().join(found.rows, on="key")
    return found, set(named.select("visit", "tag", "stem_id").iter_rows())


def _cut(case: Case, place: int, needed: set[tuple[int, str, str]], asked: Asked) -> Case:
    """The case with no more trees than the sieve hands out."""
    if asked.crowd is None:
        return case
    now, *known = (
        replace(visit, trees=tuple(tree for tree in visit.trees if (place, *tree.key) in needed))
        for visit in (case.now, *case.known)
    )
    return Case(now, known)


def one_by_one(
    cases: Sequence[Case], parameters: Parameters, reference: Reference | None = None,
    species: dict[str, SpeciesInfo] | None = None,
) -> list[list[Flag]]:  # fmt: skip
    """Flags of every case, all rules asked everywhere."""
    return [_asked(case, None, parameters, reference, species) for case in cases]


def _asked(
    case: Case, asked: Asked | None, parameters: Parameters, reference: Reference | None,
    species: dict[str, SpeciesInfo] | None,
) -> list[Flag]:  # fmt: skip
    found = flags_of(case.now, case.before, earlier=case.known[1:], parameters=parameters, reference=reference,
                     species=species, only=asked and asked.looks, crowd=asked and asked.crowd)  # fmt: skip
    stand = asked is None or sieve.STAND in asked.looks
    return found + (flags_of_stand(case.now, case.before, parameters) if stand else [])
