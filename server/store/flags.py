"""What the rules said about visits. A person's decision on a flag is never touched from here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, bindparam, cast, select, update

from server.store import bulk
from server.store.hot import in_list
from server.store.rows import AnyRow
from server.store.schema import flag

COLUMNS = (
    "project_id", "visit_id", "plot_id", "ordinal", "tag", "stem_id", "rule", "rule_version", "severity", "score",
    "field", "value", "expected_low", "expected_high", "suggestion", "facts", "inputs_hash", "state", "raised_at",
    "priority",
)  # fmt: skip


class Said(NamedTuple):
    """What a flag says besides what it saw: new bands and new neighbours change it, not what it is about."""

    ordinal: int | None
    rule: str
    rule_version: int
    severity: str
    score: float
    priority: float
    expected_low: float | None
    expected_high: float | None
    suggestion: str | None
    facts: dict[str, Any]


OF_OTHERS = ("Q06",)
"""Rules whose flags stand on a visit because of something elsewhere: a look at the visit itself leaves them alone."""


class Standing(NamedTuple):
    """A flag that is in the store: what it is about, what became of it, and what it says."""

    id: int
    visit_id: int
    inputs_hash: str
    state: str
    said: Said


_STANDING = in_list(
    select(
        flag.c.id, flag.c.visit_id, flag.c.inputs_hash, flag.c.state, flag.c.ordinal, flag.c.rule,
        flag.c.rule_version, flag.c.severity, flag.c.score, flag.c.priority, flag.c.expected_low,
        flag.c.expected_high, flag.c.suggestion, cast(flag.c.facts, Text),
    )
    .where(flag.c.state != "void", *(flag.c.rule != rule for rule in OF_OTHERS))
    .order_by(flag.c.id),
    flag.c.visit_id,
)  # fmt: skip


def standing(connection: Connection, visit_ids: Iterable[int]) -> dict[int, list[Standing]]:
    """Flags of some visits, those that no longer hold left out."""
    found: dict[int, list[Standing]] = {}
    for row in _STANDING.of(connection, sorted(set(visit_ids))):
        said = Said._make((*row[4:-1], json.loads(row[-1])))
        found.setdefault(row[1], []).append(Standing(row[0], row[1], row[2], row[3], said))
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


def say_anew(connection: Connection, said: Sequence[tuple[int, Said]]) -> None:
    """The same open flags, but they weigh or explain what they saw otherwise now. What somebody has decided on since
    stays as she saw it."""
    if said:
        values = [{"number": number, **one._asdict()} for number, one in said]
        there = (flag.c.id == bindparam("number"), flag.c.state == "open")
        connection.execute(
            update(flag).where(*there).values({name: bindparam(name) for name in Said._fields}), values
        )


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
