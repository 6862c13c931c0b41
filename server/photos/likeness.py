"""A picture in 64 bits that hardly change when it is scaled, stored again or made a little lighter.

Each bit says whether one of 8 × 8 fields is darker than its neighbour to the right (a difference hash, after
N. Krawetz). The packages for it bring numpy and scipy along for these few lines.
"""

from __future__ import annotations

from PIL import Image

SIDE = 8
BITS = SIDE * SIDE
LEAST_BITS = 10
"""Bits of each kind without which a picture is too plain to be told from another: a lens cap, a white wall."""
LEAST_CONTRAST = 24
"""Shades of 256 between the lightest and the darkest field, for the same reason."""


def likeness(picture: Image.Image) -> str | None:
    """64 bits in hex; None where the picture is too plain to be known again."""
    small = picture.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX)
    fields = small.tobytes()
    darkest, lightest = min(fields), max(fields)
    bits = 0
    for row in range(SIDE):
        for column in range(SIDE):
            at = row * (SIDE + 1) + column
            bits = bits << 1 | (fields[at] < fields[at + 1])
    if lightest - darkest < LEAST_CONTRAST or not LEAST_BITS <= bits.bit_count() <= BITS - LEAST_BITS:
        return None
    return f"{bits:016x}"
