"""The phone itself: save, push, upload, pull; each can be broken off anywhere and is simply done again."""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

from sync.outbox import Outgoing, write
from tests.outbox_phone.known import Known
from tests.outbox_phone.line import Answer, Line, NoLine, Refused
from tests.outbox_phone.outbox import Outbox, Photo, Saved

BATCH = 50
"""Instances in one push; the server takes 500."""
PIECE_BYTES = 64_000
"""Bytes in one PATCH."""
TRIES = 40
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.5
"""s between two tries: doubled each time, with a share of chance so that phones do not knock together."""
TUS = {"Tus-Resumable": "1.0.0"}
WORTH_ANOTHER_TRY = frozenset({"store-busy", "disk-full", "too-often", "cut-off", "internal"})
BEGIN_AGAIN = frozenset({404, 410})
KEPT = frozenset({"kept", "already_kept", "quarantined"})


class OutboxPhone:
    """One phone with its folder. For one thread; after a kill, a new one on the same folder goes on."""

    def __init__(self, server: str | Line, key: str, project: int, folder: Path, *, seed: int = 0,
                 pause: Callable[[float], None] = time.sleep) -> None:  # fmt: skip
        self.outbox = Outbox(folder)
        self.known = Known(folder)
        self._line = Line(server, key) if isinstance(server, str) else server
        self._base = f"/v1/projects/{project}/sync"
        self._dice = random.Random(seed)
        self._pause = pause

    def close(self) -> None:
        self._line.hang_up()
        self.outbox.close()
        self.known.close()

    def __enter__(self) -> OutboxPhone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def export(self, target: IO[bytes], device: str, exported_at: int) -> int:
        """Write what could not be sent into an outbox file; the number of its instances. The outbox stays as it is."""
        waiting = self.outbox.waiting(100_000)
        write(target, device, exported_at, [self._outgoing(saved) for saved in waiting])
        return len(waiting)

    def _outgoing(self, saved: Saved) -> Outgoing:
        photos = self.outbox.photos_of(saved.client_id)
        files = [(photo.name, self.outbox.files / photo.sha256) for photo in photos]
        return Outgoing(saved.client_id, saved.xml, tuple(files))

    def who_am_i(self) -> Any:
        """What the server says of this phone."""
        return self._ask("GET", "/device").json()

    def save(self, form_id: str, instance_id: str, xml: bytes, photos: Mapping[str, bytes]) -> None:
        """Keep a finished plot. When this returns it is on the disk."""
        self.outbox.save(instance_id, form_id, instance_id, xml, photos)

    def send(self) -> None:
        """Push and upload until nothing waits. Raises NoLine or Refused after TRIES tries that brought nothing on."""
        while self.outbox.pending_count():
            self._persist(self.push)
        for photo in self.outbox.photos_waiting():
            self._persist(partial(self.upload, photo.client_id, photo.name))

    def push(self) -> None:
        """One batch of what waits; whatever it was told is safe, it forgets."""
        batch = self.outbox.waiting(BATCH)
        if not batch:
            return
        content = {"instances": [self._as_wire(saved) for saved in batch]}
        said = self._line.post_json(f"{self._base}/push", self._pending(), content)
        assert [result["client_id"] for result in said["results"]] == [saved.client_id for saved in batch]
        for result in said["results"]:
            self._take_result(result)

    def _as_wire(self, saved: Saved) -> dict[str, Any]:
        files = [
            {"name": photo.name, "sha256": photo.sha256, "size_bytes": photo.size_bytes}
            for photo in self.outbox.photos_of(saved.client_id)
        ]
        return {"client_id": saved.client_id, "xml": saved.xml.decode(), "files": files}

    def _pending(self) -> dict[str, str]:
        return {"Yangdi-Pending": str(self.outbox.pending_count())}

    def _take_result(self, result: Mapping[str, Any]) -> None:
        client_id = result["client_id"]
        if result["state"] not in KEPT:
            self.outbox.refused(client_id, str(result.get("reason")))
            return
        missing = set(result["photos"]["missing"])
        for photo in self.outbox.photos_of(client_id):
            if photo.name not in missing:
                self.outbox.photo_received(client_id, photo.name)
        self.outbox.received(client_id, result["state"])

    def upload(self, client_id: str, name: str) -> None:
        """Bring one photo to its last byte. Raises NoLine or Refused; called again, it goes on where it was."""
        photo = self.outbox.photo(client_id, name)
        path = photo.upload_path
        if path is None:
            path, offset = self._begin(photo)
        else:
            offset = self._offset(photo, path)
        content = self.outbox.content(photo)
        while offset < photo.size_bytes:
            offset = self._send_piece(photo, path, content, offset)
        self.outbox.photo_received(photo.client_id, photo.name)

    def _begin(self, photo: Photo) -> tuple[str, int]:
        headers = {
            **TUS,
            **self._pending(),
            "Upload-Length": str(photo.size_bytes),
            "Upload-Metadata": _metadata(photo),
        }
        answer = self._ask("POST", "/uploads", headers)
        path = answer.headers["Location"]
        path = path[path.index("/v1/") :]
        self.outbox.upload_begun(photo, path)
        return path, int(answer.headers.get("Upload-Offset", "0"))

    def _offset(self, photo: Photo, path: str) -> int:
        try:
            return self._line.ask("HEAD", path, TUS).number("Upload-Offset")
        except Refused as refused:
            if refused.status in BEGIN_AGAIN:
                self.outbox.upload_begun(photo, None)
            raise

    def _send_piece(self, photo: Photo, path: str, content: bytes, offset: int) -> int:
        """The next piece; the new offset."""
        piece = content[offset : offset + PIECE_BYTES]
        sum_of_piece = base64.b64encode(hashlib.sha256(piece).digest()).decode()
        headers = {
            **TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream",
            "Upload-Checksum": f"sha256 {sum_of_piece}",
        }  # fmt: skip
        try:
            return self._line.ask("PATCH", path, headers, piece).number("Upload-Offset")
        except Refused as refused:
            if refused.status in BEGIN_AGAIN:
                self.outbox.upload_begun(photo, None)
            raise

    def pull(self) -> int:
        """Everything new; the number of changes. Raises NoLine or Refused, and goes on from the last whole page."""
        changes = 0
        while True:
            page = self.pull_page()
            changes += len(page["changes"])
            if not page["more"]:
                return changes

    def pull_page(self) -> Any:
        """One page, taken in."""
        since = f"?since={self.known.cursor}" if self.known.cursor else ""
        page = self._ask("GET", f"/pull{since}", self._pending()).json()
        self.known.take(page)
        return page

    def pull_patiently(self) -> None:
        """As `pull`, over a line that breaks."""
        self._persist(lambda: self.pull())

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._line.ask(method, self._base + path, headers)

    def _persist(self, work: Callable[[], object]) -> None:
        """Do it again and again, more slowly each time, while it can still succeed."""
        pause_s = FIRST_PAUSE_S
        for attempt in range(1, TRIES + 1):
            try:
                work()
                return
            except (NoLine, Refused) as error:
                if attempt == TRIES or not _is_worth_another_try(error):
                    raise
            self._pause(pause_s * self._dice.uniform(0.5, 1.0))
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)


def _is_worth_another_try(error: NoLine | Refused) -> bool:
    if isinstance(error, NoLine):
        return True
    return (
        error.status in BEGIN_AGAIN | {409, 423, 460, 502, 503, 504, 507} or error.word in WORTH_ANOTHER_TRY
    )


def _metadata(photo: Photo) -> str:
    pairs = {
        "form_id": photo.form_id, "instance_id": photo.instance_id, "name": photo.name, "sha256": photo.sha256,
        "content_type": "image/jpeg",
    }  # fmt: skip
    return ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in pairs.items())
