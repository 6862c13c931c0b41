"""The bands page: what accepted trees say, version by version."""

from __future__ import annotations

import re

import pytest
from lxml import html
from sqlalchemy import update

from server.steps import refit
from server.store import schema
from server.store.db import Database
from tests import builders
from tests.dashboard.conftest import Scene, SignIn


def _page(sign_in: SignIn, scene: Scene) -> html.HtmlElement:
    answer = sign_in("li").get(f"/projects/{scene.project}/bands")
    assert answer.status_code == 200, answer.text
    return html.document_fromstring(answer.text)


def _accept_a_plot(database: Database, scene: Scene) -> None:
    """Fifty pines of 12.0 cm that grew to 14.0 or 15.0 cm in five years, approved both times."""
    with database.writing() as pen:
        old, new = [
            pen.scalar(
                schema.census.select().where(
                    schema.census.c.project_id == scene.project, schema.census.c.name == n
                )
            )
            for n in ("2021", "2026")
        ]
        plot = builders.row(pen, schema.plot, project_id=scene.project, plot_id="P-9", is_planned=True)
        for census, on, cm in ((old, "2021-06-01", (12.0, 12.0)), (new, "2026-06-01", (14.0, 15.0))):
            trees = [builders.tree(str(n), cm[n % 2], height_m=9.0) for n in range(50)]
            visit = builders.visit(pen, scene.project, plot, census, trees, measured_on=on)
            pen.execute(
                update(schema.visit).where(schema.visit.c.id == visit).values(review_state="approved")
            )
    with database.writing() as pen:
        refit.write(pen, refit.look(pen, [scene.project]), builders.AT)


def test_before_anything_is_approved_the_page_says_what_judges_instead(sign_in: SignIn, scene: Scene) -> None:
    assert "还没有通过的调查" in _page(sign_in, scene).text_content()


def test_growth_height_and_size_of_the_accepted_trees_stand_with_their_numbers(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    _accept_a_plot(database, scene)
    page = _page(sign_in, scene)
    lines = {
        row.xpath("th")[0].text_content(): " ".join(" ".join(row.itertext()).split())
        for row in page.xpath("//table[contains(@class,'growing')]/tbody/tr")
    }
    assert re.search(r"0\.[46]0 .* n = 50", lines["Zh-pine"])  # half grew 0.4, half 0.6 cm a year
    (sizes,) = page.xpath("//table[contains(@class,'sizes')]/tbody/tr[th='Zh-pine']")
    assert [cell.text_content() for cell in sizes.xpath("td")][-3:] == ["100", "15.0", "9.0"]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_flag_names_the_version_of_the_bands_and_leads_to_them(
    sign_in: SignIn, database: Database, scene: Scene
) -> None:
    _accept_a_plot(database, scene)
    with database.writing() as pen:
        flag = pen.execute(schema.flag.select().where(schema.flag.c.id == scene.flag)).one()
        told = {**flag.facts, "bands": 1}
        pen.execute(update(schema.flag).where(schema.flag.c.id == scene.flag).values(facts=told))
    story = sign_in("li").get(f"/projects/{scene.project}/flags/{scene.flag}").text
    assert f'href="/projects/{scene.project}/bands">第 1 版</a>' in story
    assert "第 1 版" in _page(sign_in, scene).xpath("//h1")[0].text_content()
