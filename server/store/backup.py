"""A backup: the store as one file, the photos by content, and a manifest that says what should be there.

    DIR/20261122T074800Z/manifest.json   what, when, which version, SHA-256 of the two files below
    DIR/20261122T074800Z/store.db        the store (store.dump from PostgreSQL)
    DIR/20261122T074800Z/photos.sha256   every photo that belongs to it, as `sha256sum --check` reads it
    DIR/photos/ab/ab12...                the photos of all backups in DIR, each once

The store is written first: a photo is durable before any row names it, so whatever the copy names is there
to be taken. The secret key that signs sessions is left out: who finds a backup should not be able to sign
in with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import inspect, select, union

from server.store import dump, feed, migrations, move
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.schema import attachment, house, photo, upload

MANIFEST = "manifest.json"
PHOTOS = "photos.sha256"


class BackupUnusable(Exception):
    """Nothing was changed; the text says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup should hold. Sizes in bytes, hashes SHA-256 in hexadecimal."""

    made_at: str
    version: str
    revision: str | None
    engine: str
    store: str
    store_sha256: str
    photos: int
    photo_bytes: int
    photos_sha256: str
    damaged: list[str] = field(default_factory=list)
    """Photos that rows name and that were missing, or no longer had their own hash, at that time."""


def make(database: Database, blobs: Blobs, folder: Path, at: int, version: str) -> tuple[Path, Manifest]:
    """Write one backup into `folder`, which may hold earlier ones. Returns where it is.

    `at` in ms since 1970 UTC. A backup that breaks off leaves a folder named `.partial` and is none.
    Raises dump.DumpFailed, BackupUnusable, OSError.
    """
    place = folder / datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    partial = place.with_name(place.name + ".partial")
    if place.exists():
        raise BackupUnusable(f"{place} is there already")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    store = "store.db" if database.is_sqlite else "store.dump"
    revision = migrations.position(database)
    dump.write(database, partial / store)
    kept, damaged = _keep_photos(_named(database), blobs, Blobs(folder / "photos"))
    listing = "".join(f"{sha256}  ../photos/{sha256[:2]}/{sha256}\n" for sha256, _ in kept)
    (partial / PHOTOS).write_text(listing)
    manifest = Manifest(
        made_at=datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds"), version=version,
        revision=revision, engine=database.engine.dialect.name, store=store,
        store_sha256=_sha256(partial / store), photos=len(kept), photo_bytes=sum(size for _, size in kept),
        photos_sha256=_sha256(partial / PHOTOS), damaged=damaged,
    )  # fmt: skip
    (partial / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n")
    _sync(partial)
    partial.rename(place)
    return place, manifest


def bring_back(database: Database, blobs: Blobs, place: Path) -> Manifest:
    """Check a backup from end to end, then fill the empty installation from it. Raises BackupUnusable.

    A backup of SQLite may go into PostgreSQL: that is how an installation grows. The other way is refused.
    """
    manifest = check(place)
    if not dump.is_empty(database):
        raise BackupUnusable("the store is not empty; restore into a new one and change the settings then")
    if blobs.root.exists() and any(blobs.root.iterdir()):
        raise BackupUnusable(f"{blobs.root} is not empty")
    if manifest.engine == "postgresql" and database.is_sqlite:
        raise BackupUnusable("a backup of PostgreSQL can only be restored into PostgreSQL")
    try:
        for sha256 in _listed(place):
            _take(Blobs(place.parent / "photos").path(sha256), blobs.path(sha256))
        if manifest.engine == database.engine.dialect.name:
            dump.read(database, place / manifest.store)
        else:
            _grow(database, place / manifest.store)
        _begin_epoch(database)
    except BaseException:  # it was empty, and is again: the next try must find it so
        shutil.rmtree(blobs.root, ignore_errors=True)
        raise
    return manifest


def _begin_epoch(database: Database) -> None:
    """Phones may know what the backup does not: they begin anew. A store of before the feed gets its first epoch by
    the migration."""
    if inspect(database.engine).has_table(house.name):
        with database.writing() as connection:
            feed.begin_epoch(connection, secrets.token_hex(8))


def check(place: Path) -> Manifest:
    """Read every byte of a backup and compare it with its manifest. Raises BackupUnusable."""
    try:
        manifest = Manifest(**json.loads((place / MANIFEST).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise BackupUnusable(f"{place / MANIFEST}: {error}") from error
    pool = Blobs(place.parent / "photos")
    expected = {place / manifest.store: manifest.store_sha256, place / PHOTOS: manifest.photos_sha256}
    _require(expected)
    _require({pool.path(sha256): sha256 for sha256 in _listed(place)})
    return manifest


def _grow(database: Database, source: Path) -> None:
    """Rows of an SQLite file into an empty PostgreSQL, by way of the schema of this version."""
    with tempfile.TemporaryDirectory() as folder:
        # a copy: an old backup may need migrations, and a backup is never written to
        work = Path(folder) / "store.db"
        shutil.copyfile(source, work)
        old = Database(f"sqlite:///{work}")
        try:
            migrations.upgrade(old)
            migrations.upgrade(database)
            move.move(old, database)
        except BaseException:
            migrations.remove_all(database)
            raise
        finally:
            old.close()


def _named(database: Database) -> list[str]:
    """Every hash that a row names, after the copy of the store was made: perhaps a few more than it needs."""
    names = union(
        select(attachment.c.sha256).where(attachment.c.sha256.is_not(None)),
        select(photo.c.thumbnail_sha256).where(photo.c.thumbnail_sha256.is_not(None)),
        select(upload.c.sha256).where(upload.c.completed_at.is_not(None)),  # waits for its instance
    )
    with database.reading() as connection:
        return sorted(connection.scalars(names))


def _keep_photos(names: Iterable[str], live: Blobs, pool: Blobs) -> tuple[list[tuple[str, int]], list[str]]:
    kept: list[tuple[str, int]] = []
    damaged: list[str] = []
    for sha256 in names:
        source, target = live.path(sha256), pool.path(sha256)
        if not target.exists():
            if not source.exists() or _sha256(source) != sha256:
                damaged.append(sha256)
                continue
            _take(source, target)
        kept.append((sha256, target.stat().st_size))
    return kept, damaged


def _take(source: Path, target: Path) -> None:
    """One more name for the same bytes where the disk is the same, a durable copy elsewhere."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        arriving = target.with_suffix(".arriving")
        shutil.copyfile(source, arriving)
        with arriving.open("rb") as file:
            os.fsync(file.fileno())
        arriving.rename(target)


def _require(expected: dict[Path, str]) -> None:
    for path, sha256 in expected.items():
        if not path.exists():
            raise BackupUnusable(f"{path} is missing")
        if _sha256(path) != sha256:
            raise BackupUnusable(f"{path} is damaged: its SHA-256 is not the one in the manifest")


def _listed(place: Path) -> list[str]:
    return [line.split()[0] for line in (place / PHOTOS).read_text().splitlines()]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
