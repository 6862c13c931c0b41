"""Who a phone is: by the key in the address, by a bearer token, or by a name and password over https.

Keys are kept as SHA-256 only. A key that nobody knows gets 403, not 401: ODK Collect would ask the crew for a
password that does not exist.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from flask import g, request
from sqlalchemy import Connection

from server.problems import (
    DeviceUnknown,
    DraftGone,
    HttpsNeeded,
    NotAllowed,
    NotFound,
    NotSignedIn,
    WrongPassword,
)
from server.store import devices, forms, passwords, people
from server.store.db import failures
from server.store.devices import Device, Said
from server.store.forms import FormVersion
from server.store.people import Person
from server.store.reviews import Act
from server.web import connection, session, tries

_VERIFIED_FOR_S = 300.0
"""s for which a name and password that were right need not be hashed again: Argon2 is slow on purpose."""
_verified: dict[bytes, float] = {}
_verified_lock = threading.Lock()
KEY_BYTES = 32
"""Random bytes of a phone's key: nobody guesses 256 bits."""
SEEN_EVERY_MS = 60_000
"""A phone's "last seen" is written once a minute at most: it is not worth an fsync a request."""
MOST_PENDING_DIGITS = 6
"""Digits of a phone's pending count that are believed."""


class News(NamedTuple):
    """What a request tells about its phone, where that is worth being noted."""

    said: Said
    at: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at a door, and what she may see. `base` is the address under which she came; `news` are still to be
    noted (None: nothing new, or noted already)."""

    project_id: int
    base: str
    locale: str
    device_id: int | None = None
    crew_id: int | None = None
    person_id: int | None = None
    revoked: bool = False
    sees_all: bool = False
    draft: FormVersion | None = None
    news: News | None = None


def new_key() -> str:
    """A phone's key: shown once, never kept."""
    return secrets.token_urlsafe(KEY_BYTES)


def token_hash(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def caller(
    project_id: int,
    key: str | None = None,
    draft_token: str | None = None,
    form_id: str | None = None,
    *,
    notes: bool = True,
) -> Caller:
    """Who calls. A door that writes anyway says `notes=False`, and then `note` in its own transaction.

    Raises NotSignedIn, DeviceUnknown, WrongPassword, HttpsNeeded, NotFound, DraftGone. A revoked device is known and
    comes back with `revoked`: what it may still do is the door's decision.
    """
    base = _base()
    if draft_token is not None:
        return _tester(project_id, draft_token, form_id or "", base)
    if key is None:
        key = _bearer()
    found = _device(project_id, key, base) if key is not None else _person(project_id, base)
    g.locale = found.locale
    return _noted(found) if notes and found.news else found


def _base() -> str:
    public = connection.settings().public_url.rstrip("/")
    root = public or request.host_url.rstrip("/")
    head, _, _ = request.path.partition("/projects/")
    return f"{root}{head}"


def _tester(project_id: int, token: str, form_id: str, base: str) -> Caller:
    draft = forms.find_draft(connection.reading(), project_id, token)
    if draft is None or draft.form_id != form_id:
        raise DraftGone()
    return Caller(project_id, base, connection.settings().default_locale, draft=draft)


def _bearer() -> str | None:
    header = request.headers.get("Authorization", "")
    return header[7:].strip() if header[:7].lower() == "bearer " else None


def _device(project_id: int, key: str, base: str) -> Caller:
    row = devices.by_token(connection.reading(), token_hash(key))
    if row is None or row.project_id != project_id:
        raise DeviceUnknown()
    return Caller(
        project_id,
        base,
        row.locale,
        device_id=row.id,
        crew_id=row.crew_id,
        revoked=row.revoked_at is not None,
        news=_news(row),
    )


def phone(project_id: int, *, notes: bool = True) -> Caller:
    """The phone that shows its key as a bearer token; what may be asked of a revoked one is the door's decision.

    `notes` and what it raises as `caller`, and DeviceUnknown for whoever is a person.
    """
    found = caller(project_id, notes=notes)
    if found.device_id is None:
        raise DeviceUnknown()
    return found


def _news(row: Device) -> News | None:
    """What it says of itself, where that is new or its last word is old."""
    now = connection.now_ms()
    said = Said(_said("User-Agent", 255), _said("Yangdi-App", 80), _pending())
    is_new = row.joined_at is None or said.pending_count not in {None, row.pending_count}
    # the clock may have been set back since
    if is_new or row.last_seen_at is None or abs(now - row.last_seen_at) > SEEN_EVERY_MS:
        return News(said, now)
    return None


def _noted(who: Caller) -> Caller:
    """Note that it was here. A request that only reads never fails for that."""
    with contextlib.suppress(*failures(), OSError):
        connection.database().write(lambda c: note(c, who))
    connection.read_again()
    return replace(who, news=None)


def note(pen: Connection, who: Caller) -> None:
    """Note in a door's own transaction what this phone says of itself."""
    if who.news and who.device_id is not None:
        devices.seen(pen, who.device_id, who.news.said, who.news.at)


def _said(header: str, most_chars: int) -> str | None:
    text = "".join(c for c in request.headers.get(header, "") if c.isprintable())
    return text.strip()[:most_chars] or None


def _pending() -> int | None:
    """How many instances it still has to send, as it says; None for no number that a phone could mean."""
    text = request.headers.get("Yangdi-Pending", "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_PENDING_DIGITS else None


def _person(project_id: int, base: str) -> Caller:
    someone = _by_password()
    role = someone.role_in(project_id)
    if role is None:
        raise NotFound()
    return Caller(project_id, base, someone.locale, person_id=someone.id, sees_all=role in session.SEES_PAGES)


def _by_password() -> Person:
    """The person behind a name and password. Raises NotSignedIn, HttpsNeeded, WrongPassword, TooOften."""
    given = request.authorization
    if given is None or given.type != "basic" or given.username is None:
        raise NotSignedIn()
    if not request.is_secure:
        raise HttpsNeeded()
    someone, password_hash = people.find_by_login(connection.reading(), given.username)
    if not _password_right(given.username, given.password or "", password_hash) or someone is None:
        tries.was_wrong(given.username)
        raise WrongPassword()
    return someone


def reader(project_id: int) -> Person:
    """Who reads a project's data, by session or by name and password. Raises as `caller`, and NotAllowed."""
    someone = _reading_person()
    role = someone.role_in(project_id)
    if role is None:
        raise NotFound()
    if role not in session.SEES_PAGES:
        raise NotAllowed()
    return someone


def deciding(project_id: int, why: str) -> Act:
    """Who decides on a project's data, by session or by name and password, and why. Raises as `reader`."""
    someone = reader(project_id)
    if someone.role_in(project_id) not in session.DECIDES:
        raise NotAllowed()
    return Act(someone.login, why, connection.now_ms())


def readable_projects() -> list[dict[str, Any]]:
    """Id and name of the projects whose data the caller may read."""
    return session.projects_of(_reading_person())


def _reading_person() -> Person:
    someone = session.person_or_none() or _by_password()
    g.locale = someone.locale
    return someone


def _password_right(login: str, password: str, password_hash: str | None) -> bool:
    mark = hashlib.sha256(f"{login}\0{password}\0{password_hash}".encode()).digest()
    now = time.monotonic()
    with _verified_lock:
        if _verified.get(mark, 0.0) > now:
            return True
    tries.may_try(login)
    if not passwords.matches(password_hash, password):
        return False
    with _verified_lock:
        for old in [m for m, until in _verified.items() if until <= now]:
            del _verified[old]
        _verified[mark] = now + _VERIFIED_FOR_S
    return True
