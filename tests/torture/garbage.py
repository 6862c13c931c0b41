"""What no phone would send: records, requests, pieces and files with bytes changed, cut, doubled and swapped.

Each is sent to a live server over a socket. Whatever comes must be answered in time, and never with a fault of ours.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import io
import json
import random
import time
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from server.steps.import_outbox import Sender, import_outbox
from sync.outbox import Outbox, OutboxUnreadable
from tests.cast import PASSWORD
from tests.conftest import NOW
from tests.live import LiveServer
from tests.phone import BOUNDARY, multipart, photo_part, xml_part
from tests.torture.crash import children
from tests.torture.losses import Losses, Told, reckon
from tests.torture.outcome import Outcome
from tests.torture.plots import plot, sha256
from tests.torture.stage import Stage

ANSWER_S = 10.0
"""s within which anything must be answered."""
GROWTH_MB = 40
"""MB by which the web processes may grow after WARM_UP rounds: pools fill, caches are bounded."""
WARM_UP = 20
MOST_FILE_BYTES = 100_000_000
ODD = (
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    "样".encode(),
    b"<",
    b'"',
    b"%00",
    b"\r\n",
    b"-1",
    b"9" * 40,
    b"1e999",
    b"{}",
    b"[[",
)
"""Pieces that programs stumble over."""


class Garbage(NamedTuple):
    """One request. `path` is below the server's address."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def mutated(content: bytes, dice: random.Random) -> bytes:
    """The same bytes with one to four things done to them."""
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(content) + 1)
        end = min(len(content), start + dice.choice((0, 1, 1, 4, 30, 400)))
        match dice.randrange(5):
            case 0:
                content = content[:start] + dice.randbytes(end - start) + content[end:]
            case 1:
                content = content[:start] + content[end:]
            case 2:
                content = content[:end] + content[start:end] * dice.choice((1, 2, 50)) + content[end:]
            case 3:
                content = content[:start] + dice.choice(ODD) + content[end:]
            case _:
                content = content[:start]
    return content


class Maker:
    """Makes garbage of every kind for one stage."""

    def __init__(self, stage: Stage, dice: random.Random) -> None:
        self._dice = dice
        self._base = f"/v1/projects/{stage.cast.project}/sync"
        self._key = {"Authorization": f"Bearer {stage.cast.token_one}"}
        self._openrosa = f"/v1/key/{stage.cast.token_one}/projects/{stage.cast.project}/submission"
        self._number = 0
        password = base64.b64encode(f"li:{PASSWORD}".encode()).decode()
        self._supervisor = {"Authorization": f"Basic {password}", "X-Forwarded-Proto": "https"}
        with urllib.request.urlopen(f"http://127.0.0.1:{stage.settings.port}/v1/openapi.json") as answer:
            paths = json.load(answer)["paths"]
        self._operations = [
            (
                path,
                method,
                {**operation, "parameters": [*item.get("parameters", []), *operation.get("parameters", [])]},
            )
            for path, item in paths.items()
            for method, operation in item.items()
            if method in {"get", "post", "put", "patch", "delete"}
        ]

    def kinds(self) -> dict[str, Callable[[], Garbage]]:
        """Every kind of garbage by its name."""
        return {
            "XML": self.xml, "multipart": self.parts, "push JSON": self.push, "compressed": self.compressed,
            "tus headers": self.upload, "cursor": self.cursor, "address": self.address,
            "what is described": self.described,
        }  # fmt: skip

    def _plot(self) -> tuple[bytes, dict[str, bytes]]:
        self._number += 1
        one = plot(self._number % 50, 2000)
        return one.xml, one.photos

    def xml(self) -> Garbage:
        xml, _ = self._plot()
        return self._post(multipart([xml_part(mutated(xml, self._dice))]))

    def parts(self) -> Garbage:
        xml, photos = self._plot()
        parts = [xml_part(xml), *(photo_part(name, content) for name, content in photos.items())]
        return self._post(mutated(multipart(parts), self._dice))

    def _post(self, body: bytes) -> Garbage:
        return Garbage(
            "POST", self._openrosa, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, body
        )

    def push(self) -> Garbage:
        return self._push(mutated(self._batch(), self._dice), {})

    def _batch(self) -> bytes:
        xml, photos = self._plot()
        files = [{"name": n, "sha256": sha256(c), "size_bytes": len(c)} for n, c in photos.items()]
        item = {"client_id": str(self._number), "xml": xml.decode(), "files": files}
        odd = self._dice.choice((None, 7, "x", [], {}, {"xml": 3}, {"client_id": None, "xml": "<a/>"}, item))
        return json.dumps({"instances": [item, odd, item], "flags": True}, ensure_ascii=False).encode()

    def _push(self, body: bytes, headers: dict[str, str]) -> Garbage:
        return Garbage(
            "POST", f"{self._base}/push", {**self._key, "Content-Type": "application/json", **headers}, body
        )

    def compressed(self) -> Garbage:
        encoding = self._dice.choice(("gzip", "zstd", "gzip, gzip", "deflate", "identity", "\xe4"))
        body = mutated(gzip.compress(self._batch()), self._dice)
        if self._dice.random() < 0.1:
            encoding, body = "gzip", _bomb()
        return self._push(body, {"Content-Encoding": encoding})

    def upload(self) -> Garbage:
        _, photos = self._plot()
        name, content = next(iter(photos.items()))
        said = {"form_id": "plot_visit", "instance_id": "uuid:1", "name": name, "sha256": sha256(content)}
        metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in said.items())
        headers = {
            "Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": metadata,
            "Content-Type": "application/offset+octet-stream", "Upload-Checksum": f"sha256 {'A' * 43}=",
            "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH",
        }  # fmt: skip
        for header in self._dice.sample(sorted(headers), 2):
            spoiled = mutated(headers[header].encode(), self._dice).decode("latin-1")
            headers[header] = "".join(c for c in spoiled if c.isprintable())
        method = self._dice.choice(("POST", "POST", "PATCH", "HEAD", "DELETE", "OPTIONS", "PUT"))
        where = self._dice.choice(("", "", "/none", "/" + "x" * 300))
        return Garbage(
            method, f"{self._base}/uploads{where}", {**self._key, **headers}, mutated(content, self._dice)
        )

    def cursor(self) -> Garbage:
        good = base64.urlsafe_b64encode(b"\x01 0 7 0 plot 3")
        since = mutated(good, self._dice)
        return Garbage("GET", f"{self._base}/pull?since={_quoted(since)}", self._key, b"")

    def address(self) -> Garbage:
        good = self._dice.choice((self._openrosa, f"{self._base}/device", "/v1/projects/1/plots?census=2026"))
        headers = {"Authorization": "Bearer " + _quoted(mutated(b"token-one", self._dice))[:200]}
        return Garbage("GET", "/" + _quoted(mutated(good.encode()[1:], self._dice)), headers, b"")

    def described(self) -> Garbage:
        """Any address of the description, with odd words where it takes some, asked by a supervisor."""
        path, method, operation = self._dice.choice(self._operations)
        named = [one for one in operation.get("parameters", []) if isinstance(one, dict) and "in" in one]
        for one in named:
            if one["in"] == "path":
                path = path.replace("{" + one["name"] + "}", self._odd_word())
        asked = "&".join(f"{one['name']}={self._odd_word()}" for one in named if one["in"] == "query")
        body = mutated(
            b'{"why": "1", "value": "2", "ordinal": 0, "field": "dbh_cm", "trees": []}', self._dice
        )
        headers = {**self._supervisor, "Content-Type": "application/json"}
        return Garbage(method.upper(), f"{path}?{asked}", headers, body)

    def _odd_word(self) -> str:
        good = self._dice.choice((b"1", b"1", b"2", b"2026", b"PS-001", b"100", b""))
        return _quoted(good if self._dice.random() < 0.7 else mutated(good, self._dice)) or "1"


@cache
def _bomb() -> bytes:
    """200 MB of nothing in 200 kB."""
    return gzip.compress(bytes(200_000_000), 9)


def _quoted(content: bytes) -> str:
    return quote(content, safe="/?=&-._~")[:3000]


def run(stage: Stage, times: int, seed: int = 1) -> Outcome:
    """So many requests of each kind in turn; then the server must be as well and as small as before."""
    server = stage.start(embedded_worker=False, trust_proxy=True)
    maker = Maker(stage, random.Random(seed))
    statuses, wrong, before_mb = Counter[int](), list[str](), 0.0
    for number in range(times):
        if number == WARM_UP:
            before_mb = _resident_mb(server)
        for kind, make in maker.kinds().items():
            garbage = make()
            status, seconds = _ask(server, garbage)
            statuses[status] += 1
            if status >= 500 or status == 0:
                about = f"{garbage.method} {garbage.path[:80]} {garbage.body[:200]!r}"
                wrong.append(f"{kind}: {status} after {seconds:.1f} s: {about}")
    grown_mb = _resident_mb(server) - before_mb
    if times > WARM_UP and grown_mb > GROWTH_MB:
        wrong.append(f"the web processes grew by {grown_mb:.0f} MB")
    if _ask(server, Garbage("GET", "/healthz", {}, b""))[0] != 200:
        wrong.append("the server is not well")
    said = server.log.read_text(errors="replace")
    if "Traceback" in said:
        wrong.append(said[said.index("Traceback") :][:2000])
    if not {200, 201, 400, 404, 405, 412, 413, 415} <= statuses.keys():
        wrong.append(f"this garbage is too much alike: {dict(statuses)}")
    how_often = f"{sum(statuses.values())} requests, +{max(0.0, grown_mb):.0f} MB"
    return Outcome(f"garbage, {stage.engine}", how_often, Losses(), tuple(wrong))


def _ask(server: LiveServer, garbage: Garbage) -> tuple[int, float]:
    """Status and s; 0 where no answer came."""
    started = time.monotonic()
    line = http.client.HTTPConnection(server.settings.host, server.settings.port, timeout=ANSWER_S)
    try:
        line.request(garbage.method, garbage.path, garbage.body, garbage.headers)
        answer = line.getresponse()
        answer.read()
        return answer.status, time.monotonic() - started
    except (BrokenPipeError, ConnectionResetError):
        return 1, time.monotonic() - started  # it did not wait to hear the rest
    except (OSError, http.client.HTTPException):
        return 0, time.monotonic() - started
    finally:
        line.close()


def _resident_mb(server: LiveServer) -> float:
    kilobytes = 0
    for pid in children(server.process.pid):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return kilobytes / 1000


def outbox_files(dice: random.Random, times: int) -> Iterator[bytes]:
    """Outbox files as a broken phone or a broken stick leaves them."""
    for number in range(times):
        one = plot(number % 20, 2000)
        files = [{"name": n, "sha256": sha256(c), "size_bytes": len(c)} for n, c in one.photos.items()]
        listed = {
            "format": "yangdi-outbox", "version": 1, "device": "一队手机", "exported_at": 1,
            "instances": [{"client_id": "1", "xml": "instances/1.xml", "files": files}],
        }  # fmt: skip
        text = json.dumps(listed, ensure_ascii=False).encode()
        spoils_inside = dice.random() < 0.5

        def perhaps(content: bytes, inside: bool = spoils_inside) -> bytes:
            return mutated(content, dice) if inside and dice.random() < 0.4 else content

        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as file:
            file.writestr("outbox.json", perhaps(text))
            file.writestr("instances/1.xml", perhaps(one.xml))
            for content in one.photos.values():
                file.writestr(f"files/{sha256(content)}", perhaps(content))
        yield buffer.getvalue() if spoils_inside else mutated(buffer.getvalue(), dice)


def run_outbox_files(stage: Stage, times: int, seed: int = 1) -> Outcome:
    """So many spoiled outbox files: each is taken as far as it can be read, or refused in a word."""
    dice, found = random.Random(seed), Counter[str]()
    sender = Sender(stage.cast.project, None, False, stage.settings.max_instance_bytes)
    wrong = []
    for content in outbox_files(dice, times):
        started = time.monotonic()
        try:
            box = Outbox(
                io.BytesIO(content), len(content), stage.settings.max_instance_bytes, MOST_FILE_BYTES
            )
            brought = list(import_outbox(stage.database, stage.blobs, box, sender, lambda: NOW))
        except OutboxUnreadable as refused:
            found[refused.fault] += 1
            continue
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
            continue
        found.update(one.state for one in brought)
        if time.monotonic() - started > ANSWER_S:
            wrong.append(f"{len(content)} bytes took {time.monotonic() - started:.0f} s")
    if not {"kept", "already_kept", "refused", "not-outbox"} <= found.keys():
        wrong.append(f"these files are too much alike: {dict(found)}")
    losses = reckon(stage.database, stage.blobs, Told())
    kept = f"{times} files, {found['kept']} kept"
    return Outcome(f"outbox files, {stage.engine}", kept, Losses(duplicated=losses.duplicated), tuple(wrong))
