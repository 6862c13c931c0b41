"""One thinning between the censuses: which plots it touches, and the record that the farm sends of it."""

from __future__ import annotations

import math
import random
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from server.demo.county import County, Plot
from server.demo.growth import State, TruePlot, TrueTree
from server.demo.instance import Rows
from server.demo.visits import Photo, morning
from server.forest.tree import TallyCode
from server.photos.picture import Shot

FELLED_ON = date(2023, 11, 14)
THINNED_STRATUM = "油松林"
TOUCHED_PLOTS = 4
FORM_FACTOR = 0.42
"""Stem volume = basal area × (height + 3) × this: experimental form factor of 油松 (unverified)."""


@dataclass(frozen=True, slots=True)
class SimulatedThinning:
    """What a state forest farm would send of one operation. Volume is in m³ on the whole parcel."""

    instance_id: str
    parcel_id: str
    plot_ids: tuple[str, ...]
    felled_on: date
    method: str
    area_ha: float
    trees_cut: int
    volume_m3: float
    intensity_pct: float
    permit: str
    note: str
    photos: tuple[Photo, ...]
    started_at: datetime

    @property
    def instance_name(self) -> str:
        return f"{self.parcel_id} / {self.felled_on.isoformat()}"

    def files(self) -> dict[str, bytes]:
        """What travels beside the record."""
        return {photo.name: photo.content() for photo in self.photos}

    def rows(self) -> Rows:
        """The answers by measure, for `instance.Renderer`."""
        return {
            "thinning": [
                {
                    "parcel_id": self.parcel_id,
                    "plot_ids": " ".join(self.plot_ids),
                    "felled_on": self.felled_on.isoformat(),
                    "method": self.method,
                    "area_ha": f"{self.area_ha:.1f}",
                    "trees_cut": str(self.trees_cut),
                    "volume_m3": f"{self.volume_m3:.1f}",
                    "intensity_pct": f"{self.intensity_pct:.1f}",
                    "permit": self.permit,
                    "photo": self.photos[0].name,
                    "note": self.note,
                }
            ]
        }


def touched_plots(county: County) -> tuple[Plot, ...]:
    """The plots inside the thinned parcel: neighbours in the thinned stratum."""
    inside = [plot for plot in county.plots if plot.stratum.name == THINNED_STRATUM]
    if not inside:
        return ()
    middle = inside[len(inside) // 2]
    near = sorted(inside, key=lambda p: (p.lat - middle.lat) ** 2 + (p.lon - middle.lon) ** 2)
    return tuple(sorted(near[:TOUCHED_PLOTS], key=lambda plot: plot.plot_id))


def make_thinning(county: County, plots: list[TruePlot], census: str) -> SimulatedThinning:
    """The record of the operation that `plots` show as cut trees in `census`."""
    luck = random.Random(f"{county.seed}/thinning")
    area_ha = round(luck.uniform(38, 70), 1)
    cut = [tree for plot in plots for tree in plot.trees if _is_cut(tree.states.get(census))]
    first = county.censuses[0].name
    before = [tree for plot in plots for tree in plot.found_in(first)]
    sampled_ha = sum(plot.plot.area_ha for plot in plots)
    cut_m3, all_m3 = _volume_of(cut, first), _volume_of(before, first)
    at = morning(FELLED_ON + timedelta(days=6), luck, 10)
    words = (plots[0].plot.plot_id, "after felling", f"{at:%Y-%m-%d}")
    lat, lon = plots[0].plot.lat, plots[0].plot.lon
    photo = Photo(f"{int(at.timestamp() * 1000)}.jpg", Shot(luck.getrandbits(31), words, at, lat, lon, 6.0))
    return SimulatedThinning(
        instance_id=f"uuid:{uuid.UUID(int=luck.getrandbits(128), version=4)}",
        parcel_id="03-012",
        plot_ids=tuple(plot.plot.plot_id for plot in plots),
        felled_on=FELLED_ON,
        method="thinning",
        area_ha=area_ha,
        trees_cut=round(len(cut) / sampled_ha * area_ha),
        volume_m3=round(cut_m3 / sampled_ha * area_ha, 1),
        intensity_pct=round(100 * cut_m3 / all_m3, 1),
        permit=f"平林采字〔2023〕{luck.randrange(10, 90)}号（模拟）",
        note=county.farms[0].name,
        photos=(photo,),
        started_at=at,
    )


def _is_cut(state: State | None) -> bool:
    return state is not None and state.tally_code is TallyCode.CUT


def _volume_of(trees: list[TrueTree], census: str) -> float:
    return sum(_volume_m3(tree.states[census]) for tree in trees)


def _volume_m3(state: State) -> float:
    return math.pi / 4 * (state.dbh_cm / 100) ** 2 * (state.height_m + 3) * FORM_FACTOR
