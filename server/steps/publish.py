"""A form is published, or put up as a draft to be tried on a phone first."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from forms import rework
from forms.definition import Choice, Form
from server.problems import InvalidInput
from server.store import events, feed, forms, jobs, species, submissions

if TYPE_CHECKING:
    from forms.compile import Compiled

ENTITY_LISTS = frozenset({"plots.csv", "trees.csv", "rework_plots.csv", "rework.csv"})
"""Files a form may name without bringing them: the server makes them from what it knows."""


class VersionTaken(InvalidInput):
    """A published version is what phones filled in; its bytes never change."""

    code = "version-taken"
    zh = "调查表 {form_id} 的版本 {version} 已经发布过且内容不同。请在 settings 表中换一个新的 version 再发布。"
    en = (
        "Version {version} of form {form_id} is published with other content. "
        "Give it a new version in the settings sheet."
    )


class MediaMissing(InvalidInput):
    """A form names a file that nobody has brought."""

    code = "media-missing"
    zh = "调查表需要文件 {names}，请用 --media 一起提供。"
    en = "The form needs {names}: give it along with --media."


def publish(
    connection: Connection,
    project_id: int,
    form: Form,
    xml: bytes,
    media: Mapping[str, bytes],
    by: str,
    at: int,
) -> int:
    """Publish a version, make it the one phones fetch, and end its draft. Returns the version's number.

    Publishing the same bytes again changes nothing. Raises VersionTaken, MediaMissing.
    """
    form_key, _ = forms.ensure(connection, project_id, form.form_id, at)
    taken = forms.published(connection, form_key, form.version)
    if taken is not None and (taken.xml_md5 != _md5(xml) or not _same_media(connection, taken.id, media)):
        raise VersionTaken(form.version, form_id=form.form_id, version=form.version)
    submissions.drop_drafts(connection, project_id, form.form_id)  # first: they name the version
    forms.drop_drafts(connection, form_key)
    if taken is not None:
        version_id = int(taken.id)
    else:
        version_id = _add(connection, form_key, form, xml, media, {"published_at": at})
        events.add(connection, project_id, by, "form.publish", form.form_id, {"version": form.version}, at)
    forms.make_current(connection, form_key, version_id)
    jobs.put(connection, jobs.SETTLE, submissions.waiting_for_form(connection, project_id, form.form_id), at)
    feed.changed(connection, project_id, feed.FORM, [form_key])
    return version_id


def look_rework(connection: Connection, project_ids: Sequence[int]) -> list[tuple[int, Compiled]]:
    """The form for trees that were sent back, for projects whose phones do not have it as it would be made today. One
    of that name that a person has published stays."""
    found = []
    for project_id in project_ids:
        choices = [Choice(code, labels) for code, labels in species.labels(connection, project_id).items()]
        current = forms.current_version(connection, project_id, rework.FORM_ID)
        if current is None or (current.startswith(rework.MADE) and current != rework.version_of(choices)):
            found.append((project_id, rework.make(choices)))
    return found


def write_rework(connection: Connection, found: Sequence[tuple[int, Compiled]], at: int) -> None:
    """Publish it for each of these projects."""
    for project_id, compiled in found:
        publish(connection, project_id, compiled.form, compiled.xml, compiled.media, "server", at)


def draft(
    connection: Connection,
    project_id: int,
    form: Form,
    xml: bytes,
    media: Mapping[str, bytes],
    by: str,
    at: int,
) -> str:
    """Put up a draft in place of the one before, and return the token that opens it."""
    form_key, _ = forms.ensure(connection, project_id, form.form_id, at)
    submissions.drop_drafts(connection, project_id, form.form_id)  # first: they name the version
    forms.drop_drafts(connection, form_key)
    token = secrets.token_urlsafe(32)
    _add(connection, form_key, form, xml, media, {"draft_token": token})
    events.add(connection, project_id, by, "form.draft", form.form_id, {"version": form.version}, at)
    return token


def _add(
    connection: Connection,
    form_key: int,
    form: Form,
    xml: bytes,
    media: Mapping[str, bytes],
    values: dict[str, object],
) -> int:
    missing = sorted(set(form.media) - set(media) - ENTITY_LISTS)
    if missing:
        raise MediaMissing(names=", ".join(missing))
    version_id = forms.add_version(
        connection,
        form_key,
        {
            "version": form.version,
            "title": form.title,
            "xml": xml,
            "xml_md5": _md5(xml),
            "definition": form.to_json(),
            **values,
        },
    )
    rows: list[dict[str, object]] = [
        {"name": name, "kind": "file", "content": content, "content_md5": _md5(content)}
        for name, content in media.items()
    ]
    rows += [
        {"name": name, "kind": "entities", "content": None, "content_md5": None}
        for name in sorted((set(form.media) & ENTITY_LISTS) - set(media))
    ]
    forms.add_media(connection, version_id, rows)
    return version_id


def _same_media(connection: Connection, version_id: int, media: Mapping[str, bytes]) -> bool:
    known = {row.name: row.content_md5 for row in forms.media(connection, version_id) if row.kind == "file"}
    return known == {name: _md5(content) for name, content in media.items()}


def _md5(content: bytes) -> str:
    # Collect compares forms and media by MD5; it protects nothing here
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
