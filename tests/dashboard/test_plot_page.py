"""One plot: last time beside this time, the flag at its cell, photos, and nothing that a crew typed can run."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from server.store import schema
from server.store.db import Database
from tests import builders
from tests.cast import Cast
from tests.dashboard.conftest import Scene, SignIn

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def _page(browser: FlaskClient, scene: Scene, query: str = "") -> str:
    return browser.get(f"/projects/{scene.project}/plots/P-1{query}").text


def _row(page: str, ordinal: int) -> str:
    return page.partition(f'id="t{ordinal}"')[2].partition("</tr>")[0]


def _plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_last_time_and_this_time_stand_side_by_side(sign_in: SignIn, scene: Scene) -> None:
    row = _plain(_row(_page(sign_in("li"), scene), 0))
    assert "20.0 21.5 +1.5 11 保留木" in row
    assert "Zh-pine" in row
    assert "45° 5.0 m" in row


def test_a_flag_is_read_at_its_cell_with_its_reason_and_suggestion(sign_in: SignIn, scene: Scene) -> None:
    row = _row(_page(sign_in("li"), scene), 1)
    cell = row.partition('class="num dbh')[2].partition("</td>")[0]
    assert " at error" in cell[:20]
    (described,) = set(re.findall(r'tabindex="0" aria-describedby="(f\d+)"', cell))
    note = cell.partition(f'id="{described}"')[2]
    assert "上期 15.0 cm" in note
    assert "16.0" in note  # 1.6 with its decimal point in place


def test_a_tree_that_was_there_last_time_is_shown_as_missing(sign_in: SignIn, scene: Scene) -> None:
    page = _page(sign_in("li"), scene)
    absent = _plain(page.partition('class="absent"')[2].partition("</tr>")[0])
    assert absent.startswith("> 3 ") or " 3 " in absent[:40]
    assert "30.0" in absent
    assert "本次没有记录" in absent


def test_what_the_crew_noted_and_verified_is_shown(sign_in: SignIn, scene: Scene) -> None:
    row = _plain(_row(_page(sign_in("li"), scene), 2))
    assert "N-4" in row
    assert "复核" in row
    assert "@ 1.5 m" in row
    assert "12 进界木" in row


def test_codes_of_the_header_are_told_in_the_words_of_the_form(sign_in: SignIn, scene: Scene) -> None:
    assert "起源 植苗" in _plain(_page(sign_in("li"), scene))
    assert "origin of the stand planted" in _plain(_page(sign_in("li", "en"), scene))


def test_an_earlier_visit_can_be_looked_at(sign_in: SignIn, scene: Scene) -> None:
    page = _plain(_page(sign_in("li"), scene, f"?visit={scene.before}"))
    assert "2021-06-01" in page
    assert "N-4" not in page


def test_a_plot_nobody_has_visited_says_whose_it_is(sign_in: SignIn, scene: Scene) -> None:
    text = sign_in("li").get(f"/projects/{scene.project}/plots/P-2").text
    assert "还没有调查过" in text
    assert "C-1" in text


@pytest.mark.parametrize("plot_id", ["A/7 东", "?", "<b>x</b>", "100%", "a b#c"])
def test_any_name_a_crew_gives_a_plot_leads_to_its_page(
    sign_in: SignIn, database: Database, scene: Scene, plot_id: str
) -> None:
    with database.writing() as pen:
        builders.row(pen, schema.plot, project_id=scene.project, plot_id=plot_id)
    browser = sign_in("li")
    page = browser.get(f"/projects/{scene.project}/plots").text
    links = re.findall(r'class="go" href="([^"]+)"', page)
    titles = [
        browser.get(link.replace("&amp;", "&")).text.partition("<h1>")[2].partition("</h1>")[0]
        for link in links
    ]
    escaped = plot_id.replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in titles


@pytest.mark.parametrize("engine", ["sqlite"])
def test_nothing_that_a_crew_types_runs_in_a_page(
    sign_in: SignIn, database: Database, scene: Scene, cast: Cast
) -> None:
    with database.writing() as pen:
        plot = builders.row(pen, schema.plot, project_id=scene.project, plot_id=NASTY)
        census = pen.scalar(schema.census.select().where(schema.census.c.project_id == scene.project))
        tree = builders.tree(
            NASTY[:40], None, species=NASTY[:40], dbh_text=NASTY, other={"note": NASTY, "photo": NASTY}
        )
        visit = builders.visit(
            pen, scene.project, plot, census, [tree], surveyor=NASTY,
            header={"visit.note": NASTY, "plot.origin": NASTY, NASTY: NASTY},
            sent={"instance_name": NASTY, "app": NASTY, "instance_id": NASTY, "version": NASTY},
        )  # fmt: skip
        builders.let_the_rules_look(pen, visit)
        builders.submission(pen, scene.project, quarantine="closed-form", variant="n", instance_name=NASTY,
                            app=NASTY, phone_id=NASTY)  # fmt: skip
        pen.execute(schema.job.update().values(error=NASTY))
        pen.execute(schema.device.update().values(name=NASTY, app=NASTY))
        pen.execute(schema.township.update().values(name=NASTY))
    browser = sign_in("li")
    at = f"/projects/{scene.project}"
    list_page = browser.get(f"{at}/plots").text
    (link,) = [a for a in re.findall(r'class="go" href="([^"]+)"', list_page) if "script" in a]
    for address in [f"{at}/plots", link, f"{at}/flags", f"{at}/quarantine", f"{at}/devices", "/jobs",
                    f"{at}/plots?q=%22%3E%3Cscript%3E"]:  # fmt: skip
        page = browser.get(address.replace("&amp;", "&")).text
        assert "alert(" in page or "q=" in address, address
        assert not re.search(r"<script(?! src=\"/assets/)|<img src=x|[^&]\"'><", page), address


def test_the_instance_is_handed_out_exactly_as_it_was_sent(sign_in: SignIn, scene: Scene) -> None:
    answer = sign_in("li").get(f"/projects/{scene.project}/submissions/{scene.source}.xml")
    assert answer.data == b"<data id='plot_visit'>\n</data>"
    assert answer.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_photo_is_shown_and_asked_for_once(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li")
    for address, content in [("", builders.jpeg()), ("/thumbnail", builders.jpeg(60, (32, 24)))]:
        answer = browser.get(f"/projects/{scene.project}/photos/{scene.photo}{address}", buffered=True)
        assert (answer.mimetype, answer.data) == ("image/jpeg", content)
        assert "private" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = browser.get(
            f"/projects/{scene.project}/photos/{scene.photo}{address}",
            headers={"If-None-Match": answer.headers["ETag"]},
            buffered=True,
        )
        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_page_that_calls_itself_a_photo_is_only_ever_saved(sign_in: SignIn, scene: Scene) -> None:
    answer = sign_in("li").get(f"/projects/{scene.project}/photos/{scene.page}", buffered=True)
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.mimetype == "application/octet-stream"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_photo_on_its_way_is_named_on_the_page(sign_in: SignIn, scene: Scene) -> None:
    page = _plain(_page(sign_in("li"), scene))
    assert "未收到 c.jpg" in page
    assert "2/3" in page


@pytest.mark.parametrize("engine", ["sqlite"])
def test_photos_that_have_not_come_are_counted_and_named(
    sign_in: SignIn, scene: Scene, database: Database
) -> None:
    with database.writing() as pen:
        for name in ("d.jpg", "e.jpg"):
            builders.row(pen, schema.attachment, submission_id=scene.source, name=name, is_expected=True)
        builders.row(pen, schema.attachment, submission_id=scene.source, name="audit.csv", is_expected=True)
        builders.row(
            pen,
            schema.attachment,
            submission_id=scene.source,
            name="f.jpg",
            is_expected=False,
            sha256="0" * 64,
        )
    facts = _plain(_page(sign_in("li"), scene).partition('<dl class="facts')[2].partition("</dl>")[0])
    assert "照片 2/5 未收到 c.jpg · d.jpg · e.jpg" in facts
