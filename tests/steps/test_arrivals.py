"""Whatever the order in which a record, its edits and its photos come, and however often: it ends the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from server.store import jobs, schema
from server.store.schema import attachment, measurement, submission, visit
from tests.builders import jpeg
from tests.phone import INCOMPLETE, Back, Phone, new_id, photo_part, plot_visit, tree, xml_part

pytestmark = pytest.mark.slow  # dozens of stories from beginning to end

PHOTOS = {"1.jpg": jpeg(1), "2.jpg": jpeg(2)}
ARRIVALS = (
    ("original", ()), ("original", ("1.jpg",)), ("original", ("2.jpg",)),
    ("edit", ()), ("edit", ("1.jpg",)), ("edit of the edit", ()),
)  # fmt: skip
"""Which record, with which of its photos; each comes at least once, in any order, with the worker at work between."""


def story() -> dict[str, bytes]:
    """A new plot with a record and two edits of it."""
    first, second = new_id(), new_id()
    plot = {"plot_id": f"P-{first[-6:]}", "photos": list(PHOTOS)}
    return {
        "original": plot_visit(first, trees=[tree("1", 33.1), tree("2", 12.0)], **plot),
        "edit": plot_visit(second, trees=[tree("1", 23.1), tree("2", 12.0)], deprecated_id=first, **plot),
        "edit of the edit": plot_visit(
            trees=[tree("1", 23.1), tree("3", 12.0)], deprecated_id=second, **plot
        ),
    }


def state_of(back: Back, plot_id: str) -> dict[str, Any]:
    """What is known of a plot: its visits, trees, flags, photos, and what is still held back or promised."""
    of_plot = schema.plot.c.plot_id == plot_id
    here = visit.join(schema.plot)
    trees = here.join(measurement, measurement.c.visit_id == visit.c.id)
    flags = here.join(schema.flag, schema.flag.c.visit_id == visit.c.id)
    files = here.join(attachment, attachment.c.submission_id == visit.c.source_id)
    return {
        "visits": back.rows(select(visit.c.kind, visit.c.review_state).select_from(here).where(of_plot)),
        "trees": back.rows(
            select(measurement.c.tag, measurement.c.dbh_cm)
            .select_from(trees)
            .where(of_plot)
            .order_by(measurement.c.ordinal)
        ),
        "flags": back.rows(
            select(schema.flag.c.rule, schema.flag.c.tag)
            .select_from(flags)
            # every story is told with the same photos, which is a flag's business elsewhere
            .where(of_plot, schema.flag.c.state == "open", schema.flag.c.rule != "F03")
            .order_by(schema.flag.c.rule, schema.flag.c.tag)
        ),
        "files": back.rows(
            select(attachment.c.name, attachment.c.sha256)
            .select_from(files)
            .where(of_plot)
            .order_by(attachment.c.name)
        ),
        "held": back.rows(select(submission.c.id).where(submission.c.quarantine.is_not(None))),
        # crews are looked at some seconds later, whatever came
        "promised": back.rows(select(schema.job.c.kind).where(schema.job.c.kind != jobs.CREW_LOOK)),
    }


def arrive(phone: Phone, back: Back, order: list[tuple[tuple[str, tuple[str, ...]], bool]]) -> dict[str, Any]:
    """Let these come, the worker working where it is said; the state in the end."""
    records = story()
    for (which, photos), work in order:
        parts = [xml_part(records[which]), INCOMPLETE, *(photo_part(name, PHOTOS[name]) for name in photos)]
        assert phone.post(parts).status_code in {201, 202}
        if work:
            back.drain()
    back.drain()
    plot_id = "P-" + records["original"].partition(b"<plot_id>P-")[2][:6].decode()
    return state_of(back, plot_id)


@contextmanager
def expected(phone: Phone, back: Back) -> Iterator[dict[str, Any]]:
    """The state when everything comes once, in the order in which it happened."""
    state = arrive(phone, back, [(one, True) for one in ARRIVALS])
    assert [tuple(row) for row in state["trees"]] == [("1", 23.1), ("3", 12.0)]
    assert [name for name, sha256 in state["files"] if sha256] == ["1.jpg", "2.jpg"]
    assert state["held"] == state["promised"] == []
    assert [tuple(row) for row in state["visits"]] == [("visit", "edited")]
    yield state


ORDERS = st.lists(st.tuples(st.sampled_from(ARRIVALS), st.booleans()), max_size=4).flatmap(
    lambda again: st.permutations([*[(one, False) for one in ARRIVALS], *again])
)


@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 25), ("postgresql", 8)])
def test_arrivals_in_any_order_and_number_end_in_the_same_state(
    phone: Phone, back: Back, examples: int
) -> None:
    with expected(phone, back) as in_order:

        @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
        @given(ORDERS, st.lists(st.booleans(), min_size=10, max_size=10))
        def law(order: list[Any], work: list[bool]) -> None:
            steps = [(one, now or later) for (one, now), later in zip(order, work, strict=False)]
            assert arrive(phone, back, steps) == in_order

        law()
