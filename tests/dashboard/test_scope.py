"""A person sees the projects she belongs to, and of all others not even that they are there."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from server.settings import Settings
from server.store.db import Database
from tests.cast import Cast
from tests.dashboard.conftest import Scene, SignIn, set_the_scene

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])  # `test_pages` asks both


def _project_routes(app: Flask) -> list[Any]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("dashboard.")]
    return [rule for rule in rules if "project_id" in rule.arguments or "job_id" in rule.arguments]


@pytest.fixture
def other(database: Database, settings: Settings, scene: Scene) -> Scene:
    """A project that li has nothing to do with."""
    return set_the_scene(database, settings, "P-east")


def _address(app: Flask, rule: Any, **values: object) -> str:
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, values))


def test_every_route_of_another_project_is_not_found(app: Flask, sign_in: SignIn, other: Scene) -> None:
    browser = sign_in("li")
    routes = _project_routes(app)
    assert len(routes) >= 15
    for rule in routes:
        address = _address(app, rule, **{name: other.named(name) for name in rule.arguments})
        method = "POST" if "POST" in rule.methods else "GET"
        assert browser.open(address, method=method).status_code == 404, (method, address)


def test_a_thing_of_another_project_is_not_found_under_her_own(
    app: Flask, sign_in: SignIn, scene: Scene, other: Scene
) -> None:
    browser = sign_in("li")
    for rule in _project_routes(app):
        if rule.arguments & {"submission_id", "device_id", "attachment_id", "version_id"}:
            values = {name: (scene if name == "project_id" else other).named(name) for name in rule.arguments}
            method = "POST" if "POST" in rule.methods else "GET"
            assert browser.open(_address(app, rule, **values), method=method).status_code == 404, rule


def test_a_visit_of_another_plot_is_not_found(sign_in: SignIn, scene: Scene, other: Scene) -> None:
    answer = sign_in("li").get(f"/projects/{scene.project}/plots/P-1?visit={other.now}")
    assert answer.status_code == 404


def test_the_jobs_page_is_silent_about_other_projects(sign_in: SignIn, scene: Scene, other: Scene) -> None:
    assert sign_in("li").get("/jobs").text.count("/revive") == 1
    assert sign_in("admin").get("/jobs").text.count("/revive") == 2


def test_a_verifier_reads_everything_and_changes_nothing(app: Flask, sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("zhou")
    for rule in _project_routes(app):
        values = {name: scene.named(name) for name in rule.arguments}
        if "POST" in rule.methods:
            assert browser.post(_address(app, rule, **values)).status_code == 403, rule
    assert "<button" not in browser.get(f"/projects/{scene.project}/quarantine").text.partition("<main")[2]


def test_a_forest_farm_has_no_business_with_the_pages(sign_in: SignIn, cast: Cast) -> None:
    browser = sign_in("sun")
    assert browser.get(f"/projects/{cast.project}/plots").status_code == 403
    assert "还没有可以查看的项目" in browser.get("/").text


def test_nobody_reads_anything_without_signing_in(app: Flask, scene: Scene) -> None:
    browser = app.test_client()
    for rule in _project_routes(app):
        address = _address(app, rule, **{name: scene.named(name) for name in rule.arguments})
        method = "POST" if "POST" in rule.methods else "GET"
        answer = browser.open(address, method=method)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/login"), address
