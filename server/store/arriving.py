"""The bytes of files that arrive in pieces: a file each, whose size is how far the upload has come.

Every piece is appended under a lock that checks where it begins, chunk by chunk: of two phones, or of a phone and its
own request of before that hangs on a dead line, the first to go on wins, and their bytes never mix.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.store.blobs import Blobs, sync_folder


class Overtaken(Exception):
    """Somebody else has gone on with the file meanwhile."""


class Arriving:
    """One file on its way. `name` is ours, never a phone's."""

    def __init__(self, blobs: Blobs, name: str) -> None:
        self._blobs = blobs
        self.path = blobs.root / "arriving" / name

    def size(self) -> int:
        """Bytes that are here; all of them are on the disk itself from now on."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return 0
        try:
            os.fdatasync(descriptor)  # a process that was killed may have left some that nobody synced
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    @contextmanager
    def going_on(self, offset: int) -> Iterator[Piece]:
        """Append a piece that begins at `offset`; what of it was written is durable afterwards, even where an error
        ends it. Raises Overtaken."""
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield Piece(descriptor, offset)
        finally:
            os.fdatasync(descriptor)
            os.close(descriptor)
            if is_new:
                sync_folder(self.path.parent)

    def take_over(self, source: Path) -> None:
        """A file of ours becomes the first piece. The source is moved; it is durable."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        source.rename(self.path)
        sync_folder(self.path.parent)

    def sha256(self) -> str:
        """Of all that is here, hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def keep(self, sha256: str) -> None:
        """All of it is here and has this hash: it is a blob as well from now on, without a copy."""
        self._blobs.link(self.path, sha256)

    def forget(self) -> None:
        """Throw away what is here."""
        self.path.unlink(missing_ok=True)


class Piece:
    """A piece while it is appended."""

    def __init__(self, descriptor: int, offset: int) -> None:
        self._descriptor = descriptor
        self.offset = offset

    def write(self, data: bytes) -> None:
        """Append. Raises Overtaken."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            status = os.fstat(self._descriptor)
            if status.st_size != self.offset or status.st_nlink == 0:
                raise Overtaken
            self.offset += self._whole(data)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _whole(self, data: bytes) -> int:
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]
        return len(data)
