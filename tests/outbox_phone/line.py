"""One phone's line to the server: HTTP/1.1, bodies compressed, answers read whole or not at all."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Mapping
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

ANSWER_S = 30
"""s that a phone waits for an answer."""


class NoLine(Exception):
    """No whole answer came: the phone cannot know what the server has done."""


class Refused(Exception):
    """The server answered, and it was no. `status` and the word (`title`) of its problem+json."""

    def __init__(self, status: int, word: str, detail: str) -> None:
        super().__init__(f"{status} {word}: {detail}")
        self.status = status
        self.word = word


class _HeadLines:
    """The lines of an answer's head; one that was cut off is no line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.close, self.flush = stream.close, stream.flush

    def readline(self, limit: int = -1) -> bytes:
        line = self._stream.readline(limit)
        if not line.endswith(b"\n"):
            raise http.client.IncompleteRead(line)
        return line


class _WholeHead(http.client.HTTPResponse):
    """An answer whose head was cut off is none; the library would take what came for all of it."""

    def begin(self) -> None:
        stream = self.fp
        self.fp = _HeadLines(stream)  # type: ignore[assignment]
        super().begin()
        if self.fp is not None:  # else there is no body
            self.fp = stream


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def number(self, name: str) -> int:
        """A header that is a number."""
        return int(self.headers[name])


class Line:
    """Requests of one phone, one after the other, on a connection that is kept while it holds."""

    def __init__(self, server: str, key: str, app: str = "outbox-phone/1.0") -> None:
        place = urlsplit(server)
        assert place.hostname
        self._host, self._port = place.hostname, place.port
        self._headers = {"Authorization": f"Bearer {key}", "Yangdi-App": app, "Accept-Encoding": "gzip"}
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request, one whole answer. Raises NoLine; Refused for a status of 400 or above."""
        try:
            answer = self._exchange(method, path, {**self._headers, **(headers or {})}, body)
        except (OSError, http.client.HTTPException, EOFError) as error:
            self.hang_up()
            raise NoLine(f"{type(error).__name__}: {error}") from error
        if answer.status >= 400:
            raise Refused(answer.status, *_problem(answer.body))
        return answer

    def post_json(self, path: str, headers: Mapping[str, str], content: Any) -> Any:
        """POST a document, compressed; the document that comes back."""
        body = gzip.compress(json.dumps(content, ensure_ascii=False).encode(), 6, mtime=0)
        headers = {**headers, "Content-Type": "application/json", "Content-Encoding": "gzip"}
        return self.ask("POST", path, headers, body).json()

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_S)
            self._connection.response_class = _WholeHead
        self._connection.request(method, path, body, dict(headers))
        response = self._connection.getresponse()
        content = response.read()
        if response.will_close:
            self.hang_up()
        if response.headers.get("Content-Encoding") == "gzip" and content:
            content = gzip.decompress(content)
        return Answer(response.status, response.headers, content)

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _problem(body: bytes) -> tuple[str, str]:
    try:
        said = json.loads(body)
        return str(said["title"]), str(said["detail"])
    except (ValueError, KeyError, TypeError):
        return "", body[:200].decode("utf-8", "replace")
