"""What is kept but does not count: why, what came first, and a person's decision."""

from __future__ import annotations

from sqlalchemy import select

from server.store import schema
from server.store.db import Database
from tests import builders
from tests.dashboard.conftest import Scene, SignIn


def _events(database: Database) -> list[str]:
    with database.reading() as reader:
        acts = reader.scalars(select(schema.event.c.action).order_by(schema.event.c.id))
        return [act for act in acts if act.startswith("quarantine.")]


def test_the_reason_and_what_to_do_are_told_in_words(sign_in: SignIn, scene: Scene) -> None:
    page = sign_in("li").get(f"/projects/{scene.project}/quarantine").text
    assert "调查表已停止接收" in page
    assert "再试一次" in page
    assert "D-1" in page
    assert "closed-form" not in page


def test_the_record_that_came_first_can_be_compared(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        first = pen.execute(schema.submission.select().where(schema.submission.c.id == scene.source)).one()
        builders.submission(pen, scene.project, quarantine="other-content", variant="t" * 64,
                            instance_id=first.instance_id)  # fmt: skip
    page = sign_in("li").get(f"/projects/{scene.project}/quarantine").text
    assert f"/submissions/{scene.source}.xml" in page


def test_trying_again_counts_what_can_count_now(sign_in: SignIn, database: Database, scene: Scene) -> None:
    browser = sign_in("li")
    answer = browser.post(f"/projects/{scene.project}/quarantine/{scene.held}/retry", follow_redirects=True)
    assert "已计入" in answer.text
    with database.reading() as reader:
        row = reader.execute(schema.submission.select().where(schema.submission.c.id == scene.held)).one()
        promised = select(schema.job.c.subject_id).where(
            schema.job.c.kind == "unfold", schema.job.c.dead_at.is_(None)
        )
        assert list(reader.scalars(promised)) == [scene.held]
    assert (row.quarantine, row.variant, row.settled_by) == (None, "", "li")
    assert _events(database) == ["quarantine.retry"]


def test_what_still_cannot_count_says_why(sign_in: SignIn, database: Database, scene: Scene) -> None:
    with database.writing() as pen:
        held = builders.submission(
            pen, scene.project, quarantine="unknown-version", variant="v", version="1999"
        )
    answer = sign_in("li").post(f"/projects/{scene.project}/quarantine/{held}/retry", follow_redirects=True)
    assert "仍然不能计入：服务器上没有这个调查表版本" in answer.text


def test_setting_aside_needs_a_reason_and_keeps_the_record(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    browser = sign_in("li")
    address = f"/projects/{scene.project}/quarantine/{scene.held}/set-aside"
    assert browser.post(address, data={"why": "  "}).status_code == 422
    answer = browser.post(address, data={"why": "twice"}, follow_redirects=True)
    assert "已搁置" in answer.text
    assert "没有待定记录" in answer.text
    assert b"<instanceID>" in browser.get(f"/projects/{scene.project}/submissions/{scene.held}.xml").data
    assert _events(database) == ["quarantine.set-aside"]


def test_a_decision_is_made_once(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li")
    address = f"/projects/{scene.project}/quarantine/{scene.held}/set-aside"
    assert browser.post(address, data={"why": "twice"}).status_code == 303
    assert browser.post(address, data={"why": "twice"}).status_code == 404


def test_the_menu_counts_what_waits(sign_in: SignIn, scene: Scene) -> None:
    assert '<b class="count">1</b>' in sign_in("li").get(f"/projects/{scene.project}/plots").text
