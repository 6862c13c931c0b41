"""Rows of measurements as they count, for whoever takes data away: corrections laid over what was typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from server.forest.effective import CORRECTED
from server.store import bulk, visits
from server.store.schema import correction

COLUMNS = (*CORRECTED, "verified")
"""Columns of a measurement that a correction can change; `dbh_text` stays what the crew typed."""
Changes = dict[tuple[int, int], dict[str, Any]]  # visit and place in its list -> columns as they count


def corrected_visits(connection: Connection, project_id: int) -> list[int]:
    """Visits of a project with a correction that holds."""
    query = (
        select(correction.c.visit_id)
        .where(correction.c.project_id == project_id, correction.c.undone_at.is_(None), correction.c.tag.is_not(None))
        .distinct()
    )  # fmt: skip
    return sorted(connection.scalars(query))


def changes(connection: Connection, visit_ids: Iterable[int]) -> Changes:
    """What the trees of these visits say as they count."""
    return {
        (visit_id, tree.ordinal): {
            name: None if (value := getattr(tree, name)) is None else int(value) if name == "tally_code" else value
            for name in COLUMNS
        }
        for some in bulk.chunks(visit_ids)
        for visit_id, trees in visits.measurements(connection, some).items()
        for tree in trees
    }  # fmt: skip
