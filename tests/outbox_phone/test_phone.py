"""Our phone keeps its word: towards the crew when it says "saved", towards its disk when it is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.outbox_phone.known import Known
from tests.outbox_phone.outbox import Outbox

PHOTO = b"\xff\xd8 a photo"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path)
    outbox.save("c1", "plot_visit", "uuid:1", b"<data/>", {"a.jpg": PHOTO, "b.jpg": PHOTO})
    yield outbox
    outbox.close()


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Known]:
    known = Known(tmp_path)
    yield known
    known.close()


def page(
    *changes: dict[str, Any], cursor: str = "c", more: bool = False, reset: bool = False
) -> dict[str, Any]:
    return {"changes": list(changes), "cursor": cursor, "more": more, "reset": reset}


def plot(name: str, **said: Any) -> dict[str, Any]:
    return {"kind": "plot", "plot_id": name, **said}


def names(known: Known) -> list[str]:
    return [one["plot_id"] for one in known.all("plot")]


def test_what_is_saved_is_there_for_whoever_opens_the_folder_next(outbox: Outbox, tmp_path: Path) -> None:
    again = Outbox(tmp_path)
    assert [saved.xml for saved in again.waiting(10)] == [b"<data/>"]
    assert [again.content(photo) for photo in again.photos_waiting()] == [PHOTO, PHOTO]
    again.close()


def test_an_instance_is_forgotten_on_its_receipt_and_its_photos_are_not(outbox: Outbox) -> None:
    outbox.received("c1", "kept")
    assert (outbox.pending_count(), len(outbox.photos_waiting())) == (0, 2)
    assert outbox.receipts() == {"uuid:1": "kept"}


def test_a_file_goes_when_the_last_photo_that_has_its_bytes_is_safe(outbox: Outbox) -> None:
    (first, second) = outbox.photos_waiting()
    outbox.photo_received("c1", "a.jpg")
    assert (outbox.files / first.sha256).exists()
    outbox.photo_received("c1", "b.jpg")
    assert not (outbox.files / second.sha256).exists()
    assert {name for _, name, _ in outbox.safe_photos()} == {"a.jpg", "b.jpg"}


def test_what_is_refused_stays_for_a_person_to_look_at(outbox: Outbox) -> None:
    outbox.refused("c1", "no instance")
    assert outbox.waiting(10) == []
    assert outbox.receipts() == {"uuid:1": "no instance"}


def test_saving_the_same_again_changes_nothing(outbox: Outbox) -> None:
    outbox.received("c1", "kept")
    outbox.save("c1", "plot_visit", "uuid:1", b"<data/>", {})
    assert outbox.pending_count() == 0


def test_a_phone_goes_on_from_the_page_it_has_taken_in(known: Known, tmp_path: Path) -> None:
    known.take(page(plot("A"), cursor="one", more=True))
    again = Known(tmp_path)
    assert (again.cursor, names(again)) == ("one", ["A"])
    again.close()


def test_after_a_reset_it_forgets_what_was_not_told_again_and_not_before_the_last_page(known: Known) -> None:
    known.take(page(plot("A"), plot("B")))
    known.take(page(plot("B", lat=1.0), reset=True, more=True))
    assert names(known) == ["A", "B"]
    known.take(page(plot("C")))
    assert names(known) == ["B", "C"]
    assert known.thing("plot", "B") == plot("B", lat=1.0)


def test_a_plot_that_is_gone_takes_all_of_it_along(known: Known) -> None:
    known.take(page(plot("A"), {"kind": "rework", "rework_id": 3, "plot_id": "A"}, plot("B")))
    known.take(page(plot("A", gone=True)))
    assert (names(known), known.all("rework")) == (["B"], [])


def test_one_tree_changes_one_row(known: Known) -> None:
    rows = [["1", "1", 10.0], ["2", "1", 20.0]]
    known.take(page({"kind": "trees", "plot_id": "A", "columns": ["tag", "stem_id", "dbh_cm"], "rows": rows}))
    known.take(page({"kind": "tree", "plot_id": "A", "tag": "2", "stem_id": "1", "dbh_cm": 21.5}))
    assert known.all("trees")[0]["rows"] == [["1", "1", 10.0], ["2", "1", 21.5]]


def test_a_tree_of_a_list_that_is_still_to_come_is_left_to_the_list(known: Known) -> None:
    known.take(page({"kind": "tree", "plot_id": "A", "tag": "2", "stem_id": "1", "dbh_cm": 21.5}, more=True))
    assert known.all("trees") == []
