"""Plots are drawn for audits: at random, crew by crew, never one that was drawn before.

The seed, every plot that might have been drawn and those that were are kept as an event, so that the draw can be
repeated and defended. A draw is never taken back: whoever dislikes what was drawn can only draw more. Plots that were
audited because of flags may be drawn: leaving a crew's worst plots out would make it look better than it is.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from server.problems import NotFound, NothingToDraw, ValueUnfit
from server.store import draws, events
from server.validation import audit_draw
from server.validation.audit_draw import Frame

SEED_CHARS = 80
SEED_BYTES = 8
"""Random bytes of a seed that nobody named: enough that nobody tries them all for one that pleases."""


class Asked(NamedTuple):
    """What to draw: until `share` (0 to 1) of each crew's measured plots were drawn, or so many `plots` more of all
    together; exactly one of the two is given. `seed`: any text; from the same list it draws the same plots again."""

    seed: str
    share: float | None = None
    plots: int | None = None
    only_approved: bool = False


def draw(
    connection: Connection, project_id: int, census_id: int, asked: Asked, by: str, at: int
) -> list[str]:
    """Draw plots of a census; their names. Raises NotFound, ValueUnfit for a share, number or seed that is none,
    NothingToDraw."""
    _check(asked)
    census = draws.find_census(connection, project_id, census_id)
    if census is None:
        raise NotFound(f"census {census_id}")
    frames = _frames(connection, project_id, census_id, asked)
    counts = (
        audit_draw.by_number(frames, asked.plots)
        if asked.plots is not None
        else audit_draw.by_share(frames, asked.share or 0.0)
    )
    found = audit_draw.drawn(frames, counts, asked.seed)
    if not any(found.values()):
        raise NothingToDraw()
    crews = [
        {"crew": crew, "before": frames[crew].before, "plots": list(frames[crew].plots), "drawn": found[crew]}
        for crew in sorted(frames)
    ]
    told = {"census_id": census_id, **asked._asdict(), "crews": crews}
    events.add(connection, project_id, by, draws.ACTION, f"census {census.name}", told, at)
    return [plot for one in crews for plot in found[str(one["crew"])]]


def _check(asked: Asked) -> None:
    if not asked.seed or len(asked.seed) > SEED_CHARS or not asked.seed.isprintable():
        raise ValueUnfit(value=asked.seed[:40].replace("\0", ""))
    if asked.plots is not None and asked.plots < 1:
        raise ValueUnfit(value=asked.plots)
    if asked.plots is None and not 0 < (asked.share or 0.0) <= 1:
        raise ValueUnfit(value=asked.share)


def _frames(connection: Connection, project_id: int, census_id: int, asked: Asked) -> dict[str, Frame]:
    """What may be drawn of each crew, and how much of what it measured was drawn before."""
    gone = set(draws.plots_of(draws.of_census(connection, project_id, census_id)))
    gone |= draws.audited_at_random(connection, census_id)
    left: dict[str, list[str]] = {}
    before: dict[str, int] = {}
    for one in draws.measured(connection, census_id, only_approved=asked.only_approved):
        left.setdefault(one.crew, [])
        if one.plot_id in gone:
            before[one.crew] = before.get(one.crew, 0) + 1
        else:
            left[one.crew].append(one.plot_id)
    return {crew: Frame(tuple(plots), before.get(crew, 0)) for crew, plots in left.items()}
