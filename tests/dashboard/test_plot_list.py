"""The list of plots: what each row says, and what narrows and orders it."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from server.store import reports, schema
from server.store.db import Database
from server.store.reports import PlotQuestion
from tests import builders
from tests.cast import Cast
from tests.dashboard.conftest import Scene, SignIn


def _rows(database: Database, project: int, **asked: object) -> list[dict[str, object]]:
    with database.reading() as reader:
        newest = reports.censuses(reader, project)[0]["id"]
        return reports.plots(reader, project, PlotQuestion(newest, **asked))[1]  # type: ignore[arg-type]


def test_a_row_tells_what_is_known_of_a_plot(database: Database, scene: Scene) -> None:
    seen, unseen = _rows(database, scene.project)
    assert (seen["plot_id"], seen["township"], seen["stratum"]) == ("P-1", "T-1", "S-1")
    assert seen["trees"] == 3
    assert (seen["photos_received"], seen["photos_expected"]) == (2, 3)
    assert seen["flags"]["error"] >= 1  # type: ignore[index]  # 15.0 became 1.6
    assert (unseen["plot_id"], unseen["visit"], unseen["trees"]) == ("P-2", None, 0)


def test_the_newest_census_is_shown_and_an_older_one_can_be_chosen(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li")
    assert "2026-06-01" in browser.get(f"/projects/{scene.project}/plots").text
    page = browser.get(f"/projects/{scene.project}/plots").text
    older = page.partition('class="tabs"')[2].partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "2021-06-01" in browser.get(older).text


def test_a_plot_not_visited_this_time_shows_when_it_was_last_seen(
    database: Database, sign_in: SignIn, scene: Scene
) -> None:
    with database.writing() as pen:
        old = pen.scalar(schema.census.select().where(
            schema.census.c.project_id == scene.project, schema.census.c.name == "2021"))  # fmt: skip
        plot = builders.row(pen, schema.plot, project_id=scene.project, plot_id="P-3", is_planned=True)
        builders.visit(pen, scene.project, plot, old, measured_on="2021-08-09")
    assert "上期 2021-08-09" in sign_in("li").get(f"/projects/{scene.project}/plots").text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["P-1", "P-2"]),
        ({"state": "not_visited"}, ["P-2"]),
        ({"state": "received"}, ["P-1"]),
        ({"state": "approved"}, []),
        ({"with_errors": True}, ["P-1"]),
        ({"search": "p-2"}, ["P-2"]),
        ({"search": "P%1"}, []),
        ({"search": "_"}, []),
        ({"sort": "measured_on"}, ["P-1", "P-2"]),
        ({"sort": "errors"}, ["P-1", "P-2"]),
        ({"township_id": -1}, []),
        ({"stratum_id": -1}, []),
        ({"crew_id": -1}, []),
    ],
)
def test_the_list_narrows_to_what_is_asked(
    database: Database, scene: Scene, asked: dict[str, object], found: list[str]
) -> None:
    assert [row["plot_id"] for row in _rows(database, scene.project, **asked)] == found


def test_an_accepted_flag_is_no_longer_counted(database: Database, scene: Scene) -> None:
    with database.writing() as pen:
        pen.execute(schema.flag.update().values(state="accepted"))
    assert _rows(database, scene.project)[0]["flags"] == {}
    assert _rows(database, scene.project, with_errors=True) == []


def test_an_audit_does_not_speak_for_the_plot(database: Database, scene: Scene, cast: Cast) -> None:
    with database.writing() as pen:
        builders.visit(pen, cast.project, cast.plot, cast.census, [builders.tree("1", 9.0)], kind="audit")
    assert _rows(database, cast.project)[0]["visit"] is None


@pytest.mark.parametrize("sort", ["plot_id", "measured_on", "errors"])
def test_turning_pages_shows_every_plot_once(database: Database, cast: Cast, sort: str) -> None:
    with database.writing() as pen:
        rows = [{"project_id": cast.project, "plot_id": f"Q-{n:03d}", "is_planned": True} for n in range(23)]
        pen.execute(insert(schema.plot), rows)
    seen = [row["plot_id"] for offset in range(0, 30, 7)
            for row in _rows(database, cast.project, sort=sort, offset=offset, rows=7)]  # fmt: skip
    assert len(seen) == 25
    assert len(set(seen)) == 25


def test_progress_counts_planned_plots_only(database: Database, scene: Scene) -> None:
    with database.writing() as pen:
        builders.row(pen, schema.plot, project_id=scene.project, plot_id="P-9")  # a crew named it
    with database.reading() as reader:
        newest = reports.censuses(reader, scene.project)[0]["id"]
        (only,) = reports.progress(reader, scene.project, newest)
    assert (only["name"], only["planned"], only["visited"]) == ("T-1", 2, 1)


def test_a_project_without_plots_says_what_will_come(sign_in: SignIn, database: Database, cast: Cast) -> None:
    answer = sign_in("admin").get(f"/projects/{cast.other_project}/plots")
    assert answer.status_code == 200
    assert "还没有样地" in answer.text
