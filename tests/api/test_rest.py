"""The JSON door: who may read, what is answered, and that its description is true."""

from __future__ import annotations

import base64

import pytest
from flask.testing import FlaskClient

from tests.cast import PASSWORD, Cast
from tests.phone import Back, Phone, plot_visit, tree

HTTPS = {"wsgi.url_scheme": "https"}


def basic(login: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


def test_nobody_reads_without_signing_in(client: FlaskClient, cast: Cast) -> None:
    for path in ("projects", f"projects/{cast.project}/plots", f"projects/{cast.project}/flags"):
        answer = client.get(f"/v1/{path}")
        assert (answer.status_code, answer.get_json()["title"]) == (401, "not-signed-in")
        assert answer.content_type == "application/problem+json"


def test_the_description_names_every_address_and_our_shape_of_refusals(client: FlaskClient) -> None:
    described = client.get("/v1/openapi.json").get_json()
    assert set(described["paths"]) == {
        "/v1/projects",
        "/v1/projects/{project_id}/plots",
        "/v1/projects/{project_id}/plots/{plot_id}/measurements",
        "/v1/projects/{project_id}/flags",
        "/v1/projects/{project_id}/flags/{flag_id}/decision",
        "/v1/projects/{project_id}/visits/{visit_id}/review",
        "/v1/projects/{project_id}/visits/{visit_id}/decision",
        "/v1/projects/{project_id}/visits/{visit_id}/corrections",
        "/v1/projects/{project_id}/visits/{visit_id}/send-back",
        "/v1/projects/{project_id}/corrections/{correction_id}/undo",
        "/v1/projects/{project_id}/rework",
        "/v1/projects/{project_id}/rework/{rework_id}/cancel",
        "/v1/projects/{project_id}/conflicts",
        "/v1/projects/{project_id}/conflicts/{conflict_id}/decision",
        "/v1/projects/{project_id}/conflicts/{conflict_id}/reopen",
        "/v1/projects/{project_id}/crews",
        "/v1/projects/{project_id}/crew-flags",
        "/v1/projects/{project_id}/crew-flags/{crew_flag_id}/decision",
        "/v1/projects/{project_id}/audits",
        "/v1/projects/{project_id}/audits/drawn",
        "/v1/projects/{project_id}/audits/{audit_id}",
        "/v1/projects/{project_id}/visits/{visit_id}/datum",
        "/v1/projects/{project_id}/visits/{visit_id}/datum/undo",
        "/v1/projects/{project_id}/sync/device",
        "/v1/projects/{project_id}/sync/pull",
        "/v1/projects/{project_id}/sync/push",
        "/v1/projects/{project_id}/sync/uploads",
        "/v1/projects/{project_id}/sync/uploads/{upload_id}",
    }
    assert set(described["components"]["schemas"]["Problem"]["properties"]) == {
        "type",
        "title",
        "status",
        "detail",
    }


@pytest.mark.parametrize("query", ["rows=0", "rows=501", "offset=-1"])
def test_a_question_out_of_range_is_answered_in_our_shape(
    client: FlaskClient, cast: Cast, query: str
) -> None:
    answer = client.get(f"/v1/projects/{cast.project}/plots?{query}")
    assert (answer.status_code, answer.get_json()["title"]) == (422, "invalid-input")


def test_a_supervisor_reads_what_a_phone_sent(
    client: FlaskClient, cast: Cast, phone: Phone, back: Back
) -> None:
    phone.send(plot_visit(trees=[tree("1", 23.1), tree("2", 0)]))
    back.drain()
    asked = {"headers": basic("li", PASSWORD), "environ_overrides": HTTPS}
    assert [p["id"] for p in client.get("/v1/projects", **asked).get_json()] == [cast.project]

    page = client.get(f"/v1/projects/{cast.project}/plots?search=PS-001", **asked).get_json()
    assert [(p["plot_id"], p["trees"], p["flags"]["error"]) for p in page["plots"]] == [("PS-001", 2, 1)]

    visit = client.get(f"/v1/projects/{cast.project}/plots/PS-001/measurements", **asked).get_json()
    assert [(t["tag"], t["dbh_cm"]) for t in visit["trees"]] == [("1", 23.1), ("2", 0.0)]
    assert [(f["rule"], f["tag"], f["field"]) for f in visit["flags"]] == [("T01", "2", "dbh_cm")]

    for by in ("score", "priority"):
        flags = client.get(f"/v1/projects/{cast.project}/flags?by={by}", **asked).get_json()
        assert ("PS-001", "T01") in [(f["plot"], f["rule"]) for f in flags["flags"]]
        order = [f[by] for f in flags["flags"]]
        assert order == sorted(order, reverse=True)
    first = client.get(f"/v1/projects/{cast.project}/flags?rows=1", **asked).get_json()
    assert [(f["plot"], f["rule"]) for f in first["flags"]] == [("PS-001", "T01")]
    assert 0 < first["flags"][0]["score"] <= 1


def test_another_project_is_not_there(client: FlaskClient, cast: Cast) -> None:
    asked = {"headers": basic("li", PASSWORD), "environ_overrides": HTTPS}
    answer = client.get(f"/v1/projects/{cast.other_project}/flags", **asked)
    assert (answer.status_code, answer.get_json()["title"]) == (404, "not-found")
