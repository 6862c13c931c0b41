"""The answers of an instance become a visit and its trees; an edit takes their place and never doubles them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from server.demo.instance import Renderer, render_instance
from server.steps import unfold
from server.store import forms, jobs, schema
from server.store.db import Database
from server.store.schema import measurement, visit
from tests.cast import Cast
from tests.phone import Back, Phone, form, key_address, new_id, plot_visit, put_up, tree

Sent = Callable[..., str]


@pytest.fixture
def sent(phone: Phone, back: Back) -> Sent:
    """Send a plot visit and let the worker do all it has to; its instanceID."""

    def send(*args: Any, **kwargs: Any) -> str:
        instance_id = kwargs.pop("instance_id", None) or new_id()
        answer = phone.send(plot_visit(instance_id, *args, **kwargs))
        assert answer.status_code in {201, 202}
        back.drain()
        return instance_id

    return send


def visits(back: Back) -> list[Any]:
    return back.rows(
        select(visit, schema.plot.c.plot_id.label("plot"), schema.census.c.name.label("census"))
        .select_from(visit.join(schema.plot).join(schema.census))
        .order_by(visit.c.id)
    )


def trees(back: Back) -> list[tuple[Any, ...]]:
    query = select(measurement.c.tag, measurement.c.dbh_cm).order_by(
        measurement.c.visit_id, measurement.c.ordinal
    )
    return [tuple(row) for row in back.rows(query)]


def thinning(instance_id: str | None = None, *, deprecated_id: str | None = None, **fields: str) -> bytes:
    rows = {"thinning": [{"parcel_id": "03-012", "felled_on": "2024-11-02", "plot_ids": "PS-001", **fields}]}
    renderer = Renderer(form("thinning_record").form)
    return renderer.render(rows, instance_id or new_id(), deprecated_id=deprecated_id)


def test_a_visit_says_where_when_and_by_whom(sent: Sent, back: Back, cast: Cast) -> None:
    sent(
        visit={
            "position": "36.2001 113.4402 1240.5 4.8", "surveyor": "王强", "crew": "一队",
            "started_at": "2026-06-01T08:30:00.000+08:00", "ended_at": "2026-06-01T11:00:00.000+08:00",
        },
        plot={"slope_deg": "23", "origin": "2"},
    )  # fmt: skip
    [row] = visits(back)
    assert (row.plot, row.census, row.measured_on, row.kind) == ("PS-001", "2026", "2026-06-01", "visit")
    assert (row.lat, row.lon, row.altitude_m, row.accuracy_m) == (36.2001, 113.4402, 1240.5, 4.8)
    assert row.ended_at - row.started_at == 2.5 * 3600 * 1000
    assert (row.started_at, row.surveyor, row.crew_id) == (1_780_273_800_000, "王强", cast.crew_one)
    assert (row.header["plot.slope_deg"], row.header["plot.origin"]) == ("23", "2")
    assert (row.plot_id, row.census_id, row.review_state) == (cast.plot, cast.census, "received")


def test_trees_are_kept_as_typed_in_the_order_of_the_crew(sent: Sent, back: Back, cast: Cast) -> None:
    sent(trees=[
        tree("12", "12.30", height_m="9.5", azimuth_deg="90", distance_m="5", verified="yes"),
        tree("3", 8.0, stem_id="2", note="双株"),
        {"tag": "7", "species": "pinus_tabuliformis", "tally_code": "14"},
    ])  # fmt: skip
    first, second, third = back.rows(select(measurement).order_by(measurement.c.ordinal))
    assert (first.tag, first.dbh_cm, first.dbh_text, first.height_m, first.verified) == (
        "12",
        12.3,
        "12.30",
        9.5,
        True,
    )
    assert (first.azimuth_deg, first.distance_m) == (90, 5)
    assert (round(first.x_m, 9), round(first.y_m, 9)) == (5, 0)  # due east of the centre
    assert (second.tag, second.stem_id, second.tally_code, second.other) == ("3", "2", 11, {"note": "双株"})
    assert (third.tag, third.tally_code, third.dbh_cm, third.dbh_text) == ("7", 14, None, "")
    assert len({first.tree_id, second.tree_id, third.tree_id}) == 3


def test_the_same_tree_keeps_its_identity_across_censuses(sent: Sent, back: Back) -> None:
    sent(census="2021", on="2021-06-01", trees=[tree("1", 12.0), tree("2", 15.0)])
    sent(trees=[tree("2", 16.0), tree("1", 12.9)])
    of = {(row.tag, row.dbh_cm): row.tree_id for row in back.rows(select(measurement))}
    assert of["1", 12.0] == of["1", 12.9] != of["2", 15.0] == of["2", 16.0]
    assert back.count(schema.tree) == 2


def test_corners_are_kept(sent: Sent, back: Back) -> None:
    corners = [{"number": "1", "position": "36.2 113.4 1200 3"}, {"number": "SW", "photo": "c.jpg"}]
    sent(corner=corners)
    assert visits(back)[0].corners == corners


@pytest.mark.parametrize(
    ("named", "on", "census"),
    [("五年复查", "2026-06-01", "五年复查"), ("", "2026-06-01", "2026"), ("", "2019-03-01", "2019")],
    ids=["named", "in a campaign", "by its year"],
)
def test_a_visit_belongs_to_the_census_that_was_named_or_that_its_day_lies_in(
    sent: Sent, back: Back, named: str, on: str, census: str
) -> None:
    sent(census=named, on=on)
    assert visits(back)[0].census == census


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_visit_without_a_day_belongs_to_the_year_in_which_it_came(
    phone: Phone, back: Back, database: Database
) -> None:
    phone.send(plot_visit(census="", on=""))
    with database.writing() as connection:
        new_year = 1_830_297_600_000  # 2028-01-01 00:00 UTC
        connection.execute(update(schema.submission).values(received_at=new_year))
    back.drain()
    assert visits(back)[0].census == "2028"


def test_an_edit_replaces_the_visit_and_its_trees(sent: Sent, back: Back) -> None:
    first = sent(trees=[tree("1", 33.1), tree("2", 8.0), tree("3", 9.0)])
    [was] = visits(back)
    sent(trees=[tree("1", 23.1), tree("2", 8.0)], deprecated_id=first)
    [now] = visits(back)
    assert trees(back) == [("1", 23.1), ("2", 8.0)]
    assert (now.id, now.submission_id, now.review_state) == (was.id, was.submission_id, "edited")
    assert now.source_id != was.source_id


def test_an_edit_that_corrects_the_plot_moves_the_visit_and_what_is_known_of_it(sent: Sent, back: Back, cast: Cast,
                                                                             ) -> None:  # fmt: skip
    first = sent(plot_id="PS-002", trees=[tree("1", 0), tree("1", 12.0)])
    assert {row.plot_id for row in back.rows(select(schema.flag))} == {cast.second_plot}
    sent(plot_id="PS-001", trees=[tree("1", 0), tree("1", 12.0)], deprecated_id=first)
    [row] = visits(back)
    assert row.plot == "PS-001"
    standing = back.rows(select(schema.flag).where(schema.flag.c.state != "void"))
    assert {row.plot_id for row in standing} == {cast.plot}
    of_tree = select(schema.tree.c.plot_id).join(measurement, measurement.c.tree_id == schema.tree.c.id)
    assert {row.plot_id for row in back.rows(of_tree)} == {cast.plot}


def test_reading_a_submission_again_changes_nothing(
    sent: Sent, back: Back, database: Database, cast: Cast
) -> None:
    sent(trees=[tree("1", 0), tree("2", 12.0)], corner=[{"number": "1"}])
    tables = (measurement, schema.tree, schema.flag, schema.plot, schema.census)
    before = [back.rows(select(*[c for c in t.c if t is schema.flag or c.name != "id"])) for t in tables]
    with database.writing() as connection:
        jobs.put(connection, jobs.UNFOLD, [back.rows(select(schema.submission.c.id))[0].id] * 2, 0)
    assert back.drain() >= 2
    assert [
        back.rows(select(*[c for c in t.c if t is schema.flag or c.name != "id"])) for t in tables
    ] == before
    assert visits(back)[0].review_state == "received"


def test_an_older_reading_never_takes_the_place_of_an_edit(
    phone: Phone, back: Back, database: Database
) -> None:
    """Two workers: one has read the original, the other has read and written the edit meanwhile."""
    first = new_id()
    phone.send(plot_visit(first, trees=[tree("1", 33.1)]))
    with database.reading() as connection:
        slow = unfold.look(connection, [1], forms.Readers(), 1_000_000)
    phone.send(plot_visit(trees=[tree("1", 23.1)], deprecated_id=first))
    back.drain()
    with database.writing() as connection:
        unfold.write(connection, slow, back.clock.tick())
    assert trees(back) == [("1", 23.1)]


def test_a_plot_without_a_name_is_kept_and_plain_to_see(sent: Sent, back: Back) -> None:
    sent(plot_id="", trees=[tree("1", 12.0)])
    assert [row.plot for row in visits(back)] == ["?"]
    assert trees(back) == [("1", 12.0)]


def test_a_plot_that_nobody_planned_is_made_by_the_crew_that_names_it(sent: Sent, back: Back) -> None:
    sent(plot_id="新-7")
    plots = back.rows(select(schema.plot.c.is_planned).where(schema.plot.c.plot_id == "新-7"))
    assert plots == [(False,)]


def test_what_cannot_be_read_as_a_number_is_kept_as_text(sent: Sent, back: Back) -> None:
    sent(
        trees=[
            tree("1", "12,3"),
            tree("2", "1o.5"),
            tree("", "9.0"),
            tree("4", "nan", height_m="高", tally_code="?"),
        ]
    )
    rows = back.rows(select(measurement).order_by(measurement.c.ordinal))
    assert [(row.dbh_cm, row.dbh_text) for row in rows] == [
        (12.3, "12,3"), (None, "1o.5"), (9.0, "9.0"), (None, "nan"),
    ]  # fmt: skip
    assert rows[2].tree_id is None
    assert (rows[3].height_m, rows[3].tally_code) == (None, None)
    assert rows[3].other == {"dbh_cm": "nan", "height_m": "高", "tally_code": "?"}


def test_no_text_is_too_long_and_no_number_too_large_to_be_kept(sent: Sent, back: Back, phone: Phone, cast: Cast,
                                                               database: Database) -> None:  # fmt: skip
    long = "长" * 500
    sent(
        plot_id=long,
        census=long,
        visit={"surveyor": long, "position": "1e999 0 0 0", "started_at": "0001-01-01"},
        trees=[
            tree(
                long, "1e300", stem_id=long, species=long, note=long, azimuth_deg="1e308", distance_m="1e308"
            )
        ],
    )
    put_up(database, cast.project, form("thinning_record"))
    phone.send(
        thinning(method=long, trees_cut="1e300", area_ha="1e300", permit=long, parcel_id=long, plot_ids=long)
    )
    back.drain()
    assert back.rows(select(schema.job.c.error)) == []
    assert len(visits(back)) == 1
    [row] = back.rows(select(schema.thinning))
    assert row.other["method"] == long
    assert (row.trees_cut, row.area_ha) == (None, 1e300)


def test_a_thinning_names_the_plots_it_touches_and_an_edit_may_take_one_back(
    phone: Phone, cast: Cast, database: Database, back: Back
) -> None:
    put_up(database, cast.project, form("thinning_record"))
    first = new_id()
    fields = {"method": "thinning", "area_ha": "2.5", "trees_cut": "120", "intensity_pct": "15"}
    assert phone.send(thinning(first, plot_ids="PS-001，PS-002、新-9", **fields)).status_code == 201
    back.drain()
    [row] = back.rows(select(schema.thinning))
    assert (row.parcel_id, row.felled_on, row.method, row.area_ha, row.trees_cut, row.intensity_pct) == (
        "03-012", "2024-11-02", "thinning", 2.5, 120, 15,
    )  # fmt: skip
    touched = select(schema.plot.c.plot_id).join(schema.thinning_plot).order_by(schema.plot.c.id)
    assert [name for (name,) in back.rows(touched)] == ["PS-001", "PS-002", "新-9"]
    phone.send(thinning(plot_ids="PS-002", deprecated_id=first))
    back.drain()
    assert [name for (name,) in back.rows(touched)] == ["PS-002"]
    assert back.count(schema.thinning) == 1
    assert visits(back) == []


# what the rules see depends on the other visits of the plot


def flags(back: Back, census: str) -> set[tuple[str, str]]:
    query = (
        select(schema.flag.c.rule, schema.flag.c.tag)
        .select_from(schema.flag.join(visit, visit.c.id == schema.flag.c.visit_id).join(schema.census))
        .where(schema.census.c.name == census, schema.flag.c.state == "open")
    )
    return {tuple(row) for row in back.rows(query)}


PLOT = [tree(str(n), 10 + n) for n in range(2, 12)]
GROWN = [tree(str(n), 11 + n) for n in range(2, 12)]


def test_an_edit_of_the_earlier_census_is_felt_in_the_later_one(sent: Sent, back: Back) -> None:
    first = sent(census="2021", on="2021-06-01", trees=[tree("1", 2.31), *PLOT])
    sent(trees=[tree("1", 24.0), *GROWN])
    odd = {flag for flag in flags(back, "2026") if flag[1] == "1"}
    assert odd
    sent(census="2021", on="2021-06-01", trees=[tree("1", 23.1), *PLOT], deprecated_id=first)
    assert not {flag for flag in flags(back, "2026") if flag[1] == "1"}


def test_an_audit_is_never_what_the_next_census_is_compared_with(
    sent: Sent, phone: Phone, cast: Cast, database: Database, back: Back
) -> None:
    put_up(database, cast.project, form("audit_visit"))
    sent(census="2021", on="2021-06-01", trees=[tree("1", 23.1), *PLOT])
    audit = {
        "plot": [{"plot_id": "PS-001"}],
        "visit": [{"census": "2021 复查", "kind": "audit", "measured_on": "2021-07-01"}],
        "tree": [tree("1", 99.9), *PLOT],
    }
    assert phone.send(render_instance(form("audit_visit").form, audit, new_id())).status_code == 201
    sent(trees=[tree("1", 24.0), *GROWN])
    assert [row.kind for row in visits(back)] == ["visit", "audit", "visit"]
    assert not {flag for flag in flags(back, "2026") if flag[1] == "1"}


def test_the_crew_of_a_visit_is_that_of_its_phone(
    client: FlaskClient, cast: Cast, version: int, back: Back
) -> None:
    Phone(client, key_address(cast, cast.token_two)).send(plot_visit())
    back.drain()
    assert visits(back)[0].crew_id == cast.crew_two
