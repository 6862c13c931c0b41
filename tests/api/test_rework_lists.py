"""What a stock phone gets of trees that were sent back: a form, and two lists that are its own crew's."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

import pytest
from sqlalchemy import insert

from forms.rework import MADE
from server.steps import publish, review, send_back
from server.steps.send_back import Doubt, Order
from server.store import jobs, schema
from server.store.db import Database
from server.store.reviews import Act
from tests.cast import Cast
from tests.phone import Back, Phone, compile_text, key_address, plot_visit, tree

LIST = "{http://openrosa.org/xforms/xformsList}"
MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"
SECOND_CREW = "token-two"


@pytest.fixture
def measured(phone: Phone, back: Back) -> int:
    """Five years ago and now, one tree with a slip; the visit's number."""
    for census, on, trees in (
        ("2021", "2021-06-01", [tree("1", 12.0), tree("2", 22.0)]),
        ("2026", "2026-06-01", [tree("1", 13.0, azimuth_deg="30", distance_m="4.2"), tree("2", 231)]),
    ):
        assert phone.send(plot_visit(trees=trees, census=census, on=on)).status_code == 201
    back.drain()
    return int(back.rows(schema.visit.select().order_by(schema.visit.c.id.desc()))[0].id)


def send(
    database: Database, back: Back, cast: Cast, visit: int, *doubts: Doubt, to: Order | None = None
) -> int:
    with database.writing() as pen:
        number = send_back.send_back(
            pen, cast.project, visit, doubts, to or Order(), Act("li", "太粗\n请再量", back.clock.tick())
        )
    back.drain()
    return number


def listed(phone: Phone, form_id: str = "rework") -> ElementTree.Element | None:
    root = ElementTree.fromstring(phone.get("/formList").data)
    return next((line for line in root if line.findtext(f"{LIST}formID") == form_id), None)


def rows(phone: Phone, name: str) -> list[dict[str, str]]:
    line = listed(phone)
    assert line is not None
    manifest = str(line.findtext(f"{LIST}manifestUrl")).partition("/v1/")[2]
    root = ElementTree.fromstring(phone.client.get(f"/v1/{manifest}").data)
    files = {str(file.findtext(f"{MANIFEST}filename")): file for file in root}
    assert files[name].get("type") == "entityList"
    address = str(files[name].findtext(f"{MANIFEST}downloadUrl")).partition("/v1/")[2]
    return list(csv.DictReader(io.StringIO(phone.client.get(f"/v1/{address}").text)))


def test_the_form_comes_with_the_first_order(
    measured: int, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    assert listed(phone) is None
    send(database, back, cast, measured, Doubt("2"))
    line = listed(phone)
    assert line is not None
    version = str(line.findtext(f"{LIST}version"))
    assert version.startswith(MADE)
    send(database, back, cast, measured, Doubt("1"))
    again = listed(phone)
    assert again is not None
    assert again.findtext(f"{LIST}version") == version  # nothing changed
    with database.writing() as pen:
        pen.execute(insert(schema.species).values(project_id=cast.project, code="quercus", zh="栎", en="oak"))
        jobs.put(pen, jobs.PUBLISH_REWORK, [cast.project], 0)
    back.drain()
    newer = listed(phone)
    assert newer is not None
    assert newer.findtext(f"{LIST}version") != version


def test_a_form_that_a_person_has_published_under_that_name_stays(
    measured: int, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    own = compile_text(
        "| survey |\n| | type | name | label |\n| | text | plot_id | Plot |\n"
        "| settings |\n| | form_id | version |\n| | rework | 7 |\n"
    )  # fmt: skip
    with database.writing() as pen:
        publish.publish(pen, cast.project, own.form, own.xml, {}, "li", 0)
    send(database, back, cast, measured, Doubt("2"))
    line = listed(phone)
    assert line is not None
    assert line.findtext(f"{LIST}version") == "7"


def test_the_lists_say_which_trees_why_and_what_to_expect(
    measured: int, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = send(database, back, cast, measured, Doubt("2", reason="看不清"), Doubt("1"),
                  to=Order(due_on="2026-06-30"))  # fmt: skip
    [order] = rows(phone, "rework_plots.csv")
    assert order["label"] == "PS-001 · 2026-06-30 · 太粗 请再量"
    assert [order[name] for name in ("rework_id", "plot_id", "census", "reason", "due_on", "trees")] == [
        str(number), "PS-001", "2026", "太粗 请再量", "2026-06-30", "2",
    ]  # fmt: skip
    first, second = rows(phone, "rework.csv")
    assert (first["tag"], first["place"], first["reason"], first["dbh_cm"]) == (
        "1",
        "30° 4.2 m",
        "太粗 请再量",
        "13.0",
    )
    assert (second["tag"], second["place"], second["reason"], second["dbh_cm"]) == ("2", "", "看不清", "231")
    # 22.0 cm five years ago: 1.5 % of it is how far two tapes differ, 5 cm a year the most of any species
    assert (second["low_cm"], second["high_cm"]) == ("21.3", "47.7")
    assert (first["key"], second["key"]) == (f"{number}/1", f"{number}/2")
    assert second["packed"].split() == [
        "2", "1", "pinus_tabuliformis", "pinus_tabuliformis", "pinus_tabuliformis", "看不清", "231", "∅", "11",
        "21.3", "47.7", "∅",
    ]  # fmt: skip


def test_a_crew_sees_its_own_orders_only(
    measured: int, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    send(database, back, cast, measured, Doubt("2"))
    other = Phone(phone.client, key_address(cast, SECOND_CREW))
    assert rows(other, "rework_plots.csv") == rows(other, "rework.csv") == []
    send(database, back, cast, measured, Doubt("1"), to=Order(cast.crew_two))
    assert [row["tag"] for row in rows(other, "rework.csv")] == ["1"]
    assert [row["tag"] for row in rows(phone, "rework.csv")] == ["2"]


def test_a_tree_that_a_person_has_settled_leaves_the_list_and_the_rest_moves_up(
    measured: int, phone: Phone, database: Database, back: Back, cast: Cast
) -> None:
    number = send(database, back, cast, measured, Doubt("1"), Doubt("2"))
    before = {row["tag"]: row for row in rows(phone, "rework.csv")}
    ordinal = {"1": 0, "2": 1}
    with database.writing() as pen:
        review.correct(pen, cast.project, measured, review.Change(ordinal["2"], "dbh_cm", "23.1"),
                       Act("li", "看照片", back.clock.tick()))  # fmt: skip
    [left] = rows(phone, "rework.csv")
    assert (left["tag"], left["key"], left["name"]) == ("1", f"{number}/1", before["1"]["name"])
    assert int(left["__version"]) > int(before["1"]["__version"])
    assert rows(phone, "rework_plots.csv")[0]["trees"] == "1"
