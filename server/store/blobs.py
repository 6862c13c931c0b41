"""Photos and other files, named by the SHA-256 of their bytes, in a local folder.

A blob is durable before its row is committed: written and hashed as it streams in, synced, renamed, folder
synced. A crash in between leaves a file that no row names, never a row without its file.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import IO

IN_MEMORY = 64 * 1024
"""Bytes of a part that stay in memory before a temporary file is opened; most instances are smaller."""


class Incoming(io.RawIOBase):
    """A part of a request while it arrives: counted, hashed, in memory while small, else in a file."""

    def __init__(self, folder: Path, in_memory: int = IN_MEMORY) -> None:
        self._folder = folder
        self._in_memory = in_memory
        self._hash = hashlib.sha256()
        self._bytes: IO[bytes] = io.BytesIO()
        self.path: Path | None = None
        self.size = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self.path is None and self.size + len(data) > self._in_memory:
            self._move_to_file()
        self._put(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:  # a disk that has room for half of it takes half, and says that it is full the next time
            left = left[self._bytes.write(left) :]

    def _move_to_file(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix="incoming-")
        start = self._bytes
        start.seek(0)
        self._bytes = os.fdopen(descriptor, "w+b", buffering=0)
        self.path = Path(name)
        self._put(start.read())

    @property
    def sha256(self) -> str:
        """SHA-256 of what has come so far, hexadecimal."""
        return self._hash.hexdigest()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._bytes.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        return self._bytes.read(size)

    def sync(self) -> None:
        """Put the bytes on the disk itself."""
        if self.path is None:
            self._move_to_file()
        os.fdatasync(self._bytes.fileno())

    def close(self) -> None:
        """Forget it: closes, and removes the temporary file unless it was kept."""
        if not self.closed:
            self._bytes.close()
            if self.path is not None:
                with contextlib.suppress(FileNotFoundError):
                    self.path.unlink()
        super().close()


class Blobs:
    """The folder of one installation. Safe for any number of threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()  # whoever sends a file may stand in another folder than we do

    def incoming(self) -> Incoming:
        """A place for the next part; close it when done with it."""
        return Incoming(self.root / "incoming")

    def path(self, sha256: str) -> Path:
        """Where a blob's bytes are, or would be."""
        return self.root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Are these bytes here?"""
        return self.path(sha256).exists()

    def keep(self, part: Incoming) -> str:
        """Make a part durable under its hash and return the hash. Bytes that are there cost nothing again."""
        if self.has(part.sha256):
            sync_folder(self.path(part.sha256).parent)  # it may have come in this very moment
            return part.sha256
        part.sync()
        assert part.path is not None  # sync moved it to a file
        self.take_over(part.path, part.sha256)
        part.path = None
        return part.sha256

    def keep_file(self, source: Path) -> str:
        """Take over a file that our own code made (a thumbnail) and return its hash. The source is moved."""
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        with source.open("rb") as file:
            os.fdatasync(file.fileno())
        self.take_over(source, sha256)
        return sha256

    def take_over(self, source: Path, sha256: str) -> None:
        """A file whose bytes are durable and have this hash is kept from now on. The source is moved."""
        target = self.path(sha256)
        self._folder(target.parent)
        source.replace(target)
        sync_folder(target.parent)

    def link(self, source: Path, sha256: str) -> None:
        """As `take_over`, but the source stays under its own name too."""
        target = self.path(sha256)
        self._folder(target.parent)
        with contextlib.suppress(FileExistsError):
            target.hardlink_to(source)
        sync_folder(target.parent)

    def md5(self, sha256: str) -> str:
        """MD5 of a blob, for clients that compare by it; it protects nothing."""
        with self.path(sha256).open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

    def _folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """A rename is durable once the folder that names it is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
