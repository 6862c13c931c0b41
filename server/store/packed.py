"""An instance's XML as it lies in the store: zstd, with its length, so that reading takes the memory it needs."""

from __future__ import annotations

import threading
import zlib

import zstandard

_LEVEL = 1
"""The next levels take twice as long for a hundredth less."""
_FRAME = b"\x28\xb5\x2f\xfd"
"""How a zstd frame begins (RFC 8878). What does not was kept by an earlier version of this program, by zlib."""

_mine = (
    threading.local()
)  # neither may be used by two threads at once, and making one takes longer than a plot


def pack(xml: bytes) -> bytes:
    """The bytes of an instance as they are stored."""
    packer: zstandard.ZstdCompressor | None = getattr(_mine, "packer", None)
    if packer is None:
        packer = _mine.packer = zstandard.ZstdCompressor(level=_LEVEL)
    return packer.compress(xml)


def unpack(packed: bytes) -> bytes:
    """The bytes as the phone sent them."""
    if packed[:4] != _FRAME:
        return zlib.decompress(packed)
    unpacker: zstandard.ZstdDecompressor | None = getattr(_mine, "unpacker", None)
    if unpacker is None:
        unpacker = _mine.unpacker = zstandard.ZstdDecompressor()
    return unpacker.decompress(packed)
