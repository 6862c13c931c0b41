"""The sync door: what is new for a phone since it last asked, in pages (sync/PROTOCOL.md).

A request sees one moment of the store. Which things are told is `store.told`'s work, what is said of them that of
`api.things`; here they become a page. A phone for which there is nothing new costs two queries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import Connection

from server.api.things import Teller, Thing
from server.problems import DeviceUnknown
from server.store import told
from server.store.feed import GONE
from server.store.scope import Scope
from server.store.told import Change
from server.web import access, connection, encoding
from server.web.access import Caller
from sync import feed
from sync.feed import Cursor, House, Page, Place, Reset

blueprint = Blueprint("pull", __name__, url_prefix="/v1", description="A phone asks what is new")
encoding.join(blueprint)

SLICE = 50
"""Things that are looked at together: enough for few queries, and a page is hardly fuller than it should be."""


class PullQuery(Schema):
    since = fields.String(
        load_default="",
        validate=validate.Length(max=400),
        metadata={"description": "the cursor of the page before; empty: everything"},
    )


class ChangeShape(Schema):
    """A thing as it is now; what else it says depends on its kind (sync/PROTOCOL.md)."""

    kind = fields.String(required=True)
    gone = fields.Boolean(metadata={"description": "the phone should forget it"})


class PullPage(Schema):
    changes = fields.List(fields.Nested(ChangeShape), required=True)
    cursor = fields.String(required=True)
    more = fields.Boolean(required=True)
    reset = fields.Boolean(required=True)


@blueprint.get("/projects/<int:project_id>/sync/pull")
@blueprint.arguments(PullQuery, location="query")
@blueprint.response(200, PullPage)
def pull(asked: dict[str, Any], project_id: int) -> Response:
    """What is new for this phone since its cursor; everything that it may see where it has none."""
    who = access.phone(project_id)
    if who.device_id is None:
        raise DeviceUnknown()
    connection.read_again()  # who calls was seen before; all else is of one moment
    with connection.database().view() as view:
        given, text = _page(view, who, who.device_id, asked["since"])
    if given != asked["since"]:
        connection.database().secure()  # a phone must not remember what the store may forget
    return Response(text, content_type="application/json")


def _page(view: Connection, who: Caller, device_id: int, since: str) -> tuple[str, str]:
    """The cursor after this page, and the page."""
    now = told.standing(view, device_id)
    if now.revoked_at is not None:
        raise DeviceUnknown()
    plan = feed.plan(since or None, House(now.epoch, now.scope_number, now.head))
    if feed.is_up_to_date(plan.cursor, now.head):
        return since, _written([], since, more=False, reset=False)
    scope = Scope(who.project_id, now.crew_id, device_id)
    teller = Teller(view, who.project_id, f"{who.base}/projects/{who.project_id}", connection.now_ms())
    cursor, texts = _filled(view, scope, teller, plan.cursor, now.head)
    more = not feed.is_up_to_date(cursor, now.head)  # what changed since the way through all began, too
    text = _written(texts, cursor.write(), more=more, reset=isinstance(plan, Reset))
    return cursor.write(), text


def _filled(
    view: Connection, scope: Scope, teller: Teller, cursor: Cursor, head: int
) -> tuple[Cursor, list[str]]:
    """One page from the cursor on: where it ends, and its changes as JSON."""
    page, on_page = Page(connection.settings().pull_page_bytes), set[tuple[str, int]]()
    while not page.is_full:
        found = _next(view, scope, cursor)
        touched = _things(view, scope, cursor, found)
        if touched.get(GONE):  # what was told of these plots before on this page is forgotten with them
            on_page.clear()
        things = {
            kind: [number for number in numbers if (kind, number) not in on_page]
            for kind, numbers in touched.items()
        }
        page.add(_texts(teller.tell(things), is_through_all=cursor.is_through_all))
        on_page |= {(kind, number) for kind, numbers in things.items() for number in numbers}
        if len(found) < SLICE:
            return feed.at_end(cursor, head), page.texts
        cursor = feed.after(cursor, Place(*found[-1]))
    return cursor, page.texts


def _texts(said: Iterable[Thing], *, is_through_all: bool) -> Iterator[str]:
    """As JSON. Who is told everything need not be told of what is not there."""
    for one in said:
        if not (is_through_all and one.get("gone")):
            yield json.dumps(one, ensure_ascii=False, separators=(",", ":"))


def _next(view: Connection, scope: Scope, cursor: Cursor) -> list[Change]:
    walk = told.everything if cursor.is_through_all else told.changes
    return walk(view, scope, feed.place_of(cursor), SLICE)


def _things(view: Connection, scope: Scope, cursor: Cursor, found: list[Change]) -> told.Things:
    """On the way through all things each comes up by itself; a change brings others along."""
    return told.by_kind(found) if cursor.is_through_all else told.touched(view, scope, found)


def _written(texts: Iterable[str], cursor: str, *, more: bool, reset: bool) -> str:
    rest = json.dumps({"cursor": cursor, "more": more, "reset": reset})
    return f'{{"changes":[{",".join(texts)}],{rest[1:]}'
