"""What does not count yet is kept, answered 202, and counts as soon as it can."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from server.settings import Settings
from server.steps import settle
from server.store import devices, forms, projects, schema
from server.store.db import Database
from server.store.schema import submission, visit
from tests.builders import jpeg
from tests.cast import Cast
from tests.phone import Back, Phone, draft, form, key_address, message, new_id, plot_visit, put_up, tree

HELD = select(submission.c.quarantine).where(submission.c.quarantine.is_not(None)).order_by(submission.c.id)
NEXT_YEAR = "2027010101"


@pytest.fixture
def set_state(database: Database, cast: Cast) -> Callable[[str], None]:
    def change(state: str) -> None:
        with database.writing() as connection:
            assert forms.set_state(connection, cast.project, "plot_visit", state)

    return change


@pytest.fixture
def retry(database: Database, back: Back) -> Callable[[], list[str | None]]:
    """李监督 asks for everything in quarantine to be tried again; why each is still held back."""

    def ask() -> list[str | None]:
        held = back.rows(select(submission.c.id).where(submission.c.quarantine.is_not(None)))
        with database.writing() as connection:
            return [settle.retry(connection, row.id, "li", back.clock()) for row in held]

    return ask


def sizes(back: Back) -> list[tuple[str, str]]:
    """Plot and source of the visits that count: what all of this is for."""
    back.drain()
    query = select(schema.plot.c.plot_id, submission.c.instance_id).select_from(
        visit.join(schema.plot).join(submission, submission.c.id == visit.c.source_id)
    )
    return [tuple(row) for row in back.rows(query.order_by(visit.c.id))]


def held_back(answer: object, words: str) -> None:
    assert answer.status_code == 202  # type: ignore[attr-defined]
    assert message(answer).startswith("已安全保存，但暂不计入：")  # type: ignore[arg-type]
    assert words in message(answer)  # type: ignore[arg-type]


def test_other_answers_under_a_known_id_are_kept_apart(phone: Phone, back: Back) -> None:
    known = new_id()
    phone.send(plot_visit(known, trees=[tree("1", 12.3)]))
    for _ in range(2):
        held_back(phone.send(plot_visit(known, trees=[tree("1", 21.3)])), "同一编号已有内容不同的记录")
    held_back(phone.send(plot_visit(known)), "同一编号")
    assert back.rows(HELD) == [("other-content",)] * 2
    assert sizes(back) == [("PS-001", known)]


def test_a_record_of_a_form_that_nobody_has_published_waits_for_it(
    client: FlaskClient, cast: Cast, database: Database, back: Back
) -> None:
    phone, sent = Phone(client, key_address(cast)), new_id()
    held_back(phone.send(plot_visit(sent, photos=["1.jpg"]), {"1.jpg": jpeg()}), "还没有这个调查表")
    assert back.rows(HELD) == [("unknown-form",)]
    assert sizes(back) == []
    put_up(database, cast.project, form("plot_visit"))
    assert sizes(back) == [("PS-001", sent)]
    assert back.rows(HELD) == []


def test_a_record_of_an_unknown_version_counts_once_the_version_is_published(
    phone: Phone, cast: Cast, database: Database, back: Back
) -> None:
    sent = new_id()
    xml = plot_visit(sent, version=NEXT_YEAR, photos=["1.jpg", "2.jpg"])
    held_back(phone.send(xml, {"1.jpg": jpeg()}), "还没有这个调查表版本")
    put_up(database, cast.project, form("plot_visit", NEXT_YEAR))
    assert sizes(back) == [("PS-001", sent)]
    answer = phone.send(xml)
    assert answer.status_code == 201
    assert "照片 1/2" in message(answer)


def test_an_older_version_that_was_published_counts(
    phone: Phone, cast: Cast, database: Database, back: Back
) -> None:
    put_up(database, cast.project, form("plot_visit", NEXT_YEAR))
    assert phone.send(plot_visit()).status_code == 201


def test_a_record_that_comes_after_its_form_was_closed_counts_when_a_person_says_so(
    phone: Phone, back: Back, set_state: Callable[[str], None], retry: Callable[[], list[str | None]]
) -> None:
    set_state("closed")
    sent = new_id()
    held_back(phone.send(plot_visit(sent)), "已停止接收")
    assert sizes(back) == []
    assert retry() == [None]
    assert sizes(back) == [("PS-001", sent)]
    [row] = back.rows(select(submission.c.settled_by, submission.c.settled_at))
    assert row == ("li", back.clock() - 86_400_000)


def test_an_edit_that_overtook_its_original_waits_for_it(phone: Phone, back: Back) -> None:
    first, second, third = new_id(), new_id(), new_id()
    held_back(phone.send(plot_visit(third, plot_id="PS-3", deprecated_id=second)), "还没有收到它修改的原记录")
    held_back(phone.send(plot_visit(second, plot_id="PS-2", deprecated_id=first)), "还没有收到")
    assert sizes(back) == []
    assert phone.send(plot_visit(first, plot_id="PS-1")).status_code == 201
    assert sizes(back) == [("PS-3", third)]
    chain = back.rows(select(submission))
    number = {row.instance_id: row.id for row in chain}
    assert {row.instance_id: (row.root_id, row.superseded_by_id) for row in chain} == {
        first: (None, number[second]), second: (number[first], number[third]), third: (number[first], None),
    }  # fmt: skip


def test_an_edit_takes_the_place_of_what_it_edits(phone: Phone, back: Back) -> None:
    first, second, third = new_id(), new_id(), new_id()
    for sent, old in [(first, None), (second, first), (third, second)]:
        assert phone.send(plot_visit(sent, deprecated_id=old)).status_code == 201
        assert sizes(back) == [("PS-001", sent)]
    assert back.rows(select(visit.c.review_state)) == [("edited",)]
    assert phone.send(plot_visit(first)).status_code == 201  # the superseded original again: it is safe
    assert sizes(back) == [("PS-001", third)]


def test_a_second_edit_of_the_same_original_waits_for_a_person(phone: Phone, back: Back) -> None:
    first, mine, other = new_id(), new_id(), new_id()
    phone.send(plot_visit(first))
    phone.send(plot_visit(mine, deprecated_id=first))
    held_back(phone.send(plot_visit(other, deprecated_id=first)), "已有更新的版本")
    assert sizes(back) == [("PS-001", mine)]


def test_an_edit_need_not_send_its_photos_again(phone: Phone, back: Back) -> None:
    first = new_id()
    phone.send(plot_visit(first, photos=["1.jpg", "2.jpg"]), {"1.jpg": jpeg()})
    edit = plot_visit(new_id(), photos=["1.jpg", "2.jpg"], deprecated_id=first)
    assert "照片 1/2" in message(phone.send(edit))


def test_a_photo_that_comes_late_for_an_original_serves_its_edits_too(phone: Phone) -> None:
    first, second = new_id(), new_id()
    original = plot_visit(first, photos=["1.jpg"])
    edits = [
        plot_visit(second, photos=["1.jpg"], deprecated_id=first),
        plot_visit(new_id(), photos=["1.jpg"], deprecated_id=second),
    ]
    for xml in (original, *edits):
        assert "照片 0/1" in message(phone.send(xml))
    phone.send(original, {"1.jpg": jpeg()})
    assert ["照片 1/1" in message(phone.send(xml)) for xml in (original, *edits)] == [True] * 3


def test_an_encrypted_record_is_kept_with_its_files(phone: Phone, back: Back) -> None:
    envelope = (
        f'<data xmlns="http://opendatakit.org/submissions" encrypted="yes" id="plot_visit" version="2026112202" '
        f'instanceID="{new_id()}"><base64EncryptedKey>AAAA</base64EncryptedKey>'
        f'<orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>{new_id()}</orx:instanceID></orx:meta>'
        f"<media><file>1.jpg.enc</file></media><encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>"
    ).encode()
    held_back(phone.send(envelope, {"1.jpg.enc": b"?", "submission.xml.enc": b"!"}), "加密")
    assert back.rows(HELD) == [("encrypted",)]
    assert back.count(schema.attachment) == 2
    assert sizes(back) == []


def test_what_a_lost_phone_sent_counts_when_a_person_says_so(
    client: FlaskClient, cast: Cast, version: int, back: Back, retry: Callable[[], list[str | None]]
) -> None:
    lost, sent = Phone(client, key_address(cast, cast.revoked_token)), new_id()
    for _ in range(2):
        held_back(lost.send(plot_visit(sent)), "这台手机已被停用")
    assert back.count(submission) == 1
    assert sizes(back) == []
    assert retry() == [None]
    assert sizes(back) == [("PS-001", sent)]


def test_a_phone_revoked_between_two_photos_still_delivers_the_second(
    phone: Phone, cast: Cast, database: Database, back: Back
) -> None:
    xml = plot_visit(photos=["1.jpg", "2.jpg"])
    phone.send(xml, {"1.jpg": jpeg(1)})
    with database.writing() as connection:
        devices.revoke(connection, cast.project, cast.device_one, 1)
    assert phone.send(xml, {"2.jpg": jpeg(2)}).status_code == 201
    assert back.count(submission) == 1


@pytest.mark.parametrize("make", ["other-content", "unknown-version", "edit-before-original"])
def test_a_held_instance_sent_again_is_not_doubled(phone: Phone, back: Back, make: str) -> None:
    known = new_id()
    phone.send(plot_visit(known))
    xml = {
        "other-content": plot_visit(known, plot_id="PS-002"),
        "unknown-version": plot_visit(version="1999"),
        "edit-before-original": plot_visit(deprecated_id="uuid:nobody"),
    }[make]
    answers = [phone.send(xml, {f"{n}.jpg": jpeg(n)}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert back.rows(HELD) == [(make,)]
    assert back.count(schema.attachment) == 3


STRICT = {
    "unknown form": (404, "没有这个调查表。"), "unknown version": (404, "没有这个调查表版本"),
    "other content": (409, "同一编号"), "edit before original": (409, "尚未收到原记录"), "closed": (409, "停止接收"),
}  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_strict_project_refuses_what_others_hold_back(
    phone: Phone, cast: Cast, database: Database, back: Back, set_state: Callable[[str], None]
) -> None:
    known = new_id()
    phone.send(plot_visit(known))
    with database.writing() as connection:
        projects.change(connection, cast.project, strict_intake=True)
    odd = {
        "unknown form": plot_visit().replace(b'id="plot_visit"', b'id="nobody_knows"'),
        "unknown version": plot_visit(version="1999"),
        "other content": plot_visit(known, plot_id="PS-002"),
        "edit before original": plot_visit(deprecated_id="uuid:nobody"),
        "closed": plot_visit(),
    }
    for what, xml in odd.items():
        if what == "closed":
            set_state("closed")
        status, words = STRICT[what]
        answer = phone.send(xml)
        assert (answer.status_code, words in message(answer)) == (status, True), what
    assert back.count(submission) == 1


def set_aside(database: Database, back: Back) -> None:
    with database.writing() as connection:
        [row] = connection.execute(select(submission.c.id).where(submission.c.quarantine.is_not(None))).all()
        assert settle.set_aside(connection, row.id, "li", "练习数据", back.clock())


def test_what_a_person_set_aside_is_kept_and_never_counts(
    phone: Phone, cast: Cast, database: Database, back: Back
) -> None:
    original, practice = new_id(), plot_visit(version=NEXT_YEAR)
    phone.send(practice)
    set_aside(database, back)
    put_up(database, cast.project, form("plot_visit", NEXT_YEAR))  # what it waited for has come
    assert sizes(back) == []
    assert phone.send(practice).status_code == 202  # the phone may forget it
    assert back.count(submission) == 1
    assert phone.send(plot_visit(original)).status_code == 201
    assert sizes(back) == [("PS-001", original)]


def test_an_edit_that_was_set_aside_does_not_count_when_its_original_comes(
    phone: Phone, database: Database, back: Back
) -> None:
    first = new_id()
    phone.send(plot_visit(deprecated_id=first))
    set_aside(database, back)
    phone.send(plot_visit(first))
    assert sizes(back) == [("PS-001", first)]


def test_the_log_says_who_settled_what(
    phone: Phone, database: Database, back: Back, set_state: Callable[[str], None],
    retry: Callable[[], list[str | None]],
) -> None:  # fmt: skip
    set_state("closed")
    phone.send(plot_visit("uuid:one"))
    retry()
    phone.send(plot_visit("uuid:two"))
    set_aside(database, back)
    log = back.rows(select(schema.event.c.actor, schema.event.c.action, schema.event.c.subject))
    assert log[-2:] == [("li", "quarantine.retry", "uuid:one"), ("li", "quarantine.set-aside", "uuid:two")]


# drafts


def _tester(client: FlaskClient, cast: Cast, database: Database) -> Phone:
    token = draft(database, cast.project, form("plot_visit"))
    return Phone(client, f"/v1/test/{token}/projects/{cast.project}/forms/plot_visit/draft")


def test_a_test_of_a_draft_is_answered_and_counts_for_nothing(
    client: FlaskClient, cast: Cast, database: Database, back: Back
) -> None:
    phone, xml = _tester(client, cast, database), plot_visit(version="any", trees=[tree("1", 12.3)])
    for _ in range(2):
        answer = phone.send(xml)
        assert answer.status_code == 201
        assert "这是测试数据，不会计入" in message(answer)
    assert sizes(back) == []
    put_up(database, cast.project, form("plot_visit"))
    assert back.count(submission) == 0
    assert sizes(back) == []


def test_a_tester_may_send_other_answers_under_the_same_id_again_and_again(
    client: FlaskClient, cast: Cast, database: Database, back: Back
) -> None:
    phone, known = _tester(client, cast, database), new_id()
    for plot_id in ("PS-1", "PS-2", "PS-2", "PS-1"):
        assert phone.send(plot_visit(known, plot_id=plot_id)).status_code == 201
    assert back.rows(HELD) == []
    put_up(database, cast.project, form("plot_visit"))
    assert back.count(submission) == 0


def test_a_record_and_a_test_of_the_same_id_know_nothing_of_each_other(
    client: FlaskClient, cast: Cast, database: Database, back: Back, version: int
) -> None:
    xml, sent = plot_visit(instance := new_id()), Phone(client, key_address(cast))
    assert _tester(client, cast, database).send(xml).status_code == 201
    assert sent.send(xml).status_code == 201
    assert sizes(back) == [("PS-001", instance)]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_draft_takes_only_its_own_form(
    client: FlaskClient, cast: Cast, database: Database, back: Back
) -> None:
    answer = _tester(client, cast, database).send(plot_visit().replace(b'"plot_visit"', b'"thinning_record"'))
    assert answer.status_code == 404
    assert back.count(submission) == 0


def test_the_language_of_a_held_receipt_is_that_of_the_phone(
    phone: Phone, database: Database, settings: Settings
) -> None:
    with database.writing() as connection:
        connection.execute(update(schema.device).values(locale="en"))
    told = message(phone.send(plot_visit(version="1999")))
    assert told == (
        "Kept safe, but not counted yet: the server does not have this version of the form yet. "
        "Your supervisor will look at it; no need to send again."
    )
