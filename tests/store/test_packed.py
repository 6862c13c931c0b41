"""What a phone sent comes out of the store byte for byte."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from server.store.packed import pack, unpack
from tests.phone import plot_visit


@given(st.binary())
def test_whatever_was_sent_comes_back(xml: bytes) -> None:
    assert unpack(pack(xml)) == xml


def test_a_plot_takes_a_fraction_of_its_size() -> None:
    xml = plot_visit(trees=[{"tag": str(number), "dbh_cm": "12.3"} for number in range(50)])
    assert len(pack(xml)) < len(xml) / 4


def test_what_an_earlier_version_kept_is_still_read() -> None:
    assert unpack(zlib.compress(b"<data/>", 1)) == b"<data/>"
