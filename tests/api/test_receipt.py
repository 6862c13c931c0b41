"""What a phone hears when it sends, and what is kept."""

from __future__ import annotations

from server.store import schema
from tests.builders import jpeg
from tests.phone import Back, Phone, message, new_id, plot_visit, tree


def test_a_new_instance_is_kept_and_acknowledged(phone: Phone, back: Back) -> None:
    answer = phone.send(plot_visit(trees=[tree("1", 12.3)]))
    assert answer.status_code == 201
    assert message(answer) == "已收到 样地 PS-001：1 株样木。"
    assert back.count(schema.submission) == 1


def test_the_same_instance_again_is_acknowledged_and_kept_once(phone: Phone, back: Back) -> None:
    xml = plot_visit(new_id(), trees=[tree("1", 12.3)])
    assert [phone.send(xml).status_code for _ in range(3)] == [201, 201, 201]
    assert back.count(schema.submission) == 1


def test_the_receipt_counts_photos_that_came_and_photos_still_on_the_phone(phone: Phone) -> None:
    xml = plot_visit(photos=["a.jpg", "b.jpg", "c.jpg"])
    assert message(phone.send(xml, {"a.jpg": jpeg(1)})) == "已收到 样地 PS-001：记录，照片 1/3。"
    assert "照片 3/3" in message(phone.send(xml, {"b.jpg": jpeg(2), "c.jpg": jpeg(3)}))
