"""Step 5b: an audit visit is laid beside the visit that it checks and scored; again whenever either changes.

The crew is judged by what it wrote, not by what others corrected since. An audit by the audited crew itself is no
audit and has no score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from server.store import audits, crews, visits
from server.store.rows import AnyRow
from server.validation import audit
from server.validation.project import parameters_of

RANDOM, FLAGGED = "random", "flagged"
"""What the header of an audit says of why its plot was chosen (visit.audit_kind)."""


class Scores(NamedTuple):
    """Audits that were looked at, and the scores of those that have a visit to check."""

    audit_ids: list[int]
    rows: list[dict[str, Any]]


def look(connection: Connection, audit_ids: Sequence[int]) -> Scores:
    """Score audits by their visits' numbers."""
    rows = audits.with_audited(connection, audit_ids)
    known = [row for row in rows if row.audited_id is not None and row.audited_crew_id != row.crew_id]
    theirs = visits.raw_measurements(connection, [row.audited_id for row in known])
    ours = visits.measurements(connection, [row.id for row in known])
    scored = []
    for row in known:
        limits = parameters_of(row.tally_limit_cm, row.settings).limits
        beside = audit.side_by_side(theirs.get(row.audited_id, []), ours.get(row.id, []), limits)
        scored.append(_score(row, audit.compared(beside, limits)))
    return Scores([row.id for row in rows], scored)


def _score(row: AnyRow, figures: audit.Figures) -> dict[str, Any]:
    return {
        "audit_id": row.id, "project_id": row.project_id, "census_id": row.census_id, "visit_id": row.audited_id,
        "crew_id": row.audited_crew_id, "is_random": is_random(row.header), "verdict": figures["verdict"],
        "figures": crews.as_json(figures),
    }  # fmt: skip


def is_random(header: dict[str, Any]) -> bool | None:
    """Was the plot drawn at random? None: nobody said."""
    return {RANDOM: True, FLAGGED: False}.get(str(header.get("visit.audit_kind", "")))


def write(connection: Connection, found: Scores, at: int) -> None:
    """Put scores in place of those before, and promise a look at the crews."""
    audits.put_scores(connection, found.audit_ids, [{**row, "scored_at": at} for row in found.rows])
    for census_id in sorted(audits.census_of(connection, found.audit_ids)):
        crews.look_again(connection, census_id, at)
