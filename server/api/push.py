"""The sync door that takes instances in batches: many plots in one request, each answered on its own.

The same decisions as at the OpenRosa door, made by the same step. Files are declared here and come by `uploads`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from flask import Response, current_app, request
from flask_smorest import Blueprint
from sqlalchemy import Connection

from forms.errors import InstanceUnreadable
from forms.instance import Instance, read
from server import problems
from server.api.strict import PROBLEM_OF
from server.steps import glance, receive
from server.steps.receive import Parcel, Receipt, Refused
from server.store import attachments, bulk, forms, projects
from server.store.attachments import File
from server.store.blobs import Blobs
from server.store.projects import Ways
from server.validation.flag import Flag, message
from server.web import access, connection, encoding
from server.web.access import Caller
from server.web.thinking import one_at_a_time
from sync import messages, receipt
from sync.push import MOST_INSTANCES, Item, Malformed, Named, TooMany, client_id_of, read_batch, read_item

blueprint = Blueprint(
    "push", __name__, url_prefix="/v1", description="Phones bring instances, many at a time"
)
encoding.join(blueprint)

MOST_BYTES = 32_000_000
"""Bytes of one batch, decompressed: it stands in memory. 500 plots of 50 trees are 5 MB, one instance 10 MB at most."""
AT_ONCE = 50
"""Instances that are thought about before others get their turn: about 10 ms."""


class Looked(NamedTuple):
    """An instance of the batch that can be read, with what a first look says of it (where that was asked for)."""

    item: Item
    parcel: Parcel
    flags: list[Flag] | None


Unread = dict[str, Any]
"""The answer for an item that is no instance."""


@blueprint.post("/projects/<int:project_id>/sync/push")
@blueprint.doc(requestBody={"required": True, "content": {"application/json": {"schema": messages.Push}}})
@blueprint.response(200, messages.Pushed)
def push(project_id: int) -> Response:
    """Up to 500 instances, in any order and as often as it takes; each is kept once and answered on its own."""
    who = access.phone(project_id, notes=False)
    connection.read_again()  # a batch may take minutes on a poor line: nothing is kept open meanwhile
    try:
        batch = read_batch(encoding.Body(MOST_BYTES).whole())
    except TooMany as error:
        raise problems.TooMany(limit=MOST_INSTANCES) from error
    except Malformed as error:
        raise problems.BadRequest(str(error)) from error
    ways = projects.ways(connection.reading(), project_id)
    assert ways is not None  # whoever calls belongs to it
    looked = list(_Batch(who, ways, batch.flags).look(batch.items))
    sealed = [receive.seal(one.parcel) for one in _known_files(project_id, looked)]
    connection.read_again()  # give the view back before waiting for the pen
    given = iter(_receive(who, sealed, ways))
    results = [one if isinstance(one, dict) else _result(who, one, next(given)) for one in looked]
    return Response(
        json.dumps({"results": results}, ensure_ascii=False, separators=(",", ":")),
        content_type="application/json",
    )


def _receive(who: Caller, sealed: Sequence[receive.Sealed], ways: Ways) -> list[Receipt | Refused]:
    """All of them and the phone's own news in one commit: a second one would cost as much as the plots."""

    def keep(pen: Connection) -> list[Receipt | Refused]:
        given = receive.receive_all(pen, sealed, strict=ways.strict_intake)
        access.note(pen, who)
        return given

    return connection.database().write(keep)


class _Batch:
    """One batch while it is read: what is asked of the store again and again is asked once."""

    def __init__(self, who: Caller, ways: Ways, wants_flags: bool) -> None:
        self._who = who
        self._ways = ways
        self._wants_flags = wants_flags
        self._at = connection.now_ms()
        self._most_bytes = connection.settings().max_instance_bytes
        self._app = (request.headers.get("User-Agent") or "")[:255] or None
        self._forms: dict[tuple[str, str], tuple[str | None, int | None]] = {}

    def look(self, items: Sequence[object]) -> Iterator[Looked | Unread]:
        """Each item, read."""
        for some in bulk.chunks(items, AT_ONCE):
            with one_at_a_time:
                looked = [self._look(raw) for raw in some]
            yield from looked

    def _look(self, raw: object) -> Looked | Unread:
        try:
            item = read_item(raw)
            instance = read(item.xml, self._most_bytes)
        except Malformed as error:
            return self._unread(raw, "malformed", str(error))
        except InstanceUnreadable as error:
            return self._unread(raw, error.reason, str(error))
        parcel = self._parcel(instance, item)
        return Looked(item, parcel, self._flags(instance, parcel) if self._wants_flags else None)

    def _unread(self, raw: object, reason: str, detail: str) -> Unread:
        sentence = problems.InstanceRefused(detail).sentence(self._who.locale)
        return {"client_id": client_id_of(raw), "state": "refused", "reason": reason, "detail": sentence}

    def _parcel(self, instance: Instance, item: Item) -> Parcel:
        meta = instance.meta
        named = (meta.form_id, meta.version)
        if named not in self._forms:
            reading = connection.reading()
            self._forms[named] = forms.state_and_version(reading, self._who.project_id, *named)
        state, version_id = self._forms[named]
        return Parcel(
            project_id=self._who.project_id,
            meta=meta,
            xml=item.xml,
            files=(),
            expected=[file.name for file in item.files],
            received_at=self._at,
            form_state=state,
            form_version_id=version_id,
            device_id=self._who.device_id,
            device_revoked=self._who.revoked,
            app=self._app,
        )

    def _flags(self, instance: Instance, parcel: Parcel) -> list[Flag]:
        if parcel.form_version_id is None or instance.meta.encrypted or self._who.revoked:
            return []
        readers: forms.Readers = current_app.extensions["yangdi-readers"]
        reading = connection.reading()
        answers = readers.get(reading, parcel.form_version_id).answers(instance.root)
        return glance.glance(reading, self._who.project_id, answers, self._ways).flags


def _known_files(project_id: int, looked: Sequence[Looked | Unread]) -> Iterator[Looked]:
    """The instances, each with those of its files whose bytes the project has."""
    read = [one for one in looked if isinstance(one, Looked)]
    known = _known(project_id, {file.sha256 for one in read for file in one.item.files})
    for one in read:
        files = [_as_kept(file, *known[file.sha256]) for file in one.item.files if file.sha256 in known]
        yield one._replace(parcel=one.parcel._replace(files=files)) if files else one


def _known(project_id: int, sha256s: set[str]) -> dict[str, tuple[int, str]]:
    blobs = Blobs(connection.settings().photo_dir)
    found = attachments.known(connection.reading(), project_id, list(sha256s))
    return {sha256: known for sha256, known in found.items() if blobs.has(sha256)}


def _as_kept(file: Named, size_bytes: int, content_type: str) -> File:
    return File(file.name, file.sha256, size_bytes, content_type)


def _result(who: Caller, one: Looked, given: Receipt | Refused) -> dict[str, Any]:
    said: dict[str, Any] = {"client_id": one.item.client_id, "instance_id": one.parcel.meta.instance_id}
    if isinstance(given, Refused):
        detail = PROBLEM_OF[given.reason]().sentence(who.locale)
        return {**said, "state": "refused", "reason": given.reason, "detail": detail}
    if given.reason is None:
        said["state"] = "kept" if given.is_new else "already_kept"
    else:
        said |= {
            "state": "quarantined",
            "reason": given.reason,
            "detail": receipt.held(who.locale, given.reason),
        }
    said["photos"] = _photos(one.item, given)
    if one.flags is not None:
        said["flags"] = [] if given.reason else [_flag(flag, who.locale) for flag in one.flags]
    return said


def _photos(item: Item, given: Receipt) -> dict[str, Any]:
    here = {place.name: place.sha256 for place in given.places}
    missing = [
        file.name
        for file in item.files
        if file.sha256 not in {here.get(file.name), here.get(attachments.beside(file.name, file.sha256))}
    ]
    return {"received": given.photos_here, "expected": given.photos_expected, "missing": missing}


def _flag(flag: Flag, locale: str) -> dict[str, Any]:
    return {
        "rule": flag.rule,
        "severity": flag.severity,
        "tag": flag.tag,
        "stem_id": flag.stem_id,
        "field": flag.field,
        "message": message(flag, locale),
    }
