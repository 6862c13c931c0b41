"""The bands that diameters and heights are judged by: what accepted trees of the project say of growth, height and
size, and the versions that there were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from flask import render_template
from flask.typing import ResponseReturnValue

from server.dashboard import language, scope
from server.dashboard.door import blueprint
from server.dashboard.header import Labels
from server.dashboard.language import gettext as _
from server.steps import accepted
from server.store import bands, plot_report, rechecks
from server.validation.bands import ALL_SPECIES, GENUS, SIZE_CLASSES_CM, Growth
from server.validation.hd import HeightCurve
from server.validation.reference import Reference
from server.web import connection

Row = dict[str, Any]
VERSIONS_SHOWN = 12
SPREADS = 2
"""Spreads on each side of the median within which nine trees of ten grow, as flags show it."""
HEIGHTS_AT_CM = (10.0, 20.0, 30.0)
"""Diameters at which the usual height is told."""


class Usual(NamedTuple):
    """Growth of a group and size class: median and usual interval, cm a year, and the trees it rests on. `begin` and
    `length` place the interval on a line of length 100 that all groups share, `middle` the median. `is_borrowed`: no
    tree was of this size, all sizes speak."""

    rate_cm_yr: float
    low_cm_yr: float
    high_cm_yr: float
    trees: int
    begin: float
    length: float
    middle: float
    is_borrowed: bool


@blueprint.get("/projects/<int:project_id>/bands")
def band_page(project_id: int) -> ResponseReturnValue:
    """The bands of now, group by group, and the versions before."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    current = bands.current(reader, project_id)
    fit = accepted.in_use(reader, current)
    known = fit.every if fit else Reference()
    name = _names(project_id)
    return render_template(
        "dashboard/bands.html",
        project=project, versions=bands.versions(reader, project_id, VERSIONS_SHOWN),
        classes=_classes(), growth=_growth(known, name), heights=_heights(known, name), heights_at=HEIGHTS_AT_CM,
        recheck=rechecks.under_way(reader, project_id),
    )  # fmt: skip


def _names(project_id: int) -> Callable[[str], str]:
    species = Labels(
        [], plot_report.species_names(connection.reading(), project_id), language.locale()
    ).species

    def name(group: str) -> str:
        if group == ALL_SPECIES:
            return _("全部树种")
        if group.startswith(GENUS):
            return _("%(genus)s 属", genus=group.removeprefix(GENUS))
        return species(group)

    return name


def _classes() -> list[str]:
    """Size classes in words, cm."""
    inner = [f"{low:g}–{high:g}" for low, high in pairwise((0.0, *SIZE_CLASSES_CM))]
    return [f"< {SIZE_CLASSES_CM[0]:g}", *inner[1:], f"≥ {SIZE_CLASSES_CM[-1]:g}"]


def _growth(known: Reference, name: Callable[[str], str]) -> list[Row]:
    """A line for each group, those with most trees first and all species last; a cell for each size class."""
    trees = _trees_by_size(known.growth)
    groups = sorted((group for group in trees if not _is_alone(group, trees)),
                    key=lambda group: (_kind(group), -sum(trees[group].values())))  # fmt: skip
    seen = {size for group, size in known.growth if not _is_group(group)}
    reach = _reach(known.growth.values())
    return [
        {"name": name(group), "code": group, "is_group": _is_group(group),
         "cells": [_usual(known.growth.get((group, size)), reach, size not in seen)
                   for size in range(len(SIZE_CLASSES_CM) + 1)]}
        for group in groups
    ]  # fmt: skip


def _trees_by_size(growth: Mapping[tuple[str, int], Growth]) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for (group, size), one in growth.items():
        found.setdefault(group, {})[size] = one.trees
    return found


def _is_alone(group: str, trees: Mapping[str, dict[int, int]]) -> bool:
    """Is this a genus of which one species was seen? Then that one says the same."""
    return group.startswith(GENUS) and any(
        trees[group] == of_species for other, of_species in trees.items() if not _is_group(other)
    )


def _kind(group: str) -> int:
    """Species first, then genera, then all species."""
    return 2 if group == ALL_SPECIES else 1 if group.startswith(GENUS) else 0


def _ends(one: Growth) -> tuple[float, float]:
    return one.rate_cm_yr - SPREADS * one.down_cm_yr, one.rate_cm_yr + SPREADS * one.up_cm_yr


def _reach(all_growth: Iterable[Growth]) -> tuple[float, float]:
    ends = [_ends(one) for one in all_growth]
    return min((low for low, _high in ends), default=0.0), max((high for _low, high in ends), default=1.0)


def _usual(one: Growth | None, reach: tuple[float, float], is_borrowed: bool) -> Usual | None:
    if one is None:
        return None
    low, high = _ends(one)
    scale = 100 / max(reach[1] - reach[0], 0.01)
    begin, length, middle = (
        round(cm_yr * scale, 2) for cm_yr in (low - reach[0], high - low, one.rate_cm_yr - reach[0])
    )
    return Usual(one.rate_cm_yr, low, high, one.trees, begin, length, middle, is_borrowed)


def _heights(known: Reference, name: Callable[[str], str]) -> list[Row]:
    """Usual heights and the largest accepted tree of each group, m and cm."""
    groups = sorted({*known.heights, *known.largest}, key=lambda group: _order_of_size(known, group))
    return [_of_size(known, group, name(group)) for group in groups]


def _of_size(known: Reference, group: str, name: str) -> Row:
    curve = known.heights.get(group)
    return {
        "name": name, "is_group": _is_group(group), "heights": _told(curve), "trees": curve.trees if curve else 0,
        "largest": known.largest.get(group),
    }  # fmt: skip


def _is_group(name: str) -> bool:
    """Is this more than one species?"""
    return name == ALL_SPECIES or name.startswith(GENUS)


def _order_of_size(known: Reference, group: str) -> tuple[int, int]:
    largest = known.largest.get(group)
    return _kind(group), -(largest.dbh_trees if largest else 0)


def _told(curve: HeightCurve | None) -> Sequence[float | None]:
    """Usual heights, m, at HEIGHTS_AT_CM; None where accepted trees of the group do not reach."""
    if curve is None:
        return [None] * len(HEIGHTS_AT_CM)
    return [curve.height_m(cm) if curve.low_cm <= cm <= curve.high_cm else None for cm in HEIGHTS_AT_CM]
