"""What has been decided about a visit, as its page shows it: corrections at their cells, orders, reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from server.forest.effective import CORRECTED, effective
from server.store import corrections, plot_report, reviews, rework, visits
from server.store.rows import AnyRow

Row = dict[str, Any]


def counted_trees(connection: Connection, visit_id: int) -> list[Row]:
    """The trees of a visit as they count. `made`: corrections of each that hold, the oldest first; `was`: what stood
    in a corrected cell before the first of them."""
    rows = plot_report.trees(connection, visit_id)
    made = corrections.holding_rows(connection, visit_id)
    if not made:
        return [{**row, "made": [], "was": {}} for row in rows]
    raw = visits.raw_measurements(connection, [visit_id]).get(visit_id, [])
    now = effective(raw, [corrections.laid(row) for row in made])
    counted = []
    for row, came, counts in zip(rows, raw, now, strict=True):
        here = [
            m for m in made if (m.tag, m.stem_id or "1") == came.key and m.ordinal in {None, came.ordinal}
        ]
        values = {name: getattr(counts, name) for name in (*CORRECTED, "verified", "dbh_text")}
        counted.append({**row, **values, "made": here, "was": _first(here)})
    return counted


def _first(made: Sequence[AnyRow]) -> dict[str, str]:
    was: dict[str, str] = {}
    for one in made:
        if one.old != one.new:
            was.setdefault(one.field, one.old or "—")
    return was


def about(connection: Connection, visit: Mapping[str, Any]) -> Row:
    """What the page of a visit says about decisions: trees that were sent back by tag and stem, the last word on each
    flag, all that was decided and corrected."""
    asked: dict[tuple[str, str], list[AnyRow]] = {}
    for tree in rework.asked_of_visit(connection, visit["id"]):
        asked.setdefault((tree.tag, tree.stem_id), []).append(tree)
    return {
        "asked": asked,
        "last_word": reviews.last_of_flags(connection, visit["id"]),
        "decisions": reviews.of_visit(connection, visit["id"]),
        "corrections": corrections.of_visit(connection, visit["id"]),
        "is_decided_here": visit["kind"] != "rework" and visit["merged_into_id"] is None,
    }
