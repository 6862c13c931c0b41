"""What accepted data say about trees here: the size that a species reaches and how much trees grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from server.forest.species import SpeciesInfo
from server.forest.visit import Visit
from server.validation.bands import Band, Growth, fitted


@dataclass(slots=True)
class Largest:
    """The largest accepted diameter (cm) and height (m), and how many trees each rests on."""

    dbh_cm: float = 0.0
    dbh_trees: int = 0
    height_m: float = 0.0
    height_trees: int = 0

    def add(self, dbh_cm: float | None, height_m: float | None) -> None:
        if dbh_cm:
            self.dbh_trees += 1
            self.dbh_cm = max(self.dbh_cm, dbh_cm)
        if height_m:
            self.height_trees += 1
            self.height_m = max(self.height_m, height_m)


@dataclass(frozen=True, slots=True)
class Reference:
    """Largest trees by species and by genus ("genus:Pinus"), growth by species and size class, from visits that a
    supervisor has accepted."""

    largest: Mapping[str, Largest] = field(default_factory=dict)
    growth: Mapping[Band, Growth] = field(default_factory=dict)

    @classmethod
    def of(cls, visits: Iterable[Visit], species: Mapping[str, SpeciesInfo] | None = None) -> Reference:
        """What these visits say. Only living trees count; a genus is known where `species` names it. Growth is
        known where a plot was visited more than once."""
        visits = list(visits)
        largest: dict[str, Largest] = {}
        genus = {code: f"genus:{info.genus}" for code, info in (species or {}).items() if info.genus}
        for visit in visits:
            for tree in visit.trees:
                if tree.species and tree.tally_code is not None and tree.tally_code.is_alive:
                    for key in filter(None, (tree.species, genus.get(tree.species))):
                        largest.setdefault(key, Largest()).add(tree.dbh_cm, tree.height_m)
        return cls(largest, fitted(visits))

    def with_growth(self, visits: Iterable[Visit]) -> Reference:
        """The same, with growth from these visits: for a first remeasurement, which can only be its own measure."""
        return replace(self, growth=fitted(visits))

    def largest_dbh_cm(self, species: str, genus: str, min_trees: float) -> float | None:
        """Largest accepted diameter of the species, else of its genus, resting on enough trees; None: not known."""
        for key in (species, f"genus:{genus}"):
            found = self.largest.get(key)
            if found is not None and found.dbh_trees >= min_trees:
                return found.dbh_cm
        return None

    def largest_height_m(self, species: str, genus: str, min_trees: float) -> float | None:
        """As `largest_dbh_cm`, for height."""
        for key in (species, f"genus:{genus}"):
            found = self.largest.get(key)
            if found is not None and found.height_trees >= min_trees:
                return found.height_m
        return None
