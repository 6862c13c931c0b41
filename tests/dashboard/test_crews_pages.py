"""The pages of crews and audits: what stands there, what a person decides, and that nothing leaves its project."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from server.dashboard.crew_charts import histogram, line, span
from server.store import schema
from server.store.db import Database
from tests.dashboard.conftest import Scene, SignIn

WHY = {"why": "N-8"}


@pytest.fixture
def li(sign_in: SignIn) -> FlaskClient:
    return sign_in("li")


def text(browser: FlaskClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return unescape(answer.text)


def state(database: Database, scene: Scene) -> tuple[Any, ...]:
    """What became of the flag on the crew and of the visit in doubt."""
    with database.reading() as reader:
        flag = reader.scalar(select(schema.crew_flag.c.state).where(schema.crew_flag.c.id == scene.crew_flag))
        return flag, reader.scalar(select(schema.visit.c.review_state).where(schema.visit.c.id == scene.now))


def decide(browser: FlaskClient, scene: Scene, deed: str, **fields: str) -> int:
    address = f"/projects/{scene.project}/crew-flags/{scene.crew_flag}/{deed}"
    return browser.post(address, data={**WHY, **fields}).status_code


def test_crews_stand_beside_each_other(li: FlaskClient, scene: Scene) -> None:
    page = text(li, f"/projects/{scene.project}/crews")
    assert "C-1" in page
    assert f"/crews/{scene.crew}?census=" in page
    assert "▲E" in page


def test_a_crews_page_says_what_is_odd_what_comes_next_and_from_what_it_is_seen(
    li: FlaskClient, scene: Scene
) -> None:
    page = text(li, f"/projects/{scene.project}/crews/{scene.crew}")
    for said in ("Q06", "P-1", "N-7", 'class="digits"', "重新打开"):
        assert said in page


def test_an_audit_is_told_tree_by_tree(li: FlaskClient, scene: Scene) -> None:
    page = text(li, f"/projects/{scene.project}/audits/{scene.audit}")
    rows = page.split("<tbody>")[1].split("</tr>")
    assert "超差" not in rows[0]  # 21.5 and 21.4
    assert "超差" in rows[1]  # 1.6 and 16.0
    assert "多测" in rows[2]  # tree 4


def test_an_audit_without_a_visit_to_compare_with_says_so(
    li: FlaskClient, scene: Scene, database: Database
) -> None:
    with database.writing() as pen:
        pen.execute(schema.audit_score.delete())
    assert "无法对照" in text(li, f"/projects/{scene.project}/audits/{scene.audit}")
    assert "还没有可对照的调查" in text(li, f"/projects/{scene.project}/audits")


def test_visits_in_doubt_are_opened_again_and_that_is_taken_back(
    li: FlaskClient, scene: Scene, database: Database
) -> None:
    with database.writing() as pen:
        pen.execute(update(schema.visit).values(review_state="approved"))
    assert decide(li, scene, "send-back") == 303
    assert state(database, scene) == ("sent_back", "has_issues")
    assert "已重新打开" in text(li, f"/projects/{scene.project}/audits")
    assert decide(li, scene, "reopen") == 303
    assert state(database, scene) == ("open", "approved")


def test_a_decision_leads_back_to_where_it_was_made(li: FlaskClient, scene: Scene) -> None:
    address = f"/projects/{scene.project}/crew-flags/{scene.crew_flag}"
    there = li.post(f"{address}/accept", data={**WHY, "from": "audits"})
    assert "/audits?census=" in there.headers["Location"]
    here = li.post(f"{address}/reopen", data=WHY)
    assert f"/crews/{scene.crew}?census=" in here.headers["Location"]


def test_a_decision_needs_a_reason_and_a_supervisor(
    li: FlaskClient, sign_in: SignIn, scene: Scene, database: Database
) -> None:
    assert decide(li, scene, "accept", why=" ") == 422
    assert decide(sign_in("zhou"), scene, "accept") == 403
    assert state(database, scene)[0] == "open"
    assert "crew-flags" not in text(sign_in("zhou"), f"/projects/{scene.project}/crews/{scene.crew}")


def test_a_flag_that_was_decided_on_is_not_decided_on_again(li: FlaskClient, scene: Scene) -> None:
    assert decide(li, scene, "accept") == 303
    assert decide(li, scene, "accept") == 409


@pytest.mark.parametrize("census", ["999999", "x"])
def test_a_census_that_is_not_hers_is_refused(li: FlaskClient, scene: Scene, census: str) -> None:
    for page in ("crews", f"crews/{scene.crew}", "audits"):
        assert li.get(f"/projects/{scene.project}/{page}?census={census}").status_code in {400, 404}


def test_a_project_whose_crews_were_not_looked_at_yet_says_when_they_will_be(
    li: FlaskClient, scene: Scene, database: Database
) -> None:
    with database.writing() as pen:
        for table in (schema.crew_decision, schema.crew_flag, schema.crew_work, schema.audit_score):
            pen.execute(table.delete())
    assert "稍等片刻" in text(li, f"/projects/{scene.project}/crews")
    assert li.get(f"/projects/{scene.project}/crews/{scene.crew}").status_code == 200


# drawing plots


def ask(browser: FlaskClient, scene: Scene, **fields: str) -> int:
    return browser.post(f"/projects/{scene.project}/audits/draw", data=fields).status_code


def test_a_supervisor_draws_a_plot_once_and_prints_the_list(
    li: FlaskClient, scene: Scene, database: Database
) -> None:
    with database.writing() as pen:
        pen.execute(schema.visit.delete().where(schema.visit.c.kind == "audit"))
    assert "还没有抽过" in text(li, f"/projects/{scene.project}/audits")
    assert ask(li, scene, percent="10") == 303
    page = text(li, f"/projects/{scene.project}/audits/drawn")
    for said in ("P-1", "C-1", "36.200000, 113.400000", "未抽查", "1 块里抽 1 块"):
        assert said in page
    assert "已抽 1 块样地，已抽查 0 块" in text(li, f"/projects/{scene.project}/audits")
    assert ask(li, scene, percent="100") == 422


def test_a_drawn_plot_is_ticked_off_when_it_was_audited(
    li: FlaskClient, scene: Scene, database: Database
) -> None:
    header = {"visit.audit_kind": "flagged"}
    with database.writing() as pen:
        pen.execute(update(schema.visit).where(schema.visit.c.id == scene.audit).values(header=header))
    assert ask(li, scene, percent="10") == 303
    page = text(li, f"/projects/{scene.project}/audits/drawn")
    assert "☑" in page
    assert f"/audits/{scene.audit}" in page


def test_who_only_reads_draws_nothing(sign_in: SignIn, scene: Scene) -> None:
    assert ask(sign_in("zhou"), scene, percent="10") == 403
    assert "audits/draw?" not in text(sign_in("zhou"), f"/projects/{scene.project}/audits")


@pytest.mark.parametrize(
    ("percent", "status"), [("", 400), ("viel", 400), ("nan", 400), ("0", 422), ("101", 422)]
)
def test_a_share_that_is_none_is_refused(li: FlaskClient, scene: Scene, percent: str, status: int) -> None:
    assert ask(li, scene, percent=percent) == status


# the small pictures


def test_a_line_needs_two_months_and_passes_over_those_with_few_trees() -> None:
    month = {"trees": 100, "round": 20, "pairs": 0, "same": 0}
    assert line({"2026-05": month}, "round", "trees", 0.3) is None
    assert line({"2026-05": month, "2026-06": {**month, "trees": 3}}, "round", "trees", 0.3) is None
    drawn = line({"2026-05": month, "2026-06": {**month, "round": 60}}, "round", "trees", 0.3)
    assert drawn is not None
    first, last = drawn.points
    assert first.y > drawn.limit_y > last.y
    assert last.label == "2026-06 60%"


def test_columns_are_as_tall_as_their_share() -> None:
    drawn = histogram([40, 10, 0, 0, 0, 50, 0, 0, 0, 0], 0.3)
    assert drawn is not None
    assert drawn.columns[5].height == pytest.approx(5 * drawn.columns[1].height, rel=0.01)
    assert [one.digit for one in drawn.columns if one.is_round] == [0, 5]
    assert histogram([0] * 10, 0.3) is None


def test_an_interval_ends_at_the_edge_of_its_scale() -> None:
    assert span((-0.5, 0.1), 0.0, (-0.2, 0.2), 100) == (0.0, 75.0, 50.0)
