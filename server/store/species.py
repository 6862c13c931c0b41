"""The project's species list. An empty list takes any species."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from server.forest.species import SpeciesInfo
from server.store.hot import Hot
from server.store.schema import species

_INFOS = Hot(
    select(species.c.code, species.c.latin, species.c.growth_group).where(
        species.c.project_id == bindparam("project_id")
    )
)


def infos(connection: Connection, project_id: int) -> dict[str, SpeciesInfo]:
    """What the rules may know of each species code."""
    return {
        code: SpeciesInfo(code, latin.partition(" ")[0], group)
        for code, latin, group in _INFOS.all(connection, {"project_id": project_id})
    }


def labels(connection: Connection, project_id: int) -> dict[str, dict[str, str]]:
    """The names of each species by language, in the order of the codes."""
    query = select(species.c.code, species.c.zh, species.c.en).where(species.c.project_id == project_id)
    return {code: {"zh": zh, "en": en} for code, zh, en in connection.execute(query.order_by(species.c.code))}
