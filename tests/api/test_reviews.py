"""Decisions as JSON: who may make them, and that they are those of the page."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from server.store import schema
from server.store.db import Database
from tests.api.test_rest import HTTPS, basic
from tests.cast import PASSWORD, Cast
from tests.phone import Back, Phone, plot_visit, tree


class Desk:
    """Somebody who decides by JSON."""

    def __init__(self, client: FlaskClient, project: int, login: str = "li") -> None:
        self.client, self.project, self.login = client, project, login

    def post(self, path: str, **body: Any) -> TestResponse:
        return self.client.post(
            f"/v1/projects/{self.project}/{path}", json=body, headers=basic(self.login, PASSWORD),
            environ_overrides=HTTPS,
        )  # fmt: skip

    def get(self, path: str) -> Any:
        answer = self.client.get(
            f"/v1/projects/{self.project}/{path}",
            headers=basic(self.login, PASSWORD),
            environ_overrides=HTTPS,
        )
        assert answer.status_code == 200, answer.text
        return answer.get_json()


@pytest.fixture
def desk(client: FlaskClient, cast: Cast, phone: Phone, back: Back) -> Desk:
    """李监督's, with one plot whose second tree nobody believes."""
    assert phone.send(plot_visit(trees=[tree("1", 12.0), tree("2", 231)])).status_code == 201
    back.drain()
    return Desk(client, cast.project)


def flag_of(desk: Desk, state: str = "open") -> dict[str, Any]:
    [flag] = desk.get(f"flags?state={state}")["flags"]
    return dict(flag)


def test_a_flag_is_accepted_for_a_reason_and_taken_back(desk: Desk) -> None:
    flag = flag_of(desk)
    refused = desk.post(f"flags/{flag['id']}/decision", decision="accept", why=" ")
    assert (refused.status_code, refused.get_json()["title"]) == (422, "reason-missing")
    said = desk.post(f"flags/{flag['id']}/decision", decision="accept", why="古树")
    assert said.get_json() == {"id": flag["id"], "state": "accepted"}
    again = desk.post(f"flags/{flag['id']}/decision", decision="accept", why="古树")
    assert (again.status_code, again.get_json()["title"]) == (409, "already-decided")
    assert desk.post(f"flags/{flag['id']}/decision", decision="reopen", why="看错了").status_code == 200
    review = desk.get(f"visits/{flag['visit_id']}/review")
    assert [(d["tag"], d["decision"], d["why"]) for d in review["decisions"]] == [
        ("2", "accept", "古树"), ("2", "reopen", "看错了"),
    ]  # fmt: skip


def test_a_correction_lies_over_the_value_and_can_be_undone(desk: Desk, back: Back) -> None:
    flag = flag_of(desk)
    said = desk.post(f"flags/{flag['id']}/decision", decision="correct", value="23.1", why="看照片")
    assert said.get_json()["state"] == "corrected"
    [made] = desk.get(f"visits/{flag['visit_id']}/corrections")
    assert (made["field"], made["old"], made["new"], made["made_by"], made["undone_at"]) == (
        "dbh_cm", "231", "23.1", "li", None,
    )  # fmt: skip
    back.drain()
    assert desk.get("flags?state=open")["flags"] == []
    undone = desk.post(f"corrections/{made['id']}/undo", why="照片是另一株")
    assert (undone.status_code, undone.get_json()["undone_by"]) == (200, "li")
    back.drain()
    assert flag_of(desk)["value"] == "231"
    assert desk.post(f"corrections/{made['id']}/undo").status_code == 409


@pytest.mark.parametrize(
    ("field", "value", "title"),
    [("dbh_cm", "thick", "value-unfit"), ("dbh_cm", "-3", "value-unfit"), ("dbh_cm", "12", "nothing-changed"),
     ("tally_code", "99", "value-unfit"), ("tag", "", "value-unfit"), ("tag", "x" * 41, "value-unfit"),
     ("stem_id", "x" * 21, "value-unfit"), ("codes", "x", "invalid-input")],
)  # fmt: skip
def test_a_value_that_cannot_stand_there_is_refused(desk: Desk, field: str, value: str, title: str) -> None:
    visit = flag_of(desk)["visit_id"]
    answer = desk.post(f"visits/{visit}/corrections", ordinal=0, field=field, value=value, why="x")
    assert (answer.status_code, answer.get_json()["title"]) == (422, title)


def test_a_species_is_one_of_the_project(desk: Desk, database: Database, cast: Cast) -> None:
    visit = flag_of(desk)["visit_id"]
    with database.writing() as pen:
        pen.execute(insert(schema.species).values(project_id=cast.project, code="quercus", zh="栎", en="oak"))
    asked = {"ordinal": 0, "field": "species", "why": "看照片"}
    assert desk.post(f"visits/{visit}/corrections", value="mangrove", **asked).status_code == 422
    assert desk.post(f"visits/{visit}/corrections", value="quercus", **asked).status_code == 201


def test_a_corrected_tag_is_another_tree_to_phones(desk: Desk, back: Back) -> None:
    visit = flag_of(desk)["visit_id"]
    made = desk.post(f"visits/{visit}/corrections", ordinal=0, field="tag", value="21", why="看照片")
    assert made.status_code == 201
    tags = [row.tag for row in back.rows(select(schema.tree.c.tag).order_by(schema.tree.c.id))]
    assert tags == ["1", "2", "21"]
    fed = back.rows(select(schema.feed.c.kind).where(schema.feed.c.kind == "tree"))
    assert len(fed) == 2


def test_a_visit_is_approved_once_nothing_is_wrong_with_it(desk: Desk, back: Back) -> None:
    flag = flag_of(desk)
    where = f"visits/{flag['visit_id']}/decision"
    refused = desk.post(where, decision="approve")
    assert (refused.status_code, refused.get_json()["title"]) == (409, "open-errors")
    desk.post(f"visits/{flag['visit_id']}/send-back", trees=[{"tag": "2"}], why="太粗")
    refused = desk.post(where, decision="approve")
    assert (refused.status_code, refused.get_json()["title"]) == (409, "rework-open")
    desk.post(f"flags/{flag['id']}/decision", decision="correct", value="23.1", why="看照片")
    said = desk.post(where, decision="approve")
    assert (said.status_code, said.get_json()["review_state"]) == (200, "approved")
    refused = desk.post(where, decision="reject")
    assert refused.get_json()["title"] == "reason-missing"
    assert desk.post(where, decision="reject", why="样地错了").get_json()["review_state"] == "rejected"


def test_trees_go_back_and_the_order_is_cancelled(desk: Desk, cast: Cast) -> None:
    visit = flag_of(desk)["visit_id"]
    sent = desk.post(f"visits/{visit}/send-back", trees=[{"tag": "2", "reason": "看不清"}], why="太粗",
                     crew_id=cast.crew_two, due_on="2026-06-30")  # fmt: skip
    assert sent.status_code == 201
    order = sent.get_json()
    assert (order["plot_id"], order["state"], order["due_on"]) == ("PS-001", "open", "2026-06-30")
    [doubted] = order["trees"]
    assert (doubted["before"]["dbh_cm"], doubted["after"], doubted["reason"]) == ("231", None, "看不清")
    assert [one["rework_id"] for one in desk.get("rework")] == [order["rework_id"]]
    cancelled = desk.post(f"rework/{order['rework_id']}/cancel")
    assert cancelled.get_json()["state"] == "cancelled"
    assert (desk.get("rework"), flag_of(desk)["state"]) == ([], "open")


@pytest.mark.parametrize("path", ["flags/{flag}/decision", "visits/{visit}/decision", "visits/{visit}/corrections",
                                  "visits/{visit}/send-back", "rework/1/cancel", "corrections/1/undo"])  # fmt: skip
def test_only_who_decides_may(desk: Desk, cast: Cast, client: FlaskClient, path: str) -> None:
    flag = flag_of(desk)
    body: dict[str, Any] = {
        "decision": "approve" if "visits" in path else "accept", "why": "x", "trees": [{"tag": "2"}], "ordinal": 0,
        "field": "dbh_cm", "value": "1",
    }  # fmt: skip
    asked = {"flags": ("decision", "why"), "visits/{visit}/d": ("decision", "why")}
    wanted = next((names for start, names in asked.items() if path.startswith(start)), ("why",))
    if path.endswith("corrections"):
        wanted = ("ordinal", "field", "value", "why")
    if path.endswith("send-back"):
        wanted = ("trees", "why")
    where = path.format(flag=flag["id"], visit=flag["visit_id"])
    said = {name: body[name] for name in wanted}
    for login, status in (("zhou", 403), ("sun", 403)):  # a verifier reads; a farm does not even that
        assert Desk(client, cast.project, login).post(where, **said).status_code == status
    assert client.post(f"/v1/projects/{cast.project}/{where}", json=said).status_code == 401
    assert Desk(client, cast.other_project).post(where, **said).status_code == 404
    assert flag_of(desk)["state"] == "open"


def test_what_belongs_to_another_project_is_not_there(
    desk: Desk, cast: Cast, database: Database, client: FlaskClient
) -> None:
    flag = flag_of(desk)
    with database.writing() as pen:
        pen.execute(insert(schema.membership).values(
            person_id=cast.supervisor, project_id=cast.other_project, role="supervisor"))  # fmt: skip
    elsewhere = Desk(client, cast.other_project)
    for path, body in (
        (f"flags/{flag['id']}/decision", {"decision": "accept", "why": "x"}),
        (f"flags/{flag['id']}/decision", {"decision": "correct", "why": "x", "value": "1"}),
        (f"visits/{flag['visit_id']}/decision", {"decision": "reject", "why": "x"}),
        (f"visits/{flag['visit_id']}/send-back", {"trees": [{"tag": "2"}], "why": "x"}),
        (
            f"visits/{flag['visit_id']}/corrections",
            {"ordinal": 0, "field": "dbh_cm", "value": "1", "why": "x"},
        ),
    ):
        assert elsewhere.post(path, **body).status_code == 404, path
    assert flag_of(desk)["state"] == "open"


def test_a_decision_on_what_is_no_longer_doubted_is_refused(desk: Desk, database: Database) -> None:
    flag = flag_of(desk)
    with database.writing() as pen:
        pen.execute(update(schema.flag).values(state="void"))
    assert desk.post(f"flags/{flag['id']}/decision", decision="accept", why="x").status_code == 409
