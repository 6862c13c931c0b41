"""Laws of the wire: whatever crews, phones and supervisors do, in whatever order.

Nothing that is sent twice is kept twice. What a phone knows by pulling now and then, and being cut off between two
pages, is what a phone learns that asks for everything. No phone is ever told of a plot outside its scope.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from server.api import pull as pull_door
from server.problems import Problem
from server.settings import Settings
from server.steps import assign, review, scope, send_back
from server.store import schema
from server.store.db import Database
from server.store.reviews import Act
from server.worker import Worker
from tests.builders import row
from tests.conftest import NOW, Clock
from tests.outbox_phone.line import Answer, Line, Refused
from tests.outbox_phone.phone import OutboxPhone
from tests.phone import BOUNDARY, form, multipart, new_id, plot_visit, put_up, tree, xml_part

pytestmark = pytest.mark.slow

KINDS = ("form", "rules", "plot", "trees", "rework", "review")
OF_PLOTS = frozenset({"plot", "trees", "tree", "rework", "review"})
PLOTS = ("A1", "A2", "B1", "N1", "X1")
"""Of 一队, of 一队 in another township, of 二队, of nobody, and one that nobody has planned."""
CENSUSES = ("2021", "2026")
_numbers = count(1)


class InProcess(Line):
    """The real line up to the socket: the app is called in this process."""

    def __init__(self, app: Flask, key: str) -> None:
        super().__init__("http://localhost", key)
        self._client = app.test_client()

    def _exchange(self, method: str, path: str, headers: Any, body: bytes | None) -> Answer:
        answer = self._client.open(path, method=method, headers=headers, data=body)
        content = answer.get_data()
        if answer.headers.get("Content-Encoding") == "gzip":
            import gzip

            content = gzip.decompress(content)
        return Answer(answer.status_code, answer.headers, content)  # type: ignore[arg-type]


class Laws(RuleBasedStateMachine):
    """One project with two crews, three phones and a supervisor. `world` is given by the test."""

    world: Any
    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.app: Flask = self.world.app
        self.database: Database = self.world.database
        self.clock = Clock(4_102_444_800_000)  # 2100: whatever a door has promised is due
        self.worker = Worker(self.database, self.world.settings, self.clock)
        self._stack = contextlib.ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        with self.database.writing() as connection:
            self._set_the_stage(connection)
        put_up(self.database, self.project, form("plot_visit"))
        self.phones = {key: self._phone(key) for key in self.devices}
        self.instances: Counter[str] = Counter()

    def _set_the_stage(self, connection: Any) -> None:
        n = next(_numbers)
        self.project = row(connection, schema.project, name=f"法则 {n}", created_at=NOW)
        of = {"project_id": self.project}
        self.crews = [row(connection, schema.crew, name=name, **of) for name in ("一队", "二队")]
        self.townships = [row(connection, schema.township, name=name, **of) for name in ("青羊镇", "龙溪镇")]
        one, two = self.crews
        for name, crew_id, township_id in (
            ("A1", one, self.townships[0]), ("A2", one, self.townships[1]), ("B1", two, self.townships[0]),
            ("N1", None, self.townships[1]),
        ):  # fmt: skip
            row(connection, schema.plot, plot_id=name, crew_id=crew_id, township_id=township_id, is_planned=True,
                area_ha=0.06, **of)  # fmt: skip
        self.devices = {
            f"law-{n}-{name}": row(
                connection, schema.device, crew_id=crew_id, name=name, created_at=NOW,
                token_hash=hashlib.sha256(f"law-{n}-{name}".encode()).hexdigest(), **of,
            )
            for name, crew_id in (("one", one), ("two", two), ("nobody", None))
        }  # fmt: skip

    def _phone(self, key: str) -> OutboxPhone:
        folder = self.folder / f"{key}-{next(_numbers)}"
        phone = OutboxPhone(InProcess(self.app, key), key, self.project, folder)
        self._stack.callback(phone.close)
        return phone

    def teardown(self) -> None:
        try:
            self._settle_everything()
        finally:
            self._stack.close()

    # what crews do

    @rule(
        target=sent, key=st.sampled_from((0, 1, 2)), plot=st.sampled_from(PLOTS), census=st.sampled_from(CENSUSES),
        dbh_cm=st.lists(st.integers(5, 60), min_size=1, max_size=3),
    )  # fmt: skip
    def send_a_plot(self, key: int, plot: str, census: str, dbh_cm: list[int]) -> Any:
        return self._push(key, new_id(), plot, census, dbh_cm, None)

    @rule(
        target=sent, key=st.sampled_from((0, 1, 2)), before=consumes(sent), plot=st.sampled_from(PLOTS),
        dbh_cm=st.lists(st.integers(5, 60), min_size=1, max_size=3),
    )  # fmt: skip
    def edit_a_plot(self, key: int, before: Any, plot: str, dbh_cm: list[int]) -> Any:
        return multiple(before, self._push(key, new_id(), plot, before[3], dbh_cm, before[1]))

    @rule(key=st.sampled_from((0, 1, 2)), one=sent)
    def send_it_again(self, key: int, one: Any) -> None:
        self._push(key, *one[1:])

    @rule(one=sent)
    def send_it_again_as_collect_does(self, one: Any) -> None:
        answer = self.app.test_client().post(
            f"/v1/key/{self._key(one[0])}/projects/{self.project}/submission",
            data=multipart([xml_part(_xml(*one[1:]))]), content_type=f"multipart/form-data; boundary={BOUNDARY}",
        )  # fmt: skip
        assert answer.status_code in {201, 202}, answer.text

    def _push(
        self, number: int, instance_id: str, plot: str, census: str, dbh_cm: list[int], edits: str | None
    ) -> Any:
        phone = self.phones[self._key(number)]
        client_id = f"{instance_id}/{next(_numbers)}"
        phone.outbox.save(
            client_id, "plot_visit", instance_id, _xml(instance_id, plot, census, dbh_cm, edits), {}
        )
        phone.send()
        self.instances[instance_id] += 1
        return (number, instance_id, plot, census, dbh_cm, edits)

    def _key(self, number: int) -> str:
        return list(self.devices)[number]

    # what the house does

    @rule()
    def the_worker_works(self) -> None:
        self.clock.tick(60)
        self.worker.drain()

    @rule(chance=st.integers(0, 1000), dbh_cm=st.integers(5, 60))
    def a_supervisor_corrects(self, chance: int, dbh_cm: int) -> None:
        with self._deciding(chance) as (connection, visit_id, act):
            review.correct(connection, self.project, visit_id, review.Change(0, "dbh_cm", str(dbh_cm)), act)

    @rule(chance=st.integers(0, 1000))
    def a_supervisor_takes_a_correction_back(self, chance: int) -> None:
        query = select(schema.correction.c.id).where(schema.correction.c.project_id == self.project)
        if ids := self._ids(query):
            with self._acting() as (connection, act):
                review.undo(connection, self.project, ids[chance % len(ids)], act)

    @rule(chance=st.integers(0, 1000), approves=st.booleans())
    def a_supervisor_judges(self, chance: int, approves: bool) -> None:
        with self._deciding(chance) as (connection, visit_id, act):
            (review.approve if approves else review.reject)(connection, self.project, visit_id, act)

    @rule(chance=st.integers(0, 1000), tag=st.sampled_from("123"), crew=st.sampled_from((None, 0, 1)))
    def a_supervisor_sends_a_tree_back(self, chance: int, tag: str, crew: int | None) -> None:
        order = send_back.Order(None if crew is None else self.crews[crew])
        with self._deciding(chance) as (connection, visit_id, act):
            send_back.send_back(connection, self.project, visit_id, [send_back.Doubt(tag)], order, act)

    @rule(chance=st.integers(0, 1000))
    def a_supervisor_cancels_an_order(self, chance: int) -> None:
        query = select(schema.rework.c.id).where(schema.rework.c.project_id == self.project)
        if ids := self._ids(query):
            with self._acting() as (connection, act):
                send_back.cancel(connection, self.project, ids[chance % len(ids)], act)

    @rule(plot=st.sampled_from(PLOTS[:4]), crew=st.sampled_from((None, 0, 1)))
    def a_plot_is_handed_over(self, plot: str, crew: int | None) -> None:
        crew_id = None if crew is None else self.crews[crew]
        with self._acting() as (connection, act):
            assign.to_crew(connection, self.project, [plot], crew_id, act.by, act.at)

    @rule(
        key=st.sampled_from((0, 1, 2)), crew=st.sampled_from((None, 0, 1)),
        townships=st.sets(st.sampled_from((0, 1))), plots=st.sets(st.sampled_from(PLOTS[:4]), max_size=2),
    )  # fmt: skip
    def a_phone_is_given_another_scope(
        self, key: int, crew: int | None, townships: set[int], plots: set[str]
    ) -> None:
        query = select(schema.plot.c.id).where(
            schema.plot.c.project_id == self.project, schema.plot.c.plot_id.in_(sorted(plots))
        )
        ids = self._ids(query)
        with self._acting() as (connection, act):
            scope.give(
                connection, self.project, self.devices[self._key(key)],
                crew_id=None if crew is None else self.crews[crew],
                townships=[self.townships[n] for n in townships], plots=ids, by=act.by, at=act.at,
            )  # fmt: skip

    @contextlib.contextmanager
    def _acting(self) -> Iterator[Any]:
        """A supervisor's act; what the house refuses her changes nothing."""
        with contextlib.suppress(Problem), self.database.writing() as connection:
            yield connection, Act("li", "看过了", self.clock.tick())

    @contextlib.contextmanager
    def _deciding(self, chance: int) -> Iterator[Any]:
        visits = self._ids(select(schema.visit.c.id).where(schema.visit.c.project_id == self.project))
        with self._acting() as (connection, act):
            yield connection, visits[chance % len(visits)] if visits else -1, act

    def _ids(self, query: Any) -> list[int]:
        with self.database.reading() as connection:
            return sorted(connection.execute(query).scalars())

    # what phones learn

    @rule(key=st.sampled_from((0, 1, 2)), pages=st.integers(1, 4))
    def a_phone_pulls_until_it_is_cut_off(self, key: int, pages: int) -> None:
        for _ in range(pages):
            if not self._pull_page(self._key(key), self.phones[self._key(key)])["more"]:
                return

    def _pull_page(self, key: str, phone: OutboxPhone) -> Any:
        visible = self._visible(self.devices[key])
        page = phone.pull_page()
        for change in page["changes"]:
            if change["kind"] in OF_PLOTS and not change.get("gone"):
                assert change["plot_id"] in visible, f"{key} may see {visible} and was told {change}"
        return page

    def _pull(self, key: str, phone: OutboxPhone) -> None:
        for _ in range(1000):
            if not self._pull_page(key, phone)["more"]:
                return
        raise AssertionError("there is always more")

    def _visible(self, device_id: int) -> set[str]:
        """Names of the plots that a phone may see, thought out from the rows anew."""
        d, p, v, w = schema.device, schema.plot, schema.visit, schema.rework
        with self.database.reading() as connection:
            (crew_id,) = connection.execute(select(d.c.crew_id).where(d.c.id == device_id)).one()
            townships = set(connection.scalars(select(schema.device_township.c.township_id).where(
                schema.device_township.c.device_id == device_id)))  # fmt: skip
            narrowed = set(connection.scalars(select(schema.device_plot.c.plot_id).where(
                schema.device_plot.c.device_id == device_id)))  # fmt: skip
            plots = connection.execute(select(p).where(p.c.project_id == self.project)).all()
            visits = connection.execute(
                select(v.c.plot_id, v.c.crew_id).where(v.c.project_id == self.project)
            ).all()
            orders = set(connection.scalars(select(w.c.plot_id).where(
                w.c.project_id == self.project, w.c.state == "open", w.c.crew_id == crew_id)))  # fmt: skip
        mine = {crew_id, None}
        seen = set()
        for one in plots:
            there = {visit.crew_id for visit in visits if visit.plot_id == one.id}
            owners = {one.crew_id} if one.is_planned else there
            is_own = bool(owners) if crew_id is None else bool(owners & mine)
            is_within = (not townships or one.township_id in townships) and (
                not narrowed or one.id in narrowed
            )
            if (is_own and is_within) or (crew_id is not None and one.id in orders):
                seen.add(one.plot_id)
        return seen

    @invariant()
    def nothing_is_kept_twice(self) -> None:
        query = select(schema.submission.c.instance_id).where(schema.submission.c.project_id == self.project)
        with self.database.reading() as connection:
            kept = Counter(connection.execute(query).scalars())
        assert kept == Counter(dict.fromkeys(self.instances, 1))

    def _settle_everything(self) -> None:
        self.the_worker_works()
        for key, phone in self.phones.items():
            with contextlib.suppress(Refused):
                self._pull(key, phone)
            fresh = self._phone(key)
            self._pull(key, fresh)
            for kind in KINDS:
                assert _in_order(phone.known.all(kind)) == _in_order(fresh.known.all(kind)), (key, kind)
            told = {one["plot_id"] for one in fresh.known.all("plot")}
            assert told == self._visible(self.devices[key])


def _xml(instance_id: str, plot: str, census: str, dbh_cm: list[int], edits: str | None) -> bytes:
    trees = [tree(str(1 + k), value) for k, value in enumerate(dbh_cm)]
    return plot_visit(
        instance_id, plot_id=plot, census=census, on=f"{census}-06-01", trees=trees, deprecated_id=edits
    )


def _in_order(things: list[Any]) -> list[Any]:
    """A list of trees has no order between trees of different tags."""
    return [{**one, "rows": sorted(one["rows"], key=str)} if "rows" in one else one for one in things]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Pages so small that one ends at nearly every place where it can."""
    return replace(settings, pull_page_bytes=300)


@pytest.fixture
def world(
    app: Flask, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> SimpleNamespace:
    monkeypatch.setattr(
        pull_door, "SLICE", 2
    )  # things that are looked at together: as small, for the same reason
    return SimpleNamespace(app=app, database=database, settings=settings)


def test_whatever_happens_phones_know_what_they_may_and_nothing_is_kept_twice(world: SimpleNamespace) -> None:
    run_state_machine_as_test(
        type("Machine", (Laws,), {"world": world}),
        settings=hypothesis_settings(max_examples=8, stateful_step_count=20),
    )


def test_a_plot_that_goes_from_a_crew_to_all_is_not_forgotten_by_that_crew(world: SimpleNamespace) -> None:
    laws = type("Machine", (Laws,), {"world": world})()
    laws.a_phone_pulls_until_it_is_cut_off(key=0, pages=9)
    laws.a_plot_is_handed_over(plot="A2", crew=1)
    laws.a_plot_is_handed_over(plot="A1", crew=None)
    laws.teardown()


def test_what_changed_while_a_first_pull_was_cut_off_is_told_when_it_goes_on(world: SimpleNamespace) -> None:
    laws = type("Machine", (Laws,), {"world": world})()
    laws.a_phone_pulls_until_it_is_cut_off(key=0, pages=1)
    laws.a_plot_is_handed_over(plot="A1", crew=None)
    laws.teardown()


def test_an_order_at_a_plot_that_only_one_of_its_crews_has_left_is_still_known(
    world: SimpleNamespace,
) -> None:
    laws = type("Machine", (Laws,), {"world": world})()
    moved = laws._push(0, new_id(), "X1", "2021", [10], None)
    laws._push(1, new_id(), "X1", "2026", [20], None)
    laws.the_worker_works()
    laws.a_supervisor_sends_a_tree_back(chance=1, tag="1", crew=None)
    laws.a_phone_pulls_until_it_is_cut_off(key=2, pages=99)
    laws._push(0, new_id(), "A1", "2021", [10], moved[1])
    laws.teardown()
