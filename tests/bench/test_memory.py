"""What everything together takes while plots come in as fast as they can."""

from __future__ import annotations

import pytest

from tests.bench import load, made
from tests.bench.house import Engine, House

MOST_MB = 300
"""MB of resident memory, shared pages counted once for each process: a county's machine has 2,000."""
PLOTS = 500


@pytest.mark.slow
def test_while_many_phones_send_everything_together_stays_small() -> None:
    with House(Engine(), made.form()) as house:
        bodies = (made.body(number) for number in range(PLOTS))
        requests = list(load.post(f"{house.phone_url}/submission", bodies))
        with house.family.watched() as peak:
            answered = load.send(house.server.base_url, requests, 32)
            house.settle()
    assert answered.statuses == {201: PLOTS}
    assert peak[0].rss_mb < MOST_MB
