"""What a crew typed, as values of the forest.

Nothing is judged here and nothing is lost: a number that cannot be read becomes None, its text stays beside it,
and the rules say what they think of it later.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import NamedTuple

from forms.instance import Answers
from server.forest.tree import Measurement, TallyCode, tally_code

_NUMBERS = frozenset({"height_m", "pom_m", "azimuth_deg", "distance_m", "x_m", "y_m", "dbh_cm"})
_READ = _NUMBERS | {"tag", "stem_id", "species", "tally_code", "verified", "codes"}
"""Answers that have a column; the others are kept beside them as typed."""
_INFINITE = math.inf
_YES = frozenset({"1", "yes", "true", "verified", "ok", "y", "是"})
_NO_CODES: frozenset[str] = frozenset()
_VERIFIED_CODES = frozenset({"DV", "verified"})


class Position(NamedTuple):
    """A fix: degrees WGS 84, metres; altitude and accuracy None where the phone gave none."""

    lat: float
    lon: float
    altitude_m: float | None
    accuracy_m: float | None


class TreeRow(NamedTuple):
    """A tree as typed: the measurement, where it stands as the crew read it, and every other answer."""

    measurement: Measurement
    azimuth_deg: float | None
    distance_m: float | None
    other: dict[str, str] | None


def number(text: str | None) -> float | None:
    """A finite number from what was typed ("33.1", "33,1", "３３．１"), or None."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        try:
            value = float(text.replace(",", ".").replace("．", ".").replace("，", "."))
        except ValueError:
            return None
    return value if -_INFINITE < value < _INFINITE else None  # false for nan as well


def day(text: str | None) -> date | None:
    """The day in an ISO date or moment, in the crew's own time, or None."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def moment_ms(text: str | None) -> int | None:
    """Milliseconds since 1970 UTC of an ISO moment with an offset, or None."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return int(at.timestamp() * 1000) if at.tzinfo else None


def position(text: str | None) -> Position | None:
    """A fix from an ODK geopoint, "lat lon altitude accuracy"; None where it is none on Earth."""
    numbers = [number(part) for part in (text or "").split()]
    if len(numbers) < 2 or numbers[0] is None or numbers[1] is None:
        return None
    lat, lon = numbers[0], numbers[1]
    if abs(lat) > 90 or abs(lon) > 180:
        return None
    return Position(
        lat, lon, numbers[2] if len(numbers) > 2 else None, numbers[3] if len(numbers) > 3 else None
    )


def trees(answers: Answers) -> list[TreeRow]:
    """Every tree in the crew's order. A tree with a diameter and no tally code is a living tree."""
    return [_tree(ordinal, row) for ordinal, row in enumerate(answers.trees)]


def measurements(answers: Answers) -> list[Measurement]:
    """The trees alone, for a look at them that keeps nothing."""
    return [_measurement(ordinal, row) for ordinal, row in enumerate(answers.trees)]


def _tree(ordinal: int, row: dict[str, str]) -> TreeRow:
    measurement = _measurement(ordinal, row)
    azimuth, distance = number(row.get("azimuth_deg")), number(row.get("distance_m"))
    other = {name: text for name, text in row.items() if name not in _READ}
    if _something_unread(row, measurement, azimuth, distance):
        other |= {name: text for name, text in row.items() if _unreadable(name, text)}
    return TreeRow(measurement, azimuth, distance, other or None)


def _something_unread(
    row: dict[str, str], m: Measurement, azimuth: float | None, distance: float | None
) -> bool:
    return (
        (m.dbh_cm is None and "dbh_cm" in row)
        or (m.height_m is None and "height_m" in row)
        or (m.tally_code is None)
        or (m.pom_m is None and "pom_m" in row)
        or (azimuth is None and "azimuth_deg" in row)
        or (distance is None and "distance_m" in row)
        or (m.x_m is None and "x_m" in row)
        or (m.y_m is None and "y_m" in row)
    )


def _measurement(ordinal: int, row: dict[str, str]) -> Measurement:
    get = row.get
    dbh_text = get("dbh_cm", "")
    if "x_m" in row or "distance_m" in row:
        x, y = _place(row)
    else:
        x = y = None
    tally_text = get("tally_code")
    codes = get("codes")
    verified = get("verified")
    return Measurement(
        ordinal,
        get("tag", ""),
        get("stem_id", "1"),
        get("species", ""),
        TallyCode.ALIVE if tally_text is None else tally_code(tally_text),
        number(dbh_text),
        number(get("height_m")),
        number(get("pom_m")),
        x,
        y,
        (verified is not None and verified.lower() in _YES)
        or bool(codes and _VERIFIED_CODES & set(codes.split())),
        frozenset(codes.split()) if codes else _NO_CODES,
        dbh_text,
    )


def _place(row: dict[str, str]) -> tuple[float | None, float | None]:
    """Where a tree stands, m: as typed, or from azimuth and distance with the centre as origin and y to the north."""
    x, y = number(row.get("x_m")), number(row.get("y_m"))
    azimuth, distance = number(row.get("azimuth_deg")), number(row.get("distance_m"))
    if x is not None or y is not None or azimuth is None or distance is None:
        return x, y
    bearing = math.radians(azimuth)
    return distance * math.sin(bearing), distance * math.cos(bearing)


def _unreadable(name: str, text: str) -> bool:
    if name in _NUMBERS:
        return number(text) is None
    return name == "tally_code" and tally_code(text) is None
