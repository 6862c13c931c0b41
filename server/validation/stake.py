"""How much carbon hangs on a flag: what the tree would weigh as it stands there, against what was to be expected.

A rough equation for every species, so that flags can be put in an order; carbon itself is reckoned elsewhere.
"""

from __future__ import annotations

from server.forest.tree import Measurement
from server.validation.flag import Flag
from server.validation.parameters.limits import Limits
from server.validation.scene import Scene

FACTOR_KG, POWER = 0.3, 7 / 3
"""Above-ground biomass in kg is 0.3 * density (t/m3) * D^(7/3), D in cm: general one-variable model (Zeng 2018)."""
CARBON_SHARE = 0.47
"""Carbon in dry biomass (IPCC 2006 default)."""
CO2_PER_CARBON = 44 / 12
MOST_CM = 10_000.0
"""Diameters beyond this weigh no more: 100 m is nonsense already, and larger powers overflow."""

WHOLE_TREE = frozenset({"T09", "X07", "X08", "X10", "X12", "T11", "X09", "T01"})
"""Rules that doubt the tree itself, or know nothing of its size."""


def tonnes_co2(limits: Limits, dbh_cm: float) -> float:
    """What a tree of this diameter holds above ground, t CO2e."""
    kg = FACTOR_KG * limits.x03_wood_density_t_m3 * min(max(dbh_cm, 0.0), MOST_CM) ** POWER
    return float(kg / 1000 * CARBON_SHARE * CO2_PER_CARBON)


def weighed_flag(scene: Scene, flag: Flag) -> Flag:
    """The flag with its priority: its score times the carbon at stake, t CO2e; unchanged where nothing is known."""
    at_stake = _at_stake(scene, flag)
    return flag._replace(priority=round(flag.score * at_stake, 5)) if at_stake else flag


def _at_stake(scene: Scene, flag: Flag) -> float:
    limits = scene.limits
    tree = None if flag.ordinal is None else _tree(scene, flag.ordinal)
    here = tonnes_co2(limits, tree.dbh_cm) if tree is not None and tree.dbh_cm else 0.0
    expected = flag.facts.get("expected_cm")
    if isinstance(expected, float | int):
        return abs(here - tonnes_co2(limits, expected))
    if flag.rule in WHOLE_TREE:
        before = scene.known.get((flag.tag, flag.stem_id))
        return here or (tonnes_co2(limits, before.dbh_cm) if before is not None and before.dbh_cm else 0.0)
    if flag.field == "dbh_cm" and flag.expected_high:
        return abs(here - tonnes_co2(limits, flag.expected_high))
    return 0.0


def _tree(scene: Scene, ordinal: int) -> Measurement | None:
    trees = scene.now.trees
    if ordinal < len(trees) and trees[ordinal].ordinal == ordinal:
        return trees[ordinal]
    return next((tree for tree in trees if tree.ordinal == ordinal), None)
