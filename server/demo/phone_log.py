"""The log that ODK Collect keeps of a form (audit.csv), as far as a crew's pace shows in it."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from server.demo.crews import TypedRow

TREE_PAGE = "/data/trees/tree[{place}]/stem"
"""The page of a tree in the form for plot visits; places count from 1."""
ON_A_PAGE = timedelta(seconds=4)
"""How long a tree's page is open: the tape and the call come before."""


def entered(rows: Sequence[TypedRow], copied: Collection[str], begin: datetime, end: datetime, copied_tree: timedelta,
            luck: random.Random) -> tuple[datetime, ...]:  # fmt: skip
    """The moment at which each tree was entered. Those whose tags are in `copied` took `copied_tree` each, the others
    share the rest of the time."""
    measured = sum(row["tag"] not in copied for row in rows)
    pace = (end - begin - (len(rows) - measured) * copied_tree) / max(measured, 1)
    moments, now = [], begin
    for row in rows:
        now += (copied_tree if row["tag"] in copied else pace) * luck.uniform(0.6, 1.4)
        moments.append(now)
    return tuple(moments)


def log_of(moments: Sequence[datetime]) -> bytes:
    """The log of a form in which trees were entered at these moments."""
    lines = ["event,node,start,end,old-value,new-value", f"form start,,{_ms(moments[0])},,,"]
    for place, at in enumerate(moments, start=1):
        node = TREE_PAGE.format(place=place)
        lines.append(f"group questions,{node},{_ms(at - ON_A_PAGE)},{_ms(at)},,")
    return "\n".join([*lines, ""]).encode()


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
