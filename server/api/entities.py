"""Entity lists for ODK Collect, made from the store: the plots a crew is to visit and the trees that stand there.

An entity's id is made from our own number, so that it costs no column and no index, and says where it came from
only to us. Trees that a phone created offline keep the id it gave them.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import Connection

from forms import rework as rework_form
from server.api.things import Ground
from server.problems import NotFound
from server.steps import rework_list
from server.store import last_trees, plots, rework, told, visits
from server.store.scope import Scope
from sync import openrosa

log = logging.getLogger("yangdi.entities")

_SPACE = uuid.UUID("b3f5c2a4-6d0e-4e63-9a57-7b1c5a0e8f21").bytes
_PLOT, _TREE, _ORDER, _DOUBTED = 1, 2, 3, 4
_HEADS = {
    kind: (_SPACE[:6] + bytes([0x80 | kind, _SPACE[7], 0x80])).hex()
    for kind in (_PLOT, _TREE, _ORDER, _DOUBTED)
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
PLOT_PROPERTIES = ("plot_id", "lat", "lon", "area_ha", "township")
TREE_PROPERTIES = ("plot", "plot_id", "tag", "stem_id", "species", "tally_code", "dbh_cm", "height_m", "azimuth_deg",
                   "distance_m", "measured_on", "low_cm", "high_cm", "rework")  # fmt: skip
_MOST_YEARS = 64
"""Years between two measurements that a version tells apart."""


def entity_id(kind: int, number: int) -> str:
    """A UUID (version 8, RFC 9562: our own layout) of a plot or a tree."""
    text = f"{_HEADS[kind]}{number:014x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def number_of(kind: int, text: str) -> int | None:
    """The number in an id of ours; None for any other id."""
    try:
        raw = uuid.UUID(text).bytes
    except ValueError:
        return None
    number = int.from_bytes(raw[9:], "big")
    return number if text.lower() == entity_id(kind, number) else None


def csv_of(connection: Connection, scope: Scope, name: str, at: int) -> bytes:
    """The list behind a file name, as it may be seen, at the moment `at` (ms since 1970 UTC). Raises NotFound for a
    name that is no list of ours."""
    if name == "plots.csv":
        return openrosa.entity_csv(PLOT_PROPERTIES, sound(name, _plots(connection, scope)))
    if name == "trees.csv":
        return openrosa.entity_csv(TREE_PROPERTIES, sound(name, _trees(connection, scope, at)))
    if name == rework_form.ORDERS:
        rows = _numbered(_ORDER, rework_list.orders(connection, scope))
        return openrosa.entity_csv(rework_form.ORDER_PROPERTIES, sound(name, rows))
    if name == rework_form.TREES:
        rows = _numbered(_DOUBTED, rework_list.trees(connection, scope))
        return openrosa.entity_csv(rework_form.TREE_PROPERTIES, sound(name, rows))
    raise NotFound()


class Hashes:
    """MD5 of lists as they were last made. Collect asks for the hash of every list at every poll: where nothing has
    changed since, none is made. A list depends on who looks, on the project's feed, and through its bounds on the day.
    """

    MOST = 4096
    """Hashes that are kept at the most: some lists for each of a province's phones."""
    _DAY_MS = 86_400_000

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], str] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: Connection, scope: Scope, name: str, at: int) -> str:
        """The MD5 of `csv_of` the same. Raises NotFound."""
        if scope.device_id is None:  # a person, who polls nothing
            return _md5(csv_of(connection, scope, name, at))
        # asked before the list is made: that may be newer, never older
        key = (told.standing(connection, scope.device_id), scope, name, at // self._DAY_MS)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = _md5(csv_of(connection, scope, name, at))
            with self._lock:
                self._known[key] = known
                if len(self._known) > self.MOST:
                    self._known.popitem(last=False)
        return known


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


Row = tuple[Any, ...]  # id, label, version, then the list's properties


def _numbered(kind: int, rows: Iterable[Row]) -> Iterator[Row]:
    return ((entity_id(kind, row[0]), row[1], 1 + row[2], *row[3:]) for row in rows)


def sound(name: str, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows without those that would break a phone's import, which are logged: a phone without one tree beats a
    phone without trees."""
    given: set[str] = set()
    for row in rows:
        if row[0] not in given and _is_sound(row):
            given.add(row[0])
            yield row
        else:
            log.warning("left out of %s: %r", name, row)


def _is_sound(row: Row) -> bool:
    if not all(str(value or "").strip() for value in row[:3]):
        return False
    texts = "".join([value for value in row if isinstance(value, str)])
    numbers = [value for value in row if isinstance(value, float)]
    return not _CONTROL.search(texts) and all(map(math.isfinite, numbers))


def _plots(connection: Connection, scope: Scope) -> Iterator[Row]:
    rows = plots.entities(connection, scope)
    numbers = told.numbers(connection, scope.project_id, [row.id for row in rows])
    for row in rows:
        version = 1 + numbers.get(row.id, 0)
        yield (entity_id(_PLOT, row.id), row.plot_id, version, *row[1:6])


def _trees(connection: Connection, scope: Scope, at: int) -> Iterator[Row]:
    names = {row.id: row.plot_id for row in plots.entities(connection, scope)}
    ground = Ground(connection, scope.project_id, at)
    trees = last_trees.last_trees(connection, last_trees.last_visits(connection, names).values())
    of_plots = told.numbers(connection, scope.project_id, names)
    by_themselves = told.tree_numbers(connection, scope.project_id, [one.id for one in trees])
    sent_back = _reasons(connection, scope)
    entity_ids = {number: entity_id(_PLOT, number) for number in names}
    for one in trees:
        plot_id, years = names[one.plot_id], ground.years(one.measured_on)
        number = max(of_plots.get(one.plot_id, 0), by_themselves.get(one.id, 0))
        said = ground.tree(one, years) | {
            "plot": entity_ids[one.plot_id], "plot_id": plot_id, "measured_on": one.measured_on,
            "rework": sent_back.get((plot_id, one.tag, one.stem_id)),
        }  # fmt: skip
        yield (
            one.entity_id or entity_id(_TREE, one.id), one.tag, _version(number, years),
            *(said[name] for name in TREE_PROPERTIES),
        )  # fmt: skip


def _version(number: int, years: int | None) -> int:
    """Grows with every change of what is said of a tree: with the project's feed, and in between with the years that
    widen its bounds."""
    return 1 + number * _MOST_YEARS + min(years or 0, _MOST_YEARS - 1)


def _reasons(connection: Connection, scope: Scope) -> dict[tuple[str, str, str], str]:
    """Why trees are to be measured again: plot, tag and stem -> reason."""
    orders = rework.as_wire(connection, [one.id for one in rework.open_for(connection, scope)])
    return {
        (order["plot_id"], tree["tag"], tree["stem_id"]): tree["reason"] or order["reason"]
        for order in orders
        for tree in order["trees"]
        if tree["state"] == rework.OPEN
    }


def known_ids(connection: Connection, scope: Scope, asked: Collection[str]) -> set[str]:
    """Which of these entities are there, as far as they may be known."""
    names = {row.id: row.plot_id for row in plots.entities(connection, scope)}
    there = {i for i in asked if number_of(_PLOT, i) in names}
    wanted = {number for i in asked if (number := number_of(_TREE, i)) is not None}
    trees = visits.trees_there(connection, list(names), wanted, [i for i in asked if i not in there])
    return there | {i for i in asked if i in trees or number_of(_TREE, i) in trees}
