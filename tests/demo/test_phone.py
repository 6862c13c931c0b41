"""A simulated phone before servers that misbehave as servers do. The right server is in test_run.py."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from server.demo.phone import DEFAULT_LIMIT_BYTES, TRIES, NotSent, Phone, message_of

THANKS = (
    b'<OpenRosaResponse xmlns="http://openrosa.org/http/response">'
    b'<message nature="">%s</message></OpenRosaResponse>'
)


class Server(ThreadingHTTPServer):
    """Answers each POST with the next of `statuses` (0: hangs up without a word), then with 201."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.head_status = 204
        self.limit = b"50"
        self.posts: list[bytes] = []
        self.paths: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/key/secret/projects/1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self) -> None:
        self.server.paths.append(self.path)
        self.send_response(self.server.head_status)
        self.send_header("X-OpenRosa-Accept-Content-Length", self.server.limit.decode())
        self.end_headers()

    def do_POST(self) -> None:
        self.server.posts.append(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.statuses.pop(0) if self.server.statuses else 201
        if status == 0:
            self.close_connection = True
            return
        body = THANKS % f"no. {len(self.server.posts)}".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def phone(server: Server, pauses: list[float]) -> Iterator[Phone]:
    with Phone(server.address, "yangdi:test", pause=pauses.append) as phone:
        yield phone


def test_a_phone_tells_what_the_server_said(phone: Phone, server: Server) -> None:
    receipt = phone.send(b"<data/>")
    assert (receipt.status, receipt.message, receipt.requests) == (201, "no. 1", 1)
    assert server.paths == ["/v1/key/secret/projects/1/submission?deviceID=yangdi%3Atest"]


def test_photos_beyond_what_the_server_takes_go_in_a_second_request(phone: Phone, server: Server) -> None:
    assert phone.send(b"<data/>", {"a.jpg": b"1" * 30, "b.jpg": b"2" * 30}).requests == 2
    assert [b"*isIncomplete*" in post for post in server.posts] == [True, False]


def test_a_failure_is_tried_again_from_the_first_request(
    phone: Phone, server: Server, pauses: list[float]
) -> None:
    server.statuses = [201, 503]
    receipt = phone.send(b"<data/>", {"a.jpg": b"1" * 30, "b.jpg": b"2" * 30})
    assert receipt.status == 201
    assert [b"a.jpg" in post for post in server.posts] == [True, False, True, False]
    assert pauses == [0.4]


def test_a_server_that_hung_up_on_an_open_line_is_called_once_more(
    phone: Phone, server: Server, pauses: list[float]
) -> None:
    phone.send(b"<data/>")
    server.statuses = [0]
    assert phone.send(b"<data/>").status == 201
    assert pauses == []


def test_a_busy_server_is_given_up_in_the_end(phone: Phone, server: Server, pauses: list[float]) -> None:
    server.statuses = [503] * 10
    with pytest.raises(NotSent) as refused:
        phone.send(b"<data/>")
    assert refused.value.status == 503
    assert len(server.posts) == TRIES
    assert pauses == [0.4, 0.8, 1.6]


@pytest.mark.parametrize("status", [200, 204, 400, 404, 409])
def test_what_is_not_201_or_202_is_not_sent_and_not_tried_again(
    phone: Phone, server: Server, status: int
) -> None:
    server.statuses = [status]
    with pytest.raises(NotSent) as refused:
        phone.send(b"<data/>")
    assert refused.value.status == status
    assert len(server.posts) == 1


def test_nobody_at_the_other_end_is_status_0(pauses: list[float]) -> None:
    with (
        Phone("http://127.0.0.1:9/v1/key/k/projects/1", pause=pauses.append) as phone,
        pytest.raises(NotSent) as lost,
    ):
        phone.send(b"<data/>")
    assert lost.value.status == 0


@pytest.mark.parametrize(
    "spoil", [lambda s: setattr(s, "head_status", 404), lambda s: setattr(s, "limit", b"plenty")]
)
def test_a_server_that_does_not_say_gets_ten_megabytes(
    phone: Phone, server: Server, spoil: Callable[[Server], None]
) -> None:
    spoil(server)
    assert phone.limit_bytes() == DEFAULT_LIMIT_BYTES


@pytest.mark.parametrize("address", ["", "example.org/v1", "ftp://example.org/v1/key/k/projects/1"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        Phone(address)


@pytest.mark.parametrize("body", [b"", b"Bad Gateway", b"<html><body>login</body></html>", b"<a/>"])
def test_an_answer_that_is_not_openrosa_has_no_message(body: bytes) -> None:
    assert message_of(body) == ""
