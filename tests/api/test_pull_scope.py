"""A law: whatever is handed over, sent back and narrowed, a phone is never told of a plot outside its scope, and what
it learned bit by bit is what it would be told if it began today."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from server.steps import assign, scope
from server.store import county, feed, schema
from server.store.county import PlannedPlot
from server.store.db import Database
from tests import builders
from tests.knower import Knower

CREWS, TOWNSHIPS, DEVICES, PLOTS = 3, 2, 3, 2
_numbers = itertools.count(1)
crews = st.none() | st.integers(0, CREWS - 1)
townships = st.none() | st.integers(0, TOWNSHIPS - 1)
some_plots = st.sets(st.integers(0, PLOTS - 1), max_size=2)
some_townships = st.sets(st.integers(0, TOWNSHIPS - 1), max_size=1)
plans = st.lists(st.tuples(crews, townships), min_size=PLOTS, max_size=PLOTS)
assigned = st.tuples(st.just("assign"), st.integers(0, PLOTS - 1), crews)
acts = st.one_of(
    assigned,
    assigned,
    st.tuples(st.just("pull"), st.integers(0, DEVICES - 1)),
    st.tuples(st.just("give"), st.integers(0, DEVICES - 1), crews, some_townships, some_plots),
    st.tuples(st.just("measure"), st.integers(0, PLOTS - 1), crews),
    st.tuples(st.just("send_back"), st.integers(0, PLOTS - 1), crews),
    st.tuples(st.just("close"), st.integers(0, 3)),
    st.tuples(st.just("find"), crews),
)


@dataclass
class World:
    """A project of its own, and what this test knows of it without asking the store."""

    database: Database
    client: FlaskClient
    project: int = 0
    crew: list[int] = field(default_factory=list)
    township: list[int] = field(default_factory=list)
    census: int = 0
    plots: dict[str, int] = field(default_factory=dict)
    owner: dict[str, int | None] = field(default_factory=dict)
    place: dict[str, int | None] = field(default_factory=dict)
    found_by: dict[str, set[int | None]] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    orders: list[list[Any]] = field(default_factory=list)  # number, plot, crew, is it open
    devices: list[int] = field(default_factory=list)
    narrowed: list[tuple[int | None, set[int], set[int]]] = field(default_factory=list)
    phones: list[Knower] = field(default_factory=list)
    had: list[set[str]] = field(default_factory=list)

    def begin(self, plan: list[tuple[int | None, int | None]]) -> None:
        with self.database.writing() as pen:
            self.project = builders.row(pen, schema.project, name="p", created_at=0)
            self.crew = [
                builders.row(pen, schema.crew, project_id=self.project, name=f"{n}") for n in range(CREWS)
            ]
            self.township = [
                builders.row(pen, schema.township, project_id=self.project, name=f"T{n}")
                for n in range(TOWNSHIPS)
            ]
            self.census = builders.row(pen, schema.census, project_id=self.project, name="2026")
            county.add_plots(pen, self.project, [
                PlannedPlot(f"P{n}", None, None, None, None, None, None if t is None else f"T{t}",
                            None if c is None else self.crew[c])
                for n, (c, t) in enumerate(plan)
            ])  # fmt: skip
            rows = pen.execute(schema.plot.select().where(schema.plot.c.project_id == self.project)).all()
            self.plots = {row.plot_id: row.id for row in rows}
            self.owner = {f"P{n}": c for n, (c, _) in enumerate(plan)}
            self.place = {f"P{n}": t for n, (_, t) in enumerate(plan)}
            for n in range(DEVICES):
                token = f"law-{next(_numbers)}"
                self.devices.append(builders.row(
                    pen, schema.device, project_id=self.project, crew_id=self.crew[n], name=token, created_at=0,
                    token_hash=hashlib.sha256(token.encode()).hexdigest(),
                ))  # fmt: skip
                self.narrowed.append((n, set(), set()))
                self.phones.append(Knower(self.client, self.project, token))
                self.had.append(set())

    def number(self, crew: int | None) -> int | None:
        return None if crew is None else self.crew[crew]

    def visible(self, device: int) -> set[str]:
        """What it may see by the words of the protocol."""
        crew, in_townships, in_plots = self.narrowed[device]

        def is_inside(name: str) -> bool:
            here = not in_townships or self.place.get(name) in in_townships
            return here and (not in_plots or name in {f"P{n}" for n in in_plots})

        def whose(name: str) -> set[int | None]:
            return {self.owner[name]} if name in self.owner else self.found_by[name]

        own = {name for name in self.plots if crew is None or whose(name) & {crew, None}}
        sent_back = {order[1] for order in self.orders if order[3] and crew is not None and order[2] == crew}
        return {name for name in own if is_inside(name)} | sent_back

    def pull(self, device: int) -> None:
        phone, now = self.phones[device], self.visible(device)
        phone.pull()
        self.had[device] |= now
        for change in phone.told:
            if "plot_id" in change:
                assert change["plot_id"] in (self.had[device] if change.get("gone") else now), change
        assert phone.plots() == now
        fresh = Knower(self.client, self.project, phone._token)
        fresh.pull()
        assert fresh.knows == phone.knows

    def notice(self) -> None:
        """What phones may have seen at this moment, had they asked."""
        for device in range(DEVICES):
            self.had[device] |= self.visible(device)

    def assign(self, plot: int, crew: int | None) -> None:
        with self.database.writing() as pen:
            assign.to_crew(pen, self.project, [f"P{plot}"], self.number(crew), "li", 0)
        self.owner[f"P{plot}"] = crew

    def give(self, device: int, crew: int | None, in_townships: set[int], in_plots: set[int]) -> None:
        with self.database.writing() as pen:
            scope.give(
                pen, self.project, self.devices[device], crew_id=self.number(crew),
                townships=[self.township[n] for n in in_townships],
                plots=[self.plots[f"P{n}"] for n in in_plots], by="li", at=0,
            )  # fmt: skip
        self.narrowed[device] = (crew, in_townships, in_plots)

    def measure(self, plot: int, crew: int | None) -> None:
        self._visit(f"P{plot}", self.plots[f"P{plot}"], crew)

    def find(self, crew: int | None) -> None:
        """A crew measures where nobody had planned a plot."""
        name = f"N{next(_numbers)}"
        with self.database.writing() as pen:
            self.plots[name] = builders.row(
                pen, schema.plot, project_id=self.project, plot_id=name, is_planned=False
            )
        self.found_by[name] = {crew}
        self._visit(name, self.plots[name], crew)

    def _visit(self, name: str, plot: int, crew: int | None) -> None:
        with self.database.writing() as pen:
            number = builders.row(pen, schema.tree, plot_id=plot, tag=str(next(_numbers)))
            self.visits[name] = builders.visit(
                pen, self.project, plot, self.census, [builders.tree("7", 12.5, tree_id=number)],
                crew_id=self.number(crew), review_state="approved",
            )  # fmt: skip
            feed.changed(pen, self.project, feed.TREES, [plot])
            feed.changed(pen, self.project, feed.REVIEW, [self.visits[name]])

    def send_back(self, plot: int, crew: int | None) -> None:
        name = f"P{plot}"
        if name not in self.visits:
            return
        with self.database.writing() as pen:
            number = builders.row(
                pen, schema.rework, project_id=self.project, plot_id=self.plots[name], visit_id=self.visits[name],
                crew_id=self.number(crew), reason="?", sent_by="li", sent_at=0,
            )  # fmt: skip
            pen.execute(insert(schema.rework_tree).values(rework_id=number, tag="7", stem_id="1", before={}))
            feed.changed(pen, self.project, feed.REWORK, [number])
        self.orders.append([number, name, crew, True])

    def close(self, which: int) -> None:
        if which >= len(self.orders):
            return
        order = self.orders[which]
        with self.database.writing() as pen:
            here = schema.rework.c.id == order[0]
            pen.execute(update(schema.rework).where(here).values(state="returned"))
            feed.changed(pen, self.project, feed.REWORK, [order[0]])
        order[3] = False


@pytest.mark.slow
@given(plans, st.lists(acts, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_phone_knows_its_scope_and_nothing_else(
    client: FlaskClient, database: Database, plan: list[Any], done: list[tuple[Any, ...]]
) -> None:
    world = World(database, client)
    world.begin(plan)
    for device in range(DEVICES):
        world.pull(device)
    for act, *what in done:
        getattr(world, act)(*what)
        world.notice()
    for device in range(DEVICES):
        world.pull(device)
