"""What the rules say about the made-up county, beside what is really wrong in it.

Every visit goes the way of a real one: filled in as XML, read back, turned into measurements, looked at.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from forms.compile import compile_form
from forms.instance import Reader, read
from server.demo.campaign import Campaign
from server.demo.instance import Renderer
from server.demo.slips import Slip
from server.demo.species import all_species
from server.demo.visits import SimulatedVisit
from server.forest import answers as typed
from server.forest.species import SpeciesInfo
from server.forest.visit import Visit
from server.validation.catalogue import flags_of
from server.validation.flag import Flag, Severity
from server.validation.parameters import Parameters

LIBRARY = Path(__file__).parents[2] / "forms" / "library"
SPECIES = {
    s.code: SpeciesInfo(s.code, s.latin.partition(" ")[0], s.growth_group) for s in all_species().values()
}


class Judged(NamedTuple):
    """Flags of the second census by plot, trees that were looked at, and slips found, of all, by kind."""

    flags: dict[str, list[Flag]]
    trees: int
    found: Counter[str]
    all: Counter[str]


def judge(campaign: Campaign) -> Judged:
    """Let the rules look at the second census of a campaign, with the first one beside it."""
    form = compile_form(LIBRARY / "plot_visit.md").form
    renderer, reader = Renderer(form), Reader(form)
    thinned = {plot_id for thinning in campaign.thinnings for plot_id in thinning.plot_ids}
    seen: dict[tuple[str, str], Visit] = {
        (v.census, v.plot_id): _visit(v, renderer, reader, v.plot_id in thinned) for v in campaign.visits
    }
    first, second = (census.name for census in campaign.county.censuses)
    flags = {
        plot_id: flags_of(now, seen[first, plot_id], parameters=Parameters.default(), species=SPECIES)
        for (census, plot_id), now in seen.items()
        if census == second
    }
    known = {plot_id: {tree.tag for tree in seen[first, plot_id].trees} for plot_id in flags}
    # nobody misses a tree, nor doubts its species, who has not seen it before
    slips = [
        s
        for s in campaign.slips
        if s.census == second
        and (s.kind not in {"missing_tree", "wrong_species"} or s.tag in known[s.plot_id])
    ]
    found = Counter(slip.kind for slip in slips if _is_found(slip, flags[slip.plot_id]))
    trees = sum(len(visit.trees) for (census, _), visit in seen.items() if census == second)
    return Judged(flags, trees, found, Counter(slip.kind for slip in slips))


def _visit(visit: SimulatedVisit, renderer: Renderer, reader: Reader, thinned: bool) -> Visit:
    answers = reader.answers(read(renderer.render(visit.rows(), visit.instance_id)).root)
    trees = tuple(typed.measurements(answers))
    return Visit(visit.plot_id, visit.census, visit.started_at.date(), trees, area_ha=0.0667, thinned=thinned)


def _is_found(slip: Slip, flags: list[Flag]) -> bool:
    """Is there a flag on this tree, or for copies on its plot?"""
    if slip.kind.startswith("copied"):
        return any(flag.rule == "X06" for flag in flags)
    tags = {slip.tag, slip.typed} if slip.field == "tag" else {slip.tag}
    return any(flag.tag in tags and flag.severity is not Severity.INFO for flag in flags)
