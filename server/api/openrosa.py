"""The OpenRosa door: what ODK Collect and tools like it ask for, under three addresses.

`/v1/projects/N` with a name and password or a bearer token, `/v1/key/KEY/projects/N` with a phone's key in the
address (the layout of ODK Central), `/v1/test/TOKEN/projects/N/forms/F/draft` to try a draft. The XML is written
by `sync.openrosa`; what becomes of an instance is decided by `sync.intake` and done by `steps.receive`.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, current_app, request, send_file

from forms.errors import InstanceUnreadable
from forms.instance import Answers, Instance, read
from server import problems
from server.api import entities
from server.api.parts import Part, Parts, read_parts
from server.api.strict import PROBLEM_OF
from server.steps import glance, receive
from server.steps.receive import Parcel, Receipt
from server.store import attachments, forms, projects, submissions
from server.store.attachments import File
from server.store.blobs import Blobs
from server.store.forms import FormVersion
from server.store.projects import Ways
from server.store.scope import Scope
from server.web import access, addresses, connection
from server.web.access import Caller
from server.web.thinking import one_at_a_time
from sync import openrosa, receipt

blueprint = Blueprint("openrosa", __name__, url_prefix="/v1")

PREFIXES = ("/projects/<int:project_id>", "/key/<key>/projects/<int:project_id>")
DRAFT_PREFIX = "/test/<draft_token>/projects/<int:project_id>/forms/<path:form_id>/draft"
PAGE_OF_IDS = 100
"""Instance ids in one page of view/submissionList."""


def _route(path: str, *, draft: bool = True, methods: tuple[str, ...] = ("GET",)) -> Callable[[Any], Any]:
    """Open a handler under every address; it is called with who calls and what the path says."""

    def decorate(handler: Callable[..., Response]) -> Callable[..., Response]:
        def view(project_id: int, key: str | None = None, draft_token: str | None = None, form_id: str | None = None,
                 **rest: Any) -> Response:  # fmt: skip
            who = access.caller(project_id, key, draft_token, form_id)
            if who.revoked and request.method != "POST":
                raise problems.DeviceUnknown()
            return handler(who, **rest)

        for number, prefix in enumerate((*PREFIXES, *((DRAFT_PREFIX,) if draft else ()))):
            blueprint.add_url_rule(
                prefix + path,
                f"{handler.__name__}_{number}",
                view,
                methods=list(methods),
                strict_slashes=False,
            )
        return handler

    return decorate


@blueprint.after_request
def speak_openrosa(response: Response) -> Response:
    """Headers without which Collect does not believe that it talks to an OpenRosa server."""
    response.headers["X-OpenRosa-Version"] = openrosa.VERSION
    response.headers["X-OpenRosa-Accept-Content-Length"] = str(connection.settings().accept_content_length)
    response.headers.setdefault(
        "Cache-Control", "no-store" if request.method == "POST" else "private, no-cache"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _base(who: Caller) -> str:
    base = f"{who.base}/projects/{who.project_id}"
    return f"{base}/forms/{quote(who.draft.form_id)}/draft" if who.draft else base


def _xml(text: str) -> Response:
    return _cached(text.encode(), openrosa.CONTENT_TYPE)


def _cached(body: bytes, content_type: str, etag: str | None = None) -> Response:
    """An answer with an ETag, or 304 where the phone has just that: lists are asked for again and again."""
    response = Response(body, content_type=content_type)
    response.set_etag(etag or hashlib.md5(body, usedforsecurity=False).hexdigest())
    return response.make_conditional(request)  # type: ignore[return-value]


@_route("/formList")
def form_list(who: Caller) -> Response:
    """What this phone may fetch. ?formID= asks for one form."""
    listed = [who.draft] if who.draft else forms.listed(connection.reading(), who.project_id)
    wanted = request.args.get("formID")
    return _xml(openrosa.form_list(_listed(who, f) for f in listed if wanted in {None, f.form_id}))


def _listed(who: Caller, form: FormVersion) -> openrosa.ListedForm:
    place = f"{_base(who)}/versions/{form.id}"
    return openrosa.ListedForm(
        form_id=form.form_id,
        version=form.version,
        name=form.title,
        md5=form.xml_md5,
        download_url=f"{place}/form.xml",
        manifest_url=f"{place}/manifest" if form.has_media else None,
    )


def _version(who: Caller, version_id: int) -> FormVersion:
    """A version this caller may see: the draft under test, or one of an open form of the project."""
    found = forms.find_version(connection.reading(), who.project_id, version_id)
    if found is None or (who.draft is not None and who.draft.id != version_id):
        raise problems.FormUnknown()
    if who.draft is None and found.published_at is None:
        raise problems.FormUnknown()
    if found.form_state == "closed":
        raise problems.FormClosed()
    return found


@_route("/versions/<int:version_id>/form.xml")
def form_xml(who: Caller, version_id: int) -> Response:
    """The XForm, byte for byte what its MD5 in the list is of."""
    found = _version(who, version_id)
    if request.if_none_match.contains(found.xml_md5):
        return _cached(b"", openrosa.CONTENT_TYPE, found.xml_md5)
    return _cached(forms.xml(connection.reading(), version_id), openrosa.CONTENT_TYPE, found.xml_md5)


@_route("/versions/<int:version_id>/manifest")
def manifest(who: Caller, version_id: int) -> Response:
    """The files beside a form. Collect asks for this for every form at every poll."""
    _version(who, version_id)
    place = f"{_base(who)}/versions/{version_id}"
    files = []
    for row in forms.media(connection.reading(), version_id):
        url = f"{place}/media/{quote(row.name, safe='')}"
        if row.kind == "entities":
            files.append(openrosa.MediaFile(row.name, _list_md5(who, row.name), url, f"{place}/integrity"))
        else:
            files.append(openrosa.MediaFile(row.name, row.content_md5, url))
    return _xml(openrosa.manifest(files))


@_route("/versions/<int:version_id>/media/<name>")
def media(who: Caller, version_id: int, name: str) -> Response:
    """One file beside a form; entity lists are made from the store for this phone."""
    _version(who, version_id)
    row = forms.media_file(connection.reading(), version_id, name)
    if row is None:
        raise problems.NotFound()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if row.kind == "entities":
        return _cached(_entities(who, name), "text/csv; charset=utf-8")
    return _cached(bytes(row.content), kind, row.content_md5)


@_route("/versions/<int:version_id>/integrity")
def integrity(who: Caller, version_id: int) -> Response:
    """For entities that a phone made itself: which of them are deleted here?"""
    _version(who, version_id)
    asked = [i for i in request.args.get("id", "").split(",") if i]
    known = entities.known_ids(connection.reading(), _scope(who), asked)
    return _xml(openrosa.integrity((i, i not in known) for i in asked))


def _entities(who: Caller, name: str) -> bytes:
    return entities.csv_of(connection.reading(), _scope(who), name, connection.now_ms())


def _list_md5(who: Caller, name: str) -> str:
    hashes: entities.Hashes = current_app.extensions["yangdi-list-hashes"]
    return hashes.of(connection.reading(), _scope(who), name, connection.now_ms())


def _scope(who: Caller) -> Scope:
    return Scope(who.project_id, who.crew_id, who.device_id)


@_route("/submission", methods=("GET", "HEAD"))
def may_i_send(_who: Caller) -> Response:
    """204: yes, and so much at a time. Collect reads the size from no other status."""
    return Response(status=204)


@_route("/submission", methods=("POST",))
def submission(who: Caller) -> Response:
    """An instance and files beside it, whole or in parts; answered when all of it is safe."""
    blobs = Blobs(connection.settings().photo_dir)
    with read_parts(blobs, connection.settings().max_instance_bytes) as parts:
        with one_at_a_time:
            instance = _read(parts)
        files = [_keep(blobs, part) for part in parts.files]
        with one_at_a_time:
            form = _form(who, instance)
            answers = _answers(instance, form[1])
            parcel = _parcel(who, instance, parts, files, answers, form)
            ways = projects.ways(connection.reading(), who.project_id)
            assert ways is not None  # whoever calls belongs to it
            seen = _glance(who, answers, ways)
            connection.read_again()  # give the view back before waiting for the pen
        given = _receive(parcel, ways)
    return _answer(who, given, seen)


def _read(parts: Parts) -> Instance:
    try:
        return read(parts.xml, connection.settings().max_instance_bytes)
    except InstanceUnreadable as error:
        raise problems.InstanceRefused(str(error)) from error


def _keep(blobs: Blobs, part: Part) -> File:
    return File(part.name, blobs.keep(part.content), part.content.size, part.content_type)


def _form(who: Caller, instance: Instance) -> tuple[str | None, int | None]:
    """State of the form and number of the version that an instance names."""
    meta = instance.meta
    if who.draft is not None:
        if meta.form_id != who.draft.form_id:
            raise problems.DraftGone()
        return "open", who.draft.id
    return forms.state_and_version(connection.reading(), who.project_id, meta.form_id, meta.version)


def _answers(instance: Instance, version_id: int | None) -> Answers | None:
    """The answers, where the form's version is known and nothing is encrypted."""
    if version_id is None or instance.meta.encrypted:
        return None
    reading = connection.reading()
    readers: forms.Readers = current_app.extensions["yangdi-readers"]
    return readers.get(reading, version_id).answers(instance.root)


def _parcel(who: Caller, instance: Instance, parts: Parts, files: list[File], answers: Answers | None,
            form: tuple[str | None, int | None]) -> Parcel:  # fmt: skip
    return Parcel(
        project_id=who.project_id,
        meta=instance.meta,
        xml=parts.xml,
        files=files,
        expected=[name[:200] for name in answers.files] if answers else [],
        received_at=connection.now_ms(),
        form_state=form[0],
        form_version_id=form[1],
        device_id=who.device_id,
        person_id=who.person_id,
        device_revoked=who.revoked,
        phone_id=(request.args.get("deviceID") or "")[:255] or None,
        app=(request.headers.get("User-Agent") or "")[:255] or None,
        draft_version_id=who.draft.id if who.draft else None,
    )


def _glance(who: Caller, answers: Answers | None, ways: Ways) -> glance.Glance | None:
    if answers is None or who.revoked:
        return None
    return glance.glance(connection.reading(), who.project_id, answers, ways)


def _receive(parcel: Parcel, ways: Ways) -> Receipt:
    sealed = receive.seal(parcel)
    try:
        return connection.database().write(lambda c: receive.receive(c, sealed, strict=ways.strict_intake))
    except receive.Refused as refused:
        raise PROBLEM_OF[refused.reason]() from refused


def _answer(who: Caller, given: Receipt, seen: glance.Glance | None) -> Response:
    if given.reason is not None:
        words, status = receipt.held(who.locale, given.reason), 202
    else:
        plot, trees, odd = (seen.plot, seen.trees, seen.odd(who.locale)) if seen else ("", 0, [])
        words = receipt.text(
            who.locale,
            plot,
            trees,
            given.photos_here,
            given.photos_expected,
            odd,
            tested=who.draft is not None,
        )
        status = 201
    return Response(openrosa.message(words, "submit_success"), status, content_type=openrosa.CONTENT_TYPE)


@_route("/view/submissionList", draft=False)
def submission_list(who: Caller) -> Response:
    """Ids of what was sent to a form, in pages, for tools that pull. A phone sees what it sent itself."""
    form_id = request.args.get("formId", "")
    after = min(request.args.get("cursor", 0, type=int), addresses.MOST)
    most = max(1, min(request.args.get("numEntries", PAGE_OF_IDS, type=int), PAGE_OF_IDS))
    rows = submissions.page_of_ids(connection.reading(), who.project_id, form_id, after, most, _own(who))
    cursor = str(rows[-1].id if rows else after)
    return _xml(openrosa.submission_list((row.instance_id for row in rows), cursor))


def _own(who: Caller) -> int | None:
    """A device reads what it sent; a crew member's password opens nothing that others sent."""
    if who.sees_all:
        return None
    return who.device_id if who.device_id is not None else -1


@_route("/view/downloadSubmission", draft=False)
def download_submission(who: Caller) -> Response:
    """One submission with its files, asked for as Briefcase does: formId=F[...]/data[@key=uuid:...]."""
    form_id, instance_id = _briefcase_key(request.args.get("formId", ""))
    row = submissions.counting(connection.reading(), who.project_id, form_id, instance_id)
    found = submissions.find(connection.reading(), row.id) if row else None
    if found is None or _own(who) not in {None, found.device_id}:
        raise problems.NotFound()
    blobs = Blobs(connection.settings().photo_dir)
    files = [
        openrosa.MediaFile(
            a.name,
            blobs.md5(a.sha256),
            f"{_base(who)}/submissions/{found.id}/{a.id}/{quote(a.name, safe='')}",
        )
        for a in attachments.of(connection.reading(), found.id)
        if a.sha256
    ]
    xml = submissions.xml_of(found).decode().lstrip("\ufeff")
    if xml.startswith("<?xml"):
        xml = xml.partition("?>")[2]
    return _xml(openrosa.download(xml, files))


def _briefcase_key(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"([^\[]+)\[.*\]/[^\[]+\[@key=(.+)\]", text)
    if match is None:
        raise problems.BadRequest("formId=FORM[@version=null and @uiVersion=null]/data[@key=uuid:...]")
    return match[1], match[2]


@_route("/submissions/<int:submission_id>/<int:attachment_id>/<name>", draft=False)
def submission_file(who: Caller, submission_id: int, attachment_id: int, name: str) -> Response:
    """A file that came with a submission, for whoever may read the submission."""
    row = attachments.find(connection.reading(), attachment_id)
    if (
        row is None
        or row.sha256 is None
        or (row.submission_id, row.project_id, row.name) != (submission_id, who.project_id, name)
        or _own(who) not in {None, row.device_id}
    ):
        raise problems.NotFound()
    path = Blobs(connection.settings().photo_dir).path(row.sha256)
    return send_file(
        path, "application/octet-stream", as_attachment=True, download_name=name, etag=row.sha256
    )
