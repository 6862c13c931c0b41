"""What photos say about a visit, with the innocent explanation first."""

from __future__ import annotations

from typing import Any

import pytest

from server.forest.position import Point
from server.validation.datum import BD09, GCJ02, shifted
from server.validation.parameters import Parameters
from server.validation.photo_rules import Album, Photo, Proven, Twin, photo_flags, proof_flags
from server.validation.place import Fix, Place
from tests.validation.test_place import PLAN, moved

LIMITS = Parameters.default().limits
START = 1_780_272_000_000  # 2026-06-01 08:00 in China
PLACE = Place(design=PLAN, fix=Fix(moved(4, 3), 6.0), measured_on="2026-06-01", started_at=START,
              ended_at=START + 2 * 3_600_000)  # fmt: skip
GOOD: dict[str, Any] = {"taken_at": "2026-06-01T08:40:00", "point": moved(10, 5), "accuracy_m": 8.0, "make": "Xiaomi",
                        "model": "2201"}  # fmt: skip


def album(*photos: Photo, named: int = 5) -> Album:
    return Album(photos, named)


def said(photo: Photo, place: Place = PLACE) -> list[tuple[str, str, str]]:
    found = photo_flags(album(photo), place, LIMITS)
    return [(flag.rule, str(flag.severity), str(flag.facts.get("case", ""))) for flag in found]


def photo(name: str = "1.jpg", **values: Any) -> Photo:
    return Photo(name, **{**GOOD, **values})


def test_a_photo_taken_in_the_plot_during_the_visit_is_silent() -> None:
    assert said(photo()) == []
    assert said(photo(taken_at="2026-06-01T08:40:00+08:00")) == []
    assert said(photo(taken_at=None)) == []


@pytest.mark.parametrize(
    ("north_m", "expected"),
    [(60, []), (90, [("F01", "warn", "")]), (700, [("F01", "error", "")])],
)
def test_a_photo_taken_elsewhere(north_m: float, expected: list[Any]) -> None:
    assert said(photo(point=moved(north_m, 0))) == expected


@pytest.mark.parametrize("datum", [GCJ02, BD09])
def test_a_camera_that_writes_a_chinese_datum_is_no_fault(datum: str) -> None:
    assert said(photo(point=shifted(moved(10, 5), datum))) == [("F01", "info", "datum")]


@pytest.mark.parametrize(
    ("taken_at", "expected"),
    [
        ("2026-06-01T07:45:00", []),
        ("2026-06-01T10:29:00", []),
        ("2026-06-01T11:40:00", [("F02", "warn", "")]),
        ("2026-05-30T09:00:00", [("F02", "error", "day")]),
        ("2026-06-01T00:40:00", [("F02", "info", "zone")]),  # a camera on UTC
        ("2026-06-01T16:40:00", [("F02", "warn", "")]),
    ],
)
def test_a_photo_taken_at_another_time(taken_at: str, expected: list[Any]) -> None:
    assert said(photo(taken_at=taken_at)) == expected


def test_a_time_zone_explains_all_photos_of_a_visit_or_none() -> None:
    early = photo("2.jpg", taken_at="2026-06-01T00:50:00")
    found = [(f.value, str(f.severity)) for f in photo_flags(album(photo(), early), PLACE, LIMITS)]
    assert found == [("2.jpg", "warn")]


def test_satellites_vouch_for_a_photo_whose_camera_clock_is_wrong() -> None:
    assert said(photo(taken_at="2019-01-01T00:00:00", gps_at=START + 60_000)) == []
    assert said(photo(taken_at=None, gps_at=START - 5 * 3_600_000)) == [("F02", "warn", "")]


def test_where_only_the_day_is_known_the_day_counts() -> None:
    day = Place(design=PLAN, fix=PLACE.fix, measured_on="2026-06-01")
    assert said(photo(taken_at="2026-06-01T18:40:00"), day) == []
    assert said(photo(taken_at="2026-06-04T12:40:00"), day) == [("F02", "error", "day")]


def twin(**values: Any) -> Twin:
    return Twin(**{"name": "9.jpg", "plot": "PS-002", "census": "2026", "bits_apart": -1, "is_here": False,
                   "is_same_plot": False, **values})  # fmt: skip


def test_a_photo_used_before() -> None:
    assert said(photo(twins=[twin()])) == [("F03", "error", "same")]
    assert said(photo(twins=[twin(bits_apart=4)])) == [("F03", "error", "alike")]
    own = {"is_same_plot": True, "plot": "PS-001", "census": "2021"}
    assert said(photo(twins=[twin(bits_apart=4, **own)])) == [("F03", "warn", "alike")]
    assert said(photo(twins=[twin(is_here=True, is_same_plot=True)])) == [("F03", "warn", "here")]
    assert said(photo(twins=[twin(bits_apart=2, is_here=True, is_same_plot=True)])) == []


def test_the_worst_twin_is_named() -> None:
    [flag] = photo_flags(
        album(photo(twins=[twin(bits_apart=3, plot="PS-003"), twin(plot="PS-007")])), PLACE, LIMITS
    )
    assert (flag.value, flag.facts["other"]) == ("1.jpg", "PS-007")


def test_notes_that_are_gone_and_notes_of_an_editor() -> None:
    bare = {"make": None, "model": None, "point": None, "taken_at": None}
    assert said(photo(**bare)) == [("F04", "info", "stripped")]
    assert said(photo(software="MIUI Camera 4.5")) == []
    assert said(photo(software="Adobe Photoshop Lightroom")) == [("F04", "warn", "edited")]
    many = [photo(f"{n}.jpg", **bare) for n in range(3)]
    [flag] = photo_flags(album(*many, photo()), PLACE, LIMITS)
    assert (flag.facts["case"], flag.facts["stripped"], flag.facts["photos"]) == ("many", 3, 4)


@pytest.mark.parametrize(
    ("named", "expected"), [(0, []), (1, [("F06", "error")]), (3, [("F06", "info")]), (5, [])]
)
def test_too_few_photos(named: int, expected: list[Any]) -> None:
    found = photo_flags(album(named=named), PLACE, LIMITS)
    assert [(flag.rule, str(flag.severity)) for flag in found] == expected


def test_an_accepted_error_asks_for_its_proof() -> None:
    [flag] = proof_flags([Proven(3, "7", "1", "X01, X04")])
    assert (flag.rule, flag.ordinal, flag.tag, flag.field) == ("F05", 3, "7", "photo")


def test_what_is_not_known_is_not_judged() -> None:
    assert said(photo(), Place()) == []
    assert said(Photo("1.jpg", make="x"), PLACE) == []
    assert said(photo(point=Point(36.2, 113.44)), Place(design=None, fix=None)) == []
