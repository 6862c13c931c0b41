"""The bad line does what it says, or torture would show nothing."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.torture import proxy
from tests.torture.proxy import FAULTS, WHOLE, Fault, FaultProxy, fault_of

ANSWER = b"kept " * 400


class Listener(ThreadingHTTPServer):
    """Remembers every request that came whole."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) == length:
            self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


def post(port: int, body: bytes = b"x" * 5000) -> bytes | None:
    """What came back; None where the line broke."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("POST", "/", body)
        return line.getresponse().read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        line.close()


@pytest.mark.parametrize(
    ("fault", "requests_heard", "is_answered"),
    [
        (Fault(proxy.WHOLE), 1, True),
        (Fault(proxy.LATE, wait_s=0.05), 1, True),
        (Fault(proxy.REPEATED), 2, True),
        (Fault(proxy.REPEATED_LATER, wait_s=0.01), 2, True),
        (Fault(proxy.CUT_REQUEST, share=0.9), 0, False),
        (Fault(proxy.CUT_ANSWER, share=0.9), 1, False),
        (Fault(proxy.NO_ANSWER), 1, False),
        (Fault(proxy.NO_LINE), 0, False),
    ],
    ids=lambda it: it.kind if isinstance(it, Fault) else None,
)
def test_a_fault_is_what_it_is_called(
    monkeypatch: pytest.MonkeyPatch, listener: Listener, fault: Fault, requests_heard: int, is_answered: bool
) -> None:
    monkeypatch.setattr(proxy, "fault_of", lambda *_: fault)
    with FaultProxy(listener.server_port, seed=1) as line:
        assert (post(line.port) == ANSWER) == is_answered
        give_up_at = time.monotonic() + 5
        while len(listener.bodies) < requests_heard and time.monotonic() < give_up_at:
            time.sleep(0.01)
    assert listener.bodies == [b"x" * 5000] * requests_heard


def test_the_same_seed_has_the_same_fate_and_every_fault_happens() -> None:
    fates = [fault_of(7, number) for number in range(200)]
    assert fates == [fault_of(7, number) for number in range(200)]
    assert fates != [fault_of(8, number) for number in range(200)]
    assert {fate.kind for fate in fates} == {WHOLE, *FAULTS}
