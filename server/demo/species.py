"""The species of the made-up county: how large they are, how fast they grow, how often they die.

Plausible settings, not findings: every row of tables/growth.csv carries `source`, and "unverified" there
means that nobody has looked the number up. No estimate may be computed from them.
"""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLES = Path(__file__).parent / "tables"


class SpeciesGrowth(NamedTuple):
    """One species. Diameters begin at 5 cm and follow a Weibull law above it (`dbh_shape`, `dbh_scale_cm`).

    `increment_cm_a` is the mean yearly growth of the diameter at `best_size_cm`, less on both sides of it.
    `growth_group` is one of the rules' groups, "" for none. Height follows 1.3 + (height_max_m - 1.3)(1 -
    exp(-dbh / height_scale_cm)), in metres.
    """

    code: str
    zh: str
    en: str
    latin: str
    growth_group: str
    dbh_shape: float
    dbh_scale_cm: float
    increment_cm_a: float
    best_size_cm: float
    height_max_m: float
    height_scale_cm: float
    mortality_pct_a: float
    source: str

    def yearly_growth_cm(self, dbh_cm: float) -> float:
        """Mean growth of the diameter in one year at this size, cm; above 0 for every size above 0."""
        off = math.log(dbh_cm / self.best_size_cm) / 0.9  # a tree of 2.5 times the best size grows at 60 %
        return self.increment_cm_a * math.exp(-off * off / 2)

    def height_m(self, dbh_cm: float) -> float:
        """Mean height at this diameter, m."""
        return 1.3 + (self.height_max_m - 1.3) * (1 - math.exp(-dbh_cm / self.height_scale_cm))


@cache
def all_species() -> dict[str, SpeciesGrowth]:
    """Species by code, in the order of the table."""
    with (TABLES / "growth.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: _species(row) for row in csv.DictReader(file)}


def _species(row: dict[str, str]) -> SpeciesGrowth:
    words = {"code", "zh", "en", "latin", "growth_group", "source"}
    values = {key: text if key in words else float(text) for key, text in row.items()}
    return SpeciesGrowth(**values)  # type: ignore[arg-type]
