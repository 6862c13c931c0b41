"""The reckoning: what phones were told is safe, against what the store and the photo folder hold."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, select

from server.store import schema
from server.store.blobs import Blobs
from server.store.db import Database
from tests.outbox_phone.outbox import Outbox
from tests.torture.plots import TREES, sha256

File = tuple[str, str, str]
"""instance_id, name, sha256 of a photo."""


@dataclass
class Told:
    """What phones were told is safe. For any number of threads."""

    instances: set[str] = field(default_factory=set)
    photos: set[File] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def instance(self, instance_id: str) -> None:
        with self._lock:
            self.instances.add(instance_id)

    def photo(self, instance_id: str, name: str, content_sha256: str) -> None:
        with self._lock:
            self.photos.add((instance_id, name, content_sha256))

    def all_of(self, outbox: Outbox) -> None:
        """Whatever a phone of ours was told. Raises AssertionError where it was told something else than `kept`."""
        for instance_id, receipt in outbox.receipts().items():
            assert receipt in {"kept", "already_kept"}, (instance_id, receipt)
            self.instance(instance_id)
        for photo in outbox.safe_photos():
            self.photo(*photo)

    def so_far(self) -> Told:
        """A copy that stays as it is."""
        with self._lock:
            return Told(set(self.instances), set(self.photos))


@dataclass(frozen=True)
class Losses:
    """Instance ids, photo names and visits that are not as promised; all empty when all is well."""

    lost_instances: frozenset[str] = frozenset()
    lost_photos: frozenset[File] = frozenset()
    duplicated: frozenset[str] = frozenset()
    half_unfolded: frozenset[str] = frozenset()

    @property
    def lost(self) -> int:
        return len(self.lost_instances) + len(self.lost_photos)

    def __or__(self, other: Losses) -> Losses:
        """What was wrong at either look."""
        return Losses(
            self.lost_instances | other.lost_instances,
            self.lost_photos | other.lost_photos,
            self.duplicated | other.duplicated,
            self.half_unfolded | other.half_unfolded,
        )

    def __bool__(self) -> bool:
        return bool(self.lost or self.duplicated or self.half_unfolded)


def reckon(database: Database, blobs: Blobs, told: Told, *, drained: bool = False) -> Losses:
    """Compare. `drained`: every job is done, so each counting plot must have its visit."""
    safe = told.so_far()  # first: what is told from now on need not be in what is read now
    ids = _rows(database, schema.submission.c.instance_id, schema.submission.c.variant == "")
    counted = Counter(ids)
    trees = _trees_of_visits(database)
    doubled_visits = [instance_id for instance_id, of_visits in trees.items() if len(of_visits) > 1]
    half = {instance_id for instance_id, of_visits in trees.items() if set(of_visits) != {TREES}}
    if drained:
        half |= set(counted) - set(trees)
    return Losses(
        lost_instances=frozenset(safe.instances - set(counted)),
        lost_photos=frozenset(safe.photos - _photos(database, blobs)),
        duplicated=frozenset([i for i, times in counted.items() if times > 1] + doubled_visits),
        half_unfolded=frozenset(half),
    )


def _rows(database: Database, column: ColumnElement[Any], where: ColumnElement[bool]) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(column).where(where)).scalars())


def _trees_of_visits(database: Database) -> dict[str, list[int]]:
    """Numbers of trees of the visits that were read from an instance."""
    v, m, s = schema.visit, schema.measurement, schema.submission
    query = (
        select(s.c.instance_id, v.c.id, func.count(m.c.ordinal))
        .join(v, v.c.submission_id == s.c.id)
        .outerjoin(m, m.c.visit_id == v.c.id)
        .group_by(s.c.instance_id, v.c.id)
    )
    found: dict[str, list[int]] = {}
    with database.reading() as connection:
        for instance_id, _visit, number in connection.execute(query):
            found.setdefault(instance_id, []).append(number)
    return found


def _photos(database: Database, blobs: Blobs) -> set[File]:
    """Photos that are there, byte for byte what their name in the folder says."""
    a, s = schema.attachment.c, schema.submission.c
    query = (
        select(s.instance_id, a.name, a.sha256)
        .join(schema.submission, s.id == a.submission_id)
        .where(a.sha256.is_not(None))
    )
    with database.reading() as connection:
        rows = {tuple(row) for row in connection.execute(query)}
    return {row for row in rows if _is_whole(blobs, row[2])}  # type: ignore[misc]


def _is_whole(blobs: Blobs, name: str) -> bool:
    path = blobs.path(name)
    return path.is_file() and sha256(path.read_bytes()) == name
