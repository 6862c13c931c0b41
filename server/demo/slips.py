"""Slips of a moment: a wrong digit, a lost decimal point, two trees exchanged. Each is noted, so that what
the rules find can be held against what there was to find.

Weights are those of corrections that real censuses published: tens digit first, then the decimal point.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import NamedTuple

from server.demo.crews import TypedRow
from server.demo.species import all_species

WEIGHTS = {
    "tens_digit": 0.22,
    "decimal_point": 0.14,
    "one_digit": 0.12,
    "neighbour_swap": 0.10,
    "point_of_measurement": 0.10,
    "transposition": 0.08,
    "dropped_digit": 0.08,
    "ocular_guess": 0.08,
    "girth": 0.05,
    "inch": 0.03,
}
"""Kind of slip in a diameter -> its share of all such slips."""
IDENTITY = ("missing_tree", "duplicate_tag", "wrong_species")
"""Slips in which tree it is. Each has the rate that the caller gives."""
LEAST_SLIP_CM = 0.15
"""A change smaller than this is no slip but the tape."""


class Slip(NamedTuple):
    """One value that is not what the crew would have typed. `true_value` is what stands in the forest
    (diameters in cm to a tenth), `intended` what the crew would have typed, `typed` what it did type;
    `field` is the field of the tree's measures. `tag` is the tree's true tag; `typed` is empty for a tree
    that was left out."""

    kind: str
    census: str
    plot_id: str
    tag: str
    field: str
    true_value: str
    intended: str
    typed: str


class Change(NamedTuple):
    """What a slip did to a row, before it is known in which plot and census."""

    kind: str
    tag: str
    field: str
    intended: str
    typed: str


def slip(rows: list[TypedRow], luck: random.Random, rate: float, identity_rate: float = 0.0) -> list[Change]:
    """Change some rows in place, as crews do by mistake; give what was changed, at most one change a tree.

    `rate` is the share of diameters, `identity_rate` the share of trees for each kind of IDENTITY.
    """
    touched: set[str] = set()
    changes: list[Change] = []
    for row in [row for row in rows if "dbh_cm" in row]:
        if luck.random() < rate and row["tag"] not in touched:
            made = _diameter_slip(row, rows, touched, luck)
            changes += made
            touched |= {change.tag for change in made}
    for row in list(rows):
        for kind in IDENTITY:
            if luck.random() < identity_rate and row["tag"] not in touched:
                made = _identity_slip(kind, row, rows, luck)
                changes += made
                touched |= {change.tag for change in made} | {change.typed for change in made}
    return changes


def wrong_diameter(kind: str, text: str, luck: random.Random) -> str | None:
    """The diameter that a slip of this kind makes of `text` (cm, one decimal); None where it would be none:
    no change to speak of, or nothing that could be typed. Raises KeyError for a kind that is not of
    WEIGHTS."""
    value = _DIAMETER[kind](text, luck)
    if value is None or round(value, 1) <= 0 or abs(value - float(text)) < LEAST_SLIP_CM:
        return None
    return f"{value:.1f}"


def _diameter_slip(
    row: TypedRow, rows: list[TypedRow], touched: set[str], luck: random.Random
) -> list[Change]:
    for _ in range(20):  # some kinds cannot happen to some values
        kind = luck.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if kind == "neighbour_swap":
            if swapped := _swap(row, rows, touched):
                return swapped
            continue
        typed = wrong_diameter(kind, row["dbh_cm"], luck)
        if typed is not None:
            return [_set(row, kind, "dbh_cm", typed)]
    return []


def _swap(row: TypedRow, rows: list[TypedRow], touched: set[str]) -> list[Change]:
    """Exchange the diameters of a tree and the next living one in the list."""
    place = next(number for number, other in enumerate(rows) if other is row)
    for other in rows[place + 1 : place + 4]:
        if "dbh_cm" not in other or other["tag"] in touched:
            continue
        mine, theirs = row["dbh_cm"], other["dbh_cm"]
        if abs(float(mine) - float(theirs)) < LEAST_SLIP_CM:
            continue
        return [_set(row, "neighbour_swap", "dbh_cm", theirs), _set(other, "neighbour_swap", "dbh_cm", mine)]
    return []


def _identity_slip(kind: str, row: TypedRow, rows: list[TypedRow], luck: random.Random) -> list[Change]:
    if kind == "missing_tree":
        rows.remove(row)
        return [Change(kind, row["tag"], "tag", row["tag"], "")]
    if kind == "duplicate_tag":
        other = luck.choice(rows)["tag"]
        return [_set(row, kind, "tag", other)] if other != row["tag"] else []
    others = [code for code in all_species() if code != row["species"]]
    return [_set(row, kind, "species", luck.choice(others))]


def _set(row: TypedRow, kind: str, field: str, typed: str) -> Change:
    change = Change(kind, row["tag"], field, row[field], typed)
    row[field] = typed
    return change


def _tens(text: str, luck: random.Random) -> float:
    value = float(text)
    return value + 10 if value <= 10.05 or luck.random() < 0.5 else value - 10


def _point(text: str, luck: random.Random) -> float:
    return float(text) * luck.choice((10, 0.1))


def _digit(text: str, luck: random.Random) -> float:
    places = [number for number, letter in enumerate(text) if letter.isdigit()]
    place = luck.choice(places)
    return float(text[:place] + luck.choice("0123456789") + text[place + 1 :])


def _transposed(text: str, luck: random.Random) -> float:
    digits = [*text.replace(".", "")]
    place = luck.randrange(len(digits) - 1)
    digits[place], digits[place + 1] = digits[place + 1], digits[place]
    return int("".join(digits)) / 10


def _dropped(text: str, luck: random.Random) -> float:
    digits = [*text.replace(".", "")]
    del digits[luck.randrange(len(digits))]
    return int("".join(digits)) / 10


def _ocular(text: str, luck: random.Random) -> float:
    return max(5.0, 5.0 * round(float(text) * luck.gauss(1, 0.15) / 5))


_DIAMETER: dict[str, Callable[[str, random.Random], float | None]] = {
    "tens_digit": _tens,
    "decimal_point": _point,
    "one_digit": _digit,
    "point_of_measurement": lambda text, luck: (
        float(text) * (1 + luck.choice((-1, 1)) * luck.uniform(0.04, 0.12))
    ),
    "transposition": _transposed,
    "dropped_digit": _dropped,
    "ocular_guess": _ocular,
    "girth": lambda text, _: float(text) * math.pi,
    "inch": lambda text, _: float(text) / 2.54,
}
