"""The queue of flags: the most suspicious first, each flag once, in words."""

from __future__ import annotations

import html as html_module
import re

import pytest
from lxml import html
from sqlalchemy import insert

from server.store import flag_report, schema
from server.store.db import Database
from server.store.flag_report import FlagQuestion
from tests import builders
from tests.dashboard.conftest import Scene, SignIn

(ORIGIN,) = (question for question in builders.PLOT_VISIT.questions if question.measure == "plot.origin")


def _flags(scene: Scene, scores: list[float], **values: object) -> list[dict[str, object]]:
    return [
        {"project_id": scene.project, "visit_id": scene.now, "plot_id": scene.plot, "ordinal": 0, "tag": f"G-{n}",
         "stem_id": "1", "rule": "T03", "rule_version": 1, "severity": ["error", "warn", "info"][n % 3],
         "score": score, "field": "dbh_cm", "value": "210.0", "facts": {"case": "", "max_cm": 200.0},
         "inputs_hash": "h", "raised_at": builders.AT, "state": "open", **values}
        for n, score in enumerate(scores)
    ]  # fmt: skip


def test_turning_pages_shows_every_flag_once_by_falling_score(database: Database, scene: Scene) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
        pen.execute(insert(schema.flag), _flags(scene, [5.0, 5.0, 5.0, 9.5, 0.1, 5.0, 7.0, 5.0, 3.3, 5.0]))
    seen, after = [], None
    with database.reading() as reader:
        for _ in range(9):
            rows, after = flag_report.queue(reader, scene.project, FlagQuestion(after=after, rows=3))
            seen += [(row["score"], row["id"]) for row in rows]
            if after is None:
                break
    assert len(seen) == 10
    assert seen == sorted(seen, reverse=True)


def test_a_decided_flag_leaves_the_queue_and_is_found_among_the_decided(
    database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
        pen.execute(insert(schema.flag), _flags(scene, [5.0]))
        pen.execute(insert(schema.flag), _flags(scene, [6.0], state="accepted"))
    with database.reading() as reader:
        assert [row["score"] for row in flag_report.queue(reader, scene.project, FlagQuestion())[0]] == [5.0]
        accepted = flag_report.queue(reader, scene.project, FlagQuestion(state="accepted"))[0]
    assert [row["score"] for row in accepted] == [6.0]


@pytest.mark.parametrize(
    ("query", "there"),
    [("severity=error", True), ("severity=warn", False), ("rule=T05", True), ("rule=T01", False),
     ("township=999999", False), ("crew=999999", False), ("state=void", False)],
)  # fmt: skip
def test_the_queue_narrows_to_what_is_asked(sign_in: SignIn, scene: Scene, query: str, there: bool) -> None:
    page = sign_in("li").get(f"/projects/{scene.project}/flags?{query}").text
    assert ("1.6" in page) is there  # the tree with the lost decimal point


def test_a_row_leads_to_the_flags_story_and_that_to_its_tree(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li")
    page = browser.get(f"/projects/{scene.project}/flags?rule=T05").text
    (link,) = re.findall(r'data-row href="([^"]+)"', page)
    story = browser.get(html_module.unescape(link)).text
    assert f'href="/projects/{scene.project}/plots/P-1?visit={scene.now}#t1"' in story


def test_a_flag_names_the_species_and_not_its_code(sign_in: SignIn, scene: Scene) -> None:
    page = sign_in("li").get(f"/projects/{scene.project}/flags?rule=X07").text
    assert "Zh-pine" in page
    assert "pinus_tabuliformis" not in page


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_flag_of_a_rule_that_is_gone_is_still_shown(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        pen.execute(insert(schema.flag), _flags(scene, [9.9], rule="Q99", facts={}))
    assert "Q99: dbh_cm 210.0" in sign_in("li").get(f"/projects/{scene.project}/flags").text


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    "query", ["after=x", "after=1", "after=~", "after=1~x", "rule=NOPE", "severity=high"]
)
def test_an_address_that_makes_no_sense_is_told_so(sign_in: SignIn, scene: Scene, query: str) -> None:
    assert sign_in("li").get(f"/projects/{scene.project}/flags?{query}").status_code == 400


def _of_last(scene: Scene, score: float, last: float) -> list[dict[str, object]]:
    """A flag that thinks that last time's 74.0 cm was wrong rather than today's 8.2 cm."""
    facts = {"case": "last", "before_cm": 74.0, "hypotheses": [f"last {last:.2f}", "stem 0.01"]}
    return _flags(scene, [score], rule="X01", value="8.2", facts=facts)


def test_a_flag_on_last_times_value_stands_where_the_doubt_about_that_one_puts_it(
    database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
        pen.execute(insert(schema.flag), _flags(scene, [0.99, 0.9, 0.5, 0.04]))
        for score, last in [(0.02, 0.98), (0.2, 0.5), (0.01, 0.03)]:
            pen.execute(insert(schema.flag), _of_last(scene, score, last))
    seen, after = [], None
    with database.reading() as reader:
        for _ in range(9):
            asked = FlagQuestion(after=after, rows=2, by="doubt")
            rows, after = flag_report.queue(reader, scene.project, asked)
            for row in rows:
                place = flag_report.place_of(row, "doubt")
                previous, _ = flag_report.beside(reader, scene.project, FlagQuestion(by="doubt"), place)
                assert previous == (seen[-1][1] if seen else None)
                seen.append((place[0], row["id"]))
            if after is None:
                break
    assert [doubt for doubt, _ in seen] == [0.99, 0.98, 0.9, 0.5, 0.5, 0.04, 0.03]


def test_the_queue_says_that_it_is_last_times_value(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
        pen.execute(insert(schema.flag), _of_last(scene, 0.02, 0.98))
    page = sign_in("li").get(f"/projects/{scene.project}/flags").text
    for said in ("疑在上期", "98%", "本期 2%", "本期 8.2", "排序取两者中大的"):
        assert said in page


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_flag_of_an_audit_says_that_it_is_one(sign_in: SignIn, database: Database, scene: Scene) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
        pen.execute(insert(schema.flag), _flags(scene, [0.9], visit_id=scene.audit))
        pen.execute(insert(schema.flag), _flags(scene, [0.8]))
    page = html.document_fromstring(sign_in("li").get(f"/projects/{scene.project}/flags").text)
    marked = [row.text_content().split()[1:] for row in page.xpath("//table//tbody/tr/th")]
    assert marked == [["2026", "·", "质量检查"], ["2026"]]


def test_a_flag_names_a_plots_codes_as_its_form_does(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    facts = {"case": "origin", "last": "11"}
    about = {"ordinal": None, "tag": "", "stem_id": "", "rule": "P10", "field": "origin", "value": "21"}
    with database.writing() as pen:
        pen.execute(schema.flag.delete())
        pen.execute(insert(schema.flag), _flags(scene, [0.4], **{**about, "facts": facts}))
    page = sign_in("li").get(f"/projects/{scene.project}/flags").text
    names = {choice.value: choice.labels["zh"] for choice in ORIGIN.choices}
    assert f"起源 {names['21']}，上期 {names['11']}" in page
