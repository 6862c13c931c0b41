"""The plot page shows where a plot was found, offers to convert a shifted fix, and lays copies side by side."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select, update

from server.forest.position import Point
from server.settings import Settings
from server.steps import inspect_photo
from server.store import places, schema, visits
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.places import Indexed
from server.validation.copied import cells, grams
from server.validation.datum import GCJ02, shifted
from tests import builders
from tests.dashboard.conftest import Scene, SignIn
from tests.steps.test_places import shot

PLAN = Point(36.2, 113.4)  # as the scene has it


def page(browser: FlaskClient, scene: Scene, plot: str = "P-1", visit: int | None = None) -> str:
    return browser.get(f"/projects/{scene.project}/plots/{plot}?visit={visit or scene.now}").text


def shift_the_fix(database: Database, scene: Scene) -> None:
    fix = shifted(PLAN, GCJ02)
    with database.writing() as pen:
        values = {"lat": fix.lat, "lon": fix.lon, "accuracy_m": 6.0}
        pen.execute(update(schema.visit).where(schema.visit.c.id == scene.now).values(**values))
        builders.let_the_rules_look(pen, scene.now)


def post(browser: FlaskClient, scene: Scene, end: str, **form: str) -> int:
    address = f"/projects/{scene.project}/visits/{scene.now}/datum{end}"
    return browser.post(address, data=form).status_code


def test_a_supervisor_confirms_a_datum_and_takes_it_back(
    sign_in: SignIn, scene: Scene, database: Database
) -> None:
    shift_the_fix(database, scene)
    browser = sign_in("li")
    offered = page(browser, scene)
    assert "确认是 GCJ-02" in offered
    assert "36.20000, 113.40000" in offered
    assert post(browser, scene, "", datum=GCJ02, why="高德") == 303
    with database.writing() as pen:
        builders.let_the_rules_look(pen, scene.now)
    said = page(browser, scene)
    assert "计入的位置离设计位置 0 m" in said
    assert "高德" in said
    assert "确认是 GCJ-02" not in said
    assert post(browser, scene, "/undo") == 303
    assert "确认是 GCJ-02" in page(browser, scene)


def test_who_only_reads_is_offered_nothing(sign_in: SignIn, scene: Scene, database: Database) -> None:
    shift_the_fix(database, scene)
    browser = sign_in("zhou", "en")
    shown = page(browser, scene)
    assert "Planned position and fix" in shown
    assert "Confirm GCJ-02" not in shown
    assert post(browser, scene, "", datum=GCJ02, why="x") == 403
    with database.reading() as connection:
        assert connection.execute(select(schema.fix_datum)).all() == []


def another_visit(database: Database, scene: Scene, trees: list[dict[str, object]]) -> int:
    """A visit of P-2 with these trees."""
    with database.writing() as pen:
        plot = pen.scalar(select(schema.plot.c.id).where(schema.plot.c.project_id == scene.project,
                                                         schema.plot.c.plot_id == "P-2"))  # fmt: skip
        census = pen.scalar(select(schema.visit.c.census_id).where(schema.visit.c.id == scene.now))
        assert plot
        assert census
        return builders.visit(pen, scene.project, plot, census, trees)


def index(database: Database, *numbers: int) -> None:
    with database.writing() as pen:
        raw = visits.raw_measurements(pen, numbers)
        plots = {row.id: row.plot_id for row in visits.by_number(pen, numbers)}
        project = {row.id: row.project_id for row in visits.by_number(pen, numbers)}
        tallies = [Indexed(project[n], plots[n], n, grams(cells(raw[n]))) for n in numbers]
        places.put_grams(pen, tallies, ())


def test_a_copied_tally_lies_beside_its_original(sign_in: SignIn, scene: Scene, database: Database) -> None:
    trees = [builders.tree(str(n), 8.0 + n * 1.3 % 7 + n / 10) for n in range(1, 21)]
    first = another_visit(database, scene, trees)
    with database.writing() as pen:
        pen.execute(update(schema.visit).where(schema.visit.c.id == first).values(plot_id=scene.plot))
    copy = another_visit(database, scene, trees[2:])
    index(database, first, copy)
    with database.writing() as pen:
        builders.let_the_rules_look(pen, copy)
    shown = page(sign_in("li"), scene, "P-2", copy)
    beside = shown.partition('<details class="card copy"')[2].partition("</details>")[0]
    assert beside.count('<tr class="alike">') == 18
    assert f"?visit={first}" in beside
    rows = re.findall(r"<tr[^>]*><td class=\"no quiet\">", beside)
    assert len(rows) == 20  # two trees of the original were left out


def test_a_photo_used_again_lies_beside_its_original(sign_in: SignIn, scene: Scene, database: Database,
                                                     settings: Settings) -> None:  # fmt: skip
    other = another_visit(database, scene, [builders.tree("1", 20.0)])
    with database.writing() as pen:
        sources = {row.id: row.source_id for row in pen.execute(select(schema.visit))}
        files = [builders.attachment(pen, sources[number], name, shot(7), settings.photo_dir)
                 for number, name in ((scene.now, "first.jpg"), (other, "again.jpg"))]  # fmt: skip
        seen = inspect_photo.look(pen, files, Blobs(settings.photo_dir), 10**8)
        inspect_photo.write(pen, seen, builders.AT)
        builders.let_the_rules_look(pen, other)
    shown = page(sign_in("li"), scene, "P-2", other)
    pair = shown.partition('<section class="evidence"')[2].partition("</section>")[0]
    assert "同一个文件" in pair
    assert f"/photos/{files[0]}/thumbnail" in pair
    assert f"/photos/{files[1]}/thumbnail" in pair
    assert "first.jpg" in pair


def test_an_ordinary_plot_has_no_sketch(sign_in: SignIn, scene: Scene) -> None:
    assert 'class="card place"' not in page(sign_in("li"), scene)


def test_a_shifted_fix_is_drawn_and_converted_on_its_flags_own_page(
    sign_in: SignIn, scene: Scene, database: Database
) -> None:
    shift_the_fix(database, scene)
    with database.reading() as reader:
        here = schema.flag.c.visit_id == scene.now, schema.flag.c.rule == "P02"
        flag_id = reader.scalar(select(schema.flag.c.id).where(*here))
    browser = sign_in("li")
    story = html.document_fromstring(browser.get(f"/projects/{scene.project}/flags/{flag_id}?rule=P02").text)
    assert story.xpath("//figure[contains(@class,'place')]//*[contains(@class,'spot restored')]")
    (form,) = [form for form in story.xpath("//form") if form.get("action").endswith("/datum")]
    answer = browser.post(form.get("action"), data={**dict(form.form_values()), "why": "高德"})
    assert answer.headers["Location"] == f"/projects/{scene.project}/flags/{flag_id}?rule=P02"
    with database.reading() as reader:
        said = places.datum_of(reader, scene.now)
    assert said is not None
    assert said.datum == GCJ02
