"""Two crews, three phones, edits that do not know each other, a person's correction: whatever the order, one end."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from server.steps import review
from server.steps.review import Change
from server.store import jobs, schema, visits
from server.store.reviews import Act
from server.store.schema import conflict, submission, visit
from tests.cast import Cast
from tests.phone import Back, Phone, key_address, new_id, plot_visit, tree

pytestmark = pytest.mark.slow  # dozens of stories from beginning to end

EVENTS = ("one", "edit of one", "edit of the edit", "late edit of one", "two", "edit of two")
CORRECTION = "correction"


def story(plot_id: str) -> dict[str, tuple[int, bytes]]:
    """Who sends what: two crews at one plot, and edits of both; the late edit is of another phone than the first."""
    ids = {event: new_id() for event in EVENTS}

    def send(
        crew: int, event: str, trees: list[dict[str, str]], edits: str | None = None
    ) -> tuple[int, bytes]:
        deprecated_id = ids[edits] if edits else None
        return crew, plot_visit(ids[event], trees=trees, plot_id=plot_id, deprecated_id=deprecated_id)

    one = [tree("1", 11.0), tree("2", 12.0), tree("3", 13.0), tree("4", 33.1), tree("8", 18.0)]
    two = [tree("1", 11.9), tree("5", 15.0, height_m="9"), tree("6", 16.0)]
    return {
        "one": send(1, "one", one),
        "edit of one": send(1, "edit of one", [tree("1", 11.5), *one[1:]], "one"),
        "edit of the edit": send(1, "edit of the edit", [tree("1", 11.5), tree("2", 12.2), *one[2:]], "edit of one"),
        "late edit of one": send(2, "late edit of one", [*one[:2], tree("3", 13.3), *one[3:], tree("7", 17.0)], "one"),
        "two": send(2, "two", two),
        "edit of two": send(2, "edit of two", [tree("1", 11.7), tree("5", 15.0), tree("8", 18.0, height_m="8")], "two"),
    }  # fmt: skip


class Plot:
    """One telling of the story at a plot of its own."""

    def __init__(self, client: FlaskClient, cast: Cast, back: Back) -> None:
        self.back, self.cast = back, cast
        self.plot_id = f"P-{new_id()[-6:]}"
        self.records = story(self.plot_id)
        self.phones = {
            1: Phone(client, key_address(cast)),
            2: Phone(client, key_address(cast, cast.token_two)),
        }
        self.waiting_correction = False

    def happen(self, event: str, work: bool) -> None:
        if event == CORRECTION:
            self.waiting_correction = True
        else:
            crew, xml = self.records[event]
            assert self.phones[crew].send(xml).status_code in {201, 202}
        if work:
            self.back.drain()
            self._correct()

    def end(self) -> dict[str, Any]:
        self.back.drain()
        self._correct()
        self.back.drain()
        return self._state()

    def _standing(self) -> list[Any]:
        here = select(visit).join(schema.plot).where(schema.plot.c.plot_id == self.plot_id)
        return self.back.rows(here.where(visit.c.merged_into_id.is_(None)))

    def _correct(self) -> None:
        """A person corrects the tree that crew one mistyped, as soon as she can see it."""
        for one in self._standing() if self.waiting_correction else []:
            with self.back.database.reading() as connection:
                trees = visits.raw_measurements(connection, [one.id]).get(one.id, [])
            place = next((tree.ordinal for tree in trees if tree.tag == "4"), None)
            if place is not None:
                with self.back.database.writing() as connection:
                    act = Act("li", "照片", self.back.clock.tick())
                    review.correct(
                        connection, self.cast.project, one.id, Change(place, "dbh_cm", "23.1"), act
                    )
                self.waiting_correction = False

    def _state(self) -> dict[str, Any]:
        [one] = self._standing()
        with self.back.database.reading() as connection:
            trees = visits.measurements(connection, [one.id])[one.id]
        rows = self.back.rows(
            select(conflict).where(conflict.c.plot_id == one.plot_id, conflict.c.state == "open")
        )
        clashes = {(row.kind, c["tag"], c["field"], frozenset((c["mine"], c["theirs"]))) for row in rows
                   for c in row.fields}  # fmt: skip
        disputed = {clash[1] for clash in clashes}
        held = select(submission.c.quarantine).where(
            submission.c.quarantine.is_not(None), submission.c.settled_at.is_(None)
        )
        return {
            "trees": {t.tag: (t.dbh_cm, t.height_m) for t in trees if t.tag not in disputed},
            "clashes": clashes,
            "held": self.back.rows(held),
            "promised": self.back.rows(select(schema.job.c.kind).where(schema.job.c.kind != jobs.CREW_LOOK)),
        }


ORDERS = st.lists(st.sampled_from(EVENTS), max_size=3).flatmap(
    lambda again: st.permutations([*EVENTS, CORRECTION, *again])
)
END = {
    "trees": {"2": (12.2, None), "3": (13.3, None), "4": (23.1, None), "5": (15.0, None), "7": (17.0, None),
              "8": (18.0, 8.0)},
    "clashes": {("two-visits", "1", "dbh_cm", frozenset(("11.5", "11.7")))},
    "held": [],
    "promised": [],
}  # fmt: skip


@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 30), ("postgresql", 8)])
def test_two_crews_in_any_order_end_with_the_same_trees_and_the_same_question(
    client: FlaskClient, cast: Cast, back: Back, version: int, examples: int
) -> None:
    assert version

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(ORDERS, st.lists(st.booleans(), min_size=10, max_size=10))
    def law(order: list[str], work: list[bool]) -> None:
        plot = Plot(client, cast, back)
        for event, now in zip(order, work, strict=False):
            plot.happen(event, now)
        assert plot.end() == END

    law()
