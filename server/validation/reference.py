"""What accepted data say about trees here: the size that a species reaches, how much trees grow, how tall they are.

A plain value with a version: flags name it, a job stores it. It is fitted on what a supervisor has accepted before,
never on the visits that are being judged.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any

from server.forest.species import SpeciesInfo
from server.forest.tree import Measurement
from server.forest.visit import Visit, years_between
from server.validation.bands import GENUS, Band, Growth, Rates, fitted, growth_in, size_class
from server.validation.hd import Cells, HeightCurve, cell, curves

Two = tuple[str, str]  # species in the order of their names


@dataclass(slots=True)
class Largest:
    """The largest accepted diameter (cm) and height (m), and how many trees each rests on."""

    dbh_cm: float = 0.0
    dbh_trees: int = 0
    height_m: float = 0.0
    height_trees: int = 0

    def add(self, dbh_cm: float | None, height_m: float | None, trees: int = 1) -> None:
        """`trees` of which the largest has these."""
        if dbh_cm:
            self.dbh_trees += trees
            self.dbh_cm = max(self.dbh_cm, dbh_cm)
        if height_m:
            self.height_trees += trees
            self.height_m = max(self.height_m, height_m)

    def merge(self, other: Largest) -> None:
        """Count what was counted elsewhere."""
        self.dbh_cm, self.dbh_trees = max(self.dbh_cm, other.dbh_cm), self.dbh_trees + other.dbh_trees
        self.height_m = max(self.height_m, other.height_m)
        self.height_trees += other.height_trees


@dataclass(frozen=True)
class Reference:
    """Largest trees and height curves by species and by genus ("genus:Pinus"), growth by species and size class; trees
    that were one of two species in one accepted census and the other in the next (`mistaken`)."""

    largest: Mapping[str, Largest] = field(default_factory=dict)
    growth: Mapping[Band, Growth] = field(default_factory=dict)
    heights: Mapping[str, HeightCurve] = field(default_factory=dict)
    mistaken: Mapping[Two, int] = field(default_factory=dict)

    @classmethod
    def of(cls, visits: Iterable[Visit], species: Mapping[str, SpeciesInfo] | None = None) -> Reference:
        """What these visits say. Only living trees count; a genus is known where `species` names it. Growth is
        known where a plot was visited more than once."""
        gathering = Gathering(species)
        by_plot: dict[str, list[Visit]] = {}
        for visit in visits:
            by_plot.setdefault(visit.plot_id, []).append(visit)
        for plot in by_plot.values():
            gathering.add_plot(plot)
        return gathering.reference()

    def growth_of(self, species: str, genus: str, dbh_cm: float) -> Growth | None:
        """The band that a tree of this size is judged by; None: not known."""
        return growth_in(self.growth, species, genus, size_class(dbh_cm))

    def height_curve(self, species: str, genus: str) -> HeightCurve | None:
        """The height curve of the species, else of its genus, else of all; None: not known."""
        return self.heights.get(species) or self.heights.get(GENUS + genus) or self.heights.get("*")

    def largest_dbh_cm(self, species: str, genus: str, min_trees: float) -> float | None:
        """Largest accepted diameter of the species, else of its genus, resting on enough trees; None: not known."""
        for key in (species, GENUS + genus):
            found = self.largest.get(key)
            if found is not None and found.dbh_trees >= min_trees:
                return found.dbh_cm
        return None

    def largest_height_m(self, species: str, genus: str, min_trees: float) -> float | None:
        """As `largest_dbh_cm`, for height."""
        for key in (species, GENUS + genus):
            found = self.largest.get(key)
            if found is not None and found.height_trees >= min_trees:
                return found.height_m
        return None

    def mistaken_trees(self, one: str, other: str) -> int:
        """Accepted trees that were taken for the one species in one census and for the other in the next."""
        return self.mistaken.get(_two(one, other), 0)

    @cached_property
    def version(self) -> str:
        """Twelve characters that change with any number in it."""
        text = json.dumps(self.as_json(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()[:12]

    def as_json(self) -> dict[str, Any]:
        """As plain lists, for the store."""
        value = {
            "growth": [[*band, *growth] for band, growth in sorted(self.growth.items())],
            "heights": [[name, *curve] for name, curve in sorted(self.heights.items())],
            "largest": [
                [name, one.dbh_cm, one.dbh_trees, one.height_m, one.height_trees]
                for name, one in sorted(self.largest.items())
            ],
        }
        if self.mistaken:
            value["mistaken"] = [[*two, trees] for two, trees in sorted(self.mistaken.items())]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reference:
        """What `as_json` said."""
        return cls(
            {name: Largest(*numbers) for name, *numbers in value["largest"]},
            {(name, size): Growth(*numbers) for name, size, *numbers in value["growth"]},
            {name: HeightCurve(*numbers) for name, *numbers in value["heights"]},
            {(one, other): trees for one, other, trees in value.get("mistaken", ())},
        )


class Gathering:
    """Counts accepted trees, as many as there are, in little memory; makes a reference of the counts.

    Plots come one by one (`add_plot`), or counted elsewhere (`add_growth`, `add_height`, `add_largest`).
    """

    def __init__(self, species: Mapping[str, SpeciesInfo] | None = None) -> None:
        self._genera = {code: info.genus for code, info in (species or {}).items() if info.genus}
        self._rates: dict[Band, Rates] = {}
        self._cells: dict[str, Cells] = {}
        self._largest: dict[str, Largest] = {}
        self._mistaken: Counter[Two] = Counter()

    def add_plot(self, visits: Iterable[Visit]) -> None:
        """All accepted visits of one plot. Visits without a date, trees that died and trees measured at another
        height of the stem say nothing of growth."""
        plot = list(visits)
        for visit in plot:
            for tree in visit.trees:
                if tree.species and _lives(tree):
                    self.add_largest(tree.species, tree.dbh_cm, tree.height_m)
                    if tree.dbh_cm and tree.height_m and tree.dbh_cm > 0 and tree.height_m > 0:
                        self.add_height(tree.species, tree.dbh_cm, tree.height_m)
        for last, now, years in _successive(plot):
            known = last.by_key()
            for tree in now.trees:
                before = known.get(tree.key)
                if before is None:
                    continue
                if before.species != tree.species and before.species and tree.species:
                    self._mistaken[_two(before.species, tree.species)] += 1
                if _comparable(tree, before):
                    self.add_growth(tree.species, before.dbh_cm or 0.0, tree.dbh_cm or 0.0, years)

    def add_growth(self, species: str, last_cm: float, now_cm: float, years: float, trees: int = 1) -> None:
        """`trees` of a species that went from one diameter to another in `years`."""
        band = (species, size_class(last_cm))
        self._rates.setdefault(band, Rates()).add(last_cm, now_cm, years, trees)

    def add_height(self, species: str, dbh_cm: float, height_m: float, trees: int = 1) -> None:
        """`trees` of a species with this diameter and height."""
        self._cells.setdefault(species, Counter())[cell(dbh_cm, height_m)] += trees

    def add_largest(self, species: str, dbh_cm: float | None, height_m: float | None, trees: int = 1) -> None:
        """`trees` of a species, the largest of which has these."""
        self._largest.setdefault(species, Largest()).add(dbh_cm, height_m, trees)
        genus = self._genera.get(species)
        if genus:
            self._largest.setdefault(GENUS + genus, Largest()).add(dbh_cm, height_m, trees)

    def merge(self, other: Gathering) -> None:
        """Count what was gathered elsewhere, from other plots."""
        for band, rates in other._rates.items():
            self._rates.setdefault(band, Rates()).merge(rates)
        self._mistaken.update(other._mistaken)
        for species, cells in other._cells.items():
            self._cells.setdefault(species, Counter()).update(cells)
        for name, largest in other._largest.items():
            self._largest.setdefault(name, Largest()).merge(largest)

    def reference(self) -> Reference:
        """What has been counted so far."""
        return Reference(
            dict(self._largest),
            fitted(self._rates, self._genera),
            curves(self._cells, self._genera),
            dict(self._mistaken),
        )


def _two(one: str, other: str) -> Two:
    return (one, other) if one < other else (other, one)


def _lives(tree: Measurement) -> bool:
    return tree.tally_code is not None and tree.tally_code.is_alive


def _comparable(tree: Measurement, before: Measurement) -> bool:
    return (
        bool(tree.dbh_cm and before.dbh_cm and tree.dbh_cm > 0 and before.dbh_cm > 0)
        and _lives(tree)
        and _lives(before)
        and tree.species == before.species
        and (tree.pom_m == before.pom_m or not tree.pom_m or not before.pom_m)
    )


def _successive(plot: list[Visit]) -> Iterator[tuple[Visit, Visit, float]]:
    dated = [visit for visit in plot if visit.measured_on is not None]
    dated.sort(key=lambda visit: (visit.measured_on, visit.census))
    for last, now in pairwise(dated):
        years = years_between(last.measured_on, now.measured_on)
        if years is not None:
            yield last, now, years
