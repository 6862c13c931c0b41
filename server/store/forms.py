"""Forms, their versions and the files beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, exists, insert, select, update

from forms.definition import Form
from forms.instance import Reader
from server.store import feed
from server.store.hot import Hot
from server.store.rows import AnyRow
from server.store.schema import form, form_media, form_version, project


class FormVersion(NamedTuple):
    """One version of a form as a door needs it. `form_state`: open, closing (takes, is not listed) or closed."""

    id: int
    form_id: str
    form_state: str
    version: str
    title: str
    xml_md5: str
    has_media: bool
    published_at: int | None = None  # None: a draft, which may only be tried


_HAS_MEDIA = exists().where(form_media.c.form_version_id == form_version.c.id)
_COLUMNS = (form_version.c.id, form.c.form_id, form.c.state, form_version.c.version, form_version.c.title,
            form_version.c.xml_md5, _HAS_MEDIA)  # fmt: skip
_JOINED = form_version.join(form, form.c.id == form_version.c.form_key)


_LISTED = Hot(
    select(*_COLUMNS, form_version.c.published_at)
    .select_from(_JOINED)
    .where(form.c.project_id == bindparam("project_id"), form.c.state == "open", form_version.c.is_current)
    .order_by(form.c.form_id)
)
_BY_NUMBER = Hot(
    select(*_COLUMNS, form_version.c.published_at)
    .select_from(_JOINED)
    .where(form_version.c.id == bindparam("version_id"), form.c.project_id == bindparam("project_id"))
)
_BY_DRAFT_TOKEN = Hot(
    select(*_COLUMNS, form_version.c.published_at)
    .select_from(_JOINED)
    .where(form_version.c.draft_token == bindparam("token"), form.c.project_id == bindparam("project_id"))
)


def listed(connection: Connection, project_id: int) -> list[FormVersion]:
    """What phones of a project may fetch: the current version of every open form, in order of id."""
    return [FormVersion(*row) for row in _LISTED.all(connection, {"project_id": project_id})]


class Told(NamedTuple):
    """A form as a phone is told of it; `version_id` None: it may not be fetched any more."""

    form_id: str
    version_id: int | None
    version: str
    title: str
    xml_md5: str


def by_key(connection: Connection, project_id: int, keys: Iterable[int]) -> list[Told]:
    """Forms by their number in the store, with the version that phones fetch."""
    is_fetched = and_(form_version.c.form_key == form.c.id, form_version.c.is_current, form.c.state == "open")
    query = (
        select(
            form.c.form_id,
            form_version.c.id,
            form_version.c.version,
            form_version.c.title,
            form_version.c.xml_md5,
        )
        .select_from(form.outerjoin(form_version, is_fetched))
        .where(form.c.project_id == project_id, form.c.id.in_(list(keys)))
        .order_by(form.c.form_id)
    )
    return [Told._make(row) for row in connection.execute(query)]


def media_of(connection: Connection, version_ids: Sequence[int]) -> dict[int, list[tuple[str, str | None]]]:
    """Files beside some versions: name and MD5; None for a list that is made from the store."""
    query = (
        select(form_media.c.form_version_id, form_media.c.name, form_media.c.content_md5)
        .where(form_media.c.form_version_id.in_(version_ids))
        .order_by(form_media.c.name)
    )
    found: dict[int, list[tuple[str, str | None]]] = {}
    for version_id, name, md5 in connection.execute(query):
        found.setdefault(version_id, []).append((name, md5))
    return found


def find_version(connection: Connection, project_id: int, version_id: int) -> FormVersion | None:
    """A version of this project's forms by its number, drafts too."""
    row = _BY_NUMBER.first(connection, {"version_id": version_id, "project_id": project_id})
    return FormVersion(*row) if row else None


def find_draft(connection: Connection, project_id: int, token: str) -> FormVersion | None:
    """The draft that this test token opens."""
    row = _BY_DRAFT_TOKEN.first(connection, {"token": token, "project_id": project_id})
    return FormVersion(*row) if row else None


_STATE = Hot(
    select(form.c.state, form_version.c.id)
    .select_from(
        form.outerjoin(
            form_version,
            and_(
                form_version.c.form_key == form.c.id,
                form_version.c.version == bindparam("version"),
                form_version.c.published_at.is_not(None),
            ),
        )
    )
    .where(form.c.project_id == bindparam("project_id"), form.c.form_id == bindparam("form_id"))
)


def state_and_version(
    connection: Connection, project_id: int, form_id: str, version: str
) -> tuple[str | None, int | None]:
    """The form's state and the number of the published version an instance names; None for what is unknown."""
    row = _STATE.first(connection, {"project_id": project_id, "form_id": form_id, "version": version})
    return (row[0], row[1]) if row else (None, None)


def xml(connection: Connection, version_id: int) -> bytes:
    """The exact bytes of a version's XForm."""
    return bytes(
        connection.execute(select(form_version.c.xml).where(form_version.c.id == version_id)).scalar_one()
    )


def definition(connection: Connection, version_id: int) -> dict[str, Any]:
    """forms.definition.Form of a version, as JSON."""
    value: dict[str, Any] = connection.execute(
        select(form_version.c.definition).where(form_version.c.id == version_id)
    ).scalar_one()
    return value


def media(connection: Connection, version_id: int) -> list[AnyRow]:
    """Files beside a version: name, kind, content_md5; without their bytes."""
    query = (
        select(form_media.c.name, form_media.c.kind, form_media.c.content_md5)
        .where(form_media.c.form_version_id == version_id)
        .order_by(form_media.c.name)
    )
    return list(connection.execute(query))


def media_file(connection: Connection, version_id: int, name: str) -> AnyRow | None:
    """One file beside a version: kind, content, content_md5."""
    query = select(form_media.c.kind, form_media.c.content, form_media.c.content_md5).where(
        form_media.c.form_version_id == version_id, form_media.c.name == name
    )
    return connection.execute(query).first()


def ensure(connection: Connection, project_id: int, form_id: str, at: int) -> tuple[int, str]:
    """The form's number and state, made open where it is new."""
    query = select(form.c.id, form.c.state).where(form.c.project_id == project_id, form.c.form_id == form_id)
    row = connection.execute(query).first()
    if row:
        return row[0], row[1]
    result = connection.execute(
        insert(form)
        .values(project_id=project_id, form_id=form_id, state="open", created_at=at)
        .returning(form.c.id)
    )
    return result.scalar_one(), "open"


def published(connection: Connection, form_key: int, version: str) -> AnyRow | None:
    """A published version by its name: id, xml_md5."""
    query = select(form_version.c.id, form_version.c.xml_md5).where(
        form_version.c.form_key == form_key,
        form_version.c.version == version,
        form_version.c.published_at.is_not(None),
    )
    return connection.execute(query).first()


def current_version(connection: Connection, project_id: int, form_id: str) -> str | None:
    """The version of a form that phones fetch; None: there is none."""
    query = (
        select(form_version.c.version)
        .join(form, form.c.id == form_version.c.form_key)
        .where(form.c.project_id == project_id, form.c.form_id == form_id, form_version.c.is_current)
    )
    return connection.execute(query).scalar()


def add_version(connection: Connection, form_key: int, values: dict[str, Any]) -> int:
    """Keep a version as it is given; returns its number."""
    result = connection.execute(
        insert(form_version).values(form_key=form_key, **values).returning(form_version.c.id)
    )
    return int(result.scalar_one())


def add_media(connection: Connection, version_id: int, rows: list[dict[str, Any]]) -> None:
    """Keep the files beside a version; each row has name, kind, content, content_md5."""
    if rows:
        connection.execute(insert(form_media), [{"form_version_id": version_id, **row} for row in rows])


def make_current(connection: Connection, form_key: int, version_id: int) -> None:
    """From now on phones fetch this version."""
    connection.execute(
        update(form_version)
        .where(form_version.c.form_key == form_key)
        .values(is_current=form_version.c.id == version_id)
    )


def drop_drafts(connection: Connection, form_key: int) -> None:
    """A form has one draft at most; it ends when it is published or replaced."""
    connection.execute(
        delete(form_version).where(form_version.c.form_key == form_key, form_version.c.published_at.is_(None))
    )


def set_state(connection: Connection, project_id: int, form_id: str, state: str) -> bool:
    """Open, close or wind down a form, and tell phones. False: there is no such form."""
    here = (form.c.project_id == project_id) & (form.c.form_id == form_id)
    changed = connection.scalars(update(form).where(here).values(state=state).returning(form.c.id)).all()
    feed.changed(connection, project_id, feed.FORM, changed)
    return bool(changed)


def current(connection: Connection) -> list[tuple[str, str, str, str, str]]:
    """Every form that phones fetch: project, form id, version, state, title."""
    query = (
        select(project.c.name, form.c.form_id, form_version.c.version, form.c.state, form_version.c.title)
        .join(form, form.c.project_id == project.c.id)
        .join(form_version, form_version.c.form_key == form.c.id)
        .where(form_version.c.is_current)
        .order_by(project.c.id, form.c.form_id)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in connection.execute(query)]


MOST_READERS = 64
"""Form versions whose readers a process keeps; a county has a dozen."""


class Readers:
    """Readers of form versions, made once each; a version's bytes never change."""

    def __init__(self) -> None:
        self._known: dict[int, Reader] = {}

    def get(self, connection: Connection, version_id: int) -> Reader:
        """The reader of a version, made when first asked for."""
        reader = self._known.get(version_id)
        if reader is None:
            if len(self._known) >= MOST_READERS:
                self._known.clear()
            reader = self._known[version_id] = Reader(Form.from_json(definition(connection, version_id)))
        return reader
