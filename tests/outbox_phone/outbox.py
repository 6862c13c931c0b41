"""What a phone has to send, on its disk: durable before `save` returns, forgotten only when it is safe elsewhere."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

WAITING, SAFE, REFUSED = "waiting", "safe", "refused"
_TABLES = """
CREATE TABLE IF NOT EXISTS instance (
    client_id TEXT PRIMARY KEY, form_id TEXT NOT NULL, instance_id TEXT NOT NULL, xml BLOB,
    state TEXT NOT NULL, receipt TEXT);
CREATE TABLE IF NOT EXISTS photo (
    client_id TEXT NOT NULL REFERENCES instance, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, state TEXT NOT NULL, upload_path TEXT, PRIMARY KEY (client_id, name));
CREATE INDEX IF NOT EXISTS ix_photo_sha256 ON photo (sha256);
"""


class Saved(NamedTuple):
    """An instance in the outbox."""

    client_id: str
    form_id: str
    instance_id: str
    xml: bytes


class Photo(NamedTuple):
    """A photo in the outbox. `upload_path`: where its upload was begun, None before."""

    client_id: str
    form_id: str
    instance_id: str
    name: str
    sha256: str
    size_bytes: int
    upload_path: str | None


class Outbox:
    """One phone's outbox in a folder of its own; for one thread."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self._store = sqlite3.connect(folder / "outbox.db", isolation_level=None)
        self._store.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_TABLES}")

    def close(self) -> None:
        self._store.close()

    def save(
        self, client_id: str, form_id: str, instance_id: str, xml: bytes, photos: Mapping[str, bytes]
    ) -> None:
        """Keep an instance and its photos. Once this returns they are on the disk, and they are sent some day."""
        if self._store.execute("SELECT 1 FROM instance WHERE client_id = ?", (client_id,)).fetchone():
            return
        rows = [
            (client_id, name, self._keep(content), len(content), WAITING) for name, content in photos.items()
        ]
        with self._one_transaction() as store:
            store.execute(
                "INSERT OR IGNORE INTO instance VALUES (?, ?, ?, ?, ?, NULL)",
                (client_id, form_id, instance_id, xml, WAITING),
            )
            store.executemany("INSERT OR IGNORE INTO photo VALUES (?, ?, ?, ?, ?, NULL)", rows)

    def _keep(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        with tempfile.NamedTemporaryFile(dir=self.files, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).rename(self.files / name)
        folder = os.open(self.files, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        return name

    @contextlib.contextmanager
    def _one_transaction(self) -> Iterator[sqlite3.Connection]:
        self._store.execute("BEGIN IMMEDIATE")
        try:
            yield self._store
        except BaseException:
            self._store.execute("ROLLBACK")
            raise
        self._store.execute("COMMIT")

    def waiting(self, most: int) -> list[Saved]:
        """Instances without a receipt, the oldest first."""
        rows = self._store.execute(
            "SELECT client_id, form_id, instance_id, xml FROM instance WHERE state = ? ORDER BY rowid LIMIT ?",
            (WAITING, most),
        )
        return [Saved(*row) for row in rows]

    def photos_of(self, client_id: str) -> list[Photo]:
        """Every photo of an instance, also those that are safe."""
        return self._photos("client_id = ?", client_id)

    def photos_waiting(self) -> list[Photo]:
        """Photos whose last byte nobody has acknowledged."""
        return self._photos("photo.state = ?", WAITING)

    def photo(self, client_id: str, name: str) -> Photo:
        """One photo as it stands now."""
        return next(photo for photo in self.photos_of(client_id) if photo.name == name)

    def _photos(self, where: str, value: str) -> list[Photo]:
        rows = self._store.execute(
            "SELECT client_id, form_id, instance_id, name, sha256, size_bytes, upload_path FROM photo"
            f" JOIN instance USING (client_id) WHERE {where} ORDER BY photo.rowid",
            (value,),
        )
        return [Photo(*row) for row in rows]

    def pending_count(self) -> int:
        """Instances without a receipt."""
        return int(
            self._store.execute("SELECT count(*) FROM instance WHERE state = ?", (WAITING,)).fetchone()[0]
        )

    def content(self, photo: Photo) -> bytes:
        return (self.files / photo.sha256).read_bytes()

    def received(self, client_id: str, receipt: str) -> None:
        """The server has said that this instance is safe, so its text may go."""
        self._store.execute(
            "UPDATE instance SET state = ?, receipt = ?, xml = NULL WHERE client_id = ?",
            (SAFE, receipt, client_id),
        )

    def refused(self, client_id: str, reason: str) -> None:
        """No server will take it: it stays here, for a person to look at."""
        self._store.execute(
            "UPDATE instance SET state = ?, receipt = ? WHERE client_id = ?", (REFUSED, reason, client_id)
        )

    def upload_begun(self, photo: Photo, path: str | None) -> None:
        """Where its bytes go; None: it must be begun again."""
        self._store.execute(
            "UPDATE photo SET upload_path = ? WHERE client_id = ? AND name = ?",
            (path, photo.client_id, photo.name),
        )

    def photo_received(self, client_id: str, name: str) -> None:
        """Its last byte was acknowledged; its file may go once no other photo has the same bytes."""
        self._store.execute(
            "UPDATE photo SET state = ? WHERE client_id = ? AND name = ?", (SAFE, client_id, name)
        )
        row = self._store.execute(
            "SELECT p.sha256 FROM photo p WHERE p.client_id = ? AND p.name = ? AND NOT EXISTS"
            " (SELECT 1 FROM photo q WHERE q.sha256 = p.sha256 AND q.state = ?)",
            (client_id, name, WAITING),
        ).fetchone()
        if row:
            (self.files / row[0]).unlink(missing_ok=True)

    def receipts(self) -> dict[str, str]:
        """What the server said about each instance, by instance_id."""
        rows = self._store.execute("SELECT instance_id, receipt FROM instance WHERE receipt IS NOT NULL")
        return dict(rows.fetchall())

    def safe_photos(self) -> set[tuple[str, str, str]]:
        """instance_id, name and SHA-256 of each photo that the server has acknowledged."""
        rows = self._store.execute(
            "SELECT instance_id, name, sha256 FROM photo JOIN instance USING (client_id) WHERE photo.state = ?",
            (SAFE,),
        )
        return set(rows.fetchall())
