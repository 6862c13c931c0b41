"""The project's species list. An empty list takes any species."""

from __future__ import annotations

from sqlalchemy import Connection, select

from server.forest.species import SpeciesInfo
from server.store.schema import species


def infos(connection: Connection, project_id: int) -> dict[str, SpeciesInfo]:
    """What the rules may know of each species code."""
    query = select(species.c.code, species.c.latin, species.c.growth_group).where(
        species.c.project_id == project_id
    )
    return {
        code: SpeciesInfo(code, latin.partition(" ")[0], group)
        for code, latin, group in connection.execute(query)
    }
