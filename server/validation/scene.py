"""A visit beside what is known of its plot, sorted once so that every rule can read it cheaply."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from server.forest.species import SpeciesInfo
from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit, years_between
from server.validation.parameters import Parameters
from server.validation.parameters.limits import Limits
from server.validation.reference import Reference

ALIVE = frozenset(code for code in TallyCode if code.is_alive)
GONE = frozenset(code for code in TallyCode if code.is_gone)
NO_SPECIES = SpeciesInfo("")
WHOLE_CM = 1e-6
"""So near to a whole centimetre a diameter is one: floats, and no tape, make the difference."""

Key = tuple[str, str]


class Pair(NamedTuple):
    """A tree now and the same tree last time."""

    now: Measurement
    before: Measurement


class Crowd(NamedTuple):
    """What is known of all trees of a visit, where a scene holds only some of them.

    `grown` is how many lived and were measured both times, `whole` how many of these to whole centimetres; `places`
    are where those of the scene stand in their list, counted from anywhere; `asked` are the places of those whose own
    diameter may be odd. `sizes` are the diameters (cm) of all living trees by species.
    """

    grown: int
    whole: int
    places: Sequence[int]
    asked: Collection[int]
    sizes: Mapping[str, Sequence[float]]


@dataclass(slots=True)
class Scene:
    """What the rules look at.

    `alive` are the living trees now, `sized` those with a diameter above zero, `mine` all rows by (tag, stem),
    `known` those of the visit before. `grown` are trees that lived and had a diameter both times. Of rows that
    share tag and stem, `mine` keeps the one that fits last time best, `doubles` holds (the other, the kept one).
    `years` is the interval in years, with `years_known` False where a date is missing and the default stands in.
    `crowd` says of all trees what rules about single trees want to know of the others; None: all are here.
    """

    now: Visit
    before: Visit | None
    earlier: Sequence[Visit]
    limits: Limits
    reference: Reference | None
    species: Mapping[str, SpeciesInfo] | None
    alive: list[Measurement]
    sized: list[Measurement]
    mine: dict[Key, Measurement]
    known: dict[Key, Measurement]
    pairs: list[Pair]
    grown: list[Pair]
    doubles: list[Pair]
    years: float
    years_known: bool
    crowd: Crowd | None = None

    @property
    def places(self) -> Sequence[int]:
        """Where the trees of `grown` stand in the list of all that have grown."""
        return range(len(self.grown)) if self.crowd is None else self.crowd.places

    @property
    def asked(self) -> Collection[int]:
        """Places of the trees whose own diameter may be odd."""
        return self.places if self.crowd is None else self.crowd.asked

    @property
    def all_grown(self) -> int:
        """How many trees have grown, those outside the scene among them."""
        return len(self.grown) if self.crowd is None else self.crowd.grown

    @property
    def all_whole(self) -> int:
        """How many of these are measured to whole centimetres."""
        if self.crowd is not None:
            return self.crowd.whole
        return sum(is_whole(now.dbh_cm or 0.0) for now, _ in self.grown)

    @property
    def all_sizes(self) -> Mapping[str, Sequence[float]]:
        """Diameters (cm) of every living tree by species, those outside the scene among them."""
        if self.crowd is not None:
            return self.crowd.sizes
        sizes: dict[str, list[float]] = {}
        for tree in self.sized:
            sizes.setdefault(tree.species, []).append(tree.dbh_cm or 0.0)
        return sizes

    @property
    def bands(self) -> Reference | None:
        """What accepted trees say, where they tell how trees grow here; None where they do not."""
        return self.reference if self.reference is not None and self.reference.growth else None

    def info(self, species: str) -> SpeciesInfo:
        """What the list says of a species; an empty entry where there is no list or it is not in it."""
        return self.species.get(species, NO_SPECIES) if self.species else NO_SPECIES


def scene_of(
    now: Visit,
    before: Visit | None,
    earlier: Sequence[Visit],
    reference: Reference | None,
    parameters: Parameters,
    species: Mapping[str, SpeciesInfo] | None,
    crowd: Crowd | None = None,
) -> Scene:
    """Sort the trees of a visit for the rules; only some of its trees, where `crowd` says the rest."""
    limits = parameters.limits
    known = _first_by_key(before) if before is not None else {}
    mine = {(tree.tag, tree.stem_id): tree for tree in now.trees}
    doubles: list[Pair] = []
    if len(mine) != len(now.trees):
        mine, doubles = _best_by_key(now, known)
    pairs = [Pair(tree, known[key]) for key, tree in mine.items() if key in known] if known else []
    alive = [tree for tree in now.trees if tree.tally_code in ALIVE]
    years = years_between(before.measured_on, now.measured_on) if before is not None else None
    return Scene(
        now=now, before=before, earlier=earlier, limits=limits, reference=reference, species=species,
        alive=alive,
        sized=[tree for tree in alive if tree.dbh_cm is not None and tree.dbh_cm > 0],
        mine=mine, known=known, pairs=pairs,
        grown=[pair for pair in pairs if _lived_and_measured(*pair)],
        doubles=doubles,
        years=limits.x04_years_unknown if years is None else years,
        years_known=years is not None,
        crowd=crowd,
    )  # fmt: skip


def _lived_and_measured(now: Measurement, before: Measurement) -> bool:
    return (
        now.dbh_cm is not None
        and before.dbh_cm is not None
        and now.dbh_cm > 0
        and before.dbh_cm > 0
        and now.tally_code in ALIVE
        and before.tally_code in ALIVE
    )


def _first_by_key(visit: Visit) -> dict[Key, Measurement]:
    return {(tree.tag, tree.stem_id): tree for tree in reversed(visit.trees)}


def _best_by_key(now: Visit, known: Mapping[Key, Measurement]) -> tuple[dict[Key, Measurement], list[Pair]]:
    groups: dict[Key, list[Measurement]] = {}
    for tree in now.trees:
        groups.setdefault((tree.tag, tree.stem_id), []).append(tree)
    mine, doubles = {}, []
    for key, rows in groups.items():
        before = known.get(key)
        kept = mine[key] = min(rows, key=lambda row: _misfit(row, before))
        if key[0]:  # rows without any tag are a matter of the tag, not of twins
            doubles += [Pair(row, kept) for row in rows if row is not kept]
    return mine, doubles


def _misfit(row: Measurement, before: Measurement | None) -> tuple[float, int]:
    if before is None or before.dbh_cm is None or row.dbh_cm is None:
        return (0.0 if before is None else 1e9, row.ordinal)
    other_species = 0.0 if row.species == before.species else before.dbh_cm
    return (abs(row.dbh_cm - before.dbh_cm) + other_species, row.ordinal)


def is_whole(dbh_cm: float) -> bool:
    """Is this a whole centimetre?"""
    return abs(dbh_cm - round(dbh_cm)) < WHOLE_CM


def shown(tree: Measurement) -> str:
    """The diameter as typed, or as a number where the typing is not known; "" where there is none."""
    if tree.dbh_text:
        return tree.dbh_text
    return "" if tree.dbh_cm is None else f"{tree.dbh_cm:g}"
