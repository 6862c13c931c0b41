"""What became of the flags of each rule in a project: what people found when they looked (read only)."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from server.store.schema import crew_flag, flag


class RuleYield(NamedTuple):
    """Flags of one rule. `confirmed`: the value was corrected, by a person or by a second tape; `accepted`: it was
    right as it stood; `sent_back`: a crew is measuring again; `void`: the value or the rule changed before anybody
    decided."""

    open: int = 0
    sent_back: int = 0
    confirmed: int = 0
    accepted: int = 0
    void: int = 0

    @property
    def raised(self) -> int:
        """Every flag there has ever been."""
        return sum(self)


_NAMED = {"corrected": "confirmed"}
_NAMED_OF_CREW = {"sent_back": "confirmed"}
"""A flag on a crew is found right when its visits are opened again for it."""


def of_project(connection: Connection, project_id: int) -> dict[str, RuleYield]:
    """The yield of each rule that has raised anything, on visits or on crews, by rule."""
    counts: dict[str, dict[str, int]] = {}
    for table, named in ((flag, _NAMED), (crew_flag, _NAMED_OF_CREW)):
        query = (
            select(table.c.rule, table.c.state, func.count())
            .where(table.c.project_id == project_id)
            .group_by(table.c.rule, table.c.state)
        )
        for rule, state, count in connection.execute(query):
            found, name = counts.setdefault(rule, {}), named.get(state, state)
            found[name] = found.get(name, 0) + count
    return {rule: RuleYield(**found) for rule, found in sorted(counts.items())}
