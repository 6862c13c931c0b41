"""Entity lists for ODK Collect, made from the store: the plots a crew is to visit and the trees that stand there.

An entity's id is made from our own number, so that it costs no column and no index, and says where it came from
only to us. Trees that a phone created offline keep the id it gave them.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection

from server.problems import NotFound
from server.store import plots, visits
from sync import openrosa

_SPACE = uuid.UUID("b3f5c2a4-6d0e-4e63-9a57-7b1c5a0e8f21").bytes
_PLOT, _TREE = 1, 2
PLOT_PROPERTIES = ("plot_id", "lat", "lon", "area_ha", "township")
TREE_PROPERTIES = ("plot", "plot_id", "tag", "stem_id", "species", "tally_code", "dbh_cm", "azimuth_deg",
                   "distance_m", "measured_on")  # fmt: skip


def entity_id(kind: int, number: int) -> str:
    """A UUID (version 8, RFC 9562: our own layout) of a plot or a tree."""
    return str(
        uuid.UUID(bytes=_SPACE[:6] + bytes([0x80 | kind, _SPACE[7], 0x80]) + number.to_bytes(7, "big"))
    )


def number_of(kind: int, text: str) -> int | None:
    """The number in an id of ours; None for any other id."""
    try:
        raw = uuid.UUID(text).bytes
    except ValueError:
        return None
    number = int.from_bytes(raw[9:], "big")
    return number if text.lower() == entity_id(kind, number) else None


def csv_of(connection: Connection, project_id: int, crew_id: int | None, name: str) -> bytes:
    """The list behind a file name, as this crew may see it. Raises NotFound for a name that is no list of ours."""
    if name == "plots.csv":
        rows = plots.entities(connection, project_id, crew_id)
        return openrosa.entity_csv(
            PLOT_PROPERTIES, ((entity_id(_PLOT, r.id), r.plot_id, 1, *r[1:6]) for r in rows)
        )
    if name == "trees.csv":
        return openrosa.entity_csv(TREE_PROPERTIES, _trees(connection, project_id, crew_id))
    raise NotFound()


def _trees(connection: Connection, project_id: int, crew_id: int | None) -> Iterable[tuple[Any, ...]]:
    names = {row[0]: row[1] for row in plots.entities(connection, project_id, crew_id)}
    for row in visits.last_trees(connection, project_id, list(names)):
        # the version grows with every submission that says something new about the tree
        yield (
            row.entity_id or entity_id(_TREE, row.id), row.tag, row.source_id, entity_id(_PLOT, row.plot_id),
            names[row.plot_id], row.tag, row.stem_id, row.species, row.tally_code, row.dbh_cm, row.azimuth_deg,
            row.distance_m, row.measured_on,
        )  # fmt: skip


def known_ids(
    connection: Connection, project_id: int, crew_id: int | None, asked: Collection[str]
) -> set[str]:
    """Which of these entities are there, as far as this crew may know."""
    names = {row[0]: row[1] for row in plots.entities(connection, project_id, crew_id)}
    there = {i for i in asked if number_of(_PLOT, i) in names}
    wanted = {number for i in asked if (number := number_of(_TREE, i)) is not None}
    trees = visits.trees_there(connection, list(names), wanted, [i for i in asked if i not in there])
    return there | {i for i in asked if i in trees or number_of(_TREE, i) in trees}
