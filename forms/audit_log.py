"""The log that ODK Collect keeps while a form is filled in (audit.csv): when each tree was entered.

A form asks for it with a question of type `audit`; any client may send the same table: event, node, start, end and,
where it has them, latitude, longitude, accuracy, old-value, new-value, change-reason (the ODK XForms Specification).
Nothing is judged here. A line that cannot be read is passed over: the log is a witness, not an answer.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

NAME = "audit.csv"
MOST_BYTES = 4_000_000
"""A log beyond this is not read: a plot of sixty trees makes some 60 kB."""
_ASKED = frozenset({"question", "group questions"})
_PLACE = re.compile(r"\[\d+\]")
_LATEST_MS = 4_102_444_800_000
"""The year 2100: a clock beyond it is none."""


class Log(NamedTuple):
    """When trees were entered. Moments in ms since 1970 UTC by the phone's own clock, None where no tree was;
    `gaps_s`: seconds from one tree to the next, in the order in which they were first entered; `reasons`: how often
    somebody said why a sent form was changed."""

    first_at: int | None = None
    last_at: int | None = None
    gaps_s: tuple[float, ...] = ()
    reasons: int = 0


def read_log(content: bytes, measured: Iterable[str]) -> Log:
    """The log of one instance. `measured`: paths of the questions whose answer is a tree's diameter, without places
    in a repeat ("/data/tree/dbh_cm"). A log of something else, or too long, says nothing."""
    if len(content) > MOST_BYTES:
        return Log()
    paths = tuple(measured)
    lines = list(_lines(content))
    done: dict[str, int] = {}
    for line in lines:
        tree = _tree(line, paths)
        if tree is not None:
            done.setdefault(*tree)
    moments = sorted(done.values())
    reasons = sum(bool((line.get("change-reason") or "").strip()) for line in lines)
    if not moments:
        return Log(reasons=reasons)
    gaps = tuple(round((b - a) / 1000, 1) for a, b in pairwise(moments))
    return Log(moments[0], moments[-1], gaps, reasons)


def _lines(content: bytes) -> Iterator[Mapping[str, str | None]]:
    text = content.decode("utf-8-sig", "replace").replace("\0", "")
    try:
        yield from csv.DictReader(io.StringIO(text, newline=""))
    except csv.Error:  # a field that never ends: what was read before it stands
        return


def _tree(line: Mapping[str, str | None], paths: tuple[str, ...]) -> tuple[str, int] | None:
    """Which tree was answered, and when its question or the page it stands on was left."""
    node = line.get("node") or ""
    if line.get("event") not in _ASKED or "[" not in node:
        return None
    plain = _PLACE.sub("", node)
    if not any(path == plain or path.startswith(plain + "/") for path in paths):
        return None
    left = (line.get("end") or "").strip()
    if not (left.isascii() and left.isdecimal() and len(left) < 15) or not 0 < int(left) < _LATEST_MS:
        return None
    return node[: node.rindex("]") + 1], int(left)
