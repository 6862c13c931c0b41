"""What a phone takes along with a form: files that were given, and lists of plots and trees made for its crew."""

from __future__ import annotations

import csv
import hashlib
import io
import uuid
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, insert, select, update

from server.api import entities
from server.steps import review, scope, send_back
from server.steps.review import Change
from server.steps.send_back import Doubt, Order
from server.store import schema
from server.store.db import Database
from server.store.reviews import Act
from tests import builders
from tests.cast import Cast
from tests.phone import Back, Phone, compile_text, key_address, new_id, plot_visit, put_up
from tests.phone import tree as typed_tree

MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"
PESTS = "name,label\nmoth,松毛虫\n".encode()
REMEASURE = """
| survey |
|  | type                            | name | label | choice_filter   |
|  | select_one_from_file plots.csv  | plot | Plot  |                 |
|  | select_one_from_file trees.csv  | tree | Tree  | plot = ${plot}  |
|  | select_one_from_file pests.csv  | pest | Pest  |                 |
| settings |
|  | form_title | form_id   | version |
|  | Remeasure  | remeasure | 1       |
"""


@pytest.fixture
def remeasure(database: Database, cast: Cast) -> int:
    """A form that takes plots, trees and a list of pests along; the number of its version."""
    return put_up(
        database, cast.project, compile_text(REMEASURE, media={"pests.csv": PESTS}), {"pests.csv": PESTS}
    )


@pytest.fixture
def along(client: FlaskClient, cast: Cast, remeasure: int) -> Phone:
    """一队's phone at the address of that version."""
    return Phone(client, f"{key_address(cast)}/versions/{remeasure}")


def stand(database: Database, cast: Cast, plot: int, *tags: str) -> int:
    """A plot measured last year, with these trees; the number of the first tree."""
    with database.writing() as connection:
        census = builders.row(connection, schema.census, project_id=cast.project, name=f"2025-{plot}")
        numbers = {tag: builders.row(connection, schema.tree, plot_id=plot, tag=tag) for tag in tags}
        builders.visit(
            connection, cast.project, plot, census,
            [builders.tree(tag, 12.5, tree_id=number) for tag, number in numbers.items()], measured_on="2025-06-01",
        )  # fmt: skip
    return next(iter(numbers.values()))


def manifest(along: Phone) -> dict[str, ElementTree.Element]:
    answer = along.get("/manifest")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    root = ElementTree.fromstring(answer.data)
    assert root.tag == f"{MANIFEST}manifest"
    files = {one.findtext(f"{MANIFEST}filename", ""): one for one in root}
    for one in files.values():
        assert one.findtext(f"{MANIFEST}hash", "").startswith("md5:")
        assert one.findtext(f"{MANIFEST}downloadUrl")
    return files


def table(along: Phone, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(along.get(f"/media/{name}").get_data(as_text=True))))


def test_every_hash_in_the_manifest_is_of_the_bytes_at_its_address(
    along: Phone, database: Database, cast: Cast
) -> None:
    stand(database, cast, cast.plot, "1", "2")
    files = manifest(along)
    assert set(files) == {"plots.csv", "trees.csv", "pests.csv"}
    for one in files.values():
        url = one.findtext(f"{MANIFEST}downloadUrl", "").removeprefix("http://localhost")
        served = along.client.get(url)
        assert one.findtext(f"{MANIFEST}hash") == "md5:" + hashlib.md5(served.data).hexdigest()
        again = along.client.get(url, headers={"If-None-Match": served.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_only_lists_of_ours_are_entity_lists_and_those_say_where_to_ask_what_is_deleted(along: Phone) -> None:
    files = manifest(along)
    assert {name: one.get("type") for name, one in files.items()} == {
        "plots.csv": "entityList", "trees.csv": "entityList", "pests.csv": None,
    }  # fmt: skip
    asked = {name for name, one in files.items() if one.findtext(f"{MANIFEST}integrityUrl")}
    assert asked == {"plots.csv", "trees.csv"}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_that_was_given_is_served_as_it_is(along: Phone) -> None:
    assert along.get("/media/pests.csv").data == PESTS
    assert along.get("/media/none.csv").status_code == 404


def test_a_tree_comes_along_with_what_was_last_known_of_it(
    along: Phone, database: Database, cast: Cast
) -> None:
    stand(database, cast, cast.plot, "17")
    [plot] = table(along, "plots.csv")
    [tree] = table(along, "trees.csv")
    assert (plot["label"], plot["plot_id"], plot["township"]) == ("PS-001", "PS-001", "青羊镇")
    assert (tree["label"], tree["tag"], tree["dbh_cm"], tree["measured_on"]) == (
        "17",
        "17",
        "12.5",
        "2025-06-01",
    )
    assert tree["plot"] == plot["name"]
    assert {uuid.UUID(row["name"]).variant for row in (plot, tree)} == {uuid.RFC_4122}
    assert all(int(row["__version"]) >= 1 for row in (plot, tree))


def test_a_tree_comes_along_as_it_was_at_its_last_visit_even_where_an_older_one_has_no_day(
    along: Phone, database: Database, cast: Cast
) -> None:
    with database.writing() as connection:
        number = builders.row(connection, schema.tree, plot_id=cast.plot, tag="1")
        for census, day, dbh_cm in [("2015", None, 8.0), ("2020", "2020-06-01", 10.0)]:
            in_census = builders.row(connection, schema.census, project_id=cast.project, name=census)
            trees = [builders.tree("1", dbh_cm, tree_id=number)]
            builders.visit(connection, cast.project, cast.plot, in_census, trees, measured_on=day)
    assert [tree["dbh_cm"] for tree in table(along, "trees.csv")] == ["10.0"]


def test_a_tree_without_a_tag_never_breaks_the_list(along: Phone, database: Database, cast: Cast) -> None:
    first = stand(database, cast, cast.plot, "1", "2")
    with database.writing() as connection:
        connection.execute(update(schema.tree).where(schema.tree.c.id == first).values(tag=" "))
        connection.execute(
            update(schema.measurement).where(schema.measurement.c.tree_id == first).values(tag=" ")
        )
    rows = table(along, "trees.csv")
    assert [row["tag"] for row in rows] == ["2"]
    assert all(row["name"] and row["label"] and row["__version"] for row in rows)


def test_a_crew_sees_its_own_plots_and_those_of_nobody(
    along: Phone, client: FlaskClient, database: Database, cast: Cast, remeasure: int
) -> None:
    with database.writing() as connection:
        place = {"project_id": cast.project, "is_planned": True}
        free = builders.row(connection, schema.plot, plot_id="PS-003", **place)
        builders.row(connection, schema.plot, plot_id="NX-1", project_id=cast.other_project, is_planned=True)
    for plot in (cast.plot, cast.second_plot, free):
        stand(database, cast, plot, "1")
    second = Phone(client, f"{key_address(cast, cast.token_two)}/versions/{remeasure}")
    assert [row["plot_id"] for row in table(along, "plots.csv")] == ["PS-001", "PS-003"]
    assert [row["plot_id"] for row in table(second, "trees.csv")] == ["PS-002", "PS-003"]


def test_a_new_measurement_changes_the_list_and_the_version_of_its_tree(
    along: Phone, phone: Phone, back: Back
) -> None:
    phone.send(plot_visit(first := new_id(), trees=[typed_tree("1", 12.5)]))
    back.drain()
    before = manifest(along)["trees.csv"].findtext(f"{MANIFEST}hash")
    [was] = table(along, "trees.csv")
    phone.send(plot_visit(trees=[typed_tree("1", 13.1)], deprecated_id=first))
    back.drain()
    [now] = table(along, "trees.csv")
    assert (was["dbh_cm"], now["dbh_cm"]) == ("12.5", "13.1")
    assert int(now["__version"]) > int(was["__version"])
    assert manifest(along)["trees.csv"].findtext(f"{MANIFEST}hash") != before


def test_a_correction_changes_the_value_the_bounds_and_the_version_of_its_tree_alone(
    along: Phone, phone: Phone, back: Back, database: Database, cast: Cast
) -> None:
    phone.send(plot_visit(trees=[typed_tree("1", 23.1), typed_tree("2", 12.0)]))
    back.drain()
    was = {row["tag"]: row for row in table(along, "trees.csv")}
    with database.writing() as connection:
        visit = int(connection.scalars(select(schema.visit.c.id)).one())
        review.correct(connection, cast.project, visit, Change(0, "dbh_cm", "32.1"), Act("li", "看照片", 1))
    now = {row["tag"]: row for row in table(along, "trees.csv")}
    assert (now["1"]["name"], now["1"]["dbh_cm"]) == (was["1"]["name"], "32.1")
    assert float(now["1"]["low_cm"]) > float(was["1"]["high_cm"])
    assert int(now["1"]["__version"]) > int(was["1"]["__version"])
    assert now["2"] == {**was["2"], "__version": now["2"]["__version"]}


def test_a_tree_that_is_sent_back_says_why_in_the_list(
    along: Phone, phone: Phone, back: Back, database: Database, cast: Cast
) -> None:
    phone.send(plot_visit(trees=[typed_tree("1", 23.1), typed_tree("2", 12.0)]))
    back.drain()
    was = {row["tag"]: int(row["__version"]) for row in table(along, "trees.csv")}
    with database.writing() as connection:
        visit = int(connection.scalars(select(schema.visit.c.id)).one())
        doubts = [Doubt("1", reason="看照片像 32.1")]
        send_back.send_back(connection, cast.project, visit, doubts, Order(), Act("li", "请再量", 1))
    rows = table(along, "trees.csv")
    assert {row["tag"]: row["rework"] for row in rows} == {"1": "看照片像 32.1", "2": ""}
    assert all(int(row["__version"]) > was[row["tag"]] for row in rows)


def test_audits_and_visits_that_became_part_of_another_are_not_the_last(
    along: Phone, database: Database, cast: Cast
) -> None:
    stand(database, cast, cast.plot, "1")
    with database.writing() as connection:
        number = connection.scalars(select(schema.tree.c.id)).one()
        last = connection.scalars(select(schema.visit.c.id)).one()
        for kind, merged in (("audit", None), ("rework", None), ("visit", last)):
            trees = [builders.tree("1", 99.0, tree_id=number)]
            builders.visit(
                connection, cast.project, cast.plot, cast.census, trees, kind=kind, merged_into_id=merged
            )
    assert [row["dbh_cm"] for row in table(along, "trees.csv")] == ["12.5"]


@pytest.mark.parametrize("broken", ["17\n18", "1\x007", "  ", ""])
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_row_that_would_break_an_import_is_left_out_and_logged(
    along: Phone, database: Database, cast: Cast, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    stand(database, cast, cast.plot, "17", "2")
    with database.writing() as connection:
        connection.execute(
            update(schema.measurement).where(schema.measurement.c.tag == "17").values(tag=broken)
        )
    assert [row["tag"] for row in table(along, "trees.csv")] == ["2"]
    assert "left out of trees.csv" in caplog.text


def test_a_tag_that_stands_twice_is_in_the_list_once(along: Phone, phone: Phone, back: Back) -> None:
    phone.send(plot_visit(trees=[typed_tree("1", 23.1), typed_tree("1", 12.0), typed_tree("2", 9.0)]))
    back.drain()
    rows = table(along, "trees.csv")
    assert sorted(row["tag"] for row in rows) == ["1", "2"]
    assert len({row["name"] for row in rows}) == 2


def test_a_phone_that_is_narrowed_takes_along_what_it_may_see(
    along: Phone, database: Database, cast: Cast
) -> None:
    stand(database, cast, cast.plot, "1")
    with database.writing() as connection:
        elsewhere = builders.row(connection, schema.township, project_id=cast.project, name="石城镇")
        scope.give(connection, cast.project, cast.device_one, crew_id=cast.crew_one, townships=[elsewhere],
                   by="li", at=0)  # fmt: skip
    assert table(along, "plots.csv") == table(along, "trees.csv") == []


def test_a_phone_learns_which_of_its_own_trees_are_not_here(
    along: Phone, database: Database, cast: Cast
) -> None:
    made_offline = "5c4ff2a1-0000-4000-8000-000000000001"
    stand(database, cast, cast.plot, "1")
    with database.writing() as connection:
        connection.execute(insert(schema.tree).values(plot_id=cast.plot, tag="9", entity_id=made_offline))
        connection.execute(insert(schema.tree).values(plot_id=cast.second_plot, tag="9", entity_id="theirs"))
    known = table(along, "trees.csv")[0]["name"]
    gone = "5c4ff2a1-0000-4000-8000-000000000002"
    answer = along.get(f"/integrity?id={known},{made_offline},{gone},theirs")
    assert answer.headers["Content-Type"].startswith("text/xml")
    found = ElementTree.fromstring(answer.data).iterfind("./entities/entity")
    assert {one.get("id"): one.findtext("deleted") for one in found} == {
        known: "false", made_offline: "false", gone: "true", "theirs": "true",
    }  # fmt: skip


@given(st.sampled_from([1, 2]), st.integers(0, 2**56 - 1))
def test_a_number_comes_back_from_the_id_made_of_it(kind: int, number: int) -> None:
    text = entities.entity_id(kind, number)
    assert uuid.UUID(text).version == 8
    assert entities.number_of(kind, text) == number
    assert entities.number_of(kind, text.upper()) == number
    assert entities.number_of(3 - kind, text) is None


@given(st.uuids(version=4).map(str) | st.text())
def test_an_id_that_is_not_ours_has_no_number(text: str) -> None:
    assert entities.number_of(1, text) is None


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_poll_that_finds_nothing_new_asks_for_no_tree(
    along: Phone, database: Database, cast: Cast, phone: Phone, back: Back
) -> None:
    stand(database, cast, cast.plot, "1", "2")
    asked: list[str] = []
    event.listen(database.engine, "checkout", lambda raw, *_: raw.set_trace_callback(asked.append))
    first = manifest(along)
    assert any("measurement" in sql for sql in asked)
    asked.clear()
    assert manifest(along).keys() == first.keys()
    assert not any("measurement" in sql for sql in asked)
    phone.send(plot_visit(trees=[typed_tree("7", 12.5)]))
    back.drain()
    changed = manifest(along)["trees.csv"].findtext(f"{MANIFEST}hash")
    assert changed != first["trees.csv"].findtext(f"{MANIFEST}hash")
