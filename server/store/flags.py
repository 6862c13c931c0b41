"""What the rules said about visits. A person's decision on a flag is never touched from here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from server.store import bulk
from server.store.rows import AnyRow
from server.store.schema import flag

COLUMNS = (
    "project_id", "visit_id", "plot_id", "ordinal", "tag", "stem_id", "rule", "rule_version", "severity", "score",
    "field", "value", "expected_low", "expected_high", "suggestion", "facts", "inputs_hash", "state", "raised_at",
)  # fmt: skip


class Standing(NamedTuple):
    """A flag that is in the store: who it is (rule, tag, stem, inputs) and what became of it."""

    id: int
    visit_id: int
    rule: str
    tag: str | None
    stem_id: str | None
    inputs_hash: str
    ordinal: int | None
    state: str


def standing(connection: Connection, visit_ids: Iterable[int]) -> dict[int, list[Standing]]:
    """Flags of some visits, those that no longer hold left out."""
    found: dict[int, list[Standing]] = {}
    query = select(
        flag.c.id, flag.c.visit_id, flag.c.rule, flag.c.tag, flag.c.stem_id, flag.c.inputs_hash, flag.c.ordinal,
        flag.c.state,
    ).where(flag.c.state != "void").order_by(flag.c.id)  # fmt: skip
    for some in bulk.chunks(sorted(set(visit_ids))):
        for row in connection.execute(query.where(flag.c.visit_id.in_(some))):
            found.setdefault(row[1], []).append(Standing(*row))
    return found


def add(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """New flags as tuples of COLUMNS, `facts` as JSON text."""
    bulk.insert_rows(connection, flag, COLUMNS, rows)


def as_json(facts: Any) -> str:
    """Facts as the text that the store keeps."""
    return json.dumps(dict(facts), ensure_ascii=False, sort_keys=True)


def void(connection: Connection, ids: Sequence[int]) -> None:
    """These no longer hold: the value, the rule or a neighbour changed."""
    for some in bulk.chunks(ids):
        connection.execute(update(flag).where(flag.c.id.in_(some)).values(state="void"))


def find(connection: Connection, project_id: int, flag_id: int) -> AnyRow | None:
    """A flag of the project."""
    query = select(flag).where(flag.c.id == flag_id, flag.c.project_id == project_id)
    return connection.execute(query).first()


def of_trees(connection: Connection, visit_id: int) -> dict[tuple[str, str], list[AnyRow]]:
    """Flags of a visit that were not made void, by tag and stem."""
    found: dict[tuple[str, str], list[AnyRow]] = {}
    query = select(flag).where(flag.c.visit_id == visit_id, flag.c.state != "void", flag.c.tag.is_not(None))
    for row in connection.execute(query.order_by(flag.c.id)):
        found.setdefault((row.tag, row.stem_id or "1"), []).append(row)
    return found


def decide(connection: Connection, ids: Sequence[int], state: str) -> None:
    """A person, or a second tape, settled these; or they wait again (`open`)."""
    for some in bulk.chunks(ids):
        connection.execute(update(flag).where(flag.c.id.in_(some)).values(state=state))


def move(connection: Connection, flag_id: int, ordinal: int | None) -> None:
    """The same flag, but its tree stands elsewhere in the crew's list now."""
    connection.execute(update(flag).where(flag.c.id == flag_id).values(ordinal=ordinal))


def follow(connection: Connection, visit_id: int, plot_id: int) -> None:
    """The visit turned out to be of another plot; what was said and decided about it goes along."""
    connection.execute(update(flag).where(flag.c.visit_id == visit_id).values(plot_id=plot_id))


def of_visit(
    connection: Connection, visit_id: int, states: Sequence[str] = ("open",)
) -> list[dict[str, Any]]:
    """Flags of one visit, most suspicious first."""
    query = (
        select(flag)
        .where(flag.c.visit_id == visit_id, flag.c.state.in_(states))
        .order_by(flag.c.score.desc(), flag.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]
