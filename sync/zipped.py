"""The members of a zip file that somebody else made: read in pieces, within bounds, also when its end is missing.

A whole zip is read by its directory. Where the directory is lost (a copy that broke off, a full card), members are
found one after the other from the front; only a stored member that does not say its size ends that search.
Nothing is ever written to where a member's name points: names are keys here, never paths.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

PIECE_BYTES = 65_536
MOST_DIRECTORY_BYTES = 8_000_000
"""Bytes of a zip's directory, about 70,000 members of ours; a full memory costs less than it seems otherwise."""
MOST_MEMBERS = 100_000
MOST_SEARCHED_BYTES = 500_000_000
"""Bytes that are inflated only to find where members end, in one file without directory."""
_HEADER = struct.Struct("<4s5H3I2H")  # local file header, APPNOTE 4.3.7
_SIGNATURE = b"PK\x03\x04"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZE_LATER, _UTF8 = 0x1, 0x8, 0x800
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class NotZip(Exception):
    """No zip file at all, or one with more members than anybody needs."""


class MemberBroken(Exception):
    """A member that cannot be read to its end, or is not what its checksum says."""


class MemberTooLarge(Exception):
    """A member beyond the bound."""


class _Place(NamedTuple):
    """Where a member's bytes begin in a file without directory, and how many there are packed."""

    start: int
    packed_bytes: int
    method: int
    crc: int | None  # None: not said where it begins


class Zip:
    """An open zip. `is_whole` False: its end is missing. `doubled`: names that occur more than once; of those the last
    counts, as in any zip to which something was added."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises NotZip."""
        self._file = file
        self._zip: zipfile.ZipFile | None = None
        self._places: dict[str, _Place] = {}
        self.doubled: list[str] = []
        try:
            self._zip = zipfile.ZipFile(_Careful(file))
            self._note(self._zip.namelist())
        except NotZip:
            raise
        except _FAULTS:
            self._search()
        self.is_whole = self._zip is not None

    @property
    def names(self) -> list[str]:
        """Every name, once, in the order of the file."""
        return self._names

    def pieces(self, name: str, most_bytes: int) -> Iterator[bytes]:
        """A member's bytes. Raises KeyError, MemberTooLarge, and at its end at the latest MemberBroken."""
        source = self._unpacked(name)
        count = 0
        try:
            for piece in source:
                count += len(piece)
                if count > most_bytes:
                    raise MemberTooLarge(name)
                yield piece
        except _FAULTS as error:
            raise MemberBroken(f"{name}: {error}") from error

    def read(self, name: str, most_bytes: int) -> bytes:
        """All of a member's bytes; raises as `pieces`."""
        return b"".join(self.pieces(name, most_bytes))

    def _unpacked(self, name: str) -> Iterator[bytes]:
        if self._zip is None:
            return _from_place(self._file, self._places[name])
        return _from_member(self._zip, self._zip.getinfo(name))

    def _note(self, names: list[str]) -> None:
        self._names = list(dict.fromkeys(names))
        seen: set[str] = set()
        for name in names:
            if name in seen and name not in self.doubled:
                self.doubled.append(name)
            seen.add(name)

    def _search(self) -> None:
        names: list[str] = []
        for name, place in _walk(self._file):
            names.append(name)
            self._places[name] = place
            if len(names) > MOST_MEMBERS:
                raise NotZip("too many members")
        if not names:
            raise NotZip("no member")
        self._note(names)


class _Careful:
    """A file that does not let a directory of any size into the memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MOST_DIRECTORY_BYTES:
            raise NotZip("too many members")
        return self._file.read(size)


def _from_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    if member.compress_type not in {_STORED, _DEFLATED}:
        raise NotImplementedError(f"compression method {member.compress_type}")
    with opened.open(member) as source:
        while piece := source.read(PIECE_BYTES):
            yield piece


def _from_place(file: IO[bytes], place: _Place) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if place.method == _DEFLATED else None
    crc, at, left = 0, place.start, place.packed_bytes
    while left:
        file.seek(at)
        packed = file.read(min(PIECE_BYTES, left))
        if not packed:
            raise EOFError("cut off")
        at, left = at + len(packed), left - len(packed)
        for piece in _inflated(inflate, packed) if inflate else [packed]:
            crc = zlib.crc32(piece, crc)
            yield piece
    if (inflate is not None and not inflate.eof) or place.crc not in {None, crc}:
        raise EOFError("not what its checksum says")


def _inflated(inflate: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """A piece of a few bytes may hold a thousand times as many: never more than a piece at once."""
    while packed and not inflate.eof:
        yield inflate.decompress(packed, PIECE_BYTES)
        packed = inflate.unconsumed_tail


def _walk(file: IO[bytes]) -> Iterator[tuple[str, _Place]]:
    """Members one after the other from the front, as far as they can be told apart."""
    at, searched_bytes = 0, 0
    while True:
        file.seek(at)
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return
        signature, _, flags, method, _, _, crc, packed_bytes, size, name_bytes, extra_bytes = _HEADER.unpack(
            head
        )
        name, extra = file.read(name_bytes), file.read(extra_bytes)
        if signature != _SIGNATURE or flags & _ENCRYPTED or method not in {_STORED, _DEFLATED}:
            return
        start = at + _HEADER.size + name_bytes + extra_bytes
        if packed_bytes == 0xFFFF_FFFF or size == 0xFFFF_FFFF:
            packed_bytes = _large(extra, size, packed_bytes)
        if flags & _SIZE_LATER and not packed_bytes:
            if method == _STORED:
                return
            packed_bytes, inflated_bytes = _lengths(file, start, MOST_SEARCHED_BYTES - searched_bytes)
            searched_bytes, crc = searched_bytes + inflated_bytes, None
            if searched_bytes > MOST_SEARCHED_BYTES:
                return
        yield (
            name.decode("utf-8" if flags & _UTF8 else "cp437", "replace"),
            _Place(start, packed_bytes, method, crc),
        )
        at = start + packed_bytes + _after(file, start + packed_bytes, bool(flags & _SIZE_LATER))


def _large(extra: bytes, size: int, packed_bytes: int) -> int:
    """The packed size of a member of 4 GB and more, from its extra field (APPNOTE 4.5.3)."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1 and length >= 16 and size == packed_bytes == 0xFFFF_FFFF:
            return int(struct.unpack_from("<Q", extra, 12)[0])
        extra = extra[4 + length :]
    return packed_bytes


def _lengths(file: IO[bytes], start: int, most_bytes: int) -> tuple[int, int]:
    """Packed and inflated bytes of a deflated member that does not say them: inflating it tells."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    file.seek(start)
    packed_bytes = inflated_bytes = 0
    while not inflate.eof and inflated_bytes <= most_bytes and (packed := file.read(PIECE_BYTES)):
        packed_bytes += len(packed)
        try:
            inflated_bytes += sum(len(piece) for piece in _inflated(inflate, packed))
        except zlib.error:
            break
    return packed_bytes - len(inflate.unused_data), inflated_bytes


def _after(file: IO[bytes], at: int, has_descriptor: bool) -> int:
    """Bytes of the data descriptor behind a member, which has no fixed length: up to the next signature."""
    if not has_descriptor:
        return 0
    file.seek(at)
    for bytes_of in (12, 16, 20, 24):
        file.seek(at + bytes_of)
        if file.read(2) == b"PK":
            return bytes_of
    return 16
