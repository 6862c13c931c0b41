"""The story of a flag: the tree over its censuses, what may have happened, its neighbours, and the decision."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import event, insert, select, update

from server.dashboard.growth_drawing import Seen, drawing
from server.store import flag_report, schema
from server.store.db import Database
from server.store.flag_report import FlagQuestion
from tests import builders
from tests.dashboard.conftest import Scene, SignIn
from tests.dashboard.test_flag_queue import _flags

WHY = {"why": "看照片"}


class Page:
    """A flag's page in one browser."""

    def __init__(self, browser: FlaskClient, scene: Scene, flag_id: int, query: str = "") -> None:
        self.browser, self.at = browser, f"/projects/{scene.project}/flags/{flag_id}{query}"
        answer = browser.get(self.at)
        assert answer.status_code == 200, answer.text
        self.root = html.document_fromstring(answer.text)

    def text(self, xpath: str = "//main") -> str:
        return " ".join(" ".join(" ".join(e.itertext()) for e in self.root.xpath(xpath)).split())

    def send(self, action: str, **fields: Any) -> str:
        """Post one of the forms of the page; where it leads."""
        (form,) = [f for f in self.root.xpath("//main//form") if f.get("action", "").endswith(action)]
        answer = self.browser.post(form.get("action"), data={**dict(form.form_values()), **WHY, **fields})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])


def _flag(database: Database, scene: Scene, tag: str, field: str = "dbh_cm") -> Any:
    where = (schema.flag.c.visit_id == scene.now, schema.flag.c.tag == tag, schema.flag.c.field == field)
    with database.reading() as connection:
        return connection.execute(select(schema.flag).where(*where)).first()


@pytest.fixture
def doubted(database: Database, scene: Scene) -> int:
    """The flag on the tree with the lost decimal point, as if its rule had weighed three stories."""
    flag = _flag(database, scene, "2")
    told = {**flag.facts, "hypotheses": ["decimal 16.0 0.93", "honest 0.02", "guess 0.04"], "other": "1"}
    with database.writing() as pen:
        values = {"facts": told, "score": 0.98, "priority": 0.21, "expected_low": 14.8, "expected_high": 18.5}
        pen.execute(
            update(schema.flag).where(schema.flag.c.id == flag.id).values(**values, suggestion="16.0")
        )
    return int(flag.id)


def test_the_story_says_what_is_odd_how_sure_and_what_it_costs(
    sign_in: SignIn, scene: Scene, doubted: int
) -> None:
    verdict = Page(sign_in("li"), scene, doubted).text("//section[contains(@class,'verdict')]")
    for said in ("小数点", "98%", "0.21 t CO₂e", "14.8 – 18.5", "16.0", "请调查队复测后再采用建议值"):
        assert said in verdict


def test_what_may_have_happened_is_told_the_likeliest_first(
    sign_in: SignIn, scene: Scene, doubted: int
) -> None:
    page = Page(sign_in("li"), scene, doubted)
    stories = [
        " ".join(li.text_content().split()) for li in page.root.xpath("//*[contains(@class,'chances')]//li")
    ]
    assert stories == [
        "小数点错位 16.0 0.93 93%",
        "目测估计 0.04 4%",
        "值是对的 0.02 2%",
        "其余的可能 0.01 1%",
    ]
    assert page.root.xpath("//progress/@value") == ["0.93", "0.04", "0.02", "0.01"]


def test_a_flag_whose_rule_weighs_no_stories_tells_none(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    gone = _flag(database, scene, "3", "tag")
    page = Page(sign_in("li"), scene, gone.id)
    assert page.root.xpath("//*[contains(@class,'chances')]") == []
    assert "本次没有记录" in page.text("//table[contains(@class,'told')]")


def test_the_drawing_holds_every_census_the_band_and_what_was_meant(
    sign_in: SignIn, scene: Scene, doubted: int
) -> None:
    svg = Page(sign_in("li"), scene, doubted).root.xpath("//figure//svg")[0]
    assert [t.text_content() for t in svg.xpath(".//*[contains(@class,'number')]")] == ["15", "1.6", "16?"]
    assert len(svg.xpath(".//*[@class='band']")) == 1
    assert [t.text_content() for t in svg.xpath(".//*[@text-anchor='middle' and @class='axis']")] == [
        "2021",
        "2026",
    ]


def test_neighbours_show_what_an_exchange_would_mean(sign_in: SignIn, scene: Scene, doubted: int) -> None:
    page = Page(sign_in("li"), scene, doubted)
    rows = {
        r.xpath("th")[0].text.strip(): " ".join(r.text_content().split())
        for r in page.root.xpath("//table[contains(@class,'beside')]/tbody/tr")
    }
    assert set(rows) == {"1", "2", "3", "4"}
    assert "+6.5 / −18.4" in rows["1"]  # 21.5 - 15.0, 1.6 - 20.0
    assert page.root.xpath("//tr[@class='named']/th")[0].text.strip() == "1"


def test_the_last_censuses_stand_with_crew_and_the_photo_of_the_tape(
    sign_in: SignIn, database: Database, scene: Scene, doubted: int
) -> None:
    here = (schema.measurement.c.visit_id == scene.now, schema.measurement.c.ordinal == 1)
    with database.writing() as pen:
        pen.execute(update(schema.measurement).where(*here).values(other={"photo": "a.jpg"}))
    page = Page(sign_in("li"), scene, doubted)
    told = page.text("//table[contains(@class,'told')]")
    assert told.index("2026-06-01") < told.index("2021-06-01")
    assert "C-1 · W-1" in told
    (picture,) = page.root.xpath("//table[contains(@class,'told')]//img/@src")
    assert f"/{scene.photo}/" in picture or str(scene.photo) in picture


def test_she_decides_on_the_page_and_stays_on_it(
    sign_in: SignIn, database: Database, scene: Scene, doubted: int
) -> None:
    page = Page(sign_in("li"), scene, doubted, "?rule=T05&by=priority")
    landed = page.send("/accept")
    assert landed == f"/projects/{scene.project}/flags/{doubted}?rule=T05&by=priority"
    again = Page(page.browser, scene, doubted)
    assert "看照片" in again.text("//section[contains(@class,'past')]")
    assert again.send("/reopen").endswith(f"/flags/{doubted}")
    assert _flag(database, scene, "2").state == "open"


def test_a_correction_made_on_the_page_shows_both_values(
    sign_in: SignIn, database: Database, scene: Scene, doubted: int
) -> None:
    page = Page(sign_in("li"), scene, doubted)
    assert page.send("/correct").endswith(f"/flags/{doubted}")  # the suggested value stands in the field
    again = Page(page.browser, scene, doubted)
    assert _flag(database, scene, "2").state == "corrected"
    assert "1.6 16.0" in again.text("//table[contains(@class,'told')]//tr[@class='this']/td[@class='num']")
    drawn = again.root.xpath("//figure//*[contains(@class,'number')]")
    assert [text.text_content() for text in drawn] == ["15", "1.6", "16", "16?"]


def test_a_tree_is_sent_back_from_the_page(
    sign_in: SignIn, database: Database, scene: Scene, doubted: int
) -> None:
    page = Page(sign_in("li"), scene, doubted)
    assert json.loads(page.root.xpath("//input[@name='tree']/@value")[0]) == ["2", "1"]
    page.send("/send-back")
    assert _flag(database, scene, "2").state == "sent_back"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_verifier_reads_the_story_and_finds_no_button(sign_in: SignIn, scene: Scene, doubted: int) -> None:
    assert Page(sign_in("zhou"), scene, doubted).root.xpath("//main//button | //main//summary") == []


def test_the_page_leads_through_the_queue_in_its_order(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
        for score, priority in [(0.9, 1.0), (0.5, 3.0), (0.7, 2.0), (0.5, 0.5)]:
            pen.execute(insert(schema.flag), _flags(scene, [score], priority=priority, tag="1"))
    orders = {}
    for by in ("score", "priority"):
        with database.reading() as reader:
            rows, _ = flag_report.queue(reader, scene.project, FlagQuestion(by=by))
        orders[by] = [row["id"] for row in rows]
        seen, at = [rows[0]["id"]], rows[0]["id"]
        browser = sign_in("li")
        while found := Page(browser, scene, at, f"?by={by}").root.xpath("//a[@rel='next']/@href"):
            at = int(found[0].rpartition("/")[2].partition("?")[0])
            seen.append(at)
        assert seen == orders[by]
        back = Page(browser, scene, at, f"?by={by}").root.xpath("//a[@rel='prev']/@href")[0]
        assert f"/flags/{orders[by][-2]}" in back
    assert orders["score"] != orders["priority"]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_turning_pages_by_priority_shows_every_flag_once(database: Database, scene: Scene) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
        for priority in (3.0, 3.0, 0.0, 0.5, 3.0, 0.0, 7.0):
            pen.execute(insert(schema.flag), _flags(scene, [0.5], priority=priority))
    seen, after = [], None
    with database.reading() as reader:
        for _ in range(9):
            asked = FlagQuestion(after=after, rows=2, by="priority")
            rows, after = flag_report.queue(reader, scene.project, asked)
            seen += [(row["priority"], row["id"]) for row in rows]
            if after is None:
                break
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_flag_about_a_whole_visit_has_a_story_too(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        about = {"ordinal": None, "tag": "", "stem_id": "", "field": "tally_code", "value": ""}
        facts = {"case": "dbh", "trees": 3}
        pen.execute(insert(schema.flag), _flags(scene, [0.6], rule="X11", facts=facts, **about))
        flag = pen.scalar(select(schema.flag.c.id).where(schema.flag.c.rule == "X11"))
    page = Page(sign_in("li"), scene, flag)
    assert "3 株" in page.text()
    assert page.root.xpath("//figure") == []


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("query", ["?by=x", "?state=x", "?crew=x"])
def test_an_address_that_makes_no_sense_is_told_so(
    sign_in: SignIn, scene: Scene, doubted: int, query: str
) -> None:
    assert sign_in("li").get(f"/projects/{scene.project}/flags/{doubted}{query}").status_code == 400


@pytest.mark.parametrize("engine", ["sqlite"])
def test_six_censuses_of_a_plot_cost_no_more_questions_than_two(
    sign_in: SignIn, database: Database, scene: Scene, doubted: int
) -> None:
    statements: list[str] = []
    browser = sign_in("li")

    def count() -> int:
        statements.clear()
        Page(browser, scene, doubted)
        return len(statements)

    event.listen(browser.application.extensions["yangdi-database"].engine, "before_cursor_execute",
                 lambda *said: statements.append(said[2]))  # fmt: skip
    few = count()
    with database.writing() as pen:
        for year in range(2010, 2020, 2):
            census = builders.row(pen, schema.census, project_id=scene.project, name=str(year))
            builders.visit(pen, scene.project, scene.plot, census, [builders.tree("2", 10.0)],
                           measured_on=f"{year}-06-01")  # fmt: skip
    assert count() == few


def test_a_first_census_is_drawn_with_its_band_alone() -> None:
    found = drawing([Seen("2026", None, 40.0)], 0, 8.0, 16.0)
    assert found is not None
    assert (found.cone, len(found.dots)) == ("", 1)
    assert found.band is not None
    assert drawing([Seen("2026", None, None)], 0) is None


def test_what_is_larger_stands_higher_and_what_is_later_further_right() -> None:
    seen = [
        Seen("a", date(2016, 6, 1), 10.0),
        Seen("b", date(2021, 6, 1), 12.0),
        Seen("c", date(2026, 6, 1), 15.0),
    ]
    found = drawing(seen, 2, 12.0, 14.0, 13.0)
    assert found is not None
    xs, ys = [dot.x for dot in found.dots[:3]], [dot.y for dot in found.dots[:3]]
    assert xs == sorted(xs)
    assert ys == sorted(ys, reverse=True)
    assert found.band is not None
    x, y, width, height = found.band
    assert x < found.dots[2].x < x + width
    assert y > found.dots[2].y  # 15.0 lies above the band
    assert y < found.dots[3].y < y + height  # 13.0 within


@pytest.fixture
def doubts_last(database: Database, scene: Scene, doubted: int) -> int:
    """The same flag, as if its rule thought that the 15.0 cm of last time are the wrong ones."""
    facts = {"case": "last", "before_cm": 15.0, "hypotheses": ["last 0.98", "stem 0.01"]}
    with database.writing() as pen:
        values = {"facts": facts, "score": 0.02, "suggestion": "", "rule": "X01"}
        pen.execute(update(schema.flag).where(schema.flag.c.id == doubted).values(**values))
    return doubted


def test_a_story_that_doubts_last_times_value_points_at_that_one(
    sign_in: SignIn, scene: Scene, doubts_last: int
) -> None:
    page = Page(sign_in("li"), scene, doubts_last)
    verdict = page.text("//section[contains(@class,'verdict')]")
    assert "上期值有误的概率 98% 本期值有误的概率 2% 上期胸径 15.0 cm 本期胸径 1.6 cm" in verdict
    assert "合理范围" not in verdict  # it would rest on the value in doubt
    drawn = [t.text_content() for t in page.root.xpath("//figure//*[contains(@class,'number doubted')]")]
    assert drawn == ["15"]
    assert page.root.xpath("//figure//*[@class='band' or @class='cone']") == []


def test_last_times_value_is_corrected_from_the_story(
    sign_in: SignIn, database: Database, scene: Scene, doubts_last: int
) -> None:
    page = Page(sign_in("li"), scene, doubts_last)
    assert page.send(f"/visits/{scene.before}/correct", value="1.5").endswith(f"/flags/{doubts_last}")
    with database.reading() as reader:
        made = reader.execute(select(schema.correction).where(schema.correction.c.undone_at.is_(None))).one()
    assert (made.visit_id, made.field, made.old, made.new) == (scene.before, "dbh_cm", "15.0", "1.5")
    again = Page(page.browser, scene, doubts_last)
    assert "15.0 1.5" in again.text(
        "//table[contains(@class,'told')]//tr[@class='doubted-row']/td[@class='num']"
    )


def test_a_flag_about_a_photo_shows_it(sign_in: SignIn, database: Database, scene: Scene) -> None:
    about = {"ordinal": None, "tag": "", "stem_id": "", "field": "photo", "value": "a.jpg", "rule": "F01"}
    with database.writing() as pen:
        rows = _flags(scene, [0.6], **{**about, "facts": {"away_m": 700}})
        flag_id = pen.execute(insert(schema.flag).returning(schema.flag.c.id), rows).scalars().one()
    page = Page(sign_in("li"), scene, flag_id)
    assert list(page.root.xpath("//figure[contains(@class,'picture')]//img/@alt")) == ["照片 a.jpg"]


def test_a_flag_about_many_trees_lists_them_beside_last_time(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    about = {"ordinal": None, "tag": "", "stem_id": "", "field": "dbh_cm", "value": "", "rule": "X06"}
    facts = {"plot_pairs": 3, "plot_same": 2, "plot_tags": ["1", "2"], "share": 0.2, "years": 5.0}
    with database.writing() as pen:
        rows = _flags(scene, [0.6], **{**about, "facts": facts})
        flag_id = pen.execute(insert(schema.flag).returning(schema.flag.c.id), rows).scalars().one()
    page = Page(sign_in("li"), scene, flag_id)
    listed = [
        " ".join(" ".join(row.itertext()).split())
        for row in page.root.xpath("//table[contains(@class,'beside')]/tbody/tr")
    ]
    assert listed == ["1 Zh-pine 20.0 21.5 +1.5", "2 Zh-pine 15.0 1.6 −13.4"]


def _standing(database: Database, scene: Scene) -> dict[int, str]:
    """What corrections of the last visit say, by the place of the tree."""
    made = schema.correction
    with database.reading() as reader:
        rows = reader.execute(select(made).where(made.c.visit_id == scene.now, made.c.undone_at.is_(None)))
        return {row.ordinal: row.new for row in rows}


def test_two_exchanged_diameters_are_put_right_at_once(
    sign_in: SignIn, database: Database, scene: Scene, doubted: int
) -> None:
    facts = {"case": "swap", "before_cm": 15.0, "other": "1", "hypotheses": ["swap 21.5 0.93"]}
    with database.writing() as pen:
        values = {"facts": facts, "rule": "X13", "suggestion": "21.5"}
        pen.execute(update(schema.flag).where(schema.flag.c.id == doubted).values(**values))
    page = Page(sign_in("li"), scene, doubted)
    assert "样木 2 1.6 → 21.5 cm · 样木 1 21.5 → 1.6 cm" in page.text("//form[contains(@action,'/exchange')]")
    assert page.send("/exchange").endswith(f"/flags/{doubted}")
    assert _standing(database, scene) == {1: "21.5", 0: "1.6"}


def test_girths_of_a_plot_become_diameters_for_the_trees_that_are_ticked(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    about = {"ordinal": None, "tag": "", "stem_id": "", "field": "dbh_cm", "value": "", "rule": "T07"}
    with database.writing() as pen:
        here = (schema.measurement.c.visit_id == scene.now, schema.measurement.c.ordinal == 0)
        pen.execute(update(schema.measurement).where(*here).values(dbh_cm=67.5, dbh_text="67.5"))
        rows = _flags(scene, [0.8], **{**about, "facts": {"case": "", "plot_fits": 1, "plot_trees": 3}})
        flag_id = pen.execute(insert(schema.flag).returning(schema.flag.c.id), rows).scalars().one()
    page = Page(sign_in("li"), scene, flag_id)
    # 67.5 / 3.14159 = 21.5, and last time 20.0; tree 2 had 15.0 and has 1.6; tree 4 is new
    ticked = page.root.xpath("//input[@type='checkbox'][@checked]/@value")
    assert ticked == ["0", "2"]
    assert page.send("/girths", ordinal=["0"]).endswith(f"/flags/{flag_id}")
    assert _standing(database, scene) == {0: "21.5"}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_tree_without_a_diameter_is_exchanged_with_none(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        here = (schema.measurement.c.visit_id == scene.now, schema.measurement.c.ordinal == 0)
        pen.execute(update(schema.measurement).where(*here).values(dbh_cm=None, dbh_text=""))
    browser = sign_in("li")
    token = html.document_fromstring(browser.get(f"/projects/{scene.project}/flags").text).xpath(
        "//input[@name='csrf_token']/@value"
    )[0]
    address = f"/projects/{scene.project}/visits/{scene.now}/exchange"
    form = {"csrf_token": token, "ordinal": "0", "other": "1", **WHY}
    assert browser.post(address, data=form).status_code == 422
    assert _standing(database, scene) == {}


def test_a_flag_that_its_rule_raises_no_more_says_so_and_asks_for_nothing(
    sign_in: SignIn, database: Database, scene: Scene, doubted: int
) -> None:
    with database.writing() as pen:
        pen.execute(update(schema.flag).where(schema.flag.c.id == doubted).values(state="void"))
    page = Page(sign_in("li"), scene, doubted)
    verdict = page.text("//section[contains(@class,'verdict')]")
    assert "已作废" in verdict
    assert "不再提出这个疑点" in verdict
    assert page.root.xpath("//section[contains(@class,'verdict')]//form") == []


def test_a_decided_flag_shows_what_was_decided_where_it_is_told(
    sign_in: SignIn, scene: Scene, doubted: int
) -> None:
    page = Page(sign_in("li"), scene, doubted)
    page.send("/accept")
    verdict = Page(page.browser, scene, doubted).text("//section[contains(@class,'verdict')]")
    assert "已认可" in verdict
    assert "撤回决定" in verdict
