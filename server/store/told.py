"""What a phone is to be told: all things that it may see, or those that changed behind a place.

Says only which things; what is said of them is read by whoever tells it, in the same view of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)

from server.store import bulk, hot, last_trees
from server.store import scope as scopes
from server.store.feed import FORM, GONE, PLOT, REVIEW, REWORK, RULES, TREE, TREES
from server.store.hot import Hot
from server.store.schema import (
    census,
    device,
    feed,
    feed_head,
    form,
    form_version,
    house,
    plot,
    review,
    rework,
    tree,
    visit,
)  # fmt: skip
from server.store.scope import Scope


class Change(NamedTuple):
    """A thing and the number of its last change."""

    number: int
    kind: str
    subject_id: int


class Standing(NamedTuple):
    """What a door needs before it answers a phone: which store this is, the number of the project's last change, what
    the phone may see and when that last changed."""

    epoch: str
    head: int
    crew_id: int | None
    scope_number: int
    revoked_at: int | None


_STANDING = Hot(
    select(
        func.coalesce(select(house.c.epoch).scalar_subquery(), ""),
        func.coalesce(
            select(feed_head.c.number).where(feed_head.c.project_id == device.c.project_id).scalar_subquery(), 0
        ),
        device.c.crew_id, device.c.scope_number, device.c.revoked_at,
    ).where(device.c.id == bindparam("device_id"))
)  # fmt: skip


def standing(connection: Connection, device_id: int) -> Standing:
    """How things stand for a phone."""
    row = _STANDING.first(connection, {"device_id": device_id})
    assert row is not None  # phones are never deleted
    return Standing._make(row)


def changes(connection: Connection, scope: Scope, after: tuple[int, str, int], most: int) -> list[Change]:
    """What changed behind a place (number, kind, subject), as far as it may be seen, in order. A plot that left is
    told to those who may have had it."""
    values = {
        **scope._asdict(),
        **dict(zip(("number", "kind", "subject_id"), after, strict=True)),
        "most": most,
    }
    rows = _changes(of_crew=scope.crew_id is not None).all(connection, values)
    return [Change._make(row) for row in rows]


@cache
def _changes(*, of_crew: bool) -> Hot:
    """Compiled once: to put it together takes longer than to run it."""
    number: Any = bindparam("number")
    kind: Any = bindparam("kind")
    subject_id: Any = bindparam("subject_id")
    behind_in_kind = or_(feed.c.kind > kind, and_(feed.c.kind == kind, feed.c.subject_id > subject_id))
    behind = or_(feed.c.number > number, and_(feed.c.number == number, behind_in_kind))
    scope = scopes.to_be_filled_in(of_crew=of_crew)
    return Hot(
        select(feed.c.number, feed.c.kind, feed.c.subject_id)
        .where(feed.c.project_id == scope.project_id, feed.c.number >= number, behind, _is_seen(scope))
        .order_by(feed.c.number, feed.c.kind, feed.c.subject_id)
        .limit(bindparam("most", type_=Integer))
    )


def _is_seen(scope: Scope) -> ColumnElement[bool]:
    """May this row of the feed be told?"""
    plots = scopes.plots_of(scope)

    def at_plot(table: Any) -> ColumnElement[bool]:
        return exists(select(table.c.id).where(table.c.id == feed.c.subject_id, table.c.plot_id.in_(plots)))

    had = and_(
        scopes.anybodys_or(scope.crew_id, feed.c.was_crew_id),
        scopes.within(scope.device_id, feed.c.subject_id, feed.c.was_township_id),
    )
    order = select(rework.c.id).where(rework.c.id == feed.c.subject_id, scopes.orders_of(scope))
    return or_(
        feed.c.kind == FORM,
        feed.c.kind == RULES,
        and_(or_(feed.c.kind == PLOT, feed.c.kind == TREES), feed.c.subject_id.in_(plots)),
        and_(feed.c.kind == TREE, at_plot(tree)),
        and_(feed.c.kind == REVIEW, at_plot(visit)),
        and_(feed.c.kind == REWORK, exists(order)),
        and_(feed.c.kind == GONE, had),
    )


def everything(connection: Connection, scope: Scope, after: tuple[int, str, int], most: int) -> list[Change]:
    """All things that may be seen behind a place, by kind and number, as changes of the number 0."""
    _, kind, subject_id = after
    found: list[Change] = []
    for each, query, column in _all_things(scope):
        if each < kind or len(found) >= most:
            continue
        if each == kind:
            query = query.where(column > subject_id)
        rows = connection.scalars(query.order_by(column).limit(most - len(found)))
        found += [Change(0, each, number) for number in rows]
    return found


def _all_things(scope: Scope) -> list[tuple[str, Select[Any], ColumnElement[Any]]]:
    plots = scopes.plots_of(scope)
    of_project = form.c.project_id == scope.project_id
    forms = select(form.c.id).where(
        of_project, form.c.state == "open",
        exists(select(form_version.c.id).where(form_version.c.form_key == form.c.id, form_version.c.is_current)),
    )  # fmt: skip
    rules = select(literal(scope.project_id).label("id")).subquery()
    orders = select(rework.c.id).where(rework.c.state == "open", scopes.orders_of(scope))
    reviewed = select(visit.c.id).where(visit.c.plot_id.in_(plots), is_reviewed())
    return [
        (FORM, forms, form.c.id),
        (PLOT, plots, plot.c.id),
        (REVIEW, reviewed, visit.c.id),
        (REWORK, orders, rework.c.id),
        (RULES, select(rules.c.id), rules.c.id),
        (TREES, plots, plot.c.id),
    ]


Things = dict[str, list[int]]
"""Numbers of things by kind."""


def by_kind(found: Iterable[Change]) -> Things:
    """The things that these changes name."""
    things: Things = {}
    for change in found:
        things.setdefault(change.kind, []).append(change.subject_id)
    return things


def touched(connection: Connection, scope: Scope, found: Iterable[Change]) -> Things:
    """The things that are to be told of these changes: with a list of trees its plot, with a review the state of its
    plot, with an order all of its plot, which the phone may not have seen before. A plot that left is forgotten with
    all that belongs to it, and told anew where it may still be seen."""
    things = by_kind(found)
    orders = _orders(connection, things.get(REWORK, []))
    closed_at = {plot_id for plot_id, is_open in orders if not is_open}
    left = set(things.pop(GONE, []))
    visible = _visible(connection, scope, left | closed_at)
    anew = (left & visible) | {plot_id for plot_id, is_open in orders if is_open}
    trees = {*things.get(TREES, []), *anew}
    at = last_trees.plots_of_trees(connection, things.get(TREE, []))
    return {
        **things,
        GONE: sorted(left | (closed_at - visible)),
        PLOT: sorted({*things.get(PLOT, []), *trees, *_plots_of(connection, things.get(REVIEW, []))}),
        TREES: sorted(trees),
        TREE: [tree_id for tree_id, plot_id in at.items() if plot_id not in trees],
        REWORK: sorted({*things.get(REWORK, []), *_open_at(connection, scope, left & visible)}),
        REVIEW: sorted({*things.get(REVIEW, []), *_reviewed_at(connection, anew)}),
    }


_ORDERS = hot.in_list(select(rework.c.plot_id, rework.c.state), rework.c.id)
_PLOTS_OF = hot.in_list(select(visit.c.plot_id), visit.c.id)


def _orders(connection: Connection, rework_ids: Sequence[int]) -> list[tuple[int, bool]]:
    """Of each order its plot, and whether it is open."""
    return [(row[0], row[1] == "open") for row in _ORDERS.of(connection, rework_ids)]


def _open_at(connection: Connection, scope: Scope, plot_ids: Iterable[int]) -> list[int]:
    """Open orders at some plots that may be seen."""
    query = select(rework.c.id).where(rework.c.state == "open", scopes.orders_of(scope))
    return [
        number
        for some in bulk.chunks(sorted(plot_ids))
        for number in connection.scalars(query.where(rework.c.plot_id.in_(some)))
    ]


def of_plots(connection: Connection, plot_ids: Iterable[int]) -> Things:
    """All that belongs to some plots: their lists of trees, reviews, open orders."""
    wanted = sorted(set(plot_ids))
    orders = select(rework.c.id).where(rework.c.state == "open")
    return {
        TREES: wanted,
        REVIEW: _reviewed_at(connection, wanted),
        REWORK: [
            number
            for some in bulk.chunks(wanted)
            for number in connection.scalars(orders.where(rework.c.plot_id.in_(some)))
        ],
    }


def _plots_of(connection: Connection, visit_ids: Sequence[int]) -> list[int]:
    return [row[0] for row in _PLOTS_OF.of(connection, visit_ids)]


def _visible(connection: Connection, scope: Scope, plot_ids: Iterable[int]) -> set[int]:
    wanted = set(plot_ids)
    if not wanted:
        return set()
    query = scopes.plots_of(scope)
    return {
        number
        for some in bulk.chunks(sorted(wanted))
        for number in connection.scalars(query.where(plot.c.id.in_(some)))
    }


def _reviewed_at(connection: Connection, plot_ids: Iterable[int]) -> list[int]:
    query = select(visit.c.id).where(is_reviewed())
    return [
        number
        for some in bulk.chunks(sorted(plot_ids))
        for number in connection.scalars(query.where(visit.c.plot_id.in_(some)))
    ]


def is_reviewed() -> ColumnElement[bool]:
    """Visits of which a phone is told that somebody looked at them, as a condition on `visit`."""
    decided = exists(select(review.c.id).where(review.c.visit_id == visit.c.id))
    return and_(
        visit.c.kind == "visit", visit.c.merged_into_id.is_(None),
        or_(visit.c.review_state.in_(("has_issues", "approved", "rejected")), decided),
    )  # fmt: skip


def numbers(connection: Connection, project_id: int, plot_ids: Iterable[int]) -> dict[int, int]:
    """The number of the last change of anything that is said of each plot as a whole; absent: none since there is a
    feed."""
    rows: dict[int, int] = {}
    of_plot = select(feed.c.subject_id, feed.c.number).where(
        feed.c.project_id == project_id, feed.c.kind.in_((PLOT, TREES))
    )
    of_order = (
        select(rework.c.plot_id, feed.c.number)
        .join(rework, rework.c.id == feed.c.subject_id)
        .where(feed.c.project_id == project_id, feed.c.kind == REWORK)
    )
    for some in bulk.chunks(sorted(set(plot_ids))):
        for query, column in ((of_plot, feed.c.subject_id), (of_order, rework.c.plot_id)):
            for plot_id, number in connection.execute(query.where(column.in_(some))):
                rows[plot_id] = max(number, rows.get(plot_id, 0))
    return rows


def tree_numbers(connection: Connection, project_id: int, tree_ids: Sequence[int]) -> dict[int, int]:
    """The number at which each tree last changed by itself; absent: it never did."""
    query = select(feed.c.subject_id, feed.c.number).where(
        feed.c.project_id == project_id, feed.c.kind == TREE
    )
    wanted = set(tree_ids)
    return {row[0]: row[1] for row in connection.execute(query) if row[0] in wanted}


class Reviewed(NamedTuple):
    """A plot and census, by name, and the visit whose review stands there; None: none does."""

    plot_id: str
    census: str
    visit_id: int | None


def reviewed(connection: Connection, visit_ids: Iterable[int]) -> list[Reviewed]:
    """For each plot and census of these visits the visit whose review a phone is told: of several the one that was
    received first."""
    asked: dict[tuple[int, int], tuple[str, str]] = {}
    query = (
        select(visit.c.plot_id, visit.c.census_id, plot.c.plot_id, census.c.name)
        .join(plot, plot.c.id == visit.c.plot_id)
        .join(census, census.c.id == visit.c.census_id)
        .order_by(visit.c.id)
    )
    for some in bulk.chunks(sorted(set(visit_ids))):
        for row in connection.execute(query.where(visit.c.id.in_(some))):
            asked[row[0], row[1]] = (row[2], row[3])
    first: dict[tuple[int, int], int] = {}
    told = select(visit.c.plot_id, visit.c.census_id, visit.c.id).where(is_reviewed())
    for some in bulk.chunks(sorted({plot_id for plot_id, _ in asked})):
        rows = connection.execute(
            told.where(visit.c.plot_id.in_(some)).order_by(visit.c.submission_id.desc())
        )
        first |= {(row[0], row[1]): row[2] for row in rows}
    return [Reviewed(*names, first.get(key)) for key, names in asked.items()]
