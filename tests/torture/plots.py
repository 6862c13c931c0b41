"""Plots that torture is done with: the same number gives the same instance, trees and photos in every run."""

from __future__ import annotations

import hashlib
import random
import uuid
from functools import cache
from typing import NamedTuple

from tests.builders import jpeg
from tests.phone import plot_visit, tree

TREES = 12


class Plot(NamedTuple):
    """One filled-in plot and its photos by name. Its plot_id stands on no other post."""

    instance_id: str
    xml: bytes
    photos: dict[str, bytes]


@cache
def plot(number: int, photo_bytes: int = 20_000, photos: int = 1) -> Plot:
    """Plot `number` with TREES trees and so many photos of about this size, every one different."""
    identity = f"uuid:{uuid.UUID(int=random.Random(number).getrandbits(128), version=4)}"
    names = [f"plot_{number}_{k}.jpg" for k in range(photos)]
    trees = [tree(str(1 + k), 10 + (number * 7 + k * 3) % 40) for k in range(TREES)]
    xml = plot_visit(identity, plot_id=f"T-{number:05d}", trees=trees, photos=names)
    return Plot(identity, xml, {name: picture(f"{number}/{name}", photo_bytes) for name in names})


def picture(seed: str, size_bytes: int) -> bytes:
    """A real picture with noise behind its end, which every decoder ignores."""
    start = _small()
    return start + random.Random(seed).randbytes(max(16, size_bytes - len(start)))


@cache
def _small() -> bytes:
    return jpeg()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
