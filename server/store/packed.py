"""An instance's XML as it lies in the store: zstd, with its length, so that reading takes the memory it needs."""

from __future__ import annotations

import threading
import zlib

import zstandard

_LEVEL = 1
"""The next levels take twice as long for a hundredth less."""
_FRAME = b"\x28\xb5\x2f\xfd"
"""How a zstd frame begins (RFC 8878). What does not was kept by an earlier version of this program, by zlib."""

# neither may be used by two threads at once; made anew each takes as long as a plot, and one a thread is 0.1 MB each
_packer, _packing = zstandard.ZstdCompressor(level=_LEVEL), threading.Lock()
_unpacker, _unpacking = zstandard.ZstdDecompressor(), threading.Lock()


def pack(xml: bytes) -> bytes:
    """The bytes of an instance as they are stored."""
    with _packing:
        return _packer.compress(xml)


def unpack(packed: bytes) -> bytes:
    """The bytes as the phone sent them."""
    if packed[:4] != _FRAME:
        return zlib.decompress(packed)
    with _unpacking:
        return _unpacker.decompress(packed)
