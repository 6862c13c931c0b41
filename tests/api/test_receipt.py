"""What a phone hears when it sends, and what is kept."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select, update

from server.store import schema
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.packed import unpack
from server.store.schema import attachment, submission
from tests.builders import jpeg
from tests.phone import INCOMPLETE, Back, Part, Phone, message, photo_part, plot_visit, tree, xml_part

PHOTOS = {f"{n}.jpg": jpeg(n) for n in range(1, 4)}


def files(back: Back) -> dict[str, bytes | None]:
    """What is kept beside submissions, by name."""
    blobs = Blobs(back.settings.photo_dir)
    return {
        row.name: blobs.path(row.sha256).read_bytes() if row.sha256 else None
        for row in back.rows(select(attachment).order_by(attachment.c.id))
    }


def test_a_new_instance_is_kept_as_it_came_and_acknowledged(phone: Phone, back: Back) -> None:
    xml = plot_visit(trees=[tree("1", 12.3)])
    answer = phone.send(xml)
    assert answer.status_code == 201
    assert message(answer) == "已收到 样地 PS-001：1 株样木。"
    assert answer.headers["Cache-Control"] == "no-store"
    [kept] = back.rows(select(submission))
    assert unpack(kept.xml) == xml
    assert (kept.quarantine, kept.variant) == (None, "")


def test_the_same_instance_again_is_acknowledged_and_kept_once(phone: Phone, back: Back) -> None:
    xml = plot_visit(trees=[tree("1", 12.3)])
    assert [phone.send(xml, PHOTOS).status_code for _ in range(3)] == [201, 201, 201]
    assert back.count(submission) == 1
    assert files(back) == PHOTOS
    assert back.count(schema.job) == 1 + len(PHOTOS)  # one visit to unfold, each photo to look at once


def test_the_receipt_counts_photos_that_came_and_photos_still_on_the_phone(phone: Phone, back: Back) -> None:
    xml = plot_visit(photos=list(PHOTOS))
    assert message(phone.send(xml, {"1.jpg": PHOTOS["1.jpg"]})) == "已收到 样地 PS-001：记录，照片 1/3。"
    assert files(back) == {"1.jpg": PHOTOS["1.jpg"], "2.jpg": None, "3.jpg": None}
    assert "照片 3/3" in message(phone.send(xml, {n: PHOTOS[n] for n in ("2.jpg", "3.jpg")}))
    assert files(back) == PHOTOS


@pytest.mark.parametrize("engine", ["sqlite"])
def test_an_audit_log_is_no_photo(phone: Phone) -> None:
    xml = plot_visit(photos=["1.jpg"]).replace(b"<audit></audit>", b"<audit>audit.csv</audit>")
    xml = xml.replace(b"<meta>", b"<meta><audit>audit.csv</audit>")
    assert "照片 0/1" in message(phone.send(xml))
    assert "照片 1/1" in message(phone.send(xml, {"1.jpg": PHOTOS["1.jpg"], "audit.csv": b"event,node\n"}))


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_split_submission_may_come_in_any_order_and_any_part_twice(phone: Phone, back: Back) -> None:
    for order in itertools.permutations(PHOTOS):
        xml = plot_visit(photos=list(PHOTOS))
        before = back.count(submission)
        for name in (*order, order[0]):
            more = [INCOMPLETE] if name != order[-1] else []
            assert phone.post([xml_part(xml), *more, photo_part(name, PHOTOS[name])]).status_code == 201
        assert back.count(submission) == before + 1
        assert "照片 3/3" in message(phone.send(xml))


def test_the_parts_of_a_request_may_stand_in_any_order(phone: Phone, back: Back) -> None:
    photo, xml = photo_part("1.jpg", PHOTOS["1.jpg"]), xml_part(plot_visit(photos=["1.jpg"]))
    assert "照片 1/1" in message(phone.post([photo, INCOMPLETE, xml]))
    assert files(back) == {"1.jpg": PHOTOS["1.jpg"]}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_of_two_records_in_one_request_the_first_is_taken(phone: Phone, back: Back) -> None:
    first, second = plot_visit(plot_id="PS-001"), plot_visit(plot_id="PS-002")
    assert "PS-001" in message(phone.post([xml_part(first), xml_part(second)]))
    assert back.count(submission) == 1


def test_a_plot_with_more_photos_than_one_request_carries_is_taken(phone: Phone, back: Back) -> None:
    photos = {f"t{n:03d}.jpg": f"photo {n}".encode() for n in range(150)}
    xml = plot_visit(photos=["t000.jpg"], trees=[tree(str(n), 12) for n in range(3)])
    names = list(photos)
    assert phone.send(xml, {name: photos[name] for name in names[:100]}).status_code == 201
    assert phone.send(xml, {name: photos[name] for name in names[100:]}).status_code == 201
    assert files(back) == photos
    assert phone.send(plot_visit(), photos).status_code == 201  # and all at once


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_that_the_record_does_not_name_is_kept_too(phone: Phone, back: Back) -> None:
    assert phone.send(plot_visit(), {"sketch.pdf": b"%PDF-1.4"}).status_code == 201
    assert files(back) == {"sketch.pdf": b"%PDF-1.4"}


def test_other_bytes_under_the_same_name_are_kept_beside_the_first(phone: Phone, back: Back) -> None:
    xml = plot_visit(photos=["1.jpg"])
    for _ in range(2):
        assert phone.send(xml, {"1.jpg": b"first"}).status_code == 201
        assert phone.send(xml, {"1.jpg": b"second"}).status_code == 201
    assert files(back) == {"1.jpg": b"first", "1.jpg (16367aacb67a)": b"second"}  # sha256sum of "second"


def test_one_request_may_bring_the_same_name_twice(phone: Phone, back: Back) -> None:
    first, second = photo_part("1.jpg", b"first"), photo_part("1.jpg", b"second")
    for named in (["1.jpg"], []):
        assert phone.post([xml_part(plot_visit(photos=named)), first, first, second]).status_code == 201
    kept = back.rows(select(attachment.c.submission_id, attachment.c.name).order_by(attachment.c.id))
    assert kept == [(number, name) for number in (1, 2) for name in ("1.jpg", "1.jpg (16367aacb67a)")]
    assert files(back) == {"1.jpg": b"first", "1.jpg (16367aacb67a)": b"second"}


NAMES = {"样木 1.jpg": "样木 1.jpg", "../../etc/passwd": "passwd", "..\\\\..\\\\boot.ini": "boot.ini",
         "C:\\\\a.jpg": "a.jpg", "/etc/shadow": "shadow", "..": "..", "a" * 300: "a" * 200}  # fmt: skip
"""As they travel (a backslash stands twice in a quoted string), and as they are kept."""


def test_the_name_of_a_file_is_data_and_never_a_path(phone: Phone, back: Back) -> None:
    parts = [Part(f"f{n}", name.encode(), name) for n, name in enumerate(NAMES)]
    assert phone.post([xml_part(plot_visit()), *parts]).status_code == 201
    assert files(back) == {kept: name.encode() for name, kept in NAMES.items()}
    folder = back.settings.photo_dir
    there = {path.relative_to(folder).parts for path in folder.rglob("*") if path.is_file()}
    assert all(len(name) == 64 and name.startswith(start) for start, name in there)


def test_a_file_name_that_no_store_can_hold_does_not_cost_the_record(phone: Phone, back: Back) -> None:
    assert phone.post([xml_part(plot_visit()), Part("a", b"x", "a\0b.jpg")]).status_code == 201
    assert files(back) == {"a\ufffdb.jpg": b"x"}


@pytest.mark.parametrize("engine", ["sqlite"])
def test_bytes_that_came_before_under_another_record_are_kept_once_on_disk(phone: Phone, back: Back) -> None:
    for _ in range(2):
        assert phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": PHOTOS["1.jpg"]}).status_code == 201
    assert back.count(attachment) == 2
    assert len([path for path in back.settings.photo_dir.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_photo_larger_than_memory_is_given_for_a_part_comes_whole(phone: Phone, back: Back) -> None:
    large = bytes(range(256)) * 12_000  # 3 MB
    assert phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": large}).status_code == 201
    assert files(back) == {"1.jpg": large}


def test_the_receipt_says_what_is_odd_beside_the_last_census(phone: Phone, back: Back) -> None:
    phone.send(plot_visit(census="2021", on="2021-06-01", trees=[tree("1", 22.6), tree("2", 18.0)]))
    back.drain()
    told = message(phone.send(plot_visit(trees=[tree("1", 231), tree("2", 18.9)])))
    assert told.startswith("已收到 样地 PS-001：2 株样木。请在离开前看一看：样木 1 胸径 231 cm，上期 22.6 cm")
    assert "23.1" in told  # the slip that is most likely: the decimal point
    assert "样木 2" not in told


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_receipt_speaks_english_to_a_phone_that_does(
    phone: Phone, back: Back, database: Database
) -> None:
    with database.writing() as connection:
        connection.execute(update(schema.device).values(locale="en"))
    phone.send(plot_visit(census="2021", on="2021-06-01", trees=[tree("1", 22.6), tree("2", 18.0)]))
    back.drain()
    told = message(phone.send(plot_visit(trees=[tree("1", 231), tree("2", 18.9)], photos=["1.jpg", "2.jpg"])))
    start = "Received plot PS-001: 2 trees, photos 0/2. Please look before you leave: Tree 1: 231 cm"
    assert told.startswith(start)
    assert "Perhaps 23.1?" in told


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_receipt_names_five_odd_trees_and_counts_the_others(phone: Phone) -> None:
    told = message(phone.send(plot_visit(trees=[tree(str(n), 0) for n in range(1, 9)])))
    assert told.count("胸径是 0") == 5
    assert told.endswith("另有 3 处。")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_receipt_is_well_formed_whatever_the_crew_wrote(phone: Phone) -> None:
    assert "样地 A&B<C>" in message(phone.send(plot_visit(plot_id="A&B<C>")))


def test_a_rule_that_fails_costs_no_plot(
    phone: Phone, back: Back, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise OverflowError("a rule of tomorrow")

    monkeypatch.setattr("server.steps.glance.quick_look", fails)
    assert phone.send(plot_visit("uuid:1", trees=[tree("1", "32.6")])).status_code == 201
    assert [row.instance_id for row in back.rows(select(submission))] == ["uuid:1"]
    assert "a rule of tomorrow" in caplog.text
