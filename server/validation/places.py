"""Everything that the rules of places and photos have to say about a visit; `catalogue` does the same for trees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from server.forest.visit import Visit
from server.validation.copied import (
    MOST_RESEMBLING,
    Cell,
    Resembling,
    cells,
    copied_flags,
    grams,
    worth_a_look,
)
from server.validation.flag import Flag
from server.validation.parameters import Parameters
from server.validation.photo_rules import Album, Proven, photo_flags, proof_flags
from server.validation.place import Place, place_flags
from server.validation.place_factors import boundary_flags, date_flags, land_flags, terrain_flags, whole_flags
from server.validation.stand import crowded_flags, stand_flags


class Surroundings(NamedTuple):
    """What is known of a visit beside its trees: the place, its photos, other plots' tallies that resemble its own,
    trees whose errors were accepted without proof."""

    place: Place
    album: Album | None = None
    resembling: Sequence[Resembling] = ()
    proven: Sequence[Proven] = ()


def flags_of_place(
    now: Visit, before: Visit | None, around: Surroundings, parameters: Parameters
) -> list[Flag]:
    """What is odd about the plot, its position and its photos; the same input gives the same flags."""
    limits, place = parameters.limits, around.place
    found = [
        *place_flags(place, limits),
        *terrain_flags(place, limits),
        *boundary_flags(place, limits),
        *whole_flags(place),
        *date_flags(place, limits),
        *land_flags(place, limits),
        *flags_of_stand(now, before, parameters),
        *proof_flags(around.proven),
    ]
    if around.album is not None:
        found += photo_flags(around.album, place, limits)
    if around.resembling:
        found += copied_flags(cells(now.trees), around.resembling, limits)
    return [flag for flag in found if flag.rule not in parameters.off]


def flags_of_stand(now: Visit, before: Visit | None, parameters: Parameters) -> list[Flag]:
    """What a table of trees alone can tell: too much wood or too many stems on the area, two stems in one spot."""
    limits = parameters.limits
    found = [*stand_flags(now, limits), *crowded_flags(now, before, limits)]
    return [flag for flag in found if flag.rule not in parameters.off]


def copies_of_table(
    now: Sequence[Visit], earlier: Iterable[Visit], parameters: Parameters
) -> dict[str, list[Flag]]:
    """P07 for a table that no store has indexed: flags by plot, at the plot that stands later in it.

    Tables are sorted in many ways: trees are laid beside each other as they stand there, and in their tags' order.
    """
    if "P07" in parameters.off:
        return {}
    index: dict[int, list[int]] = {}
    seen: list[Resembling] = []
    found: dict[str, list[Flag]] = {}
    judged = {id(visit) for visit in now}
    for visit in (*earlier, *now):
        flags: dict[object, Flag] = {}
        own = len(seen)
        for tally in _orders(visit):
            found_by = grams(tally)
            if id(visit) in judged:
                shared = Counter(other for gram in found_by for other in index.get(gram, ()) if other < own)
                others = [
                    seen[other]
                    for other, count in shared.most_common()
                    if worth_a_look(count, len(tally)) and seen[other].plot != visit.plot_id
                ]
                for flag in copied_flags(tally, others[:MOST_RESEMBLING], parameters.limits):
                    flags.setdefault((flag.value, flag.facts["census"]), flag)
            for gram in found_by:
                index.setdefault(gram, []).append(len(seen))
            seen.append(Resembling(visit.plot_id, visit.census, tally))
        if flags:
            found[visit.plot_id] = list(flags.values())
    return found


def _orders(visit: Visit) -> list[list[Cell]]:
    """The trees as they stand in the table, and by their tags where that is another order."""
    orders = [cells(visit.trees)]
    if all(tree.tag.isdecimal() for tree in visit.trees):
        by_tag = cells(sorted(visit.trees, key=lambda tree: int(tree.tag)))
        if by_tag != orders[0]:
            orders.append(by_tag)
    return orders
