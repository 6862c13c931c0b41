"""The door that nobody knocks at: takes promised steps from the jobs table and carries them out.

Many jobs share a transaction; when one of them fails, each is tried alone, so that one bad plot holds up nobody.
A job that keeps failing waits longer each time and is set aside as a dead letter that a person can see and re-run.
What lies furthest along the way comes first, so that a plot gets its flags while others keep arriving. Photos have a
thread of their own that gives way to everything else: a thumbnail must hold up no flag, and no phone that is sending.
So has whatever goes through a whole census: a plot that has just come is checked in between.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection

from server.settings import Settings
from server.steps import (
    audit_score,
    check,
    crew_look,
    inspect_photo,
    merge,
    merge_edits,
    publish,
    recheck,
    refit,
    return_rework,
    settle,
    unfold,
)
from server.store import forms, jobs, room
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.jobs import Job

log = logging.getLogger("yangdi.worker")

IDLE_S = 0.1
"""s between two looks at the jobs table when there is little to do."""
A_HANDFUL = 4
"""Jobs in one go below which the worker lets more gather: one at a time they cost three times as much each."""
A_WAVE = 400
"""Plots that wait to be unfolded from which on more are let gather while they keep coming. So many in so short a time
are many phones at once: they have the machine to themselves at first. Eight phones send half as many."""
GATHER_MS = 1500
"""ms for which a wave is let gather."""
PAUSE_MS = 100
"""ms without another plot after which nothing more is waited for."""
BACKOFF_S = 5.0
"""s before the second try; three times as long before each further one: 5 s, 15 s, 45 s, ... ten minutes in all."""
CLOCK_S = 10.0
"""s between two looks at whether the clock was set back."""
PHOTOS_AT_ONCE = 4
"""Photos in one go: a 12-megapixel JPEG takes about 30 ms."""
PATIENT_NICE = 10
"""Niceness of the threads that look at photos and at whole censuses: above that of web processes
(deploy/gunicorn.conf.py), so that they take what is left."""
PHOTOS = frozenset({jobs.INSPECT_PHOTO})
PHOTOS_WAIT_MS = 10_000
"""ms that photos wait to be looked at while more of them keep coming: phones that send have the machine first."""
PATIENCE_MS = 60_000
"""ms that a look at a whole census waits for a moment in which no plot waits for its flags: Python thinks about one
thing at a time, whatever the niceness of a thread."""
FRESH = frozenset({jobs.UNFOLD, jobs.CHECK})
"""What a plot waits for until its flags are there."""
CENSUSES = frozenset({jobs.REFIT, jobs.RECHECK, jobs.CREW_LOOK})


class Step(NamedTuple):
    """How one kind of job is done: `look` reads and thinks, `write` writes; `most` jobs at once."""

    look: Callable[[Connection, Sequence[int]], Any]
    write: Callable[[Connection, Any, int], None]
    most: int


def steps(settings: Settings) -> dict[str, Step]:
    """Every kind of job, in the order in which they are looked for."""
    readers = forms.Readers()
    blobs = Blobs(settings.photo_dir)
    most = settings.worker_batch
    return {
        jobs.MERGE_EDITS: Step(
            lambda _c, ids: ids,
            partial(merge_edits.write, readers=readers, max_bytes=settings.max_instance_bytes),
            most,
        ),
        jobs.MERGE: Step(lambda _c, ids: ids, merge.write, most),
        jobs.CHECK: Step(check.look, check.write, most),
        jobs.RETURN_REWORK: Step(lambda _c, ids: ids, return_rework.write, most),
        jobs.UNFOLD: Step(
            lambda c, ids: unfold.look(c, ids, readers, settings.max_instance_bytes), unfold.write, most
        ),
        jobs.AUDIT_SCORE: Step(audit_score.look, audit_score.write, most),
        jobs.SETTLE: Step(lambda _c, ids: ids, settle.write, most),
        jobs.PUBLISH_REWORK: Step(publish.look_rework, publish.write_rework, 1),
        jobs.INSPECT_PHOTO: Step(
            lambda c, ids: inspect_photo.look(c, ids, blobs, settings.max_photo_pixels),
            inspect_photo.write,
            PHOTOS_AT_ONCE,
        ),
        jobs.REFIT: Step(refit.look, refit.write, 1),
        jobs.RECHECK: Step(recheck.look, recheck.write, 1),
        jobs.CREW_LOOK: Step(lambda c, ids: crew_look.look(c, ids, blobs), crew_look.write, 1),
    }


class Worker:
    """Does jobs of one store; `without` leaves kinds to another. `clock` gives milliseconds since 1970 UTC.

    With `gathers` plots that arrive one upon the other wait for each other, see GATHER_MS; a `patient` one waits until
    no plot does, see PATIENCE_MS, and with photos until no more are coming, see PHOTOS_WAIT_MS.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], int] | None = None,
        *,
        without: Collection[str] = (),
        gathers: bool = False,
        patient: bool = False,
    ) -> None:
        self._database = database
        self._settings = settings
        self._steps = {kind: step for kind, step in steps(settings).items() if kind not in without}
        self._gathers = gathers
        self._patient = patient
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)

    def drain(self, most_rounds: int = 100_000) -> int:
        """Do everything that is due and return how many jobs that was."""
        total = 0
        for _ in range(most_rounds):
            count = self.round()
            if not count:
                break
            total += count
        return total

    def round(self) -> int:
        """Do one batch of the first kind that has something due; 0 when nothing is."""
        now = self._clock()
        kind = self._next(now)
        claimed = self._claim(kind, now) if kind is not None else []  # nobody takes the pen to find nothing
        if not claimed:
            return 0
        if claimed[0].attempts > self._settings.job_attempts:
            self._bury(claimed[0], "no worker lived to the end of it")
        else:
            self._do(self._steps[claimed[0].kind], claimed)
        return len(claimed)

    def _next(self, now: int) -> str | None:
        """The first kind that has something due and need not wait."""
        with self._database.reading() as connection:
            due = jobs.due(connection, now)
            return next(
                (kind for kind in self._steps if kind in due and not self._waits(connection, kind, due, now)),
                None,
            )

    def _waits(self, connection: Connection, kind: str, due: Collection[str], now: int) -> bool:
        if self._patient and kind in PHOTOS:
            waiting = jobs.waiting_since(connection, kind)
            return 0 <= now - waiting.first < PHOTOS_WAIT_MS and abs(now - waiting.last) < PAUSE_MS
        if self._patient and not FRESH.isdisjoint(due):
            return 0 <= now - jobs.waiting_since(connection, kind).first < PATIENCE_MS
        return self._gathers and kind == jobs.UNFOLD and self._more_are_coming(connection, now)

    def _claim(self, kind: str, now: int) -> list[Job]:
        lease_ms = self._settings.job_lease_s * 1000
        with self._database.writing() as connection:
            return jobs.claim(connection, kind, now, now + lease_ms, self._steps[kind].most)

    def _more_are_coming(self, connection: Connection, now: int) -> bool:
        waiting = jobs.waiting_since(connection, jobs.UNFOLD)
        # in the future: the clock was set back since, and nothing waits for that
        gathers = 0 <= now - waiting.first < GATHER_MS and abs(now - waiting.last) < PAUSE_MS
        return gathers and waiting.jobs >= A_WAVE

    def _do(self, step: Step, claimed: list[Job]) -> None:
        try:
            self._together(step, claimed)
        except Exception as error:  # whatever a step raises belongs to its job, not to the worker
            if len(claimed) == 1:
                self._failed(claimed[0], error)
                return
            log.info("a batch of %d %s failed, each is tried alone: %s", len(claimed), claimed[0].kind, error)
            for job in claimed:
                self._do(step, [job])

    def _together(self, step: Step, claimed: list[Job]) -> None:
        ids = [job.subject_id for job in claimed]
        with self._database.reading() as connection:
            thought = step.look(connection, list(dict.fromkeys(ids)))
        with self._database.writing() as connection:
            step.write(connection, thought, self._clock())
            jobs.done(connection, [job.id for job in claimed])

    def _bury(self, job: Job, text: str) -> None:
        with self._database.writing() as connection:
            jobs.bury(connection, job.id, text, self._clock())

    def _failed(self, job: Job, error: Exception) -> None:
        text = "".join(traceback.format_exception(error))[-4000:]
        now = self._clock()
        log.warning("%s %d failed, try %d: %s", job.kind, job.subject_id, job.attempts, error)
        with self._database.writing() as connection:
            if room.is_wanting(
                error
            ):  # no fault of the job: it is not set aside for that, however long it lasts
                jobs.put_off(connection, job.id, text, now + int(1000 * BACKOFF_S))
            elif job.attempts >= self._settings.job_attempts:
                jobs.bury(connection, job.id, text, now)
            else:
                jobs.failed(connection, job.id, text, now + _backoff_ms(job.attempts))

    def look_at_the_clock(self) -> None:
        """Where the clock was set back, what was promised before must not wait until it has caught up."""
        now, lease_ms = self._clock(), self._settings.job_lease_s * 1000
        with self._database.reading() as connection:
            if not jobs.is_out_of_reach(connection, now, lease_ms):
                return
        log.warning("the clock was set back: what was promised before is done now")
        with self._database.writing() as connection:
            jobs.bring_back(connection, now, lease_ms)

    def look_at_the_rules(self) -> None:
        """Where another version of the program looked at visits, this one's rules do now."""
        with self._database.writing() as connection:
            recheck.promise_after_upgrade(connection, self._clock())


def _backoff_ms(attempts: int) -> int:
    return min(jobs.LONGEST_AHEAD_MS, int(1000 * BACKOFF_S * 3 ** (attempts - 1)))


def run(settings: Settings, stop: threading.Event) -> None:
    """Work until `stop` is set, then finish the batch in hand."""
    logging.basicConfig(level=settings.log_level)
    database = Database(settings.url, pool_size=4, durable=False)
    patient = [
        threading.Thread(target=_work_patiently, args=(database, settings, stop, kinds), name=name)
        for name, kinds in (("photos", PHOTOS), ("censuses", CENSUSES))
    ]
    for thread in patient:
        thread.start()
    _work(Worker(database, settings, without=PHOTOS | CENSUSES, gathers=True), stop)
    for thread in patient:
        thread.join()
    database.close()


def _work_patiently(
    database: Database, settings: Settings, stop: threading.Event, kinds: frozenset[str]
) -> None:
    with contextlib.suppress(OSError):  # on Linux a thread has a niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PATIENT_NICE)
    worker = Worker(database, settings, without=set(steps(settings)) - kinds, patient=True)
    _work(worker, stop, first=worker.look_at_the_rules if kinds == CENSUSES else None)


def _work(worker: Worker, stop: threading.Event, first: Callable[[], None] | None = None) -> None:
    look_at = 0.0
    while not stop.is_set():
        try:
            if first:
                first()
                first = None
            if time.monotonic() >= look_at:
                worker.look_at_the_clock()
                look_at = time.monotonic() + CLOCK_S
            if worker.round() < A_HANDFUL:
                stop.wait(IDLE_S)
        except Exception:  # the store is away for a moment: nothing is lost, try again
            log.exception("the jobs table could not be read; trying again")
            stop.wait(BACKOFF_S)
