"""What a phone could not send comes in as a file: each instance is kept as if its phone had sent it itself.

A file may hold a season, so it is taken in groups, each a transaction of its own: what a group brought stays, and the
same file again changes nothing. A group's files are durable before its instances are written.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from forms.errors import InstanceUnreadable
from forms.instance import Instance, read
from server.steps import receive
from server.steps.receive import Parcel, Receipt, Refused, Sealed
from server.store import attachments, bulk, events, forms
from server.store.attachments import File
from server.store.blobs import Blobs
from server.store.db import Database
from sync import outbox
from sync.outbox import Fault, Finding, Outbox, Unusable

ACTION = "outbox.import"
"""Under which an import stands among the events."""
APP = "outbox file"
"""What stands in place of the program that sent an instance."""
AT_ONCE = 50
"""Instances of one transaction."""
LOST = frozenset({Fault.LIST_MISSING, Fault.ITEM_UNREADABLE, Fault.DOUBLE_NAME})
"""Faults behind which something may have been that nobody can name."""
MOST_TOLD = 2000
"""Instances whose fate one event tells; of more it tells the numbers."""


class Sender(NamedTuple):
    """Who brings the file in: a person, or None at the command line. What the file calls its phone is no proof."""

    project_id: int
    person_id: int | None
    strict: bool
    most_instance_bytes: int


class Brought(NamedTuple):
    """What became of one instance. `state` as the wire says it: kept, already_kept, quarantined, refused (`reason`).

    `missing` are names of its files that the server does not have yet; `findings` what was wrong with them.
    """

    client_id: str
    state: str
    reason: str | None = None
    instance_id: str | None = None
    instance_name: str | None = None
    photos_received: int = 0
    photos_expected: int = 0
    missing: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Is everything of it on this server?"""
        return self.state != "refused" and not self.missing


def import_outbox(
    database: Database, blobs: Blobs, box: Outbox, sender: Sender, now_ms: Callable[[], int]
) -> Iterator[Brought]:
    """Keep everything that can be read of an outbox file; each result is given after its commit.

    `now_ms` is the door's clock.
    """
    readers = forms.Readers()
    for group in bulk.chunks(box.instances, AT_ONCE):
        with database.reading() as connection:
            look = _Look(connection, blobs, box, sender, readers, now_ms())
            looked = [look.at(instance) for instance in group]
        yield from _kept(database, sender, looked)


class _Looked(NamedTuple):
    """An instance that can be read, its files durable."""

    client_id: str
    sealed: Sealed
    findings: tuple[Finding, ...]


def _kept(database: Database, sender: Sender, looked: Sequence[_Looked | Brought]) -> Iterator[Brought]:
    sealed = [one.sealed for one in looked if isinstance(one, _Looked)]
    given = iter(
        database.write(lambda c: receive.receive_all(c, sealed, strict=sender.strict)) if sealed else ()
    )
    for one in looked:
        yield one if isinstance(one, Brought) else _result(one, next(given))


def _result(one: _Looked, given: Receipt | Refused) -> Brought:
    meta = one.sealed.parcel.meta
    said = Brought(
        one.client_id, "refused", given.reason, meta.instance_id, meta.instance_name, findings=one.findings
    )
    if isinstance(given, Refused):
        return said
    state = "quarantined" if given.reason else "kept" if given.is_new else "already_kept"
    missing = tuple(
        place.name
        for place in given.places
        if place.is_expected and not place.sha256 and place.name != attachments.AUDIT_LOG
    )
    return said._replace(
        state=state, missing=missing, photos_received=given.photos_here, photos_expected=given.photos_expected
    )


class _Look:
    """One group while it is read: what is asked of the store again and again is asked once."""

    def __init__(self, connection: Connection, blobs: Blobs, box: Outbox, sender: Sender, readers: forms.Readers,
                 at: int) -> None:  # fmt: skip
        self._connection, self._blobs, self._box, self._sender = connection, blobs, box, sender
        self._readers, self._at = readers, at
        self._forms: dict[tuple[str, str], tuple[str | None, int | None]] = {}

    def at(self, named: outbox.Instance) -> _Looked | Brought:
        """One instance, its files kept; a refusal that says why for what is no instance."""
        try:
            xml = self._box.xml(named)
            instance = read(xml, self._sender.most_instance_bytes)
        except Unusable as unusable:
            return Brought(named.client_id, "refused", unusable.finding.fault, findings=(unusable.finding,))
        except InstanceUnreadable as error:
            return Brought(named.client_id, "refused", error.reason)
        files, findings = self._files(named.files)
        return _Looked(
            named.client_id, receive.seal(self._parcel(xml, instance, named, files)), tuple(findings)
        )

    def _files(self, named: Sequence[outbox.File]) -> tuple[list[File], list[Finding]]:
        """Files whose bytes are durable, by what is in the box or what the project has; and what was wrong."""
        known = self._known([file.sha256 for file in named])
        files, findings = [], []
        for file in named:
            try:
                size_bytes, kind = known.get(file.sha256) or (self._unpack(file), _kind(file.name))
                files.append(File(file.name, file.sha256, size_bytes, kind))
            except Unusable as unusable:
                findings.append(unusable.finding._replace(name=file.name))
        return files, findings

    def _known(self, sha256s: list[str]) -> Mapping[str, tuple[int, str]]:
        found = attachments.known(self._connection, self._sender.project_id, sha256s)
        return {sha256: known for sha256, known in found.items() if self._blobs.path(sha256).exists()}

    def _unpack(self, file: outbox.File) -> int:
        with self._blobs.incoming() as part:
            for piece in self._box.pieces(file):
                part.write(piece)
            self._blobs.keep(part)
            return part.size

    def _parcel(
        self, xml: bytes, instance: Instance, named: outbox.Instance, files: Sequence[File]
    ) -> Parcel:
        state, version_id = self._form(instance.meta.form_id, instance.meta.version)
        return Parcel(
            project_id=self._sender.project_id,
            meta=instance.meta,
            xml=xml,
            files=files,
            expected=list(
                dict.fromkeys([*(file.name for file in named.files), *self._asked(instance, version_id)])
            ),
            received_at=self._at,
            form_state=state,
            form_version_id=version_id,
            person_id=self._sender.person_id,
            phone_id=self._box.device or None,
            app=APP,
        )

    def _form(self, form_id: str, version: str) -> tuple[str | None, int | None]:
        if (form_id, version) not in self._forms:
            found = forms.state_and_version(self._connection, self._sender.project_id, form_id, version)
            self._forms[form_id, version] = found
        return self._forms[form_id, version]

    def _asked(self, instance: Instance, version_id: int | None) -> list[str]:
        """Names of files in its answers: a list that is damaged may not have them all."""
        if version_id is None or instance.meta.encrypted:
            return []
        reader = self._readers.get(self._connection, version_id)
        return [name[: outbox.MOST_NAME_CHARS] for name in reader.answers(instance.root).files]


def _kind(name: str) -> str:
    return mimetypes.guess_type(name)[0] or ""


def note(connection: Connection, project_id: int, by: str, file_name: str, box: Outbox, brought: Sequence[Brought],
         at: int) -> int:  # fmt: skip
    """Write down what an import brought, for whoever asks later; the number of the event."""
    return events.add(connection, project_id, by, ACTION, file_name, report(box, brought), at)


def is_safe(box: Outbox, brought: Sequence[Brought]) -> bool:
    """Is everything that the file tells of on this server, and does it tell of everything?"""
    return all(one.is_safe for one in brought) and not any(found.fault in LOST for found in box.findings)


def report(box: Outbox, brought: Sequence[Brought]) -> dict[str, Any]:
    """What an import brought, as it is kept and shown: numbers, each instance, everything that was wrong."""
    counts = {state: sum(one.state == state for one in brought)
              for state in ("kept", "already_kept", "quarantined", "refused")}  # fmt: skip
    return {
        "device": box.device,
        "exported_at": box.exported_at,
        "counts": counts,
        "photos_received": sum(one.photos_received for one in brought),
        "photos_expected": sum(one.photos_expected for one in brought),
        "is_safe": is_safe(box, brought),
        "findings": [list(finding) for finding in box.findings[:MOST_TOLD]],
        "instances": [
            {**one._asdict(), "findings": [list(finding) for finding in one.findings]}
            for one in brought[:MOST_TOLD]
        ],
    }
