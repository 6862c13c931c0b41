"""Where a visit says it was, and what it says of its plot: what is odd, and what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from server.forest.boundary import Boundary, boundary
from server.forest.position import Point
from server.forest.visit import Visit
from server.validation.datum import BD09, GCJ02, shifted
from server.validation.flag import Flag, message
from server.validation.parameters import Parameters
from server.validation.place import Area, Corner, Fix, Near, Place
from server.validation.places import Surroundings, flags_of_place
from tests.validation.makers import NOW, last, tree, visit

PLAN = Point(36.2000, 113.4400)
PARAMETERS = Parameters.default()
SIDE_M = 25.82


def moved(north_m: float = 0.0, east_m: float = 0.0, start: Point = PLAN) -> Point:
    return Point(start.lat + north_m / 111_195, start.lon + east_m / (111_195 * 0.80696))


def place(north_m: float = 4.0, east_m: float = 3.0, accuracy_m: float | None = 6.0, **values: Any) -> Place:
    """A plot of 667 m² at which the phone stood a few metres off."""
    fix = Fix(moved(north_m, east_m), accuracy_m)
    return Place(**{"design": PLAN, "fix": fix, "side_m": SIDE_M, "trees": 12, **values})


def flags(of: Place, now: Visit | None = None, before: Visit | None = None) -> list[Flag]:
    return flags_of_place(now or visit(tree("1")), before, Surroundings(of), PARAMETERS)


def said(of: Place, **other: Any) -> list[tuple[str, str, str]]:
    return [(f.rule, str(f.severity), str(f.facts.get("case", ""))) for f in flags(of, **other)]


def test_an_ordinary_plot_is_silent() -> None:
    assert said(place()) == []


@pytest.mark.parametrize(
    ("north_m", "accuracy_m", "expected"),
    [(19, 5, []), (27, 10, []), (35, 10, [("P01", "warn", "")]), (205, 10, [("P01", "warn", "")]),
     (230, 10, [("P01", "error", "")])],
)  # fmt: skip
def test_a_fix_away_from_the_plan_is_judged_by_its_own_accuracy(
    north_m: float, accuracy_m: float, expected: list[Any]
) -> None:
    assert said(place(north_m, 0, accuracy_m)) == expected


def test_without_a_plan_the_last_fix_is_the_measure() -> None:
    then = place()
    assert said(place(60, 0, design=None, last=then)) == [("P01", "warn", "last")]
    assert said(place(25, 0, design=None, last=then)) == []


@pytest.mark.parametrize(("datum", "name"), [(GCJ02, "GCJ-02"), (BD09, "BD-09")])
def test_a_shifted_fix_is_diagnosed_and_its_conversion_offered(datum: str, name: str) -> None:
    [flag] = flags(place(fix=Fix(shifted(moved(4, 3), datum), 6.0)))
    assert (flag.rule, flag.facts["datum"], flag.facts["left_m"]) == ("P02", datum, 5)
    assert flag.suggestion == "36.20004, 113.44003"
    assert name in message(flag, "zh")
    assert "5 m are left" in message(flag, "en")


def test_a_shifted_plan_offers_nothing_for_the_fix() -> None:
    [flag] = flags(place(design=shifted(PLAN, GCJ02)))
    assert (flag.rule, flag.facts["case"], flag.suggestion) == ("P02", "design", "")


def test_a_fix_that_no_satellite_gave_is_said_to_be_one() -> None:
    assert said(place(accuracy_m=0)) == [("P12", "warn", "zero")]
    assert said(place(0, 0)) == [("P12", "warn", "design")]
    assert said(place(header={"visit.mock_location": "yes"})) == [("P12", "warn", "said")]
    assert said(place(accuracy_m=None)) == []  # tables know no accuracy


def test_a_poor_fix_and_another_plots_fix() -> None:
    assert said(place(accuracy_m=22.5)) == [("P03", "info", "accuracy")]
    [flag] = flags(place(near=[Near("PS-002", 0.4), Near("PS-003", 1.2)]))
    assert (flag.rule, flag.facts["other"]) == ("P03", "PS-002")


def square(half_deg: float = 0.01) -> Boundary:
    (w, e), (s, n) = ((PLAN.lon - half_deg, PLAN.lon + half_deg), (PLAN.lat - half_deg, PLAN.lat + half_deg))
    ring = [[w, s], [e, s], [e, n], [w, n], [w, s]]
    found = boundary(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    assert found is not None
    return found


def test_a_plot_outside_its_township_is_told_how_far() -> None:
    inside = place(areas=[Area("township", "青羊镇", square())])
    assert said(inside) == []
    far = place(
        1200,
        0,
        design=None,
        areas=[Area("township", "青羊镇", square()), Area("stratum", "油松", square(0.1))],
    )
    [flag] = flags(far)
    assert (flag.rule, flag.facts["name"]) == ("P13", "青羊镇")
    assert abs(int(flag.facts["outside_m"] or 0) - 88) <= 1  # 0.01° are 1112 m


def test_what_is_no_polygon_bounds_nothing() -> None:
    assert boundary("{}") is boundary("nonsense") is None
    assert boundary('{"type": "Point", "coordinates": [113, 36]}') is None


def corners(*shifts_m: tuple[float, float]) -> list[Corner]:
    half = SIDE_M / 2
    stand = [(-half, -half), (half, -half), (half, half), (-half, half)]
    return [
        Corner(str(n + 1), Fix(moved(y + dy, x + dx), 5.0))
        for n, ((x, y), (dx, dy)) in enumerate(zip(stand, [*shifts_m, *[(0.0, 0.0)] * 4][:4], strict=True))
    ]


def test_corners_stand_where_a_square_has_them() -> None:
    assert said(place(corners=corners())) == []
    assert said(place(corners=corners((3.0, -2.0), (-4.0, 1.0)))) == []
    assert said(place(corners=corners((0.0, -60.0)))) == [("P05", "warn", "corner")]
    swapped = corners()
    assert said(place(corners=[swapped[0], swapped[2], swapped[1], swapped[3]])) == [
        ("P05", "warn", "crossed")
    ]
    assert ("P05", "warn", "same") in said(place(corners=corners((SIDE_M, 0.0))))


@pytest.mark.parametrize(
    ("perimeter_m", "last_time", "expected"),
    [("103.0", False, 0), ("104.0", False, 1), ("104.0", True, 0), ("105.0", True, 1)],
)
def test_a_perimeter_is_given_twice_the_room_when_it_is_measured_again(
    perimeter_m: str, last_time: bool, expected: int
) -> None:
    of = place(header={"plot.perimeter_m": perimeter_m}, last=place() if last_time else None)
    assert [flag.rule for flag in flags(of)] == ["P05"] * expected


def test_terrain_does_not_move() -> None:
    then = place(header={"plot.elevation_m": "1210", "plot.slope_deg": "18", "plot.aspect": "1"})
    now = {"plot.elevation_m": "1225", "plot.slope_deg": "21", "plot.aspect": "8"}
    assert said(place(header=now, last=then)) == []
    now = {"plot.elevation_m": "1310", "plot.slope_deg": "27", "plot.aspect": "4"}
    cases = [case for rule, _, case in said(place(header=now, last=then)) if rule == "P04"]
    assert cases == ["elevation_m", "slope_deg", "aspect"]
    flat = {"plot.slope_deg": "3", "plot.aspect": "5"}
    then = replace(then, header={"plot.slope_deg": "3", "plot.aspect": "1"})
    assert said(place(header=flat, last=then)) == []


def test_land_and_age_follow_from_last_time() -> None:
    then = place(
        measured_on="2021-06-01", header={"plot.mean_age": "30", "plot.land_type": "111", "plot.origin": "2"}
    )
    ordinary = {
        "plot.mean_age": "36",
        "plot.land_type": "111",
        "plot.origin": "2",
        "plot.canopy_cover": "0.6",
    }
    assert said(place(header=ordinary, measured_on="2026-06-01", last=then)) == []
    odd = {"plot.mean_age": "28", "plot.land_type": "200", "plot.origin": "1"}
    cases = [case for _, _, case in said(place(header=odd, measured_on="2026-06-01", last=then))]
    assert cases == ["age", "land", "origin"]
    assert said(place(header={**ordinary, "plot.canopy_cover": "0.06"})) == [("P10", "warn", "cover")]


RECEIVED = 1_780_272_000_000  # 2026-06-01 00:00 UTC
HOUR = 3_600_000


def test_days_and_clocks() -> None:
    campaign = ("2026-05-01", "2026-09-30")
    good = {"received_at": RECEIVED, "campaign": campaign}
    assert said(place(measured_on="2026-06-01", **good)) == []
    assert said(place(measured_on="2026-04-30", **good)) == [("P09", "warn", "campaign")]
    assert said(place(measured_on="2026-08-01", **good)) == [("P09", "error", "future")]
    ahead = {"started_at": RECEIVED - HOUR, "ended_at": RECEIVED + HOUR, "measured_on": "2026-06-01"}
    assert said(place(**ahead, **good)) == [("P09", "error", "clock")]
    turned = {"started_at": RECEIVED - HOUR, "ended_at": RECEIVED - 2 * HOUR, "measured_on": "2026-06-01"}
    assert said(place(**turned, **good)) == [("P09", "warn", "order")]


def test_a_forest_without_trees_is_unfinished() -> None:
    assert said(place(trees=0, header={"plot.land_type": "111"})) == [("P08", "error", "trees")]
    assert said(place(trees=0, header={"plot.land_type": "171"})) == []  # barren land
    assert said(place(fix=None, header={"plot.origin": "2"})) == [("P08", "warn", "position")]


def stand(count: int, dbh_cm: float) -> Visit:
    return visit(*(tree(str(n), dbh_cm) for n in range(count)), area_ha=0.0667)


def test_too_much_wood_is_a_matter_of_the_plot_unless_one_tree_makes_it() -> None:
    assert said(place(), now=stand(60, 25.0)) == []  # 44 m²/ha
    assert said(place(), now=stand(60, 35.0)) == [("P06", "warn", "basal_area")]  # 87 m²/ha
    assert said(place(), now=stand(60, 45.0)) == [("P06", "error", "basal_area")]
    one_slip = [tree("0", 149.0), *(tree(str(n), 25.0) for n in range(1, 60))]
    assert said(place(), now=visit(*one_slip, area_ha=0.0667)) == []
    assert ("P06", "warn", "stems") in said(place(), now=stand(450, 6.0))


def test_two_stems_cannot_stand_in_one_spot() -> None:
    one, other = tree("1", 20.0, x_m=3.0, y_m=4.0), tree("2", 24.0, x_m=3.0, y_m=4.1)
    [flag] = flags(place(), now=visit(one, other))
    assert (flag.rule, flag.tag, flag.facts["other"]) == ("P11", "2", "1")
    assert said(place(), now=visit(one, other._replace(y_m=4.3))) == []
    assert said(place(), now=visit(one, other._replace(tag="1", stem_id="2"))) == []
    assert said(place(), now=visit(one, other), before=last(one, other)) == []  # so it was looked at then


def test_a_project_silences_a_rule() -> None:
    quiet = PARAMETERS.with_changes({"P12.on": 0})
    assert flags_of_place(visit(tree("1"), on=NOW), None, Surroundings(place(accuracy_m=0)), quiet) == []


def test_numbers_beyond_all_measure_break_nothing() -> None:
    wild = visit(tree("1", 1e300, x_m=1e308, y_m=-1e308), tree("2", 1e-300, x_m=0.0, y_m=0.0), area_ha=0.0667)
    header = {
        "plot.elevation_m": "1e300",
        "plot.slope_pct": "-1e300",
        "plot.perimeter_m": "1e308",
        "plot.mean_age": "-9",
    }
    strange = place(
        header=header, last=place(header=header), measured_on="9999-12-31", received_at=0, ended_at=10**17
    )
    assert ("P09", "error", "future") in said(strange, now=wild)
    far = Place(design=Point(90, 180), fix=Fix(Point(-90, -180), 1e300), side_m=SIDE_M, corners=corners())
    assert said(far) == [("P03", "info", "accuracy")]
