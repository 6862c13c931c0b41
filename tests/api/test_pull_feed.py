"""What a phone is told when it pulls: all it may see, then what changed, and nothing that is not its business."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select, update

from server.__main__ import main
from server.app import create_app
from server.settings import Settings
from server.steps import assign, review, scope, send_back
from server.steps.review import Change
from server.steps.send_back import Doubt, Order
from server.store import corrections, feed, forms, projects, schema
from server.store.corrections import Made
from server.store.county import CensusRow, PlannedPlot, add_censuses, add_plots
from server.store.db import Database
from server.store.reviews import Act
from tests import builders
from tests.cast import Cast
from tests.conftest import NOW
from tests.knower import Knower
from tests.live import environment
from tests.phone import Back, Phone, form, key_address, new_id, plot_visit, put_up, tree


@pytest.fixture
def one(client: FlaskClient, cast: Cast) -> Knower:
    """一队's phone."""
    return Knower(client, cast.project, cast.token_one)


@pytest.fixture
def two(client: FlaskClient, cast: Cast) -> Knower:
    """二队's phone."""
    return Knower(client, cast.project, cast.token_two)


@pytest.fixture
def second(client: FlaskClient, cast: Cast, version: int) -> Phone:
    return Phone(client, key_address(cast, cast.token_two))


@pytest.fixture
def measure(phone: Phone, back: Back) -> Callable[..., str]:
    """一队 measures a plot, and the server has read it."""

    def send(*trees: dict[str, str], **about: str) -> str:
        instance_id = new_id()
        assert phone.send(plot_visit(instance_id, trees=trees, **about)).status_code == 201
        back.drain()
        return instance_id

    return send


def test_a_phone_without_a_cursor_is_told_all_it_may_see(one: Knower, measure: Callable[..., str]) -> None:
    measure(tree("1", 23.1, height_m="11.5"), tree("2", 12.0))
    assert one.pull() == [("form", "plot_visit"), ("rules",), ("plot", "PS-001"), ("trees", "PS-001")]
    assert not one.was_reset
    plot = one.knows["plot", "PS-001"]
    assert (plot["crew"], plot["township"], plot["area_ha"], plot["shape"], plot["review_state"]) == (
        "一队", "青羊镇", 0.0667, "square", "received",
    )  # fmt: skip
    said = one.knows["trees", "PS-001"]
    assert (said["census"], said["measured_on"], said["highest_tag"]) == ("2026", "2026-06-01", 2)
    first = one.trees("PS-001")["1"]
    assert (first["dbh_cm"], first["height_m"], first["species"]) == (23.1, 11.5, "pinus_tabuliformis")
    assert first["low_cm"] < 23.1 < first["high_cm"]


def test_a_form_is_fetched_at_the_address_that_is_told(
    one: Knower, client: FlaskClient, version: int, cast: Cast
) -> None:
    one.pull()
    said = one.knows["form", "plot_visit"]
    served = client.get(
        said["url"].removeprefix("http://localhost"), headers={"Authorization": f"Bearer {cast.token_one}"}
    )
    assert served.headers["ETag"].strip('"') == said["hash"]


def test_nothing_new_is_said_in_a_few_bytes(one: Knower, measure: Callable[..., str]) -> None:
    measure(tree("1", 23.1))
    one.pull()
    answer = one.ask(one.cursor)
    assert answer.get_json() == {"changes": [], "cursor": one.cursor, "more": False, "reset": False}
    assert len(answer.data) + sum(len(name) + len(text) + 4 for name, text in answer.headers) < 1000


def test_only_what_changed_travels(one: Knower, measure: Callable[..., str]) -> None:
    measure(tree("1", 23.1))
    one.pull()
    measure(tree("1", 24.0), on="2026-06-02", census="2027")
    assert one.pull() == [("plot", "PS-001"), ("trees", "PS-001")]
    assert one.trees("PS-001")["1"]["dbh_cm"] == 24.0
    assert one.pull() == []


def test_what_another_crew_does_at_its_own_plot_is_not_told(
    one: Knower, two: Knower, second: Phone, back: Back
) -> None:
    one.pull()
    two.pull()
    second.send(plot_visit(plot_id="PS-002", trees=[tree("1", 20)]))
    back.drain()
    assert one.pull() == []
    assert two.pull() == [("plot", "PS-002"), ("trees", "PS-002")]
    assert one.plots() == {"PS-001"}


def test_a_correction_travels_as_one_tree(
    one: Knower, measure: Callable[..., str], database: Database, cast: Cast
) -> None:
    measure(tree("1", 23.1), tree("2", 12.0))
    one.pull()
    correct(database, cast, "1", "dbh_cm", "23.1", "32.1")
    assert one.pull() == [("tree", "PS-001", "1", "1")]
    known = one.trees("PS-001")
    assert (known["1"]["dbh_cm"], known["2"]["dbh_cm"]) == (32.1, 12.0)
    assert known["1"]["low_cm"] > 30


def test_a_tree_that_goes_by_another_tag_brings_its_whole_list(
    one: Knower, measure: Callable[..., str], database: Database, cast: Cast
) -> None:
    measure(tree("1", 23.1), tree("2", 12.0))
    one.pull()
    correct(database, cast, "1", "tag", "1", "11")
    assert one.pull() == [("trees", "PS-001")]
    assert set(one.trees("PS-001")) == {"11", "2"}


def correct(database: Database, cast: Cast, tag: str, field: str, old: str, new: str) -> None:
    """李监督 changes one cell of the last visit."""
    with database.writing() as connection:
        visit = (
            connection.execute(select(schema.visit.c.id).order_by(schema.visit.c.id.desc())).scalars().first()
        )
        number = connection.scalar(select(schema.tree.c.id).where(schema.tree.c.tag == tag))
        assert visit is not None
        corrections.add(connection, Made(cast.project, visit, tag, "1", None, field, old, new, corrections.SUPERVISOR,
                                         None, "li", "typed wrong", 1))  # fmt: skip
        feed.changed(connection, cast.project, feed.TREE, [number])


def test_a_plot_that_a_crew_named_first_is_told_to_that_crew_alone(
    one: Knower, two: Knower, measure: Callable[..., str], phone: Phone, back: Back
) -> None:
    one.pull(), two.pull()
    sent = measure(tree("1", 20), plot_id="新-7")
    assert one.pull() == [("plot", "新-7"), ("trees", "新-7")]
    assert two.pull() == []
    # it was PS-001 all the time
    phone.send(plot_visit(plot_id="PS-001", trees=[tree("1", 20)], deprecated_id=sent))
    back.drain()
    one.pull()
    assert one.plots() == {"PS-001"}
    assert ("trees", "新-7") not in one.knows
    assert two.pull() == []


def test_a_closed_form_is_taken_back(one: Knower, database: Database, cast: Cast, version: int) -> None:
    one.pull()
    with database.writing() as connection:
        forms.set_state(connection, cast.project, "plot_visit", "closing")
    assert one.pull() == [("form", "plot_visit")]
    assert ("form", "plot_visit") not in one.knows
    put_up(database, cast.project, form("audit_visit"))
    assert one.pull() == [("form", "audit_visit")]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_other_rules_widen_the_bounds_of_every_tree(
    one: Knower, measure: Callable[..., str], database: Database, cast: Cast
) -> None:
    measure(tree("1", 20))
    one.pull()
    was = one.trees("PS-001")["1"]["high_cm"]
    with database.writing() as connection:
        projects.change(connection, cast.project, settings={"X04.cap_cm_yr": 9.0})
    assert one.pull() == [("rules",), ("plot", "PS-001"), ("trees", "PS-001")]
    assert one.knows["rules",]["limits"]["x04_cap_cm_yr"] == 9.0
    assert one.trees("PS-001")["1"]["high_cm"] > was


def test_bounds_reach_as_far_as_the_next_campaign(
    one: Knower, measure: Callable[..., str], database: Database, cast: Cast
) -> None:
    measure(tree("1", 20))
    one.pull()
    was = one.trees("PS-001")["1"]["high_cm"]
    with database.writing() as connection:
        add_censuses(connection, cast.project, [CensusRow("2036", "2036-05-01", None)])
    assert one.pull() == [("plot", "PS-001"), ("trees", "PS-001")]
    assert one.trees("PS-001")["1"]["high_cm"] > was + 9


def test_a_plan_that_grows_is_told(one: Knower, two: Knower, database: Database, cast: Cast) -> None:
    one.pull(), two.pull()
    with database.writing() as connection:
        for name, crew in [("PS-003", cast.crew_one), ("PS-004", None)]:
            plot = PlannedPlot(name, 36.2, 113.4, 0.0667, "square", None, None, crew)
            add_plots(connection, cast.project, [plot])
    assert one.pull() == [("plot", "PS-003"), ("plot", "PS-004")]
    assert two.pull() == [("plot", "PS-004")]


def test_who_lost_a_plot_forgets_it_and_who_got_it_learns_all_of_it(
    one: Knower, two: Knower, measure: Callable[..., str], database: Database, cast: Cast
) -> None:
    measure(tree("1", 20))
    one.pull(), two.pull()
    hand_over(database, cast, ["PS-001"], cast.crew_two)
    assert one.pull() == [("plot", "PS-001")]
    assert one.plots() == set()
    assert ("trees", "PS-001") not in one.knows
    assert two.pull() == [("plot", "PS-001"), ("trees", "PS-001")]
    assert two.trees("PS-001")["1"]["dbh_cm"] == 20


def test_a_third_crew_never_hears_of_a_plot_that_went_from_hand_to_hand(
    two: Knower, client: FlaskClient, database: Database, cast: Cast
) -> None:
    with database.writing() as connection:
        third = projects.ensure_crew(connection, cast.project, "三队")
        connection.execute(
            update(schema.device).where(schema.device.c.id == cast.device_one).values(crew_id=third)
        )
    three = Knower(client, cast.project, cast.token_one)
    three.pull()
    hand_over(database, cast, ["PS-001"], cast.crew_two)
    assert three.pull() == []
    two.pull()
    assert two.plots() == {"PS-001", "PS-002"}


def test_a_plot_that_moves_on_before_its_first_crew_has_heard_leaves_no_trace_there(
    one: Knower, two: Knower, client: FlaskClient, database: Database, cast: Cast
) -> None:
    one.pull(), two.pull()
    with database.writing() as connection:
        third = projects.ensure_crew(connection, cast.project, "三队")
    hand_over(database, cast, ["PS-001"], cast.crew_two)
    hand_over(database, cast, ["PS-001"], third)
    one.pull(), two.pull()
    assert (one.plots(), two.plots()) == (set(), {"PS-002"})


def hand_over(database: Database, cast: Cast, plot_ids: list[str], crew: int | None) -> None:
    with database.writing() as connection:
        assert assign.to_crew(connection, cast.project, plot_ids, crew, "li", 0) == len(plot_ids)


def test_a_phone_that_may_see_something_else_begins_anew(
    one: Knower, measure: Callable[..., str], database: Database, cast: Cast
) -> None:
    measure(tree("1", 20))
    one.pull()
    with database.writing() as connection:
        empty = builders.row(connection, schema.township, project_id=cast.project, name="石城镇")
        assert scope.give(connection, cast.project, cast.device_one, crew_id=cast.crew_one, townships=[empty],
                          by="li", at=0)  # fmt: skip
    one.pull()
    assert one.was_reset
    assert one.plots() == set()
    with database.writing() as connection:
        assert scope.give(connection, cast.project, cast.device_one, crew_id=cast.crew_one, townships=[cast.township],
                          plots=[cast.plot], by="li", at=0)  # fmt: skip
    one.pull()
    assert one.plots() == {"PS-001"}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_scope_that_stays_as_it_was_disturbs_nobody(one: Knower, database: Database, cast: Cast) -> None:
    one.pull()
    with database.writing() as connection:
        assert not scope.give(connection, cast.project, cast.device_one, crew_id=cast.crew_one, by="li", at=0)
    assert one.pull() == []


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("cursor", ["nonsense", "AWFiYyAwIDA", "////", "%00"])
def test_a_cursor_of_elsewhere_begins_anew(one: Knower, measure: Callable[..., str], cursor: str) -> None:
    measure(tree("1", 20))
    one.cursor = cursor
    one.pull()
    assert one.was_reset
    assert one.plots() == {"PS-001"}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_lost_phone_is_told_nothing(client: FlaskClient, cast: Cast) -> None:
    lost = Knower(client, cast.project, cast.revoked_token).ask("")
    stranger = Knower(client, cast.project, "nobody's").ask("")
    neighbour = Knower(client, cast.other_project, cast.token_one).ask("")
    for answer in (lost, stranger, neighbour):
        assert (answer.status_code, answer.get_json()["title"]) == (403, "device-unknown")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_person_has_pages_and_does_not_pull(client: FlaskClient, cast: Cast) -> None:
    answer = client.get(f"/v1/projects/{cast.project}/sync/pull")
    assert answer.status_code == 401


def test_trees_that_are_sent_back_bring_another_crew_the_plot_and_take_it_away_again(
    one: Knower, two: Knower, measure: Callable[..., str], database: Database, back: Back, cast: Cast
) -> None:
    measure(tree("1", 23.1), tree("2", 12.0))
    one.pull(), two.pull()
    with database.writing() as connection:
        visit = int(connection.scalars(select(schema.visit.c.id)).one())
        number = send_back.send_back(
            connection, cast.project, visit, [Doubt("1")], Order(cast.crew_two), Act("li", "太粗", NOW)
        )
    back.drain()
    two.pull()
    said = two.knows["rework", number]
    assert (said["plot_id"], said["reason"], [one["tag"] for one in said["trees"]]) == (
        "PS-001",
        "太粗",
        ["1"],
    )
    assert two.trees("PS-001")["1"]["dbh_cm"] == 23.1
    one.pull()
    assert ("rework", number) not in one.knows
    assert one.knows["review", "PS-001", "2026"]["review_state"] == "has_issues"
    assert one.knows["plot", "PS-001"]["review_state"] == "has_issues"
    with database.writing() as connection:
        send_back.cancel(connection, cast.project, number, Act("li", "算了", NOW))
    back.drain()
    two.pull()
    assert two.plots() == {"PS-002"}
    assert not {key for key in two.knows if key[0] in {"rework", "trees", "review"}}


def test_a_supervisors_decision_reaches_the_crew(
    one: Knower, measure: Callable[..., str], database: Database, back: Back, cast: Cast
) -> None:
    measure(tree("1", 23.1), tree("2", 12.0))
    one.pull()
    with database.writing() as connection:
        visit = int(connection.scalars(select(schema.visit.c.id)).one())
        review.correct(connection, cast.project, visit, Change(0, "dbh_cm", "32.1"), Act("li", "看照片", NOW))
    back.drain()
    one.pull()
    assert one.trees("PS-001")["1"]["dbh_cm"] == 32.1
    [decision] = one.knows["review", "PS-001", "2026"]["decisions"]
    assert (decision["decision"], decision["why"]) == ("correct", "看照片")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_an_audit_changes_no_list(one: Knower, measure: Callable[..., str]) -> None:
    measure(tree("1", 23.1))
    one.pull()
    measure(tree("1", 22.9), on="2026-06-09", visit={"kind": "audit"})
    one.pull()
    assert one.trees("PS-001")["1"]["dbh_cm"] == 23.1


def test_a_store_that_was_restored_is_another_one(
    one: Knower, measure: Callable[..., str], settings: Settings, cast: Cast, tmp_path: Path, engine: str,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    measure(tree("1", 23.1))
    assert yangdi(settings, "backup", tmp_path / "backups").exit_code == 0
    (place,) = (tmp_path / "backups").glob("*Z")
    one.pull()
    url = "" if engine == "sqlite" else request.getfixturevalue("empty_database_url")
    elsewhere = replace(settings, data_dir=tmp_path / "elsewhere", database_url=url)
    done = yangdi(elsewhere, "restore", place)
    assert done.exit_code == 0, done.output
    restored = Database(elsewhere.url)
    again = Knower(create_app(elsewhere, restored).test_client(), cast.project, cast.token_one)
    again.cursor, again.knows = one.cursor, {("plot", "of before"): {"kind": "plot", "plot_id": "of before"}}
    again.pull()
    assert again.was_reset
    assert again.knows == one.knows
    assert again.pull() == []
    restored.close()


def yangdi(settings: Settings, *arguments: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in arguments], env=environment(settings))


@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_a_phone_is_told_is_on_the_disk_before(
    one: Knower, measure: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(tree("1", 23.1))
    synced: list[str] = []

    def fdatasync(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    one.pull()
    assert synced == ["yangdi.db-wal"]
    one.pull()
    assert len(synced) == 1  # the same cursor again promises nothing new


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_page_travels_compressed_for_who_can_read_that(
    client: FlaskClient, cast: Cast, measure: Callable[..., str], encoding: str
) -> None:
    measure(*(tree(str(number), 20 + number / 10) for number in range(60)))
    asked = {"Authorization": f"Bearer {cast.token_one}", "Accept-Encoding": encoding}
    address = f"/v1/projects/{cast.project}/sync/pull"
    answer = client.get(address, headers=asked)
    assert answer.headers["Content-Encoding"] == encoding
    assert len(answer.data) < len(client.get(address, headers={**asked, "Accept-Encoding": ""}).data) / 2


@pytest.fixture
def narrow(settings: Settings, database: Database, cast: Cast) -> Knower:
    """一队's phone, at a server whose pages are as small as can be."""
    app = create_app(replace(settings, pull_page_bytes=1), database)
    return Knower(app.test_client(), cast.project, cast.token_one)


def test_everything_over_several_pages_is_everything_even_where_it_changes_meanwhile(
    narrow: Knower, one: Knower, database: Database, cast: Cast
) -> None:
    add_plan(database, cast, 0, 120)
    assert narrow.page()
    known_early = min(narrow.plots())
    hand_over(database, cast, [known_early, "Q-119"], cast.crew_two)  # one is told already, one is to come
    add_plan(database, cast, 120, 130)
    while narrow.page():
        pass
    narrow.pull()
    one.pull()
    assert narrow.knows == one.knows
    assert len(narrow.plots()) == 129


def test_changes_over_several_pages_are_all_told_even_where_they_change_again_meanwhile(
    narrow: Knower, one: Knower, database: Database, cast: Cast
) -> None:
    narrow.pull()
    add_plan(database, cast, 0, 120)
    assert narrow.page()
    hand_over(database, cast, ["Q-000", "Q-119"], cast.crew_two)
    add_plan(database, cast, 120, 121)
    narrow.pull()
    one.pull()
    assert narrow.knows == one.knows


def add_plan(database: Database, cast: Cast, first: int, end: int) -> None:
    names = [f"Q-{number:03d}" for number in range(first, end)]
    rows = [PlannedPlot(name, 36.2, 113.4, 0.0667, "square", None, None, cast.crew_one) for name in names]
    with database.writing() as connection:
        add_plots(connection, cast.project, rows)


def test_a_scope_that_changes_half_way_begins_anew_once_more(
    narrow: Knower, database: Database, cast: Cast
) -> None:
    add_plan(database, cast, 0, 120)
    assert narrow.page()
    with database.writing() as connection:
        scope.give(connection, cast.project, cast.device_one, crew_id=cast.crew_two, by="li", at=0)
    narrow.pull()
    assert narrow.was_reset
    assert narrow.plots() == {"PS-002"}
