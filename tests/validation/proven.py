"""Values that the censuses before and after them prove wrong: the only oddities of real data that are known to be
errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from server.forest.tree import Measurement, TallyCode
from server.forest.visit import Visit

Tree = tuple[str, str, str]  # plot, tag, stem
Plots = Mapping[str, Visit]


def proven_wrong(first: Plots, middle: Plots, last: Plots) -> Iterator[Tree]:
    """Trees whose diameter in the middle census is wrong."""
    for plot in first.keys() & middle.keys() & last.keys():
        one, two, three = (census[plot].by_key() for census in (first, middle, last))
        for key in one.keys() & two.keys() & three.keys():
            if _is_proven(one[key], two[key], three[key]):
                yield (plot, *key)


def pairs_proven_wrong(censuses: Sequence[Plots], at: int) -> set[Tree]:
    """Trees of which the diameter in the census at this place, or in the one before it, is wrong."""
    judged = (list(censuses[place - 1 : place + 2]) for place in (at - 1, at) if place > 0)
    return {tree for three in judged if len(three) == 3 for tree in proven_wrong(*three)}


def _is_proven(one: Measurement, two: Measurement, three: Measurement) -> bool:
    """The outer censuses agree on an ordinary growth, and the middle one lies far outside of what is between them."""
    a, b, c = one.dbh_cm or 0.0, two.dbh_cm or 0.0, three.dbh_cm or 0.0
    alive = all(tree.tally_code is TallyCode.ALIVE for tree in (one, two, three))
    if not alive or min(a, b, c) <= 0 or min(a, c) < 5 or not -0.3 <= c - a <= max(3.0, 0.3 * a):
        return False
    margin = max(1.0, 0.1 * a)
    return b < a - margin or b > c + margin
