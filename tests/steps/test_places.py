"""Places and photos through the real door: what a phone sends, what the rules say, what a supervisor says to it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import insert, select, update

from server.forest.position import Point, apart_m
from server.photos.picture import Shot, draw
from server.problems import AlreadyDecided, ReasonMissing, ValueUnfit
from server.steps import fix_datum
from server.steps.set_threshold import Change, set_threshold
from server.store import jobs, schema
from server.store.db import Database
from server.store.reviews import Act
from server.store.schema import flag
from server.validation.datum import GCJ02, shifted
from tests.cast import PLOT_LAT, PLOT_LON, Cast
from tests.conftest import NOW
from tests.phone import Back, Phone, new_id, plot_visit, tree

PLAN = Point(PLOT_LAT, PLOT_LON)
TALLY = [tree(str(n), round(7.3 + 1.7 * n % 19 + 0.1 * n, 1)) for n in range(1, 21)]
OTHER_TALLY = [tree(str(n), round(6.1 + 2.3 * n % 23 + 0.1 * n, 1)) for n in range(1, 21)]


def near(north_m: float = 5.0) -> Point:
    return Point(PLAN.lat + north_m / 111_195, PLAN.lon)


def filled_in(at: Point | None, photos: Sequence[str] = (), **kwargs: Any) -> bytes:
    """A plot visit; of its photos three are of the plot, the others of its last trees."""
    about = dict(kwargs.pop("visit", {}))
    if at is not None:
        about["position"] = f"{at.lat:.7f} {at.lon:.7f} 1200 5.0"
    trees = [dict(row) for row in kwargs.pop("trees", TALLY)]
    for row, name in zip(reversed(trees), photos[3:], strict=False):
        row["photo"] = name
    return plot_visit(kwargs.pop("instance_id", None), visit=about, photos=photos[:3], trees=trees, **kwargs)


def send(
    phone: Phone, back: Back, at: Point | None, photos: dict[str, bytes] | None = None, **kwargs: Any
) -> str:
    """A plot visit, and all that follows from it."""
    instance_id = new_id()
    xml = filled_in(at, list(photos or {}), instance_id=instance_id, **kwargs)
    assert phone.send(xml, photos).status_code == 201
    back.drain()
    return instance_id


def open_flags(back: Back, *columns: str) -> list[Any]:
    """Flags of places and photos that stand open."""
    wanted = select(schema.plot.c.plot_id, flag.c.rule, *(flag.c[name] for name in columns))
    query = wanted.join(schema.plot, schema.plot.c.id == flag.c.plot_id).where(
        flag.c.state == "open", flag.c.rule.regexp_match("^[PF]"), flag.c.rule != "F06"
    )
    return sorted(tuple(row) for row in back.rows(query))


def visit_of(back: Back) -> int:
    return int(back.rows(select(schema.visit.c.id).order_by(schema.visit.c.id))[-1].id)


def act(why: str = "手机用的是高德坐标") -> Act:
    return Act("li", why, NOW)


def test_a_shifted_fix_is_converted_on_a_persons_word_and_back(phone: Phone, back: Back, database: Database,
                                                               cast: Cast) -> None:  # fmt: skip
    fix = shifted(near(), GCJ02)
    send(phone, back, fix)
    assert open_flags(back) == [("PS-001", "P02")]
    visit_id = visit_of(back)
    database.write(lambda pen: fix_datum.say(pen, cast.project, visit_id, GCJ02, act()))
    back.drain()
    assert open_flags(back) == []
    assert back.rows(select(flag.c.state).where(flag.c.rule == "P02")) == [("corrected",)]
    [raw] = back.rows(select(schema.visit.c.lat, schema.visit.c.lon))
    assert apart_m(Point(*raw), fix) < 0.02  # as it came
    [said] = back.rows(select(schema.fix_datum))
    assert apart_m(Point(said.lat, said.lon), near()) < 0.1
    assert (said.said_by, said.why) == ("li", "手机用的是高德坐标")
    database.write(lambda pen: fix_datum.undo(pen, cast.project, visit_id, act("")))
    back.drain()
    assert open_flags(back) == [("PS-001", "P02")]
    with pytest.raises(AlreadyDecided):
        database.write(lambda pen: fix_datum.undo(pen, cast.project, visit_id, act("")))


def test_a_word_on_a_fix_does_not_outlive_the_fix(
    phone: Phone, back: Back, database: Database, cast: Cast
) -> None:
    first = send(phone, back, shifted(near(), GCJ02))
    database.write(lambda pen: fix_datum.say(pen, cast.project, visit_of(back), GCJ02, act()))
    back.drain()
    send(phone, back, near(450), deprecated_id=first)  # taken again, in the wrong place
    assert open_flags(back, "severity") == [("PS-001", "P01", "error")]


def test_a_word_without_reason_or_datum_is_refused(
    phone: Phone, back: Back, database: Database, cast: Cast
) -> None:
    send(phone, back, shifted(near(), GCJ02))
    with pytest.raises(ReasonMissing):
        database.write(lambda pen: fix_datum.say(pen, cast.project, visit_of(back), GCJ02, act(" ")))
    with pytest.raises(ValueUnfit):
        database.write(lambda pen: fix_datum.say(pen, cast.project, visit_of(back), "mars", act()))
    assert back.count(schema.fix_datum) == 0


def test_how_near_two_plots_may_be_is_the_projects_choice(
    phone: Phone, back: Back, database: Database, cast: Cast
) -> None:
    send(phone, back, near(), plot_id="X-1")
    send(phone, back, near(9), plot_id="X-2", trees=OTHER_TALLY)
    assert open_flags(back) == []
    for most_m, flags in ((4.5, [("X-2", "P03")]), (3.0, [])):
        database.write(
            lambda pen, most_m=most_m: set_threshold(pen, cast.project, Change("P03.same_m", most_m), act())
        )
        back.drain()
        assert open_flags(back) == flags


def test_two_plots_with_one_fix_are_told_apart_once_one_moves(phone: Phone, back: Back) -> None:
    first = send(phone, back, near(), plot_id="X-1")
    send(phone, back, near(), plot_id="X-2", trees=OTHER_TALLY)
    assert open_flags(back) == [("X-2", "P03")]
    send(phone, back, near(300), plot_id="X-1", deprecated_id=first)
    assert open_flags(back) == []


def test_a_pasted_tally_is_flagged_at_the_plot_that_came_later(phone: Phone, back: Back) -> None:
    first = send(phone, back, near())
    pasted = [dict(row) for row in TALLY]
    pasted[4]["dbh_cm"] = "31.7"
    send(phone, back, Point(PLAN.lat + 0.02005, PLAN.lon), plot_id="PS-002", trees=pasted)
    [(plot_id, rule, severity, value)] = open_flags(back, "severity", "value")
    assert (plot_id, rule, severity, value) == ("PS-002", "P07", "error", "PS-001")
    [facts] = back.rows(select(flag.c.facts).where(flag.c.rule == "P07"))
    assert (facts[0]["same"], facts[0]["run"]) == (19, 15)
    send(
        phone, back, near(), deprecated_id=first, trees=OTHER_TALLY
    )  # the first crew had sent the wrong list
    assert open_flags(back) == []


def test_a_tally_is_no_copy_of_its_own_plots_last_census(phone: Phone, back: Back) -> None:
    send(phone, back, near(), census="2021", on="2021-06-01")
    send(phone, back, near())
    assert [row for row in open_flags(back) if row[1] == "P07"] == []


def shot(seed: int, at: Point | None = None, hours: float = 1.0, days: int = 0) -> bytes:
    """A photo taken so long after eight in the morning of 1 June, in China."""
    taken = datetime.fromtimestamp(NOW / 1000, UTC) + timedelta(hours=8 + hours, days=days)
    where = at or near()
    return draw(Shot(seed, (f"No. {seed}",), taken.replace(tzinfo=None), where.lat, where.lon, 5.0))


SESSION = {"started_at": "2026-06-01T08:00:00.000+08:00", "ended_at": "2026-06-01T10:00:00.000+08:00"}


def test_photos_of_the_visit_are_silent_and_others_are_not(phone: Phone, back: Back) -> None:
    good = {f"{n}.jpg": shot(n) for n in range(5)}
    back_in_town = shot(6, Point(PLAN.lat + 0.05, PLAN.lon))
    send(phone, back, near(), {**good, "town.jpg": back_in_town, "may.jpg": shot(7, days=-12)}, visit=SESSION)
    assert open_flags(back, "severity", "value") == [
        ("PS-001", "F01", "error", "town.jpg"), ("PS-001", "F02", "error", "may.jpg"),
    ]  # fmt: skip


def test_a_photo_used_again_is_found_by_its_bytes_and_by_its_look(phone: Phone, back: Back) -> None:
    first = send(phone, back, near(), {f"{n}.jpg": shot(n) for n in range(5)}, visit=SESSION)
    stored_again = io.BytesIO()
    with Image.open(io.BytesIO(shot(1))) as picture:
        picture.resize((800, 600)).save(stored_again, "JPEG", quality=40, exif=picture.getexif())
    again = {
        "a.jpg": shot(0),
        "b.jpg": stored_again.getvalue(),
        **{f"{n}.jpg": shot(n) for n in range(12, 15)},
    }
    there = Point(PLAN.lat + 0.02005, PLAN.lon)
    send(phone, back, there, again, plot_id="PS-002", visit=SESSION, trees=OTHER_TALLY)
    found = [row for row in open_flags(back, "value") if row[1] == "F03"]
    assert found == [("PS-002", "F03", "a.jpg"), ("PS-002", "F03", "b.jpg")]
    send(
        phone, back, near(), {f"{n}.jpg": shot(n) for n in range(20, 25)}, visit=SESSION, deprecated_id=first
    )
    assert [row for row in open_flags(back) if row[1] == "F03"] == []  # nobody else has those photos now


def test_an_edit_keeps_what_its_photos_have_shown(phone: Phone, back: Back) -> None:
    photos = {f"{n}.jpg": shot(n) for n in range(4)} | {"town.jpg": shot(6, Point(PLAN.lat + 0.05, PLAN.lon))}
    first = send(phone, back, near(), photos, visit=SESSION)
    before = open_flags(back, "value")
    edit = filled_in(near(), list(photos), visit=SESSION, trees=OTHER_TALLY, deprecated_id=first)
    assert phone.send(edit).status_code == 201  # the photos do not travel again
    back.drain()
    assert open_flags(back, "value") == before == [("PS-001", "F01", "town.jpg")]


def test_rules_wait_for_the_last_photo_and_look_once(phone: Phone, back: Back, database: Database) -> None:
    send(phone, back, near(), {f"{n}.jpg": shot(n) for n in range(3)}, visit=SESSION)
    with database.writing() as connection:
        inspected = [row.id for row in connection.execute(select(schema.attachment.c.id))]
        jobs.put(connection, jobs.INSPECT_PHOTO, inspected, 0)
    before = open_flags(back)
    back.drain()
    assert open_flags(back) == before


def test_an_accepted_error_without_a_photo_asks_for_one(phone: Phone, back: Back, database: Database) -> None:
    trees = [tree("98", 320.0), tree("99", 330.0), *TALLY]
    photos = {f"{n}.jpg": shot(n) for n in range(3 + len(TALLY) + 1)}  # of all trees but the first
    send(phone, back, near(), photos, visit=SESSION, trees=trees)
    with database.writing() as connection:
        connection.execute(update(flag).where(flag.c.rule == "T03").values(state="accepted"))
        jobs.put(connection, jobs.CHECK, [visit_of(back)], 0)
    back.drain()
    found = [row for row in open_flags(back, "tag", "field") if row[1] == "F05"]
    assert found == [("PS-001", "F05", "98", "photo")]


def test_a_surveyed_township_bounds_its_plots_and_a_made_up_one_does_not(phone: Phone, back: Back, database: Database,
                                                                         cast: Cast) -> None:  # fmt: skip
    ring = [[113.5, 36.0], [113.6, 36.0], [113.6, 36.4], [113.5, 36.4], [113.5, 36.0]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    here = schema.township.c.id == cast.township
    with database.writing() as connection:
        connection.execute(update(schema.township).where(here).values(boundary=polygon, is_generated=True))
    send(phone, back, near())
    assert open_flags(back) == []
    with database.writing() as connection:
        connection.execute(update(schema.township).where(here).values(is_generated=False))
        connection.execute(
            insert(schema.job).values(kind=jobs.CHECK, subject_id=visit_of(back), due_at=0, promised_at=0)
        )
    back.drain()
    assert open_flags(back, "severity") == [("PS-001", "P13", "warn")]
