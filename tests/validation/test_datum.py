"""Positions in the shifted datums of Chinese maps, against points that others have published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.forest.position import Point, apart_m, offset
from server.validation.datum import BD09, GCJ02, in_china, restored, shifted, signature

POINTS = st.builds(Point, st.floats(18.5, 53.0), st.floats(74.0, 134.5))
PINGSHUN = Point(36.2000, 113.4400)


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [  # from the tests of coordtransform and of eviltransform
        (Point(39.915, 116.404), Point(39.91640428150164, 116.41024449916938)),
        (Point(31.1774276, 121.5272106), Point(31.17530398364597, 121.531541859215)),
        (Point(22.543847, 113.912316), Point(22.540796131694766, 113.9171764808363)),
    ],
)
def test_gcj02_is_where_others_have_it(wgs: Point, gcj: Point) -> None:
    assert apart_m(shifted(wgs, GCJ02), gcj) < 0.01


def test_bd09_is_where_others_have_it() -> None:
    gcj = Point(39.915, 116.404)  # coordtransform: 116.41036949371029, 39.92133699351021
    assert apart_m(shifted(restored(gcj, GCJ02), BD09), Point(39.92133699351021, 116.41036949371029)) < 0.05


def test_at_pingshun_gcj02_lies_600_m_to_the_east_and_bd09_to_the_north_east() -> None:
    gcj, bd = (offset(PINGSHUN, shifted(PINGSHUN, datum)) for datum in (GCJ02, BD09))
    assert 550 < gcj.east_m < 605
    assert abs(gcj.north_m) < 20
    assert 1140 < bd.east_m < 1190
    assert 620 < bd.north_m < 680


@given(POINTS, st.sampled_from([GCJ02, BD09]))
def test_what_was_shifted_is_restored_to_a_centimetre(point: Point, datum: str) -> None:
    assert apart_m(restored(shifted(point, datum), datum), point) < 0.01


def test_abroad_nothing_is_shifted() -> None:
    harvard = Point(42.53, -72.19)
    assert not in_china(harvard)
    assert shifted(harvard, GCJ02) == restored(harvard, BD09) == harvard
    assert signature(harvard, Point(42.535, -72.19), 35) is None


@given(POINTS, st.sampled_from([GCJ02, BD09]), st.floats(-15, 15), st.floats(-15, 15))
def test_a_shifted_fix_is_known_by_its_way_and_restored(
    point: Point, datum: str, north: float, east: float
) -> None:
    fix = shifted(Point(point.lat + north / 111_195, point.lon + east / 111_195), datum)
    found = signature(point, fix, 35)
    assert found is not None
    assert (found.datum, found.is_fix) == (datum, True)
    assert apart_m(found.point, point) < 35


def test_a_shifted_plan_is_told_from_a_shifted_fix() -> None:
    found = signature(shifted(PINGSHUN, GCJ02), PINGSHUN, 35)
    assert found is not None
    assert not found.is_fix
    assert apart_m(found.point, PINGSHUN) < 1


@given(st.floats(0, 360))
def test_six_hundred_metres_in_another_direction_are_no_datum(azimuth: float) -> None:
    from math import cos, radians, sin

    way = offset(PINGSHUN, shifted(PINGSHUN, GCJ02))
    east, north = 600 * sin(radians(azimuth)), 600 * cos(radians(azimuth))
    there = Point(PINGSHUN.lat + north / 111_195, PINGSHUN.lon + east / 111_195 / cos(radians(PINGSHUN.lat)))
    found = signature(PINGSHUN, there, 35)
    near = min(((east - s * way.east_m) ** 2 + (north - s * way.north_m) ** 2) ** 0.5 for s in (-1, 1))
    assert (found is not None) == (near < 35) or abs(near - 35) < 3
