"""Step 1: instances have come. Keep each once, for good, and say what it is; everything else is a promise.

One or five hundred of them: what is known is looked up for all, each is decided on in turn, what was decided is
written for all. The XML is kept exactly as sent, the files are durable before this step begins, and the receipt is
given only after the commit. What does not count yet is kept all the same, in quarantine.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from forms.instance import Meta
from server.store import attachments, jobs, submissions, uploads
from server.store.attachments import Bringing, File, Place, Taken
from server.store.packed import pack
from server.store.submissions import KeptRow, Sent, draft_variant, is_draft
from sync.intake import (
    Arrival,
    Attach,
    Create,
    Decision,
    Kept,
    Known,
    Quarantine,
    Reason,
    Supersede,
    decide,
    is_settled_by_time,
    originals_first,
)

LOOK_AGAIN_MS = 10_000
"""ms after which a held instance is decided on anew even if nothing calls for it: what it waits for may have come in
the very moment in which it was held, in a transaction that could not see it. Longer than any of ours takes."""


class Parcel(NamedTuple):
    """What the door hands over: the instance, its bytes, its durable files, and who sent it.

    `form_state` and `form_version_id` are what the door found of its form, None where it is not known. `expected`
    are the file names that its answers mention. `draft_version_id` is set for a test of a draft.
    """

    project_id: int
    meta: Meta
    xml: bytes
    files: Sequence[File]
    expected: Sequence[str]
    received_at: int
    form_state: str | None = None
    form_version_id: int | None = None
    device_id: int | None = None
    person_id: int | None = None
    device_revoked: bool = False
    phone_id: str | None = None
    app: str | None = None
    draft_version_id: int | None = None


class Sealed(NamedTuple):
    """A parcel, hashed and packed: done before the pen is taken, since others wait for that."""

    parcel: Parcel
    arrival: Arrival
    packed: bytes


def seal(parcel: Parcel) -> Sealed:
    """Make a parcel ready to be received."""
    arrival = Arrival(
        sha256=hashlib.sha256(parcel.xml).digest(),
        deprecated_id=parcel.meta.deprecated_id,
        encrypted=parcel.meta.encrypted,
        draft=parcel.draft_version_id is not None,
        device_revoked=parcel.device_revoked,
    )
    return Sealed(parcel, arrival, pack(parcel.xml))


class Receipt(NamedTuple):
    """What became of it. `reason` None: it counts. `places` are its files, come or still on their way."""

    submission_id: int
    is_new: bool
    reason: Reason | None
    places: Sequence[Place] = ()

    @property
    def photos_expected(self) -> int:
        """How many files it names."""
        return sum(1 for place in self.places if _is_photo(place))

    @property
    def photos_here(self) -> int:
        """How many of those have come so far."""
        return sum(1 for place in self.places if _is_photo(place) and place.sha256)


def _is_photo(place: Place) -> bool:
    return place.is_expected and place.name != attachments.AUDIT_LOG


class Refused(Exception):
    """A project that wants strict intake does not keep what it cannot count."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def receive(connection: Connection, sealed: Sealed, *, strict: bool = False) -> Receipt:
    """Keep a parcel and give its receipt; to be committed before anybody hears of it.

    Raises Refused when `strict` and the instance would go to quarantine.
    """
    [given] = receive_all(connection, [sealed], strict=strict)
    if isinstance(given, Refused):
        raise given
    return given


def receive_all(
    connection: Connection, sealed: Sequence[Sealed], *, strict: bool = False
) -> list[Receipt | Refused]:
    """Keep parcels of one project, whatever their order, and give a receipt for each, in theirs; as `receive`."""
    if not sealed:
        return []
    plan = _Plan(connection, sealed, strict)
    submissions.add(connection, plan.new)
    return _carry_out(connection, plan)


class _Decided(NamedTuple):
    """What becomes of a parcel: the submission that it is or becomes."""

    sealed: Sealed
    decision: Decision
    submission_id: int

    @property
    def held(self) -> Reason | None:
        match self.decision:
            case Attach(reason=reason) | Quarantine(reason=reason):
                return reason
            case _:
                return None

    @property
    def counts_from_now(self) -> bool:
        return isinstance(self.decision, Create | Supersede)


class _Plan:
    """Decides on parcels one after the other, each knowing what was decided on those before it."""

    def __init__(self, connection: Connection, sealed: Sequence[Sealed], strict: bool) -> None:
        self._strict = strict
        self._kept = _look_up(connection, sealed)
        self._numbers = iter(submissions.reserve(connection, len(sealed)))
        self.new: list[Sent] = []
        metas = [one.parcel.meta for one in sealed]
        order = originals_first([(meta.instance_id, meta.deprecated_id) for meta in metas])
        outcomes = {place: self._decide(sealed[place]) for place in order}
        self.outcomes = [outcomes[place] for place in range(len(sealed))]

    @property
    def decided(self) -> list[_Decided]:
        return [one for one in self.outcomes if isinstance(one, _Decided)]

    def _decide(self, sealed: Sealed) -> _Decided | Refused:
        parcel = sealed.parcel
        decision = decide(sealed.arrival, self._known(parcel))
        match decision:
            case Attach(id=found):
                return _Decided(sealed, decision, found)
            case Quarantine(reason=reason) if self._strict:
                return Refused(reason)
            case Quarantine(reason=reason):
                return self._add(sealed, decision, None, reason)
            case Supersede(root_id=root_id):
                return self._add(sealed, decision, root_id, None)
            case Create():
                return self._add(sealed, decision, None, None)

    def _under(self, parcel: Parcel, instance_id: str) -> list[KeptRow]:
        return self._kept.setdefault((parcel.meta.form_id, instance_id), [])

    def _known(self, parcel: Parcel) -> Known:
        draft = parcel.draft_version_id is not None
        rows = self._under(parcel, parcel.meta.instance_id)
        same = tuple(_kept(row) for row in rows if is_draft(row.variant) == draft)
        original = None
        if parcel.meta.deprecated_id and not draft:
            rows = self._under(parcel, parcel.meta.deprecated_id)
            original = next((_kept(row) for row in rows if row.variant == ""), None)
        return Known(parcel.form_state, parcel.form_version_id is not None, same, original)

    def _add(
        self, sealed: Sealed, decision: Decision, root_id: int | None, reason: Reason | None
    ) -> _Decided:
        parcel, meta = sealed.parcel, sealed.parcel.meta
        sent = Sent(
            id=next(self._numbers),
            project_id=parcel.project_id,
            form_version_id=parcel.form_version_id,
            form_id=meta.form_id,
            version=meta.version,
            instance_id=meta.instance_id,
            variant=_variant(sealed, reason),
            deprecated_id=meta.deprecated_id,
            instance_name=meta.instance_name,
            root_id=root_id,
            xml=sealed.packed,
            xml_sha256=sealed.arrival.sha256,
            device_id=parcel.device_id,
            person_id=parcel.person_id,
            phone_id=parcel.phone_id,
            app=parcel.app,
            received_at=parcel.received_at,
            quarantine=reason,
        )
        self.new.append(sent)
        if isinstance(decision, Supersede) and meta.deprecated_id:
            self._moves_on(parcel, meta.deprecated_id, sent.id)
        self._under(parcel, meta.instance_id).append(
            KeptRow(
                sent.id,
                sent.xml_sha256,
                root_id,
                None,
                reason,
                sent.variant,
                meta.instance_id,
                sent.device_id,
            )
        )
        return _Decided(sealed, decision, sent.id)

    def _moves_on(self, parcel: Parcel, instance_id: str, to_id: int) -> None:
        rows = self._under(parcel, instance_id)
        rows[:] = [row._replace(superseded_by_id=to_id) if row.variant == "" else row for row in rows]


def _look_up(connection: Connection, sealed: Sequence[Sealed]) -> dict[tuple[str, str], list[KeptRow]]:
    """All that is kept under the ids that parcels name, by form and id."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for meta in (one.parcel.meta for one in sealed):
        wanted[meta.form_id] |= {meta.instance_id, meta.deprecated_id or meta.instance_id}
    project_id = sealed[0].parcel.project_id
    submissions.take_ids(connection, project_id, {each for ids in wanted.values() for each in ids})
    found: dict[tuple[str, str], list[KeptRow]] = {}
    for form_id in sorted(wanted):  # in one order for all, so that no two transactions wait for each other
        for row in submissions.under_ids(connection, project_id, form_id, list(wanted[form_id])):
            found.setdefault((form_id, row.instance_id), []).append(row)
    return found


def _variant(sealed: Sealed, reason: Reason | None) -> str:
    if reason is not None:
        return sealed.arrival.sha256.hex()
    return draft_variant(sealed.arrival.sha256) if sealed.arrival.draft else ""


def _kept(row: KeptRow) -> Kept:
    return Kept(
        id=row.id,
        sha256=bytes(row.xml_sha256),
        root_id=row.root_id or row.id,
        superseded=row.superseded_by_id is not None,
        reason=Reason(row.quarantine) if row.quarantine else None,
    )


def _carry_out(connection: Connection, plan: _Plan) -> list[Receipt | Refused]:
    decided = plan.decided
    taken = _take_files(connection, decided)
    for one in decided:
        if isinstance(one.decision, Supersede):
            submissions.supersede(connection, one.decision.original_id, one.submission_id)
            if one.sealed.parcel.expected:
                attachments.carry_forward(connection, one.decision.original_id, one.submission_id)
                taken[one.submission_id] = Taken(
                    attachments.of(connection, one.submission_id), taken[one.submission_id].fresh
                )
        elif (
            isinstance(one.decision, Attach) and one.submission_id in taken and taken[one.submission_id].fresh
        ):
            attachments.pass_on(connection, one.submission_id)
    jobs.put_all(connection, [*_promises(connection, decided), *_promised_photos(decided, taken)])
    return [
        outcome if isinstance(outcome, Refused) else _receipt(outcome, taken) for outcome in plan.outcomes
    ]


def _take_files(connection: Connection, decided: Sequence[_Decided]) -> dict[int, Taken]:
    if not decided:
        return {}
    waiting = _files_that_wait(connection, decided)
    brought = [
        Bringing(
            one.submission_id, one.sealed.parcel.expected, [*one.sealed.parcel.files, *waiting[_key(one)]]
        )
        for one in decided
        if one.sealed.parcel.files or one.sealed.parcel.expected or isinstance(one.decision, Attach)
    ]
    return attachments.take(connection, brought, decided[0].sealed.parcel.received_at)


def _key(one: _Decided) -> tuple[str, str]:
    meta = one.sealed.parcel.meta
    return meta.form_id, meta.instance_id


def _files_that_wait(
    connection: Connection, decided: Sequence[_Decided]
) -> Mapping[tuple[str, str], list[File]]:
    """Files that came before their instance; they wait no longer."""
    found: dict[tuple[str, str], list[File]] = defaultdict(list)
    keys = {_key(one) for one in decided if one.sealed.parcel.expected and not one.sealed.arrival.draft}
    whole = [
        upload
        for upload in uploads.waiting(
            connection, decided[0].sealed.parcel.project_id, [instance_id for _, instance_id in keys]
        )
        if (upload.form_id, upload.instance_id) in keys
    ]
    for upload in whole:
        file = File(upload.name, upload.sha256, upload.size_bytes, upload.content_type)
        found[upload.form_id, upload.instance_id].append(file)
    uploads.forget(connection, [upload.id for upload in whole])
    return found


Promise = tuple[str, int, int]
"""A kind of job, its subject, and the moment at which it is due."""


def _promises(connection: Connection, decided: Sequence[_Decided]) -> Iterator[Promise]:
    counting = [one for one in decided if one.counts_from_now and not one.sealed.arrival.draft]
    for one in counting:
        yield jobs.UNFOLD, one.submission_id, one.sealed.parcel.received_at
    for one in decided:
        if isinstance(one.decision, Quarantine) and is_settled_by_time(one.decision.reason):
            yield jobs.SETTLE, one.submission_id, one.sealed.parcel.received_at + LOOK_AGAIN_MS
    if counting:
        first = counting[0].sealed.parcel
        ids = [one.sealed.parcel.meta.instance_id for one in counting]
        for waiting in submissions.edits_waiting_for(connection, first.project_id, ids):
            yield jobs.SETTLE, waiting, first.received_at


def _promised_photos(decided: Sequence[_Decided], taken: Mapping[int, Taken]) -> Iterator[Promise]:
    """A photo is looked at even while its instance is held back, except in a test of a draft."""
    fresh: dict[int, int] = {}
    for one in decided:
        if not one.sealed.arrival.draft and one.held is not Reason.ENCRYPTED and one.submission_id in taken:
            at = one.sealed.parcel.received_at
            fresh |= dict.fromkeys(taken[one.submission_id].fresh, at)
    return ((jobs.INSPECT_PHOTO, number, at) for number, at in fresh.items())


def _receipt(one: _Decided, taken: Mapping[int, Taken]) -> Receipt:
    places = taken[one.submission_id].places if one.submission_id in taken else ()
    return Receipt(one.submission_id, not isinstance(one.decision, Attach), one.held, places)
