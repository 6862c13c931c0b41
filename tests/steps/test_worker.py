"""The worker keeps what was promised: one bad job holds up nobody, and none is lost with a worker that dies."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from sqlalchemy import select, update

from server.settings import Settings
from server.store import jobs, schema
from server.store.db import Database
from server.store.schema import job, photo, submission
from server.worker import PHOTOS, Worker, steps
from tests.builders import jpeg
from tests.phone import Back, Part, Phone, plot_visit, tree, xml_part

S = 1000
"""ms in a second."""
OWED = select(job).where(job.c.kind != jobs.CREW_LOOK)
"""What is promised; but for the look at crews, which follows every check a little later."""


@pytest.fixture
def worker(database: Database, settings: Settings, back: Back) -> Worker:
    """A worker whose clock only the test moves."""
    return Worker(database, settings, back.clock)


def poison(database: Database, instance_id: str) -> None:
    """Spoil what the store keeps of one record, as a broken disk would."""
    with database.writing() as connection:
        connection.execute(
            update(submission).where(submission.c.instance_id == instance_id).values(xml=b"spoiled")
        )


@pytest.fixture
def poisoned(phone: Phone, database: Database) -> int:
    """Five plots have come and one of them cannot be read any more; the number of its promise."""
    for number in range(5):
        phone.send(plot_visit(f"uuid:{number}", plot_id=f"P-{number}", trees=[tree("1", 12.0)]))
    poison(database, "uuid:2")
    with database.reading() as connection:
        query = select(job.c.id).join(submission, submission.c.id == job.c.subject_id)
        return int(connection.execute(query.where(submission.c.instance_id == "uuid:2")).scalar_one())


def plots(back: Back) -> list[str]:
    return [
        name
        for (name,) in back.rows(select(schema.plot.c.plot_id).join(schema.visit).order_by(schema.visit.c.id))
    ]


def test_one_bad_plot_holds_up_nobody(worker: Worker, poisoned: int, back: Back) -> None:
    worker.drain()
    assert plots(back) == ["P-0", "P-1", "P-3", "P-4"]
    [left] = back.rows(OWED)
    assert (left.id, left.attempts, left.leased_until, left.dead_at) == (poisoned, 1, None, None)
    assert "zlib.error" in left.error


def test_each_further_try_waits_three_times_as_long(
    worker: Worker, poisoned: int, back: Back, settings: Settings
) -> None:
    for tried, wait_s in enumerate([5, 15, 45, 135, 405], 1):
        worker.drain()
        [left] = back.rows(OWED)
        assert (left.attempts, left.due_at - back.clock()) == (tried, wait_s * S)
        back.clock.tick(wait_s - 1)
        worker.drain()
        assert back.rows(OWED.where(job.c.attempts > tried)) == []
        back.clock.tick(1)
    worker.drain()
    [left] = back.rows(OWED)
    assert (left.attempts, left.dead_at) == (settings.job_attempts, back.clock())
    worker.drain()
    back.clock.tick(1_000_000)
    assert worker.drain() == 0


def test_a_dead_letter_is_seen_and_done_once_a_person_has_it_tried_again(
    worker: Worker, phone: Phone, back: Back, database: Database
) -> None:
    xml = plot_visit("uuid:2")
    phone.send(xml)
    [good] = back.rows(select(submission.c.xml))
    poison(database, "uuid:2")
    for _ in range(6):
        worker.drain()
        back.clock.tick(10_000)
    with database.reading() as connection:
        [letter] = jobs.dead(connection)
        assert jobs.waiting(connection) == {}
    assert letter["kind"] == "unfold"
    assert "incorrect header check" in letter["error"]
    with database.writing() as connection:
        connection.execute(update(submission).values(xml=good.xml))
        assert jobs.revive(connection, letter["id"], back.clock())
        assert not jobs.revive(connection, letter["id"], back.clock())
    worker.drain()
    assert plots(back) == ["PS-001"]
    assert back.rows(OWED) == []


def claim(database: Database, at: int, until: int, most: int = 32) -> list[jobs.Job]:
    with database.writing() as connection:
        return jobs.claim(connection, jobs.UNFOLD, at, until, most)


def test_a_job_in_the_hands_of_one_worker_is_not_taken_by_another(worker: Worker, phone: Phone, back: Back,
                                                                 database: Database) -> None:  # fmt: skip
    phone.send(plot_visit())
    assert len(claim(database, back.clock(), back.clock() + 60 * S)) == 1
    assert worker.drain() == 0


def test_the_job_of_a_worker_that_died_is_taken_again_when_its_lease_runs_out(
    worker: Worker, phone: Phone, back: Back, database: Database, settings: Settings
) -> None:
    phone.send(plot_visit())
    claim(database, back.clock(), back.clock() + settings.job_lease_s * S)  # and then it dies
    back.clock.tick(settings.job_lease_s - 1)
    assert worker.drain() == 0
    back.clock.tick(2)
    assert worker.drain() > 0
    assert plots(back) == ["PS-001"]


def test_a_job_that_kills_every_worker_is_set_aside_and_takes_no_other_down(
    phone: Phone, back: Back, database: Database, settings: Settings, poisoned: int
) -> None:
    for _ in range(settings.job_attempts + 1):
        while doing := claim(database, back.clock(), back.clock() + settings.job_lease_s * S):
            if poisoned in {one.id for one in doing}:
                continue  # its worker dies of it, and the next one starts
            with database.writing() as connection:
                jobs.done(connection, [one.id for one in doing])
        back.clock.tick(settings.job_lease_s + 1)
    assert [row.id for row in back.rows(select(job))] == [poisoned]
    Worker(database, settings, back.clock).drain()
    with database.reading() as connection:
        [letter] = jobs.dead(connection)
    assert (letter["id"], letter["error"]) == (poisoned, "no worker lived to the end of it")


def test_the_oldest_promise_is_kept_first(phone: Phone, back: Back, database: Database) -> None:
    for number in range(3):
        phone.send(plot_visit(plot_id=f"P-{number}"))
    taken = [claim(database, back.clock(), back.clock() + S, most=1)[0].subject_id for _ in range(3)]
    assert taken == sorted(taken)


def test_a_step_that_is_not_due_yet_waits(
    phone: Phone, worker: Worker, back: Back, database: Database
) -> None:
    phone.send(plot_visit())
    with database.writing() as connection:
        connection.execute(update(job).values(due_at=back.clock() + 60 * S))
    assert worker.drain() == 0
    back.clock.tick(60)
    assert worker.drain() > 0


# photos


def exif_jpeg() -> bytes:
    """A picture that says when and where it was taken."""
    picture = Image.new("RGB", (640, 480), (120, 140, 100))
    exif = picture.getexif()
    exif[0x010F], exif[0x0110] = "HUAWEI", "Mate 60"
    exif.get_ifd(0x8769)[0x9003] = "2026:06:01 09:15:00"
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (36.0, 12.0, 0.0), 3: "E", 4: (113.0, 26.0, 24.0)})
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_photo_is_looked_into_and_made_small(phone: Phone, back: Back, settings: Settings) -> None:
    phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": exif_jpeg()})
    back.drain()
    [seen] = back.rows(select(photo))
    assert (seen.width_px, seen.height_px, seen.make, seen.model, seen.fault) == (
        640,
        480,
        "HUAWEI",
        "Mate 60",
        None,
    )
    assert seen.taken_at.startswith("2026-06-01T09:15:00")
    assert (round(seen.lat, 4), round(seen.lon, 4)) == (36.2, 113.44)  # 36° 12', 113° 26' 24"
    with Image.open(settings.photo_dir / seen.thumbnail_sha256[:2] / seen.thumbnail_sha256) as small:
        assert max(small.size) < 640
    assert not [path for path in settings.photo_dir.iterdir() if path.name.startswith("thumbnail-")]


def test_a_damaged_photo_is_noted_and_fails_nothing(phone: Phone, back: Back) -> None:
    phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": jpeg()[:300]})
    back.drain()
    assert back.rows(OWED) == []
    [seen] = back.rows(select(photo))
    assert seen.fault
    assert seen.thumbnail_sha256 is None


def test_a_file_that_is_no_picture_is_left_alone(phone: Phone, back: Back) -> None:
    log = Part("audit.csv", b"event,node,start,end\n", "audit.csv", "text/csv")
    phone.post([xml_part(plot_visit()), log])
    back.drain()
    assert (back.count(photo), back.rows(OWED)) == (0, [])


def test_a_photo_is_looked_into_again_without_a_second_row(
    phone: Phone, back: Back, database: Database
) -> None:
    phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": jpeg()})
    back.drain()
    with database.writing() as connection:
        jobs.put(connection, jobs.INSPECT_PHOTO, [1], 0)
    assert back.drain() >= 1
    assert back.count(photo) == 1


def test_a_wave_of_plots_is_let_gather_but_not_for_long(
    phone: Phone, database: Database, settings: Settings, back: Back, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.worker.A_WAVE", 20)
    worker = Worker(database, settings, back.clock, gathers=True)
    start = back.clock()

    def send(number: int) -> None:
        phone.send(plot_visit(f"uuid:{number}", plot_id=f"P-{number}"))
        with database.writing() as pen:  # the door goes by the real clock
            pen.execute(update(job).where(job.c.promised_at < start).values(promised_at=back.clock()))

    send(0)
    assert worker.drain() > 0, "a plot alone waits for nobody"
    for number in range(1, 21):
        send(number)
    for number in range(21, 36):
        assert worker.drain() == 0, "more keep coming"
        back.clock.at += 99
        send(number)
    back.clock.at += 99
    assert worker.drain() > 0, "the first has waited for 1.5 s"
    assert len(plots(back)) == 36


def test_a_look_at_a_whole_census_waits_for_plots_but_not_for_ever(
    phone: Phone, database: Database, settings: Settings, back: Back
) -> None:
    phone.send(plot_visit("uuid:1", trees=[tree("1", 12.0)]))
    patient = Worker(database, settings, back.clock, without={jobs.UNFOLD, jobs.CHECK}, patient=True)
    with database.writing() as pen:
        jobs.put(pen, jobs.CREW_LOOK, [1], back.clock())
    assert patient.drain() == 0, "a plot waits for its flags"
    back.clock.tick(60)
    assert patient.drain() == 1, "it has waited for a minute"
    with database.writing() as pen:
        jobs.put(pen, jobs.CREW_LOOK, [1], back.clock())
    Worker(database, settings, back.clock, without={jobs.CREW_LOOK}).drain()
    assert patient.drain() > 0, "no plot waits any more"


def test_photos_wait_while_more_of_them_keep_coming_but_not_for_ever(
    phone: Phone, database: Database, settings: Settings, back: Back
) -> None:
    phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": jpeg()})
    back.drain()
    patient = Worker(database, settings, back.clock, without={*steps(settings)} - PHOTOS, patient=True)

    def come() -> None:
        with database.writing() as pen:
            jobs.put(pen, jobs.INSPECT_PHOTO, [1], back.clock())

    for _ in range(3):
        come()
        assert patient.drain() == 0, "more keep coming"
        back.clock.at += 99
    back.clock.at += 1
    assert patient.drain() == 3, "nothing came for a tenth of a second"
    come()
    back.clock.tick(9)
    come()
    assert patient.drain() == 0, "more keep coming"
    back.clock.tick(1)
    come()
    assert patient.drain() == 3, "the first has waited for ten seconds"
