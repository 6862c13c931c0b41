"""A supervisor decides on the plot page, by plain forms; whoever only reads sees what was decided and no button."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import insert, select

from server.steps import return_rework
from server.store import schema
from server.store.db import Database
from tests import builders
from tests.cast import Cast
from tests.dashboard.conftest import Scene, SignIn

WHY = {"why": "看照片"}


class Page:
    """The plot's page in one browser."""

    def __init__(self, browser: FlaskClient, scene: Scene) -> None:
        self.browser, self.at = browser, f"/projects/{scene.project}"
        self.read()

    def read(self) -> Page:
        self.root = html.document_fromstring(self.browser.get(f"{self.at}/plots/P-1").text)
        return self

    def text(self, xpath: str = "//main") -> str:
        return " ".join(" ".join(e.text_content() for e in self.root.xpath(xpath)).split())

    def send(self, action: str, **fields: Any) -> str:
        """Post one of the forms that stand on the page, as a browser would; the page it leads to."""
        forms = [f for f in self.root.xpath("//main//form") if f.get("action", "").endswith(action)]
        assert forms, action
        filled = {**dict(forms[0].form_values()), **fields}
        answer = self.browser.post(forms[0].get("action"), data=filled)
        assert answer.status_code == 303, answer.text
        self.read()
        return str(answer.headers["Location"])

    def ticks(self) -> list[str]:
        return [str(value) for value in self.root.xpath("//input[@form='send-back']/@value")]


@pytest.fixture
def page(sign_in: SignIn, scene: Scene) -> Page:
    return Page(sign_in("li"), scene)


def flag_of(database: Database, scene: Scene, tag: str, field: str = "dbh_cm") -> Any:
    with database.reading() as connection:
        query = select(schema.flag).where(
            schema.flag.c.visit_id == scene.now, schema.flag.c.tag == tag, schema.flag.c.field == field
        )
        return connection.execute(query.order_by(schema.flag.c.score.desc())).first()


def test_a_flag_is_accepted_where_it_is_read(page: Page, database: Database, scene: Scene) -> None:
    flag = flag_of(database, scene, "2")
    landed = page.send(f"/flags/{flag.id}/accept", **WHY)
    assert landed.endswith(f"/plots/P-1?visit={scene.now}#t1")
    assert flag_of(database, scene, "2").state == "accepted"
    assert "看照片 — li" in page.text("//tr[@class='decide']")
    page.send(f"/flags/{flag.id}/reopen", why="看错了")
    assert flag_of(database, scene, "2").state == "open"


def test_a_corrected_value_shows_what_stood_there_and_can_be_undone(
    page: Page, database: Database, scene: Scene
) -> None:
    page.send(f"/visits/{scene.now}/correct", ordinal="1", field="dbh_cm", value="16.0", **WHY)
    cell = page.text("//tr[@id='t1']/td[contains(@class,'dbh')]")
    assert re.search(r"1\.6 .*16\.0", cell), cell
    assert "胸径 1.6 → 16 看照片 — li" in page.text("//tr[@class='decide']")
    assert "+1.0" in page.text("//tr[@id='t1']")  # growth by the value that counts: 15.0 before
    with database.reading() as connection:
        number = connection.scalar(
            select(schema.correction.c.id).where(schema.correction.c.visit_id == scene.now)
        )
    page.send(f"/corrections/{number}/undo")
    assert page.root.xpath("//tr[@id='t1']//del") == []
    assert "撤销" in page.text("//section[contains(@class,'past')]")


def test_several_trees_are_ticked_and_sent_back(page: Page, database: Database, scene: Scene) -> None:
    ticks = page.ticks()
    assert ticks == [
        '["1", "1"]',
        '["2", "1"]',
        '["4", "1"]',
        '["3", "1"]',
    ]  # the last one is missing this time
    page.send(f"/visits/{scene.now}/send-back", tree=[ticks[1], ticks[3]], due_on="2026-06-10", **WHY)
    assert page.text("//tr[@class='decide']").count("等待重测") == 2
    listed = html.document_fromstring(page.browser.get(f"{page.at}/rework").text)
    text = " ".join(listed.xpath("//article")[0].text_content().split())
    assert "已逾期" in text  # said in words, too
    assert "2 返工前" not in text
    assert "1.6" in text
    assert "本次没有记录" in text
    form = listed.xpath("//article//form")[0]
    answer = page.browser.post(form.get("action"), data=dict(form.form_values()), follow_redirects=True)
    assert "返工已取消" in answer.text
    assert flag_of(database, scene, "2").state == "open"


def test_a_flag_can_be_sent_back_by_itself(page: Page, database: Database, scene: Scene) -> None:
    forms = page.root.xpath("//tr[@class='decide']//form[contains(@action,'send-back')]")
    values = dict(forms[0].form_values())
    answer = page.browser.post(forms[0].get("action"), data=values | WHY)
    assert answer.status_code == 303
    assert flag_of(database, scene, "2").state == "sent_back"


def test_what_came_back_stands_beside_what_was_there(page: Page, database: Database, scene: Scene) -> None:
    page.send(f"/visits/{scene.now}/send-back", tree=[page.ticks()[1]], **WHY)
    with database.writing() as pen:
        census = pen.scalar(select(schema.visit.c.census_id).where(schema.visit.c.id == scene.now))
        again = builders.visit(pen, scene.project, scene.plot, int(census or 0), [builders.tree("2", 16.0)],
                               kind="rework", surveyor="W-2")  # fmt: skip
        return_rework.write(pen, [again], builders.AT)
    listed = html.document_fromstring(page.browser.get(f"{page.at}/rework?state=returned").text)
    row = " ".join(listed.xpath("//table//tbody/tr")[0].text_content().split())
    assert re.search(r"胸径\s?1\.6 .*胸径\s?16\.0 已改", row), row
    page.read()
    assert "1.6" in page.text("//tr[@id='t1']//del")


def test_a_visit_is_approved_or_rejected(page: Page, database: Database, scene: Scene) -> None:
    page.send(f"/visits/{scene.now}/reject", why="样地错了")
    assert "已退回" in page.text("//dl[@class='facts']")
    with database.writing() as pen:
        pen.execute(schema.flag.update().values(state="void"))
    page.send(f"/visits/{scene.now}/approve")
    assert "已通过" in page.text("//dl[@class='facts']")
    assert "样地错了" in page.text("//section[contains(@class,'past')]")


def test_a_verifier_reads_the_decisions_and_makes_none(
    page: Page, sign_in: SignIn, scene: Scene, database: Database
) -> None:
    flag = flag_of(database, scene, "2")
    page.send(f"/flags/{flag.id}/accept", **WHY)
    reader = Page(sign_in("zhou"), scene)
    assert "看照片" in reader.text()
    assert [f.get("action") for f in reader.root.xpath("//main//form")] == []
    assert reader.ticks() == []
    at = reader.at
    for path in (f"flags/{flag.id}/reopen", f"visits/{scene.now}/approve", f"visits/{scene.now}/send-back",
                 f"visits/{scene.now}/correct", "corrections/1/undo", "rework/1/cancel"):  # fmt: skip
        assert reader.browser.post(f"{at}/{path}", data=WHY).status_code == 403, path


@pytest.mark.parametrize("engine", ["sqlite"])
def test_another_projects_trees_cannot_be_decided_on(
    page: Page, database: Database, scene: Scene, cast: Cast
) -> None:
    flag = flag_of(database, scene, "2")
    elsewhere = f"/projects/{cast.project}"
    for path in (f"flags/{flag.id}/accept", f"visits/{scene.now}/approve"):
        assert page.browser.post(f"{elsewhere}/{path}", data=WHY).status_code == 404
    answer = page.browser.post(
        f"{elsewhere}/visits/{scene.now}/send-back", data={"tree": '["2", "1"]', **WHY}
    )
    assert answer.status_code == 404
    assert flag_of(database, scene, "2").state == "open"


@pytest.mark.parametrize("tree", ["", "2", "[]", '{"a": 1}', '["2"]', "[[[["])
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_forged_choice_of_trees_is_refused(page: Page, scene: Scene, tree: str) -> None:
    answer = page.browser.post(f"{page.at}/visits/{scene.now}/send-back", data={"tree": tree, **WHY})
    assert answer.status_code == 400


@pytest.mark.parametrize("engine", ["sqlite"])
def test_nothing_in_a_reason_runs(page: Page, database: Database, scene: Scene) -> None:
    nasty = "<script>alert(1)</script>\"'><img src=x>"
    with database.writing() as pen:
        pen.execute(insert(schema.crew).values(project_id=scene.project, name=nasty))
    page.send(f"/visits/{scene.now}/correct", ordinal="1", field="dbh_cm", value="16", why=nasty)
    page.send(f"/visits/{scene.now}/send-back", tree=[page.ticks()[0]], why=nasty)
    for path in ("plots/P-1", "rework"):
        text = page.browser.get(f"{page.at}/{path}").text
        assert "<script>alert" not in text
        assert "<img src=x>" not in text
