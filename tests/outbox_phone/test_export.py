"""What our phone cannot send goes out as a file, and comes in from it as if the phone had sent it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from server.settings import Settings
from server.steps.import_outbox import Sender, import_outbox
from server.store.blobs import Blobs
from server.store.db import Database
from sync.outbox import Outbox
from tests.cast import Cast
from tests.conftest import NOW
from tests.outbox_phone.phone import OutboxPhone
from tests.phone import form, put_up
from tests.torture.losses import Told, reckon
from tests.torture.plots import plot, sha256


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_phone_could_not_send_comes_in_from_its_file(
    times: int, database: Database, settings: Settings, cast: Cast, tmp_path: Path
) -> None:
    put_up(database, cast.project, form("plot_visit"))
    told, file = Told(), io.BytesIO()
    with OutboxPhone("http://127.0.0.1:9", cast.token_one, cast.project, tmp_path / "phone") as phone:
        for one in map(plot, range(3)):
            phone.save("plot_visit", one.instance_id, one.xml, one.photos)
            told.instance(one.instance_id)
            for name, content in one.photos.items():
                told.photo(one.instance_id, name, sha256(content))
        assert phone.export(file, "一队手机", NOW) == phone.outbox.pending_count() == 3
    blobs, sender = Blobs(settings.photo_dir), Sender(cast.project, None, False, settings.max_instance_bytes)
    for _ in range(times):
        box = Outbox(file, file.getbuffer().nbytes, settings.max_instance_bytes, settings.max_request_bytes)
        assert all(one.is_safe for one in import_outbox(database, blobs, box, sender, lambda: NOW))
    assert not reckon(database, blobs, told)
