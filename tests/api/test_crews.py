"""Crews, audits and datums as JSON: what the pages show and decide, for the same people and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from server.forest.position import Point, apart_m
from server.steps import draw_audits
from server.steps.draw_audits import Asked
from server.store import schema
from server.store.db import Database
from server.validation.datum import GCJ02, shifted
from tests.api.test_rest import HTTPS, basic
from tests.api.test_reviews import Desk
from tests.cast import PASSWORD, PLOT_LAT, PLOT_LON, Cast
from tests.phone import Back, Phone, form, key_address, put_up
from tests.steps.crews import send, send_audit, stand
from tests.steps.test_crew_look import settle

DECISIONS = [
    ("crew-flags/{flag}/decision", {"decision": "accept", "why": "x"}),
    ("visits/{visit}/datum", {"datum": GCJ02, "why": "x"}),
    ("visits/{visit}/datum/undo", {}),
]
READS = ["crews", "crew-flags", "audits", "audits/drawn", "audits/{audit}", "visits/{visit}/datum"]


@pytest.fixture
def desk(client: FlaskClient, cast: Cast, phone: Phone, back: Back, database: Database) -> Desk:
    """李监督's: 一队 missed a large tree, 二队's audit found it."""
    put_up(database, cast.project, form("audit_visit"))
    send(phone, stand()[:-1])
    send_audit(Phone(client, key_address(cast, cast.token_two)), stand())
    settle(back)
    return Desk(client, cast.project)


@pytest.fixture
def numbers(desk: Desk) -> dict[str, int]:
    """Of the failed crew's flag, of the audited visit and of the audit."""
    [audit] = desk.get("audits")["audits"]
    [flag] = [one for one in desk.get("crew-flags")["flags"] if one["rule"] == "Q06"]
    return {"flag": flag["id"], "visit": audit["visit_id"], "audit": audit["id"]}


def test_crews_of_a_census_are_read_with_their_figures(desk: Desk, cast: Cast) -> None:
    page = desk.get("crews")
    assert page == desk.get("crews?census=2026")
    assert page["census"] == "2026"
    one, two = page["crews"]
    assert (one["id"], one["figures"]["reading"]["trees"], one["flags"]["error"]) == (cast.crew_one, 59, 2)
    assert (two["figures"], two["flags"]) == (None, {"error": 0, "warn": 0, "info": 0})


def test_a_project_without_a_census_has_empty_lists(
    client: FlaskClient, cast: Cast, database: Database
) -> None:
    with database.writing() as pen:
        pen.execute(insert(schema.membership).values(
            person_id=cast.supervisor, project_id=cast.other_project, role="supervisor"))  # fmt: skip
    empty = Desk(client, cast.other_project)
    assert empty.get("crews") == {"census": None, "crews": []}
    assert empty.get("crew-flags") == {"census": None, "flags": []}
    assert empty.get("audits") == {"census": None, "audits": []}
    assert empty.get("audits/drawn") == {"census": None, "draws": [], "plots": []}


def test_a_flag_on_a_crew_is_decided_on_and_that_is_taken_back(
    desk: Desk, numbers: dict[str, int], database: Database
) -> None:
    with database.writing() as pen:
        pen.execute(update(schema.visit).values(review_state="approved"))
    where = f"crew-flags/{numbers['flag']}/decision"
    assert desk.post(where, decision="accept", why=" ").get_json()["title"] == "reason-missing"
    sent = desk.post(where, decision="send_back", why="漏测大树").get_json()
    assert (sent["state"], sent["decision"], sent["why"], sent["decided_by"]) == (
        "sent_back", "send_back", "漏测大树", "li",
    )  # fmt: skip
    assert desk.get(f"visits/{numbers['visit']}/review")["review_state"] == "has_issues"
    assert desk.post(where, decision="accept", why="x").get_json()["title"] == "already-decided"
    assert desk.post(where, decision="reopen", why="复核无误").get_json()["state"] == "open"
    assert desk.get(f"visits/{numbers['visit']}/review")["review_state"] == "approved"


def test_flags_of_one_crew_are_asked_for(desk: Desk, cast: Cast) -> None:
    assert {one["crew_id"] for one in desk.get(f"crew-flags?crew_id={cast.crew_one}")["flags"]} == {
        cast.crew_one
    }
    assert desk.get(f"crew-flags?crew_id={cast.crew_two}")["flags"] == []


def test_an_audit_is_read_tree_by_tree(desk: Desk, numbers: dict[str, int]) -> None:
    [listed] = desk.get("audits")["audits"]
    told = desk.get(f"audits/{numbers['audit']}")
    assert (told["plot_id"], told["auditor"], told["crew"], told["is_random"], told["verdict"]) == (
        "PS-001", "二队", "一队", True, "failed",
    )  # fmt: skip
    assert listed == {name: value for name, value in told.items() if name not in {"failures", "trees"}}
    assert told["failures"] == ["large"]
    assert [(tree["tag"], tree["faults"]) for tree in told["trees"] if tree["faults"]] == [("60", ["missed"])]
    first, last = told["trees"][0], told["trees"][-1]
    assert (first["their_dbh_cm"], first["our_dbh_cm"], first["off_cm"]) == (8.4, 8.4, 0.0)
    assert (last["their_dbh_cm"], last["our_dbh_cm"], last["off_cm"]) == (None, 26.4, None)


def test_an_audit_with_nothing_to_compare_with_has_no_trees(
    desk: Desk, numbers: dict[str, int], database: Database
) -> None:
    with database.writing() as pen:
        pen.execute(schema.audit_score.delete())
    told = desk.get(f"audits/{numbers['audit']}")
    assert (told["verdict"], told["failures"], told["trees"]) == (None, [], [])


def test_drawn_plots_are_read_with_what_repeats_the_draw(
    desk: Desk, phone: Phone, back: Back, cast: Cast, database: Database
) -> None:
    send(phone, stand(), plot_id="PS-002")
    settle(back)
    asked = Asked("7", share=1.0)
    database.write(lambda pen: draw_audits.draw(pen, cast.project, cast.census, asked, "li", 5))
    told = desk.get("audits/drawn?census=2026")
    [draw] = told["draws"]
    assert (draw["seed"], draw["drawn_by"], draw["drawn_at"]) == ("7", "li", 5)
    assert draw["crews"] == [{"crew": "一队", "plots": ["PS-002"], "drawn": ["PS-002"]}]
    [plot] = told["plots"]
    assert (plot["plot_id"], plot["crew"], plot["township"], plot["audit_id"]) == (
        "PS-002",
        "一队",
        "青羊镇",
        None,
    )


def test_a_datum_is_said_and_taken_back_and_the_fix_stays(
    desk: Desk, numbers: dict[str, int], database: Database
) -> None:
    plan = Point(PLOT_LAT, PLOT_LON)
    fix = shifted(plan, GCJ02)
    with database.writing() as pen:
        pen.execute(update(schema.visit).where(schema.visit.c.id == numbers["visit"])
                    .values(lat=fix.lat, lon=fix.lon))  # fmt: skip
    where = f"visits/{numbers['visit']}/datum"
    came = desk.get(where)
    assert (came["datum"], came["lat"], came["raw_lat"]) == (None, fix.lat, fix.lat)
    said = desk.post(where, datum=GCJ02, why="高德").get_json()
    assert (said["datum"], said["raw_lat"], said["raw_lon"], said["said_by"], said["why"]) == (
        GCJ02, fix.lat, fix.lon, "li", "高德",
    )  # fmt: skip
    assert apart_m(plan, Point(said["lat"], said["lon"])) < 1
    assert desk.get(where) == said
    assert desk.post(f"{where}/undo").get_json() == came
    assert desk.post(f"{where}/undo").get_json()["title"] == "already-decided"


def test_a_fix_outside_china_is_of_no_such_datum(
    desk: Desk, numbers: dict[str, int], database: Database
) -> None:
    with database.writing() as pen:
        pen.execute(update(schema.visit).values(lat=48.0, lon=11.0))
    refused = desk.post(f"visits/{numbers['visit']}/datum", datum=GCJ02, why="高德")
    assert (refused.status_code, refused.get_json()["title"]) == (422, "value-unfit")


def status(desk: Desk, path: str) -> int:
    return desk.client.get(
        f"/v1/projects/{desk.project}/{path}", headers=basic(desk.login, PASSWORD), environ_overrides=HTTPS
    ).status_code


@pytest.mark.parametrize("path", READS)
def test_who_reads_the_pages_reads_this(desk: Desk, numbers: dict[str, int], path: str) -> None:
    where = path.format(**numbers)
    assert Desk(desk.client, desk.project, "zhou").get(where)  # a verifier reads
    assert status(Desk(desk.client, desk.project, "sun"), where) == 403  # a farm does not
    assert desk.client.get(f"/v1/projects/{desk.project}/{where}").status_code == 401


@pytest.mark.parametrize(("path", "said"), DECISIONS)
def test_only_who_decides_may(
    desk: Desk, numbers: dict[str, int], cast: Cast, back: Back, path: str, said: dict[str, Any]
) -> None:
    where = path.format(**numbers)
    for login in ("zhou", "sun"):
        assert Desk(desk.client, cast.project, login).post(where, **said).status_code == 403
    assert desk.client.post(f"/v1/projects/{cast.project}/{where}", json=said).status_code == 401
    assert back.rows(select(schema.crew_decision)) == back.rows(select(schema.fix_datum)) == []


def test_what_belongs_to_another_project_is_not_there(
    desk: Desk, numbers: dict[str, int], cast: Cast, database: Database, back: Back
) -> None:
    elsewhere = Desk(desk.client, cast.other_project)
    addresses = [path.format(**numbers) for path in READS]
    assert {status(elsewhere, path) for path in addresses} == {404}
    with database.writing() as pen:
        pen.execute(insert(schema.membership).values(
            person_id=cast.supervisor, project_id=cast.other_project, role="supervisor"))  # fmt: skip
    assert [status(elsewhere, path) for path in addresses] == [200, 200, 200, 200, 404, 404]
    assert status(elsewhere, "crews?census=2026") == 404
    for path, said in DECISIONS:
        assert elsewhere.post(path.format(**numbers), **said).status_code == 404, path
    assert back.rows(select(schema.crew_decision)) == back.rows(select(schema.fix_datum)) == []
