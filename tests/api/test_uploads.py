"""Photos by tus: what has come stays, what is whole goes to its instance, and nothing travels twice."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from server.store import schema
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.schema import attachment, submission, upload
from tests.builders import jpeg
from tests.cast import Cast
from tests.conftest import Clock
from tests.phone import Back, Phone, form, new_id, plot_visit, put_up

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"])
PIECE = "application/offset+octet-stream"


class Line:
    """一队's phone, or another, at the uploads."""

    def __init__(self, client: FlaskClient, project: int, token: str) -> None:
        self.client = client
        self.base = f"/v1/projects/{project}/sync/uploads"
        self.token = token

    def say(self, method: str, address: str = "", data: bytes | None = None, **headers: Any) -> TestResponse:
        named = {name.replace("_", "-"): str(value) for name, value in headers.items() if value is not None}
        said = {"Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0", **named}
        if data is not None:
            said.setdefault("Content-Type", PIECE)
        return self.client.open(address or self.base, method=method, data=data, headers=said)

    def create(self, content: bytes, instance_id: str, name: str = "1.jpg", body: bytes | None = None,
               sha256: str = "", **headers: Any) -> TestResponse:  # fmt: skip
        about = {"form_id": "plot_visit", "instance_id": instance_id, "name": name,
                 "sha256": sha256 or hashlib.sha256(content).hexdigest(), "content_type": "image/jpeg"}  # fmt: skip
        said = {"Upload_Length": len(content), "Upload_Metadata": encoded(about)} | headers
        return self.say("POST", data=body, **said)

    def begin(self, content: bytes, instance_id: str, **more: Any) -> str:
        """Creation without a body; the address of the upload."""
        answer = self.create(content, instance_id, **more)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "0")
        return answer.headers["Location"]

    def piece(self, address: str, data: bytes, offset: int, **headers: Any) -> TestResponse:
        return self.say("PATCH", address, data, Upload_Offset=offset, **headers)

    def offset(self, address: str) -> int:
        answer = self.say("HEAD", address)
        assert answer.status_code == 200
        return int(answer.headers["Upload-Offset"])


def encoded(about: dict[str, str]) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in about.items())


@pytest.fixture
def line(client: FlaskClient, cast: Cast, version: int) -> Line:
    return Line(client, cast.project, cast.token_one)


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def files(back: Back) -> dict[str, bytes | None]:
    """Names and bytes of what is kept beside instances."""
    blobs = Blobs(back.settings.photo_dir)
    rows = back.rows(select(attachment.c.name, attachment.c.sha256).order_by(attachment.c.id))
    return {name: blobs.path(sha256).read_bytes() if sha256 else None for name, sha256 in rows}


def on_disk(back: Back, folder: str = "") -> int:
    return len([path for path in (back.settings.photo_dir / folder).rglob("*") if path.is_file()])


def plot(phone: Phone, *names: str, **more: Any) -> str:
    """A plot that names these photos has come; its instanceID."""
    instance_id = new_id()
    assert phone.send(plot_visit(instance_id, photos=names or ["1.jpg"], **more)).status_code in {201, 202}
    return instance_id


PHOTO = jpeg(80, (900, 700))


def test_what_the_server_can_do_is_told_without_a_key(line: Line) -> None:
    for address in (line.base, f"{line.base}/any"):
        answer = line.client.options(address)
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
        assert (
            answer.headers["Tus-Extension"] == "creation,creation-with-upload,checksum,expiration,termination"
        )
        assert answer.headers["Tus-Max-Size"] == "100000000"
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"


def test_a_photo_in_one_request_is_at_its_plot(line: Line, phone: Phone, back: Back) -> None:
    answer = line.create(PHOTO, plot(phone), body=PHOTO)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(PHOTO)))
    assert files(back) == {"1.jpg": PHOTO}
    [row] = back.rows(select(attachment))
    assert (row.size_bytes, row.content_type, row.is_expected) == (len(PHOTO), "image/jpeg", True)
    assert (back.count(upload), on_disk(back), on_disk(back, "incoming")) == (0, 1, 0)
    back.drain()
    assert back.count(schema.photo) == 1


def test_a_photo_in_pieces_goes_on_where_it_was(line: Line, phone: Phone, back: Back) -> None:
    address = line.begin(PHOTO, plot(phone))
    for start in range(0, len(PHOTO), 3000):
        assert line.offset(address) == start
        answer = line.piece(address, PHOTO[start : start + 3000], start)
        assert answer.status_code == 204
        assert int(answer.headers["Upload-Offset"]) == min(start + 3000, len(PHOTO))
        assert ("Upload-Expires" in answer.headers) == (start + 3000 < len(PHOTO))
    assert files(back) == {"1.jpg": PHOTO}
    assert line.say("HEAD", address).status_code == 404
    assert (back.count(upload), on_disk(back, "arriving")) == (0, 0)
    answer = line.create(PHOTO, plot(phone))  # and whoever asks again hears that it is done
    assert answer.headers["Upload-Offset"] == answer.headers["Upload-Length"]


def test_the_first_piece_may_come_with_the_creation(line: Line, phone: Phone, back: Back) -> None:
    answer = line.create(PHOTO, plot(phone), body=PHOTO[:1000])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "1000")
    address = answer.headers["Location"]
    said = line.say("HEAD", address)
    assert (said.headers["Upload-Length"], said.headers["Cache-Control"]) == (str(len(PHOTO)), "no-store")
    assert base64.b64encode(b"1.jpg").decode() in said.headers["Upload-Metadata"]
    assert line.piece(address, PHOTO[1000:], 1000).status_code == 204
    assert files(back) == {"1.jpg": PHOTO}


def test_a_photo_that_the_project_has_needs_no_body(line: Line, phone: Phone, back: Back, cast: Cast) -> None:
    line.create(PHOTO, plot(phone), body=PHOTO)
    other = Line(line.client, cast.project, cast.token_two)
    for who in (line, other):
        answer = who.create(PHOTO, plot(phone, "other.jpg"), name="other.jpg")
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(PHOTO)))
    assert [row[0] for row in back.rows(select(attachment.c.sha256))] == [
        hashlib.sha256(PHOTO).hexdigest()
    ] * 3
    assert (back.count(upload), on_disk(back)) == (0, 1)


def test_the_same_photo_twice_changes_nothing(line: Line, phone: Phone, back: Back) -> None:
    instance_id = plot(phone)
    for _ in range(3):
        assert line.create(PHOTO, instance_id, body=PHOTO).status_code == 201
    assert (back.count(attachment), on_disk(back)) == (1, 1)
    assert len(back.rows(select(schema.job.c.id).where(schema.job.c.kind == "inspect_photo"))) == 1


def test_what_another_project_has_is_not_known_here(
    line: Line, phone: Phone, database: Database, cast: Cast
) -> None:
    line.create(PHOTO, plot(phone), body=PHOTO)
    put_up(database, cast.other_project, form("plot_visit"))
    with database.writing() as connection:
        connection.execute(
            update(schema.device)
            .where(schema.device.c.id == cast.device_two)
            .values(project_id=cast.other_project)
        )
    instance_id = plot(phone, "2.jpg")
    other = Line(line.client, cast.other_project, cast.token_two)
    other.begin(PHOTO, instance_id)  # asserts that nothing is known of it
    assert other.create(PHOTO, instance_id, name="2.jpg", body=PHOTO).status_code == 201
    with database.reading() as connection:  # and an instance of another project is out of reach
        [place] = connection.execute(select(attachment).where(attachment.c.name == "2.jpg")).all()
    assert place.sha256 is None


# what does not fit


def test_a_piece_that_does_not_follow_is_refused(line: Line, phone: Phone) -> None:
    address = line.begin(PHOTO, plot(phone))
    line.piece(address, PHOTO[:100], 0)
    for offset in (0, 99, 101, len(PHOTO)):
        answer = line.piece(address, PHOTO[:100], offset)
        assert (answer.status_code, answer.json["title"]) == (409, "offset-conflict")
    assert line.piece(address, PHOTO, 100).status_code == 400  # more than there should be
    assert line.offset(address) == 100


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_a_piece_with_a_wrong_checksum_leaves_no_trace(
    line: Line, phone: Phone, back: Back, algorithm: str
) -> None:
    address = line.begin(PHOTO, plot(phone))
    assert (
        line.piece(address, PHOTO[:500], 0, Upload_Checksum=checksum(PHOTO[:500], algorithm)).status_code
        == 204
    )
    wrong = line.piece(address, b"x" * 500, 500, Upload_Checksum=checksum(PHOTO[500:1000], algorithm))
    assert (wrong.status_code, wrong.json["title"]) == (460, "checksum-mismatch")
    assert line.offset(address) == 500
    right = line.piece(address, PHOTO[500:], 500, Upload_Checksum=checksum(PHOTO[500:], algorithm))
    assert right.status_code == 204
    assert files(back) == {"1.jpg": PHOTO}
    assert (
        line.create(b"abc", plot(phone), body=b"abd", Upload_Checksum=checksum(b"abc", algorithm)).status_code
        == 460
    )
    assert on_disk(back) == 1


def test_a_file_that_is_not_what_was_said_is_thrown_away(line: Line, phone: Phone, back: Back) -> None:
    instance_id, other = plot(phone), PHOTO[:-1] + b"?"
    assert line.create(PHOTO, instance_id, body=other).status_code == 460
    address = line.begin(PHOTO, instance_id)
    assert line.piece(address, other, 0).status_code == 460
    assert (line.offset(address), on_disk(back)) == (0, 0)
    assert line.piece(address, PHOTO, 0).status_code == 204
    assert files(back) == {"1.jpg": PHOTO}


@only_sqlite
def test_what_cannot_be_read_is_refused_with_the_name_of_the_header(
    line: Line, phone: Phone, back: Back
) -> None:
    instance_id = plot(phone)
    about = {"form_id": "plot_visit", "instance_id": instance_id, "name": "1.jpg", "sha256": "0" * 64}
    for name in about:
        left = encoded({key: value for key, value in about.items() if key != name})
        answer = line.create(PHOTO, instance_id, Upload_Metadata=left)
        assert (answer.status_code, name in answer.json["detail"]) == (400, True)
    bad: list[dict[str, Any]] = [
        {"Upload_Length": None}, {"Upload_Length": "-1"}, {"Upload_Length": "1e3"}, {"Upload_Length": "٣"},
        {"Upload_Length": "9" * 30}, {"Upload_Metadata": "sha256 !!"}, {"Upload_Metadata": "sha256 gICA"},
        {"Upload_Metadata": encoded({**about, "sha256": "short"})},
        {"Upload_Metadata": encoded({**about, "instance_id": "a\0b"})},
        {"Upload_Metadata": encoded({**about, "form_id": "a" * 201})}, {"Upload_Checksum": "md5 abc=", "body": b"x"},
        {"Upload_Checksum": "sha256 !", "body": b"x"},
    ]  # fmt: skip
    for headers in bad:
        assert line.create(PHOTO, instance_id, **headers).status_code == 400, headers
    huge = line.create(PHOTO, instance_id, Upload_Length=100_000_001)
    assert (huge.status_code, huge.json["title"]) == (413, "too-large")
    address = line.begin(PHOTO, instance_id)
    assert line.piece(address, PHOTO, 0, Content_Type="image/jpeg").status_code == 415
    assert line.say("PATCH", address, PHOTO).status_code == 400
    assert on_disk(back) == 0


def test_another_version_of_the_protocol_is_refused(line: Line, phone: Phone) -> None:
    for version in (None, "0.2.2"):
        answer = line.create(PHOTO, plot(phone), Tus_Resumable=version or "")
        assert (answer.status_code, answer.json["title"]) == (412, "tus-version")
        assert answer.headers["Tus-Version"] == "1.0.0"


def test_an_upload_belongs_to_the_phone_that_began_it(line: Line, phone: Phone, cast: Cast) -> None:
    address = line.begin(PHOTO, plot(phone))
    other = Line(line.client, cast.project, cast.token_two)
    answers = [other.say("HEAD", address), other.piece(address, PHOTO, 0), other.say("DELETE", address),
               line.say("HEAD", f"{line.base}/unknown"), line.say("HEAD", f"{line.base}/..%2f..%2fdb")]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404] * 5
    assert line.offset(address) == 0
    stranger = Line(line.client, cast.project, "unknown")
    assert stranger.create(PHOTO, new_id(), body=PHOTO).status_code == 403


def test_an_upload_can_be_given_up(line: Line, phone: Phone, back: Back) -> None:
    address = line.begin(PHOTO, plot(phone))
    line.piece(address, PHOTO[:100], 0)
    assert line.say("DELETE", address).status_code == 204
    assert line.say("HEAD", address).status_code == line.say("DELETE", address).status_code == 404
    assert (back.count(upload), on_disk(back)) == (0, 0)


def test_behind_something_that_lets_post_pass_alone(line: Line, phone: Phone, back: Back) -> None:
    address = line.begin(PHOTO, plot(phone))
    over = "X_HTTP_Method_Override"
    assert line.say("POST", address, PHOTO[:9], Upload_Offset=0, **{over: "PATCH"}).status_code == 204
    assert line.say("POST", address, **{over: "HEAD"}).headers["Upload-Offset"] == "9"
    assert line.say("POST", address).status_code == line.say("GET", address).status_code == 405
    assert line.say("POST", address, **{over: "DELETE"}).status_code == 204
    assert line.say("POST", **{over: "OPTIONS"}).headers["Tus-Version"] == "1.0.0"
    assert back.count(upload) == 0


@pytest.fixture
def moved(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the doors, in the hand of the test."""
    monkeypatch.setattr("server.web.connection.now_ms", clock)
    return clock


def test_an_upload_that_nobody_went_on_with_is_forgotten(
    line: Line, phone: Phone, back: Back, moved: Clock
) -> None:
    address = line.begin(PHOTO, instance_id := plot(phone))
    day_s = 24 * 3600
    for day in range(3):  # whoever goes on has another week
        moved.tick(6 * day_s)
        assert line.piece(address, PHOTO[day : day + 1], day).status_code == 204
    whole = line.create(b"waits for ever", new_id(), body=b"waits for ever").headers["Location"]
    moved.tick(7 * day_s + 1)
    for answer in (line.say("HEAD", address), line.piece(address, PHOTO[3:], 3)):
        assert answer.status_code == 410
    assert on_disk(back, "arriving") == 1
    line.begin(PHOTO, instance_id)  # whoever begins sweeps
    assert line.say("HEAD", address).status_code == 404
    assert on_disk(back, "arriving") == 0
    assert line.offset(whole) == 14


# where it goes


def test_a_photo_may_come_before_its_plot(line: Line, phone: Phone, back: Back, cast: Cast) -> None:
    first, second = new_id(), new_id()
    address = line.create(PHOTO, first, body=PHOTO).headers["Location"]
    assert line.offset(address) == len(PHOTO)
    assert line.create(PHOTO, second).headers["Upload-Offset"] == str(len(PHOTO))  # known, though it waits
    assert back.count(upload) == 2
    assert phone.send(plot_visit(first, photos=["1.jpg"])).status_code == 201
    named = [{"name": "1.jpg", "sha256": hashlib.sha256(PHOTO).hexdigest(), "size_bytes": len(PHOTO)}]
    body = {"instances": [{"client_id": "a", "xml": plot_visit(second).decode(), "files": named}]}
    answer = line.client.post(f"/v1/projects/{cast.project}/sync/push", json=body,
                              headers={"Authorization": f"Bearer {cast.token_one}"})  # fmt: skip
    assert answer.json["results"][0]["photos"] == {"received": 1, "expected": 1, "missing": []}
    assert (back.count(upload), back.count(attachment), on_disk(back)) == (0, 2, 1)
    back.drain()
    assert back.count(schema.photo) == 2


def test_a_late_photo_serves_the_edits_as_well(line: Line, phone: Phone, back: Back) -> None:
    first = plot(phone)
    second = plot(phone, deprecated_id=first)
    plot(phone, deprecated_id=second)
    assert line.create(PHOTO, first, body=PHOTO).status_code == 201
    assert len({row[0] for row in back.rows(select(attachment.c.sha256))} - {None}) == 1
    assert len(back.rows(select(attachment.c.id).where(attachment.c.sha256.is_not(None)))) == 3


def test_a_photo_of_an_instance_in_quarantine_is_kept_with_it(line: Line, phone: Phone, back: Back) -> None:
    instance_id = plot(phone)
    twin = plot_visit(instance_id, photos=["twin.jpg"], plot_id="PS-002")
    assert phone.send(twin).status_code == 202
    assert line.create(PHOTO, instance_id, name="twin.jpg", body=PHOTO).status_code == 201
    rows = back.rows(select(submission.c.quarantine).join(attachment).where(attachment.c.sha256.is_not(None)))
    assert [row.quarantine for row in rows] == ["other-content"]  # it is the twin that names it
    waiting = plot(phone, deprecated_id=new_id())
    assert line.create(b"other", waiting, body=b"other").status_code == 201
    rows = back.rows(select(submission.c.quarantine).join(attachment).where(attachment.c.size_bytes == 5))
    assert [row.quarantine for row in rows] == ["edit-before-original"]


def test_other_bytes_under_a_name_that_is_taken_are_kept_beside(line: Line, phone: Phone, back: Back) -> None:
    instance_id = plot(phone)
    for content in (b"first", b"second", b"first"):
        assert line.create(content, instance_id, body=content).status_code == 201
    assert files(back) == {"1.jpg": b"first", "1.jpg (16367aacb67a)": b"second"}  # sha256sum of "second"


def test_a_revoked_phone_brings_photos_for_its_own_plots_alone(
    line: Line, phone: Phone, back: Back, cast: Cast, database: Database
) -> None:
    own = plot(phone, "own.jpg")
    with database.writing() as connection:
        connection.execute(
            update(schema.device).where(schema.device.c.id == cast.device_one).values(revoked_at=1)
        )
    theirs = new_id()
    other = Phone(line.client, f"/v1/key/{cast.token_two}/projects/{cast.project}")
    assert other.send(plot_visit(theirs, photos=["theirs.jpg"])).status_code == 201
    assert line.create(b"own", own, name="own.jpg", body=b"own").status_code == 201
    assert line.create(b"theirs", theirs, name="theirs.jpg", body=b"theirs").status_code == 201
    assert files(back) == {"own.jpg": b"own", "theirs.jpg": None}
    assert on_disk(back) == 2  # kept all the same


@only_sqlite
def test_a_file_of_no_bytes_and_a_name_that_is_no_path(line: Line, phone: Phone, back: Back) -> None:
    instance_id = plot(phone)
    assert line.create(b"", instance_id, name="empty.txt", body=b"").status_code == 201
    assert line.create(b"x", instance_id, name="../../etc/样木.jpg", body=b"x").status_code == 201
    assert {name: content for name, content in files(back).items() if content is not None} == {
        "empty.txt": b"", "样木.jpg": b"x",
    }  # fmt: skip


@pytest.fixture
def left_behind(line: Line, phone: Phone, back: Back) -> Callable[[bytes], str]:
    """All bytes of an upload had come when the server went away; the address of the upload."""

    def leave(content: bytes) -> str:
        address = line.begin(PHOTO, plot(phone))
        folder = back.settings.photo_dir / "arriving"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / address.rpartition("/")[2]).write_bytes(content)
        return address

    return leave


def test_a_file_that_was_whole_when_the_server_went_away_is_finished_by_asking(
    line: Line, back: Back, left_behind: Callable[[bytes], str]
) -> None:
    assert line.offset(left_behind(PHOTO)) == len(PHOTO)
    assert files(back) == {"1.jpg": PHOTO}


def test_a_whole_file_of_other_bytes_begins_again(
    line: Line, back: Back, left_behind: Callable[[bytes], str]
) -> None:
    address = left_behind(PHOTO[::-1])
    assert line.say("HEAD", address).status_code == 460
    assert line.offset(address) == on_disk(back) == 0


@only_sqlite
def test_a_piece_may_travel_compressed(line: Line, phone: Phone, back: Back) -> None:
    text = b"tag,dbh_cm\n" * 9999
    small = zlib.compressobj(wbits=31)
    answer = line.create(
        text, plot(phone), body=small.compress(text) + small.flush(), Content_Encoding="gzip"
    )
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(text)))
    assert files(back) == {"1.jpg": text}


# a law


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 40), ("postgresql", 10)])
def test_however_a_file_is_cut_and_sent_again_its_bytes_are_the_same(
    line: Line, phone: Phone, back: Back, examples: int
) -> None:
    steps = st.lists(
        st.tuples(
            st.integers(0, 700), st.sampled_from(["sent", "checked", "wrong", "lost", "twice", "elsewhere"])
        ),
        max_size=12,
    )

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.binary(min_size=1, max_size=2000), steps, st.booleans())
    def law(content: bytes, steps: list[tuple[int, str]], before: bool) -> None:
        content += new_id().encode()  # nobody has sent these bytes
        instance_id = new_id() if before else plot(phone)
        address = line.begin(content, instance_id)
        here = 0
        for size, how in [*steps, (len(content), "sent")]:
            data = content[here : here + size]
            match how:
                case "sent":
                    assert line.piece(address, data, here).status_code == 204
                case "checked":
                    assert line.piece(address, data, here, Upload_Checksum=checksum(data)).status_code == 204
                case "wrong":
                    assert line.piece(
                        address, data + b"!", here, Upload_Checksum=checksum(data)
                    ).status_code in {400, 460}
                    data = b""
                case "twice":
                    assert line.piece(address, data, here).status_code == 204
                    if here + len(data) < len(content):
                        assert line.piece(address, data, here).status_code == (409 if data else 204)
                case "lost":
                    data = b""
                case "elsewhere":
                    assert line.piece(address, b"?" * size, here + 1).status_code == 409
                    data = b""
            here += len(data)
            if here == len(content):
                break
            assert line.offset(address) == here
        if before:
            assert phone.send(plot_visit(instance_id, photos=["1.jpg"])).status_code == 201
        rows = back.rows(
            select(attachment.c.sha256).join(submission).where(submission.c.instance_id == instance_id)
        )
        assert [row.sha256 for row in rows] == [hashlib.sha256(content).hexdigest()]
        assert Blobs(back.settings.photo_dir).path(rows[0].sha256).read_bytes() == content

    law()
