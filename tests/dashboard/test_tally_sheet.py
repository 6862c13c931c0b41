"""Pairing the trees of two visits, and where they stand on the map: pure values."""

from __future__ import annotations

import pytest

from server.dashboard.stem_map import stem_map
from server.dashboard.tally_sheet import TreeRow, tally_sheet
from tests.builders import tree


def _numbered(*trees: dict[str, object]) -> list[dict[str, object]]:
    return [{**one, "ordinal": n} for n, one in enumerate(trees)]


def _flag(**values: object) -> dict[str, object]:
    return {
        "ordinal": None,
        "tag": None,
        "stem_id": None,
        "field": "dbh_cm",
        "severity": "warn",
        "state": "open",
        **values,
    }


def test_a_tree_is_paired_by_tag_and_stem() -> None:
    before = _numbered(tree("7", 10.0), tree("7", 20.0, stem_id="2"))
    sheet = tally_sheet(_numbered(tree("7", 21.0, stem_id="2"), tree("7", 10.5)), before, [])
    assert [row.growth_cm for row in sheet.rows] == [1.0, 0.5]
    assert [row.label for row in sheet.rows] == ["7-2", "7"]


def test_of_a_duplicate_tag_only_the_first_is_paired() -> None:
    sheet = tally_sheet(_numbered(tree("7", 11.0), tree("7", 30.0)), _numbered(tree("7", 10.0)), [])
    assert [row.growth_cm for row in sheet.rows] == [1.0, None]


def test_trees_of_last_time_that_are_not_in_the_list_come_last() -> None:
    sheet = tally_sheet(_numbered(tree("2", 11.0)), _numbered(tree("1", 10.0), tree("2", 10.0)), [])
    assert [(row.label, row.now is None) for row in sheet.rows] == [("2", False), ("1", True)]
    assert sheet.measured == 1


def test_a_diameter_that_is_missing_gives_no_growth() -> None:
    sheet = tally_sheet(_numbered(tree("1", None)), _numbered(tree("1", 10.0)), [])
    assert sheet.rows[0].growth_cm is None


def test_a_flag_hangs_on_its_cell_and_one_without_a_tree_on_the_visit() -> None:
    flags = [
        _flag(ordinal=1, field="height_m"), _flag(ordinal=1, field="x_m"), _flag(ordinal=1, field="unheard_of"),
        _flag(tag="9", stem_id="1"), _flag(), _flag(tag="nowhere", stem_id="1"),
    ]  # fmt: skip
    sheet = tally_sheet(_numbered(tree("1", 1.0), tree("2", 2.0)), _numbered(tree("9", 3.0)), flags)
    first, second, absent = sheet.rows
    assert first.flags == {}
    assert set(second.flags) == {"height_m", "place", "tag"}
    assert set(absent.flags) == {"dbh_cm"}
    assert len(sheet.of_visit) == 2


def test_a_decided_flag_no_longer_colours_the_row() -> None:
    flags = [_flag(ordinal=0, severity="error", state="accepted"), _flag(ordinal=0, severity="info")]
    (row,) = tally_sheet(_numbered(tree("1", 1.0)), [], flags).rows
    assert row.worst == "info"


def _rows(*trees: dict[str, object]) -> list[TreeRow]:
    return list(tally_sheet(_numbered(*trees), [], []).rows)


def test_north_is_up_and_east_is_right() -> None:
    north = tree("N", 10.0, azimuth_deg=0.0, distance_m=10.0)
    east = tree("E", 10.0, azimuth_deg=90.0, distance_m=10.0)
    found = stem_map(_rows(north, east))
    assert found is not None
    up, right = found.stems
    # reach 10 m is 144 px from the middle (160, 160) of the sheet
    assert (up.cx, up.cy) == (160.0, 16.0)
    assert (right.cx, right.cy) == (304.0, 160.0)
    assert found.rings_px == ((72.0, 5), (144.0, 10))


def test_x_and_y_start_in_the_south_west_corner() -> None:
    found = stem_map(
        _rows(tree("1", 10.0, x_m=0.0, y_m=0.0), tree("2", 10.0, x_m=20.0, y_m=20.0)), side_m=20.0
    )
    assert found is not None
    assert [(s.cx, s.cy) for s in found.stems] == [(16.0, 304.0), (304.0, 16.0)]
    assert found.frame_px == pytest.approx(288.0)


def test_negative_x_means_an_origin_in_the_centre() -> None:
    found = stem_map(_rows(tree("1", 10.0, x_m=-10.0, y_m=0.0)))
    assert found is not None
    assert (found.stems[0].cx, found.stems[0].cy) == (16.0, 160.0)


def test_trees_without_positions_give_no_map() -> None:
    assert stem_map(_rows(tree("1", 10.0))) is None


def test_a_giant_and_a_sapling_both_stay_visible() -> None:
    at = {"azimuth_deg": 0.0, "distance_m": 1.0}
    found = stem_map(
        _rows(tree("1", 180.0, **at), tree("2", 0.5, **at), tree("3", None, tally_code=14, **at))
    )
    assert found is not None
    assert [(s.r, s.kind) for s in found.stems] == [(13.0, "alive"), (2.5, "alive"), (2.5, "gone")]
