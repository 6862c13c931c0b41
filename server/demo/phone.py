"""A phone that speaks to a server as ODK Collect does, over real HTTP and with nothing but the standard
library.

It fetches the list of forms and the forms, asks with HEAD what the server takes, and posts instances with
their photos, in several requests where they are too large for one. It knows nothing of this server's
insides, so it can be pointed at any OpenRosa server. It keeps its connection open, as the phone's HTTP
library does.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from lxml import etree

from forms.definition import Form
from forms.xform import read_form
from server.demo.multipart import CONTENT_TYPE, bodies

DEFAULT_LIMIT_BYTES = 10_000_000
"""What Collect puts into one request where the server does not say."""
CONNECT_S, ANSWER_S = 30, 60
"""How long Collect waits."""
TRIES = 4
RECEIVED = frozenset({201, 202})
"""The only statuses after which the phone takes an instance for sent."""
BUSY = frozenset({429, 502, 503, 504})
"""Statuses after which it is worth trying again by itself."""
FORM_LIST = "{http://openrosa.org/xforms/xformsList}"
RESPONSE = "{http://openrosa.org/http/response}"


class NotSent(Exception):
    """The server did not take it. `status` is 0 where no answer came; `message` is what it said."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class ListedForm(NamedTuple):
    """A line of the form list."""

    form_id: str
    version: str
    name: str
    hash: str
    download_url: str


class Receipt(NamedTuple):
    """What a phone shows after sending. `status` is of the last request, `message` the server's words."""

    status: int
    message: str
    requests: int
    seconds: float  # for all requests together, retries and their pauses included


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Phone:
    """One phone with one connection; for one thread. `base_url` has the key in it, as the QR code gives it:
    `http://host/v1/key/KEY/projects/1`."""

    def __init__(
        self,
        base_url: str,
        device_id: str = "yangdi:simulated",
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{base_url!r} is no address: http://host/v1/key/KEY/projects/1 is expected")
        self._is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self.device_id = device_id
        self._pause = pause
        self._connection: http.client.HTTPConnection | None = None
        self._limit_bytes: int | None = None

    def forms(self) -> list[ListedForm]:
        """The form list. Raises NotSent."""
        answer = self._get(f"{self._path}/formList")
        return [_listed(line) for line in _xml(answer.body).iter(f"{FORM_LIST}xform")]

    def form(self, form_id: str) -> Form:
        """Download a form and read what it asks. Raises NotSent; KeyError where the list has no such form."""
        listed = {line.form_id: line for line in self.forms()}
        return read_form(self.download(listed[form_id].download_url))

    def download(self, url: str) -> bytes:
        """The bytes behind an address of the form list."""
        parts = urlsplit(url)
        return self._get(parts.path + (f"?{parts.query}" if parts.query else "")).body

    def limit_bytes(self) -> int:
        """What the server takes in one request, asked once with HEAD."""
        if self._limit_bytes is None:
            answer = self._ask("HEAD", f"{self._path}/submission")
            told = answer.headers.get("X-OpenRosa-Accept-Content-Length", "") if answer.status == 204 else ""
            self._limit_bytes = int(told) if told.isdigit() else DEFAULT_LIMIT_BYTES
        return self._limit_bytes

    def send(self, xml: bytes, files: Mapping[str, bytes] | None = None) -> Receipt:
        """Send an instance with its files. A failure is tried again from the first request, as Collect does.

        Raises NotSent where the server refuses it, or is not there after TRIES tries.
        """
        requests = bodies(xml, files or {}, self.limit_bytes())
        started = time.perf_counter()
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._post_all([body.content for body in requests])
                return Receipt(
                    answer.status, message_of(answer.body), len(requests), time.perf_counter() - started
                )
            except NotSent as error:
                if attempt == TRIES or error.status not in BUSY | {0}:
                    raise
                self._pause(0.2 * 2**attempt)
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post_all(self, contents: list[bytes]) -> Answer:
        for content in contents:
            answer = self._ask("POST", f"{self._path}/submission", content)
            if answer.status not in RECEIVED:
                raise NotSent(
                    answer.status, message_of(answer.body) or answer.body[:200].decode("utf-8", "replace")
                )
        return answer

    def _get(self, path: str) -> Answer:
        answer = self._ask("GET", path)
        if answer.status != 200:
            raise NotSent(answer.status, message_of(answer.body))
        return answer

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request; once more on a new connection where the server had hung up on the open one."""
        path += f"{'&' if '?' in path else '?'}deviceID={quote(self.device_id)}"
        headers = {"X-OpenRosa-Version": "1.0", "User-Agent": "yangdi-simulate"}
        if body is not None:
            headers["Content-Type"] = CONTENT_TYPE
        was_open = self._connection is not None
        try:
            return self._exchange(method, path, body, headers)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            if not was_open:
                raise NotSent(0, f"{type(error).__name__}: {error}") from error
        try:
            return self._exchange(method, path, body, headers)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise NotSent(0, f"{type(error).__name__}: {error}") from error

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = self._connected()
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
        if response.will_close:
            self.close()
        return Answer(response.status, response.headers, content)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=CONNECT_S)
            self._connection.connect()
            self._connection.sock.settimeout(ANSWER_S)
        return self._connection


def message_of(body: bytes) -> str:
    """The words of an OpenRosa response; "" where it is none."""
    try:
        message = _xml(body).find(f"{RESPONSE}message")
    except (etree.XMLSyntaxError, ValueError):
        return ""
    return "" if message is None else (message.text or "").strip()


def _listed(line: etree._Element) -> ListedForm:
    def text(name: str) -> str:
        return (line.findtext(f"{FORM_LIST}{name}") or "").strip()

    return ListedForm(text("formID"), text("version"), text("name"), text("hash"), text("downloadUrl"))


def _xml(body: bytes) -> etree._Element:
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
