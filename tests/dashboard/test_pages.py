"""What holds for every page: it opens on both engines, runs nothing foreign, and is small enough for a poor line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from server import dashboard
from server.store.db import Database
from tests import builders
from tests.cast import Cast
from tests.dashboard.conftest import Scene, SignIn, addresses


def test_every_page_of_her_own_project_opens(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li")
    found = {a: browser.get(a, follow_redirects=True).status_code for a in addresses(scene)[:-1]}
    assert set(found.values()) == {200}, found


@pytest.mark.parametrize("engine", ["sqlite"])
def test_no_page_holds_a_script_or_style_of_its_own(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li")
    for address in addresses(scene):
        answer = browser.get(address, follow_redirects=True)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not re.search(
            r"<style|\sstyle=|\son\w+=|<script(?! src=\"/assets/)|javascript:", answer.text
        ), address
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text), address


@pytest.mark.parametrize("engine", ["sqlite"])
def test_pages_are_not_kept_on_a_shared_machine(sign_in: SignIn, scene: Scene) -> None:
    assert sign_in("li").get(f"/projects/{scene.project}/plots/P-1").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_plot_of_sixty_trees_comes_through_a_poor_line(
    sign_in: SignIn, database: Database, scene: Scene, cast: Cast
) -> None:
    trees = [builders.tree(str(n), 10 + n / 2, azimuth_deg=6.0 * n, distance_m=12.0) for n in range(60)]
    with database.writing() as pen:
        visit = builders.visit(pen, cast.project, cast.plot, cast.census, trees)
        builders.let_the_rules_look(pen, visit)
    assert len(sign_in("li").get(f"/projects/{cast.project}/plots/PS-001").data) < 60_000


def test_style_and_script_are_small() -> None:
    folder = Path(dashboard.__file__).parent / "assets"
    assert (folder / "style.css").stat().st_size < 25_000
    assert (folder / "keys.js").stat().st_size < 5_000


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_style_is_kept_for_a_year_under_an_address_that_changes_with_it(app: Flask, cast: Cast) -> None:
    browser = app.test_client()
    (address,) = re.findall(r'href="(/assets/style.css[^"]+)"', browser.get("/login").text)
    answer = browser.get(address, buffered=True)
    assert answer.mimetype == "text/css"
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert "immutable" in answer.headers["Cache-Control"]
    assert "immutable" not in browser.get("/assets/style.css?v=stale", buffered=True).headers["Cache-Control"]


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("name", ["../door.py", "..%2fdoor.py", "nothing.css"])
def test_nothing_but_assets_is_handed_out(app: Flask, cast: Cast, name: str) -> None:
    assert app.test_client().get(f"/assets/{name}", buffered=True).status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("query", ["page=x", "township=1e9", "state=odd", "sort=drop", "page=-1", "crew=%00"])
def test_an_address_that_makes_no_sense_is_told_so(sign_in: SignIn, scene: Scene, query: str) -> None:
    answer = sign_in("li").get(f"/projects/{scene.project}/plots?{query}")
    assert answer.status_code == 400
