"""The made-up county: townships, strata, plots, crews, farms and two censuses, all from one seed.

Names of townships are those of 平顺县 as its people use them, written from memory and not checked against a
register (unverified: whether 北社乡 belongs on the list). Boundaries, areas, plots, crews and farms are
generated.
"""

from __future__ import annotations

import csv
import math
import random
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from server.demo import ground
from server.demo.species import TABLES

TOWNSHIPS = (
    "青羊镇", "龙溪镇", "石城镇", "苗庄镇", "杏城镇", "西沟乡", "东寺头乡", "虹梯关乡", "阳高乡", "北耽车乡",
    "中五井乡",
)  # fmt: skip
PLOT_AREA_HA = 0.0667
"""One mu, the usual permanent plot: a square of 25.82 m."""
PLOT_SIDE_M = 25.82
APART_M = 1_500
"""Least distance between two plots."""


class Habit(StrEnum):
    """How a crew works."""

    CAREFUL = "careful"  # reads the tape to a millimetre
    ROUNDS = "rounds"  # to whole centimetres, mostly
    COPIES = "copies"  # takes some values from the last census or from another plot


@dataclass(frozen=True, slots=True)
class Crew:
    """`tape_off_cm`: what its tape reads too much from the second census on, cm."""

    name: str
    surveyor: str
    habit: Habit
    tape_off_cm: float = 0.0


@dataclass(frozen=True, slots=True)
class Farm:
    """A state forest farm; `login` is its person at the dashboard."""

    name: str
    login: str


@dataclass(frozen=True, slots=True)
class Census:
    """One campaign; days are inclusive."""

    name: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Stratum:
    """`mix` is species code -> share of the stems; `stems_ha` counts living stems of 5 cm and more."""

    name: str
    species: str
    area_ha: float
    origin: str
    mean_age_a: int  # in the first census
    stems_ha: float
    mix: dict[str, float]


@dataclass(frozen=True, slots=True)
class Township:
    """`boundary` is a GeoJSON polygon in degrees WGS 84, always generated."""

    name: str
    boundary: dict[str, Any]
    is_generated: bool = True


@dataclass(frozen=True, slots=True)
class Plot:
    """A permanent plot at its design position, degrees WGS 84, with the codes of its header."""

    plot_id: str
    township: str
    stratum: Stratum
    crew: Crew
    lat: float
    lon: float
    elevation_m: int
    slope_deg: int
    aspect: str
    slope_position: str
    soil_type: str
    soil_depth_cm: int
    area_ha: float = PLOT_AREA_HA
    shape: str = "square"


@dataclass(frozen=True, slots=True)
class County:
    name: str
    seed: int
    boundary: dict[str, Any]
    townships: tuple[Township, ...]
    strata: tuple[Stratum, ...]
    plots: tuple[Plot, ...]
    crews: tuple[Crew, ...]
    auditors: Crew
    farms: tuple[Farm, ...]
    censuses: tuple[Census, ...]
    is_generated: bool = True


CREWS = (
    Crew("一队", "王建军", Habit.CAREFUL),
    Crew("二队", "李俊峰", Habit.ROUNDS),
    Crew("三队", "张海燕", Habit.COPIES),
    # the first centimetre of its new tape is gone: every girth reads 1 cm more, every diameter 1/π cm
    Crew("四队", "赵志刚", Habit.CAREFUL, tape_off_cm=1 / math.pi),
)
AUDITORS = Crew("质检队", "陈晓明", Habit.CAREFUL)
"""The crew that measures drawn plots again, and no others."""
FARMS = (Farm("青羊国有林场（模拟）", "farm-qingyang"), Farm("虹梯国有林场（模拟）", "farm-hongti"))
CENSUSES = (
    Census("2021", date(2021, 7, 1), date(2021, 10, 31)),
    Census("2026", date(2026, 7, 1), date(2026, 10, 31)),
)


def make_county(seed: int = 1, plots: int = 60) -> County:
    """The county of a seed. The same seed gives the same county; more plots give the same townships."""
    land = ground.make_ground(random.Random(f"{seed}/ground"), len(TOWNSHIPS))
    townships = tuple(
        Township(name, ground.geojson(part)) for name, part in zip(TOWNSHIPS, land.parts, strict=True)
    )
    places = ground.scatter(random.Random(f"{seed}/plots"), land, plots, APART_M)
    places.sort(key=lambda place: (-round(place[1] / 4_000), place[0]))  # numbered from the north, row by row
    return County(
        name="平顺县（模拟）",
        seed=seed,
        boundary=ground.geojson(land.outline),
        townships=townships,
        strata=all_strata(),
        plots=tuple(_plot(seed, number, place, land) for number, place in enumerate(places, start=1)),
        crews=CREWS,
        auditors=AUDITORS,
        farms=FARMS,
        censuses=CENSUSES,
    )


def loose_plot(seed: int, number: int) -> Plot:
    """A plot of a load test: somewhere in the county, in no township's list, quick to make by the
    thousand."""
    luck = random.Random(f"{seed}/loose/{number}")
    place = luck.uniform(-12_000, 12_000), luck.uniform(-12_000, 12_000)
    return _described(luck, f"SIM-{number:06d}", "", place, number)


@cache
def all_strata() -> tuple[Stratum, ...]:
    """The strata of tables/strata.csv."""
    with (TABLES / "strata.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_stratum(row) for row in csv.DictReader(file))


def _stratum(row: dict[str, str]) -> Stratum:
    mix = {code: float(share) / 100 for code, _, share in (p.partition(":") for p in row["mix"].split())}
    return Stratum(
        row["name"], row["species"], float(row["area_ha"]), row["origin"], int(row["mean_age_a"]),
        float(row["stems_ha"]), mix,
    )  # fmt: skip


def _plot(seed: int, number: int, place: ground.Place, land: ground.Ground) -> Plot:
    part = land.part_of(place)
    assert part is not None  # scatter gives no place outside
    luck = random.Random(f"{seed}/plot/{number}")
    return _described(luck, f"PS-{number:04d}", TOWNSHIPS[part], place, number)


def _described(luck: random.Random, plot_id: str, township: str, place: ground.Place, number: int) -> Plot:
    """A plot with a stratum and terrain. The stratum comes by area, the crew in turn."""
    strata = all_strata()
    lat, lon = ground.to_degrees(place)
    # plots are spread by the square root of the area, so that small strata have enough of them
    stratum = luck.choices(strata, [math.sqrt(s.area_ha) for s in strata])[0]
    return Plot(
        plot_id=plot_id,
        township=township,
        stratum=stratum,
        crew=CREWS[number % len(CREWS)],
        lat=lat,
        lon=lon,
        elevation_m=round(luck.gauss(1_250, 180)),
        slope_deg=luck.randrange(5, 36),
        aspect=str(luck.randrange(1, 9)),
        slope_position=str(luck.randrange(1, 6)),
        soil_type=luck.choice(("cinnamon", "brown", "skeletal", "lithosol")),
        soil_depth_cm=luck.randrange(20, 90, 5),
    )
