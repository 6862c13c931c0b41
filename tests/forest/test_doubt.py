"""Which of two values a flag doubts."""

from __future__ import annotations

import pytest

from server.forest.doubt import doubt, last_wrong

LAST = {"case": "last", "hypotheses": ["honest 0.01", "last 0.97", "tens 18.2 0.02"]}


def test_a_flag_that_doubts_last_times_value_says_how_much() -> None:
    assert last_wrong("dbh_cm", LAST) == 0.97
    assert doubt(0.02, "dbh_cm", LAST) == 0.97


def test_todays_doubt_counts_where_it_is_the_larger() -> None:
    assert doubt(0.98, "dbh_cm", LAST) == 0.98


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("dbh_cm", {"case": "tens", "hypotheses": ["tens 18.2 0.9", "last 0.05"]}),
        ("position", {"case": "last"}),  # a fix beside the last fix: nobody doubts that one
        (None, {}),
    ],
)
def test_other_flags_doubt_only_what_they_point_at(field: str | None, facts: dict[str, object]) -> None:
    assert last_wrong(field, facts) is None
    assert doubt(0.4, field, facts) == 0.4
