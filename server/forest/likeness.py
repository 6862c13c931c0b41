"""A picture in 64 bits, as 16 hex digits, and how far two of them differ; made in `server.photos.likeness`."""

from __future__ import annotations

BITS_ALIKE = 6
"""Bits that two likenesses of one picture differ in at most."""
BANDS_ALIKE = 2
"""Bytes of eight that two likenesses then have in common at the least: six bits spoil six bytes at most."""


def bands(likeness: str | None) -> list[int]:
    """A number for each byte and its place: what a likeness is looked up by; none for none."""
    return [place << 8 | byte for place, byte in enumerate(bytes.fromhex(likeness or ""))]


def bits_apart(one: str, other: str) -> int:
    """How many of the 64 bits differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
