"""Two accounts side by side: who said what, a person's choice with its reason, and the way back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.settings import Settings
from server.store import visits
from server.store.db import Database
from server.store.schema import conflict, visit
from tests.cast import Cast
from tests.dashboard.conftest import SignIn
from tests.phone import Back, Phone, form, key_address, plot_visit, put_up, tree


@pytest.fixture
def back(client: FlaskClient, database: Database, settings: Settings, cast: Cast) -> Back:
    """Two crews were at one plot and do not agree on two trees."""
    put_up(database, cast.project, form("plot_visit"))
    back = Back(database, settings)
    for token, trees in (
        (cast.token_one, [tree("1", 12.0), tree("2", 20.0), tree("3", 9.0)]),
        (cast.token_two, [tree("1", 12.7), tree("2", 21.0), tree("4", 8.0)]),
    ):
        assert Phone(client, key_address(cast, token)).send(plot_visit(trees=trees)).status_code == 201
        back.drain()
    return back


def page(browser: FlaskClient, cast: Cast, query: str = "") -> str:
    return browser.get(f"/projects/{cast.project}/conflicts{query}").text


def seen(text: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', text)
    assert found
    return found[1]


def post(browser: FlaskClient, cast: Cast, deed: str, **fields: str) -> Any:
    if "seen" not in fields:
        fields["seen"] = seen(page(browser, cast) + page(browser, cast, "?state=settled"))
    return browser.post(f"/projects/{cast.project}/conflicts/1/{deed}", data=fields, follow_redirects=True)


def counting(back: Back) -> dict[str, float | None]:
    [one] = back.rows(select(visit.c.id).where(visit.c.merged_into_id.is_(None)))
    with back.database.reading() as connection:
        return {t.tag: t.dbh_cm for t in visits.measurements(connection, [one.id])[one.id]}


def test_both_accounts_are_shown_with_who_said_them(sign_in: SignIn, back: Back, cast: Cast) -> None:
    text = page(sign_in("li"), cast)
    for word in ("PS-001", "两支调查队测了同一样地", "一队", "二队手机", "12.7", "21", "2/2 项待决定"):
        assert word in text
    assert "另填" not in page(sign_in("zhou"), cast)  # a verifier reads


def test_the_plot_says_that_it_is_merged_and_has_a_conflict(sign_in: SignIn, back: Back, cast: Cast) -> None:
    browser = sign_in("li")
    text = browser.get(f"/projects/{cast.project}/plots/PS-001").text
    assert "这里合并了同一期另一支调查队的调查" in text
    assert "有 1 处冲突等您决定" in text
    [other] = back.rows(select(visit.c.id).where(visit.c.merged_into_id.is_not(None)))
    assert (
        "只显示调查队的原始记录"
        in browser.get(f"/projects/{cast.project}/plots/PS-001?visit={other.id}").text
    )


def test_a_choice_counts_and_the_rest_may_be_chosen_at_once(sign_in: SignIn, back: Back, cast: Cast) -> None:
    browser = sign_in("li")
    assert '<b class="count">1</b>' in page(browser, cast)
    answer = post(browser, cast, "settle", why="照片", c0="other", v0="12.3", c1="", t1="1", rest="theirs")
    assert "已解决" in answer.text
    back.drain()
    assert counting(back) == {"1": 12.3, "2": 21.0, "3": 9.0, "4": 8.0}
    settled = page(browser, cast, "?state=settled")
    assert "照片" in settled
    assert "✓ 保留" in settled


def test_a_value_that_was_written_is_meant_and_a_row_left_alone_waits(
    sign_in: SignIn, back: Back, cast: Cast
) -> None:
    browser = sign_in("li")
    answer = post(browser, cast, "settle", why="照片", c0="", v0="12.3", c1="", t1="1", rest="")
    assert "其余各项仍待决定" in answer.text
    assert "1/2 项待决定" in answer.text
    back.drain()
    assert counting(back) == {"1": 12.3, "2": 20.0, "3": 9.0, "4": 8.0}


def test_a_choice_may_be_taken_back(sign_in: SignIn, back: Back, cast: Cast) -> None:
    browser = sign_in("li")
    post(browser, cast, "settle", why="照片", c0="theirs", c1="", rest="mine")
    back.drain()
    assert counting(back)["1"] == 12.7
    assert "已撤回决定" in post(browser, cast, "reopen").text
    back.drain()
    assert counting(back)["1"] == 12.0


def test_a_choice_without_a_reason_or_on_an_old_page_is_refused(
    sign_in: SignIn, back: Back, cast: Cast
) -> None:
    browser = sign_in("li")
    assert post(browser, cast, "settle", c0="mine").status_code == 422
    assert post(browser, cast, "settle", why="照片").status_code == 422
    assert post(browser, cast, "settle", why="照片", c0="other", v0="高").status_code == 422
    assert post(browser, cast, "settle", why="照片", c0="mine", seen="0").status_code == 409
    assert post(sign_in("zhou"), cast, "settle", why="照片", c0="mine", seen="0").status_code == 403
    assert back.rows(select(conflict.c.state)) == [("open",)]


# the JSON door


def test_a_script_reads_and_settles(sign_in: SignIn, back: Back, cast: Cast) -> None:
    browser, at = sign_in("li"), f"/v1/projects/{cast.project}/conflicts"
    [found] = browser.get(at).json["conflicts"]
    assert (found["plot_id"], found["kind"], found["state"]) == ("PS-001", "two-visits", "open")
    assert [(c["tag"], c["mine"], c["theirs"]) for c in found["cells"]] == [
        ("1", "12", "12.7"),
        ("2", "20", "21"),
    ]
    choices = [{"place": 0, "chosen": "theirs"}, {"place": 1, "chosen": "mine"}]
    asked = {"seen": found["seen"], "why": "看过", "choices": choices}
    answer = browser.post(f"{at}/{found['id']}/decision", json=asked)
    assert (answer.status_code, answer.json["state"]) == (200, "settled")
    again = browser.post(f"{at}/{found['id']}/decision", json=asked)
    assert (again.status_code, again.json["title"]) == (409, "conflict-changed")
    back.drain()
    assert counting(back)["1"] == 12.7
    opened = browser.post(f"{at}/{found['id']}/reopen", json={"seen": answer.json["seen"]})
    assert opened.json["state"] == "open"


def test_conflicts_of_another_project_are_nobodys_to_settle(sign_in: SignIn, back: Back, cast: Cast) -> None:
    at = f"/v1/projects/{cast.other_project}/conflicts"
    assert sign_in("li").get(at).status_code == 404
    asked = {"seen": "x", "why": "x", "choices": []}
    assert sign_in("admin").post(f"{at}/1/decision", json=asked).status_code == 404
