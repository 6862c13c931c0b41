"""The catalogue page: what each rule asks, what became of its flags, and thresholds that a supervisor may move."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import insert, select, update

from server.store import events, projects, rechecks, rule_yield, schema
from server.store.db import Database
from server.store.rule_yield import RuleYield
from server.validation.formula import said
from server.validation.rule import rules
from server.validation.worth import USELESS_FROM, is_useless, share_of
from tests import builders
from tests.dashboard.conftest import Scene, SignIn

WHY = {"why": "本地树种"}


class Page:
    """The page of one rule in one browser."""

    def __init__(self, browser: FlaskClient, scene: Scene, rule: str) -> None:
        self.browser, self.at = browser, f"/projects/{scene.project}/rules/{rule}"

    def text(self, xpath: str = "//main") -> str:
        root = html.document_fromstring(self.browser.get(self.at).text)
        return " ".join(" ".join(e.text_content() for e in root.xpath(xpath)).split())

    def post(self, what: str, **fields: str) -> Any:
        return self.browser.post(f"{self.at}/{what}", data={**WHY, **fields})


def _settings(database: Database, scene: Scene) -> dict[str, float]:
    with database.reading() as connection:
        ways = projects.ways(connection, scene.project)
    assert ways is not None
    return ways.rule_settings


def _raise_flags(database: Database, scene: Scene, rule: str, **states: int) -> None:
    row = {"project_id": scene.project, "visit_id": scene.now, "plot_id": scene.plot, "rule": rule, "rule_version": 1,
           "severity": "warn", "score": 0.5, "facts": {}, "inputs_hash": "h", "raised_at": builders.AT}  # fmt: skip
    with database.writing() as pen:
        for state, count in states.items():
            pen.execute(insert(schema.flag), [{**row, "state": state}] * count)


def test_every_rule_stands_in_the_catalogue_with_its_formula_and_next_step(
    sign_in: SignIn, scene: Scene
) -> None:
    page = html.document_fromstring(sign_in("li").get(f"/projects/{scene.project}/rules").text)
    for rule in rules():
        (article,) = page.xpath(f"//article[@id='{rule.id}']")
        text = " ".join(article.text_content().split())
        assert " ".join(said(rule.id, rule.formula, "zh").split()) in text
        assert rule.next_zh in text
        assert rule.title_zh in text


def test_a_number_that_nobody_has_seen_in_its_source_says_so(sign_in: SignIn, scene: Scene) -> None:
    page = html.document_fromstring(sign_in("li").get(f"/projects/{scene.project}/rules").text)
    (row,) = page.xpath("//article[@id='X02']//tr[th/code='tolerance_share']")
    assert "未核实" in row.text_content()
    (row,) = page.xpath("//article[@id='X01']//tr[th/code='sigmas']")
    assert "未核实" not in row.text_content()


def test_a_rules_yield_counts_what_people_found(database: Database, scene: Scene) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
    _raise_flags(database, scene, "X06", open=4, corrected=3, accepted=2, sent_back=1, void=5)
    with database.reading() as connection:
        found = rule_yield.of_project(connection, scene.project)
    assert found["X06"] == RuleYield(open=4, sent_back=1, confirmed=3, accepted=2, void=5)
    assert found["X06"].raised == 15


def test_a_rule_about_crews_yields_what_was_decided_about_crews(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        flag = pen.execute(select(schema.crew_flag).where(schema.crew_flag.c.id == scene.crew_flag)).one()
        of_rule = schema.crew_flag.c.rule == flag.rule, schema.crew_flag.c.project_id == scene.project
        pen.execute(update(schema.crew_flag).where(*of_rule).values(state="accepted"))
    with database.reading() as connection:
        found = rule_yield.of_project(connection, scene.project)[flag.rule]
    assert found.accepted == 1  # beside what the rule says about the crew's visits
    room = "crews" if flag.rule.startswith("C") else "audits"
    page = sign_in("li").get(f"/projects/{scene.project}/rules/{flag.rule}").text
    links = html.document_fromstring(page).xpath("//main//section//a/@href")
    assert f"/projects/{scene.project}/{room}" in links
    assert not any("/flags" in link for link in links)  # that queue holds no flags on crews


def test_flags_of_another_project_yield_nothing_here(database: Database, scene: Scene) -> None:
    with database.reading() as connection:
        assert rule_yield.of_project(connection, scene.project + 1) == {}


def test_a_rule_that_is_always_overruled_is_called_useless(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    _raise_flags(database, scene, "X15", accepted=USELESS_FROM)
    browser = sign_in("li")
    page = html.document_fromstring(browser.get(f"/projects/{scene.project}/rules").text)
    assert "没有用处" in page.xpath("//article[@id='X15']")[0].text_content()
    _raise_flags(database, scene, "X15", corrected=1)
    page = html.document_fromstring(browser.get(f"/projects/{scene.project}/rules").text)
    assert "没有用处" not in page.xpath("//article[@id='X15']")[0].text_content()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_supervisor_moves_a_threshold_and_everything_is_looked_at_again(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    page = Page(sign_in("li"), scene, "X04")
    assert page.post("set", key="X04.cap_cm_yr[conifer]", value="1,8").status_code == 303
    assert _settings(database, scene) == {"X04.cap_cm_yr[conifer]": 1.8}
    assert "出厂值 2.5" in page.text("//article[contains(@class,'changed')]")
    assert "本地树种 — li" in page.text("//section[contains(@class,'past')]")
    assert "规则正在重新检查：0/1 块样地" in page.text("//*[@role='status']")
    with database.reading() as connection:
        (event,) = events.latest(connection, scene.project, "rules.set", 9)
    assert (event.actor, event.subject) == ("li", "X04.cap_cm_yr[conifer]")
    assert event.detail == {"old": None, "new": 1.8, "why": "本地树种"}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_moved_threshold_is_put_back_or_undone(sign_in: SignIn, database: Database, scene: Scene) -> None:
    page = Page(sign_in("li"), scene, "X14")
    page.post("set", key="X14.alert_m", value="0.6")
    page.post("set", key="X14.alert_m", value="0.7")
    assert _undo_newest(page, database, scene) == 303
    assert _settings(database, scene) == {"X14.alert_m": 0.6}
    assert page.post("reset", key="X14.alert_m").status_code == 303
    assert _settings(database, scene) == {}


def _undo_newest(page: Page, database: Database, scene: Scene) -> int:
    with database.reading() as connection:
        event = events.latest(connection, scene.project, "rules.set", 1)[0]
    return int(
        page.browser.post(f"/projects/{scene.project}/rules/changes/{event.id}/undo", data=WHY).status_code
    )


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_change_that_another_has_followed_is_not_undone(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    page = Page(sign_in("li"), scene, "X14")
    page.post("set", key="X14.alert_m", value="0.6")
    with database.reading() as connection:
        first = events.latest(connection, scene.project, "rules.set", 1)[0].id
    page.post("set", key="X14.alert_m", value="0.7")
    answer = page.browser.post(f"/projects/{scene.project}/rules/changes/{first}/undo", data=WHY)
    assert answer.status_code == 409
    assert _settings(database, scene) == {"X14.alert_m": 0.7}


def test_the_tally_limit_is_the_projects_own(sign_in: SignIn, database: Database, scene: Scene) -> None:
    page = Page(sign_in("li"), scene, "T02")
    assert page.post("set", key="T02.min_cm", value="4").status_code == 303
    with database.reading() as connection:
        ways = projects.ways(connection, scene.project)
    assert ways is not None
    assert (ways.tally_limit_cm, ways.rule_settings) == (4.0, {})
    page.post("reset", key="T02.min_cm")
    with database.reading() as connection:
        assert connection.scalar(
            select(schema.project.c.tally_limit_cm).where(schema.project.c.id == scene.project)
        ) == pytest.approx(5.0)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_silenced_rule_says_nothing_and_speaks_again(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    page = Page(sign_in("li"), scene, "T05")
    page.post("set", key="T05.on", value="0")
    assert "已停用" in page.text()
    with database.writing() as pen:
        builders.let_the_rules_look(pen, scene.now)
        assert rule_yield.of_project(pen, scene.project)["T05"].open == 0
    page.post("set", key="T05.on", value="1")
    with database.writing() as pen:
        builders.let_the_rules_look(pen, scene.now)
        assert rule_yield.of_project(pen, scene.project)["T05"].open == 1


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [({"value": "0.01"}, 422), ({"value": "99"}, 422), ({"value": "nan"}, 422), ({"value": "x"}, 422),
     ({"value": ""}, 422), ({"value": "0.5"}, 422), ({"value": "0.6", "why": " "}, 422), ({"key": "X14.nothing"}, 404),
     ({"key": "X04.warn_cm_yr"}, 400), ({"key": ""}, 400)],
)  # fmt: skip
def test_a_threshold_that_makes_no_sense_is_refused_with_what_would(
    sign_in: SignIn, database: Database, scene: Scene, fields: dict[str, str], status: int
) -> None:
    answer = Page(sign_in("li"), scene, "X14").post("set", **{"key": "X14.alert_m", "value": "0.6", **fields})
    assert answer.status_code == status
    assert _settings(database, scene) == {}
    if fields.get("value") == "99":
        assert "0.05 到 10" in answer.text


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_rule_that_is_not_in_the_catalogue_is_not_found(sign_in: SignIn, scene: Scene) -> None:
    assert sign_in("li").get(f"/projects/{scene.project}/rules/T99").status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_verifier_reads_thresholds_and_finds_no_button(sign_in: SignIn, scene: Scene) -> None:
    page = Page(sign_in("zhou"), scene, "X14")
    assert "alert_m" in page.text()
    assert "改动" not in page.text("//button")


def test_the_interval_of_a_share_is_wilsons() -> None:
    found = share_of(8, 2)  # by hand: Wilson (1927) at 95 %: .490 to .943
    assert found is not None
    assert found == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    assert share_of(0, 0) is None
    assert not is_useless(0, USELESS_FROM - 1)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_recheck_under_way_shows_where_flags_are_read_and_its_page_follows_it(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        rechecks.promise(pen, scene.project, rechecks.PARAMETERS, "li", builders.AT)
    browser = sign_in("li")
    for page in ("flags", "rules", "rules/T05", "bands"):
        text = browser.get(f"/projects/{scene.project}/{page}").text
        assert "规则正在重新检查：0/1 块样地" in text, page
    assert 'http-equiv="refresh"' in browser.get("/jobs").text
    with database.writing() as pen:
        pen.execute(update(schema.recheck).values(finished_at=builders.AT, plots_done=1))
    assert "规则正在重新检查" not in browser.get(f"/projects/{scene.project}/flags").text
    assert 'http-equiv="refresh"' not in browser.get("/jobs").text
