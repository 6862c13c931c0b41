"""Which plots are audited: drawn at random crew by crew, in a way that anybody can repeat.

The plots of a crew stand in the order of SHA-256("seed/plot_id"), and the first of them are drawn. Whoever has the seed
and the list needs no library of ours to come to the same plots, and adding a plot to the list moves no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from math import ceil
from typing import NamedTuple

_ROUNDING = 1e-9
"""So that a tenth of thirty is three, whatever binary fractions make of it."""


class Frame(NamedTuple):
    """The plots of one crew that may be drawn, and how many were drawn before."""

    plots: tuple[str, ...]
    before: int = 0


def in_order(plots: Iterable[str], seed: str) -> list[str]:
    """Plots in the order in which this seed draws them."""
    return sorted(plots, key=lambda plot: (sha256(f"{seed}/{plot}".encode()).hexdigest(), plot))


def by_share(frames: Mapping[str, Frame], share: float) -> dict[str, int]:
    """How many plots of each crew are missing until this share of them was drawn, rounded up."""
    wanted = {crew: ceil(share * (len(one.plots) + one.before) - _ROUNDING) for crew, one in frames.items()}
    return {crew: min(max(wanted[crew] - one.before, 0), len(one.plots)) for crew, one in frames.items()}


def by_number(frames: Mapping[str, Frame], plots: int) -> dict[str, int]:
    """So many plots together, each crew by its part of what may be drawn (largest remainders)."""
    total = sum(len(one.plots) for one in frames.values())
    if plots >= total:
        return {crew: len(one.plots) for crew, one in frames.items()}
    parts = {crew: divmod(plots * len(one.plots), total) for crew, one in frames.items()}
    left = plots - sum(whole for whole, _ in parts.values())
    largest = sorted(parts, key=lambda crew: (-parts[crew][1], crew))[:left]
    return {crew: whole + (crew in largest) for crew, (whole, _) in parts.items()}


def drawn(frames: Mapping[str, Frame], counts: Mapping[str, int], seed: str) -> dict[str, list[str]]:
    """The plots that are drawn, by crew, in the order of the draw."""
    return {crew: in_order(one.plots, seed)[: counts[crew]] for crew, one in frames.items()}
