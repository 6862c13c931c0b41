"""Plots in batches: each is kept once and answered on its own, whatever stands beside it and however often it comes."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import zstandard
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from server.store import schema
from server.store.db import Database
from server.store.packed import unpack
from server.store.schema import attachment, submission
from sync import messages
from tests.builders import jpeg
from tests.cast import Cast
from tests.phone import Back, Phone, draft, form, new_id, plot_visit, put_up, tree

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"])
Push = Callable[..., list[dict[str, Any]]]


def item(xml: bytes, files: dict[str, bytes] | None = None) -> dict[str, Any]:
    """An instance as a phone puts it into a batch; its name there is the end of its instanceID."""
    named = [
        {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
        for name, content in (files or {}).items()
    ]
    return {"client_id": "mine", "xml": xml.decode(), "files": named}


@pytest.fixture
def address(cast: Cast) -> str:
    return f"/v1/projects/{cast.project}/sync/push"


@pytest.fixture
def push(client: FlaskClient, cast: Cast, address: str, version: int) -> Push:
    """一队's phone pushes these; what is said of each. Request and answer have the shapes that are described."""

    def push(*items: dict[str, Any], token: str = cast.token_one, **more: Any) -> list[dict[str, Any]]:
        body = {"instances": list(items), **more}
        assert messages.Push().validate(body) == {}
        answer = client.post(address, json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        assert messages.Pushed().validate(answer.json) == {}
        assert [said["client_id"] for said in answer.json["results"]] == [one["client_id"] for one in items]
        results: list[dict[str, Any]] = answer.json["results"]
        return results

    return push


def states(results: Sequence[dict[str, Any]]) -> list[str]:
    return [said.get("reason", said["state"]) for said in results]


def test_a_batch_is_kept_as_it_came_and_each_plot_is_answered(push: Push, back: Back, cast: Cast) -> None:
    sent = [plot_visit(plot_id=f"PS-{n}", trees=[tree("1", 12.3)]) for n in range(5)]
    answered = push(*map(item, sent))
    assert states(answered) == ["kept"] * 5
    assert [said["photos"] for said in answered] == [{"received": 0, "expected": 0, "missing": []}] * 5
    kept = back.rows(select(submission).order_by(submission.c.id))
    assert [unpack(row.xml) for row in kept] == sent
    assert [row.instance_id for row in kept] == [said["instance_id"] for said in answered]
    assert {row.device_id for row in kept} == {cast.device_one}
    back.drain()
    assert back.count(schema.visit) == back.count(schema.measurement) == 5


def test_a_batch_may_come_again_in_whole_or_in_part(push: Push, back: Back) -> None:
    sent = [item(plot_visit()) for _ in range(4)]
    assert states(push(*sent[:2])) == ["kept"] * 2
    assert states(push(*sent)) == ["already_kept"] * 2 + ["kept"] * 2
    assert states(push(*reversed(sent))) == ["already_kept"] * 4
    assert back.count(submission) == back.count(schema.job) == 4


def test_one_instance_twice_in_a_batch_is_kept_once(push: Push, back: Back) -> None:
    same = item(plot_visit(), {"1.jpg": b"one"})
    assert states(push(same, same, same)) == ["kept", "already_kept", "already_kept"]
    assert (back.count(submission), back.count(attachment), back.count(schema.job)) == (1, 1, 1)


def test_what_came_by_openrosa_is_known_and_the_other_way_round(push: Push, phone: Phone, back: Back) -> None:
    first, second = plot_visit(), plot_visit()
    assert phone.send(first).status_code == 201
    assert states(push(item(first), item(second))) == ["already_kept", "kept"]
    assert phone.send(second).status_code == 201
    assert back.count(submission) == 2


def test_bad_items_spoil_nothing(
    client: FlaskClient, cast: Cast, address: str, version: int, back: Back
) -> None:
    good = item(plot_visit())
    file = {"name": "1.jpg", "sha256": "0" * 64, "size_bytes": 3}
    bad = [
        None, 3, [], {}, {"client_id": 3}, {"xml": 3}, {**good, "xml": ""}, {**good, "xml": "<data"},
        {**good, "xml": "<data id='x'/>"}, {**good, "xml": "<!DOCTYPE a><data id='x'/>"}, {**good, "files": 3},
        {**good, "files": [3]}, {**good, "files": [{**file, "sha256": "A" * 64}]},
        {**good, "files": [{**file, "size_bytes": -1}]}, {**good, "files": [{**file, "size_bytes": 2**70}]},
        {**good, "files": [file] * 1001},
    ]  # fmt: skip
    mixed = list(itertools.chain.from_iterable((one, item(plot_visit())) for one in bad))
    answer = client.post(address, json={"instances": mixed}, headers={"Authorization": "Bearer token-one"})
    assert [said["state"] for said in answer.json["results"]] == ["refused", "kept"] * len(bad)
    assert all(said["reason"] and said["detail"] for said in answer.json["results"][::2])
    assert back.count(submission) == len(bad)


@only_sqlite
def test_half_a_character_costs_no_plot(client: FlaskClient, cast: Cast, address: str, version: int) -> None:
    xml = plot_visit().decode().replace("PS-001", "PS\ud83c")
    body = {"instances": [{"client_id": "a\ud83c", "xml": xml, "files": [
        {"name": "b\ud83c\0/../1.jpg", "sha256": "0" * 64, "size_bytes": 1}, {"name": "c\ud83c", "sha256": "1" * 64,
         "size_bytes": 1}]}]}  # fmt: skip
    answer = client.post(address, data=json.dumps(body), headers={"Authorization": "Bearer token-one"})
    [said] = answer.json["results"]
    assert (said["client_id"], said["state"], said["photos"]["missing"]) == ("a?", "kept", ["1.jpg", "c?"])


@only_sqlite
def test_a_body_that_is_no_batch_is_refused_whole(
    client: FlaskClient, cast: Cast, address: str, version: int, back: Back
) -> None:
    bodies = [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"instances": 3}',
        b"\xff",
        b'{"instances": [], "flags": 1}',
        b"[" * 100_000,
    ]
    for body in bodies:
        answer = client.post(address, data=body, headers={"Authorization": "Bearer token-one"})
        assert (answer.status_code, answer.json["title"]) == (400, "bad-request")
    many = {"instances": [item(plot_visit())] * 501}
    answer = client.post(address, json=many, headers={"Authorization": "Bearer token-one"})
    assert (answer.status_code, answer.json["title"]) == (413, "too-many")
    assert "500" in answer.json["detail"]
    assert back.count(submission) == 0


def test_who_has_no_key_pushes_nothing(client: FlaskClient, cast: Cast, address: str, back: Back) -> None:
    other = f"/v1/projects/{cast.other_project}/sync/push"
    for place, headers in [
        (address, {"Authorization": "Bearer unknown"}),
        (other, {"Authorization": "Bearer token-one"}),
    ]:
        answer = client.post(place, json={"instances": [item(plot_visit())]}, headers=headers)
        assert (answer.status_code, answer.json["title"]) == (403, "device-unknown")
    assert client.post(address, json={"instances": []}).status_code in {401, 403}
    assert back.count(submission) == 0


# what becomes of them


def test_every_reason_for_quarantine_is_found_in_one_batch(
    push: Push, back: Back, database: Database, cast: Cast
) -> None:
    first = new_id()
    counts = plot_visit(first)
    unknown = plot_visit().replace(b'id="plot_visit"', b'id="other_form"')
    newer = plot_visit().replace(b'version="', b'version="9')
    other, edit = plot_visit(first, plot_id="PS-002"), plot_visit(deprecated_id=new_id())
    encrypted = b'<data id="plot_visit" encrypted="yes" version="1"><meta><instanceID>uuid:e</instanceID></meta></data>'
    answered = push(*map(item, [counts, unknown, newer, other, edit, encrypted]))
    assert states(answered) == [
        "kept", "unknown-form", "unknown-version", "other-content", "edit-before-original", "encrypted",
    ]  # fmt: skip
    assert all(said["detail"].startswith("已安全保存") for said in answered[1:])
    assert states(push(*map(item, [newer, other, edit]))) == [
        "unknown-version",
        "other-content",
        "edit-before-original",
    ]
    with database.writing() as connection:
        connection.execute(update(schema.form).values(state="closed"))
    assert states(push(item(plot_visit()), item(counts))) == ["closed-form", "already_kept"]
    assert back.count(submission) == 7


def test_a_revoked_phone_has_its_plots_kept_in_quarantine(push: Push, back: Back, cast: Cast) -> None:
    sent = item(plot_visit(trees=[tree("1", 1233)]))
    [said] = push(sent, token=cast.revoked_token, flags=True)
    assert (said["state"], said["reason"], said["flags"]) == ("quarantined", "revoked-device", [])
    back.drain()
    assert (back.count(submission), back.count(schema.visit)) == (1, 0)


def test_a_project_with_strict_intake_refuses_item_by_item(
    push: Push, back: Back, database: Database
) -> None:
    with database.writing() as connection:
        connection.execute(update(schema.project).values(strict_intake=True))
    first = new_id()
    unknown = plot_visit().replace(b'id="plot_visit"', b'id="other_form"')
    edit = plot_visit(deprecated_id=first)
    answered = push(
        item(edit), item(unknown), item(plot_visit(first)), item(plot_visit(deprecated_id=new_id()))
    )
    assert [said["state"] for said in answered] == ["kept", "refused", "kept", "refused"]
    assert [said["reason"] for said in answered[1::2]] == ["unknown-form", "edit-before-original"]
    assert back.count(submission) == 2


@only_sqlite
def test_a_draft_is_not_tried_by_pushing(push: Push, database: Database, cast: Cast) -> None:
    draft(database, cast.project, form("plot_visit", "2027"))
    assert states(push(item(plot_visit(version="2027")))) == ["unknown-version"]


def chain() -> list[bytes]:
    """A plot and three edits, each of the one before."""
    ids = [new_id() for _ in range(4)]
    plot_id = f"P-{ids[0][-6:]}"
    return [
        plot_visit(i, plot_id=plot_id, trees=[tree("1", 10 + n)], deprecated_id=ids[n - 1] if n else None)
        for n, i in enumerate(ids)
    ]


def test_edits_may_stand_before_their_originals_in_a_batch(push: Push, back: Back) -> None:
    records = chain()
    for order in itertools.permutations(range(4)):
        xmls = chain()
        assert states(push(*(item(xmls[n]) for n in order))) == ["kept"] * 4
    assert states(push(item(records[3]), item(records[2]))) == ["edit-before-original"] * 2
    assert states(push(item(records[1]), item(records[0]))) == ["kept"] * 2
    back.drain()
    last = back.rows(select(schema.measurement.c.dbh_cm))
    assert [row.dbh_cm for row in last] == [13.0] * 25
    assert not back.rows(select(submission.c.id).where(submission.c.quarantine.is_not(None)))


def test_of_two_edits_in_a_batch_one_counts(push: Push) -> None:
    first = new_id()
    edits = [item(plot_visit(deprecated_id=first, plot_id=f"PS-{n}")) for n in (1, 2)]
    assert states(push(*edits, item(plot_visit(first)))) == ["kept", "edit-of-old", "kept"]
    assert states(push(*edits)) == ["already_kept", "edit-of-old"]


@only_sqlite
def test_edits_in_a_circle_come_to_an_end(push: Push) -> None:
    a, b = new_id(), new_id()
    assert states(push(item(plot_visit(a, deprecated_id=b)), item(plot_visit(b, deprecated_id=a)))) == [
        "edit-before-original", "edit-before-original",
    ]  # fmt: skip


# flags and files


def test_a_phone_hears_at_once_what_looks_odd_when_it_asks(push: Push) -> None:
    odd, fine = item(plot_visit(trees=[tree("7", 1233)])), item(plot_visit(trees=[tree("7", 12.3)]))
    assert all("flags" not in said for said in push(odd, fine))
    [said, unsuspicious] = push(odd, fine, flags=True)
    [flag] = said["flags"]
    assert (flag["rule"], flag["severity"], flag["tag"], flag["stem_id"], flag["field"]) == (
        "T03",
        "error",
        "7",
        "1",
        "dbh_cm",
    )
    assert "1233" in flag["message"]
    assert unsuspicious["flags"] == []


def test_files_that_the_project_has_are_not_asked_for(push: Push, phone: Phone, back: Back) -> None:
    photos = {"1.jpg": jpeg(10), "2.jpg": jpeg(200)}
    assert phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": photos["1.jpg"]}).status_code == 201
    sent = item(plot_visit(photos=["a.jpg", "2.jpg"]), {"a.jpg": photos["1.jpg"], "2.jpg": photos["2.jpg"]})
    for state in ("kept", "already_kept"):
        [said] = push(sent)
        assert (said["state"], said["photos"]) == (
            state,
            {"received": 1, "expected": 2, "missing": ["2.jpg"]},
        )
    back.drain()
    rows = back.rows(
        select(attachment.c.name, attachment.c.is_expected, attachment.c.sha256).order_by(attachment.c.id)
    )
    assert [(row.name, row.is_expected, row.sha256 is not None) for row in rows[1:]] == [
        ("a.jpg", True, True), ("2.jpg", True, False),
    ]  # fmt: skip
    assert back.count(schema.photo) == 2


def test_files_of_another_project_are_not_known_here(
    client: FlaskClient, push: Push, phone: Phone, database: Database, cast: Cast
) -> None:
    photo = jpeg(9)
    assert phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": photo}).status_code == 201
    put_up(database, cast.other_project, form("plot_visit"))
    with database.writing() as connection:
        connection.execute(
            update(schema.device)
            .where(schema.device.c.id == cast.device_two)
            .values(project_id=cast.other_project)
        )
    answer = client.post(
        f"/v1/projects/{cast.other_project}/sync/push",
        json={"instances": [item(plot_visit(), {"1.jpg": photo})]},
        headers={"Authorization": f"Bearer {cast.token_two}"},
    )
    assert answer.json["results"][0]["photos"]["missing"] == ["1.jpg"]


@only_sqlite
def test_a_file_whose_bytes_the_disk_has_lost_is_asked_for_again(
    push: Push, phone: Phone, back: Back
) -> None:
    photo = jpeg(9)
    phone.send(plot_visit(photos=["1.jpg"]), {"1.jpg": photo})
    [path] = [path for path in back.settings.photo_dir.rglob("*") if path.is_file()]
    path.unlink()
    [said] = push(item(plot_visit(photos=["1.jpg"]), {"1.jpg": photo}))
    assert said["photos"]["missing"] == ["1.jpg"]


@only_sqlite
def test_an_edit_has_the_files_of_its_original(push: Push, phone: Phone) -> None:
    first, photo = new_id(), jpeg(3)
    original = plot_visit(first, photos=["1.jpg"])
    edit = item(plot_visit(deprecated_id=first, photos=["1.jpg"]), {"1.jpg": photo})
    [_, said] = push(item(original, {"1.jpg": photo}), edit)
    assert said["photos"]["missing"] == ["1.jpg"]
    assert phone.send(original, {"1.jpg": photo}).status_code == 201
    [said] = push(edit)
    assert said["photos"] == {"received": 1, "expected": 1, "missing": []}


# laws


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 25), ("postgresql", 8)])
def test_however_a_day_is_cut_into_batches_each_plot_is_kept_once(
    push: Push, back: Back, examples: int
) -> None:
    batches = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=8), max_size=6)

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(batches, st.permutations(range(6)))
    def law(cut: list[list[int]], rest: list[int]) -> None:
        day = [
            *chain(),
            plot_visit(plot_id="A", trees=[tree("1", 5)]),
            plot_visit(plot_id="B", trees=[tree("1", 6)]),
        ]
        before = (back.count(submission), back.count(schema.visit))
        for batch in [*cut, rest]:
            assert "refused" not in {said["state"] for said in push(*(item(day[n]) for n in batch))}
        back.drain()
        assert (back.count(submission), back.count(schema.visit)) == (before[0] + 6, before[1] + 3)
        newest = back.rows(
            select(schema.measurement.c.dbh_cm).order_by(schema.measurement.c.visit_id.desc()).limit(3)
        )
        assert sorted(row.dbh_cm for row in newest) == [5.0, 6.0, 13.0]
        assert set(states(push(*map(item, day)))) == {"already_kept"}

    law()


# how it travels


def test_a_batch_may_travel_compressed_and_so_may_its_answer(
    client: FlaskClient, address: str, version: int, back: Back
) -> None:
    sent = json.dumps({"instances": [item(plot_visit()) for _ in range(20)]}).encode()
    ways: list[tuple[str, Callable[[bytes], bytes], Callable[[bytes], bytes]]] = [
        ("gzip", gzip.compress, gzip.decompress), ("zstd", zstandard.compress, zstandard.decompress),
    ]  # fmt: skip
    for encoding, small, whole in ways:
        headers = {
            "Authorization": "Bearer token-one",
            "Content-Encoding": encoding,
            "Accept-Encoding": encoding,
        }
        answer = client.post(address, data=small(sent), headers=headers)
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, encoding)
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert len(json.loads(whole(answer.data))["results"]) == 20
    assert back.count(submission) == 20


@only_sqlite
def test_what_cannot_be_decompressed_is_refused(client: FlaskClient, address: str, version: int) -> None:
    body = gzip.compress(json.dumps({"instances": [item(plot_visit())]}).encode())
    refused = {("br", body): (415, "encoding-unknown"), ("gzip", body[:-9]): (400, "bad-request"),
               ("gzip", b"no"): (400, "bad-request"), ("zstd", body): (400, "bad-request")}  # fmt: skip
    for (encoding, data), (status, title) in refused.items():
        headers = {"Authorization": "Bearer token-one", "Content-Encoding": encoding}
        answer = client.post(address, data=data, headers=headers)
        assert (answer.status_code, answer.json["title"]) == (status, title)
