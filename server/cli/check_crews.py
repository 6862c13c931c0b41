"""The rules about crews on plain tables: a column says who measured a plot (`crew`), one when a tree was written down
(`entered_at`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from server.cli.tree_table import Table
from server.forest.tree import Measurement
from server.forest.visit import Visit, years_between
from server.validation.crew import Work, looked_at
from server.validation.crew_growth import Pair
from server.validation.crew_reading import DIGITS
from server.validation.crew_travel import Stay
from server.validation.flag import Flag
from server.validation.parameters import Parameters
from server.validation.place import Place

MS_PER_S = 1000


def flags_of_crews(
    now: Sequence[Visit],
    last: Callable[[Visit], Visit | None],
    table: Table,
    places: Mapping[str, Place],
    parameters: Parameters,
) -> Iterator[tuple[str, Flag]]:
    """Each crew of these visits beside the others, by its name. `last` gives the visit before, `places` where and
    when the plots were visited, as far as that is known."""
    works: dict[str, Work] = defaultdict(Work)
    for number, visit in enumerate(now):
        crew = table.crews.get((visit.census, visit.plot_id))
        if crew is not None:
            _add(works[crew], number, visit, last(visit), parameters)
            entered = sorted(table.entered.get((visit.census, visit.plot_id), ()))
            works[crew].gaps_s += [(later - one) / MS_PER_S for one, later in pairwise(entered)]
            works[crew].stays.append(_stay(number, crew, visit, places.get(visit.plot_id, Place())))
    names = sorted(works)
    looks = looked_at({number: works[crew] for number, crew in enumerate(names)}, parameters)
    for number, crew in enumerate(names):
        for flag in looks[number].flags:
            yield crew, flag


def _add(work: Work, number: int, visit: Visit, before: Visit | None, parameters: Parameters) -> None:
    month = str(visit.measured_on or "")[:7]
    digits = work.digits.setdefault(month, [0] * DIGITS)
    known = before.by_key() if before is not None else {}
    years = years_between(before.measured_on, visit.measured_on) if before is not None else None
    for tree in visit.trees:
        if not _is_measured(tree):
            continue
        digits[round((tree.dbh_cm or 0.0) * 10) % 10] += 1
        then = known.get(tree.key)
        if then is not None and _is_measured(then) and (then.pom_m or 1.3) == (tree.pom_m or 1.3):
            work.pairs.append(
                Pair(number, month, None, tree.species, then.dbh_cm or 0.0, tree.dbh_cm or 0.0,
                     years or parameters.limits.x04_years_unknown)
            )  # fmt: skip


def _is_measured(tree: Measurement) -> bool:
    return bool(tree.dbh_cm and tree.dbh_cm > 0 and tree.tally_code is not None and tree.tally_code.is_alive)


def _stay(number: int, crew: str, visit: Visit, place: Place) -> Stay:
    point = place.fix.point if place.fix is not None else place.design
    lat, lon = point if point is not None else (None, None)
    return Stay(number, visit.plot_id, hash(crew), lat, lon, place.started_at, place.ended_at)
