"""What became of the flags of each rule in a project: what people found when they looked (read only)."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from server.store.schema import flag


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


def of_project(connection: Connection, project_id: int) -> dict[str, RuleYield]:
    """The yield of each rule that has raised anything, by rule."""
    query = (
        select(flag.c.rule, flag.c.state, func.count())
        .where(flag.c.project_id == project_id)
        .group_by(flag.c.rule, flag.c.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for rule, state, count in connection.execute(query):
        counts.setdefault(rule, {})[_NAMED.get(state, state)] = count
    return {rule: RuleYield(**found) for rule, found in sorted(counts.items())}
