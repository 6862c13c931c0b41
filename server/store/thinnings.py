"""Thinning operations and the plots they touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from server.store.schema import thinning, thinning_plot


def put(connection: Connection, values: dict[str, Any], plot_ids: Sequence[int]) -> int:
    """Note an operation, in place of what its chain of submissions said before; returns its number."""
    found = connection.execute(
        select(thinning.c.id).where(thinning.c.submission_id == values["submission_id"])
    ).scalar()
    if found is None:
        found = connection.execute(insert(thinning).values(**values).returning(thinning.c.id)).scalar_one()
    else:
        connection.execute(update(thinning).where(thinning.c.id == found).values(**values))
        connection.execute(delete(thinning_plot).where(thinning_plot.c.thinning_id == found))
    rows = [{"thinning_id": found, "plot_id": plot_id} for plot_id in sorted(set(plot_ids))]
    if rows:
        connection.execute(insert(thinning_plot), rows)
    return int(found)


def plots_of(connection: Connection, submission_id: int) -> list[int]:
    """Plots that an operation touched as far as is known, by the first submission of its chain."""
    query = (
        select(thinning_plot.c.plot_id)
        .join(thinning, thinning.c.id == thinning_plot.c.thinning_id)
        .where(thinning.c.submission_id == submission_id)
    )
    return list(connection.execute(query).scalars())
