"""Edits of one instance that did not know each other, and edits of what a person has corrected.

Two phones edit the same original: the edit that came first is the one that counts. What the other one changed and
the first left alone is laid on the visit as corrections, its further trees are added; what both changed waits for a
person. The late edit itself never counts; it is kept, and leaves quarantine when nothing of it is left to decide.

A crew edits what a person has corrected: where the edit says what she said, her correction has done its work; where
it says something new, hers stands and she is asked.

All of it is made again at every edit, in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from forms.instance import read
from server.forest.decided import Decisions, decisions
from server.forest.effective import CORRECTED
from server.forest.said import as_said
from server.forest.telling import Told, told
from server.store import (
    conflicts,
    corrections,
    edits,
    feed,
    forms,
    jobs,
    merging,
    submissions,
    visits,
)
from server.store.conflicts import EDIT_CORRECTION, TWO_EDITS, Raised
from server.store.corrections import EDIT, REWORK, SUPERVISOR, Made
from server.store.edits import Sent
from server.store.rows import AnyRow
from sync.merge import HEADER, TREE, Clash, Key, three_way

Cells = dict[Key, dict[str, str]]


class Branch(NamedTuple):
    """Edits that follow each other away from the chain: what they began from, and the last of them."""

    base: Sent
    tip: Sent
    members: list[Sent]


class Laid(NamedTuple):
    """What late edits add to a visit: corrections, trees, and what a person must decide."""

    made: list[Made]
    added: list[dict[str, Any]]
    cells: list[dict[str, Any]]


def write(
    connection: Connection, root_ids: Sequence[int], at: int, *, readers: forms.Readers, max_bytes: int
) -> None:
    """Lay what late edits say on the visits of these chains, and weigh corrections against edits."""
    reading = _Reading(connection, readers, max_bytes)
    changed = [
        about
        for root_id, about in _abouts(connection, root_ids)
        if _chain(connection, root_id, about, reading, at)
    ]
    plot_ids = sorted({about.plot_id for about in changed})
    for about in changed:
        merging.has_changed(connection, about.id, at)
    jobs.put(connection, jobs.MERGE, merging.crowded(connection, plot_ids), at)
    jobs.put(connection, jobs.CHECK, visits.after(connection, plot_ids), at)
    for project_id in sorted({about.project_id for about in changed}):
        here = [about.plot_id for about in changed if about.project_id == project_id]
        feed.changed(connection, project_id, feed.TREES, here)


def _abouts(connection: Connection, root_ids: Sequence[int]) -> list[tuple[int, AnyRow]]:
    """The visits of these chains, locked. One that has not been unfolded is left out: unfolding promises this again."""
    known = visits.chain_of(connection, sorted(set(root_ids)))
    visits.ground(connection, {row.plot_id for row in known.values()})
    now = visits.chain_of(connection, sorted(known))  # again: what is read is what stands
    return [(root_id, merging.about(connection, now[root_id].id)) for root_id in sorted(now)]


class _Reading:
    """Reads instances of a chain, each once."""

    def __init__(self, connection: Connection, readers: forms.Readers, max_bytes: int) -> None:
        self._connection, self._readers, self._max_bytes = connection, readers, max_bytes
        self._known: dict[int, Told] = {}

    def of(self, sent: Sent) -> Told:
        if sent.id not in self._known:
            row = edits.xml_of(self._connection, [sent.id])[sent.id]
            reader = self._readers.get(self._connection, row.form_version_id)
            root = read(submissions.xml_of(row), self._max_bytes).root
            self._known[sent.id] = told(reader.answers(root))
        return self._known[sent.id]


def _chain(connection: Connection, root_id: int, about: AnyRow, reading: _Reading, at: int) -> bool:
    family = edits.family(connection, root_id)
    chain = _chain_of(family, root_id)
    branches = [
        branch for branch in _branches(family) if branch.base != chain[-1]
    ]  # else it counts in a moment
    changed = _weigh(connection, about, chain, reading, at)
    return _merge(connection, root_id, about, chain[-1], branches, reading, at) or changed


def _chain_of(family: Sequence[Sent], root_id: int) -> list[Sent]:
    """What counted, one after the other; the last counts now."""
    following = {sent.deprecated_id: sent for sent in family if sent.counts and sent.deprecated_id}
    chain = [next(sent for sent in family if sent.id == root_id)]
    while (after := following.get(chain[-1].instance_id)) is not None and after not in chain:
        chain.append(after)
    return chain


def _branches(family: Sequence[Sent]) -> list[Branch]:
    counting = {sent.instance_id: sent for sent in family if sent.counts}
    late = [sent for sent in family if sent.is_late and sent.form_version_id is not None]
    by_id = {sent.instance_id: sent for sent in reversed(late)}
    edited = {sent.deprecated_id for sent in late}
    found = []
    for tip in (sent for sent in late if sent.instance_id not in edited):
        members = [tip]
        while (above := by_id.get(members[-1].deprecated_id or "")) is not None and above not in members:
            members.append(above)
        base = counting.get(members[-1].deprecated_id or "")
        if base is not None:
            found.append(Branch(base, tip, members))
    return found


# late edits


def _merge(
    connection: Connection,
    root_id: int,
    about: AnyRow,
    head: Sent,
    branches: Sequence[Branch],
    reading: _Reading,
    at: int,
) -> bool:
    known = conflicts.find_subject(connection, about.project_id, TWO_EDITS, str(root_id))
    if not branches and known is None:
        return _hold(connection, about, Laid([], [], []), at)
    taken = {
        conflicts.identity(cell) for cell in (known.fields if known else []) if cell.get("chosen") == "theirs"
    }
    laid = _lay_out(connection, about, head, branches, reading, taken, at)
    changed = _hold(connection, about, laid, at)
    raised = Raised(about.project_id, about.plot_id, about.id, TWO_EDITS, str(root_id), laid.cells)
    changed |= conflicts.put(connection, raised, at)
    _mark(connection, root_id, about.project_id, branches, at)
    return changed


def _hold(connection: Connection, about: AnyRow, laid: Laid, at: int) -> bool:
    changed = merging.hold_own(connection, about.id, laid.added)
    return corrections.lay(connection, about.id, EDIT, laid.made, at) or changed


def _lay_out(
    connection: Connection,
    about: AnyRow,
    head: Sent,
    branches: Sequence[Branch],
    reading: _Reading,
    taken: set[tuple[Any, ...]],
    at: int,
) -> Laid:
    held = [row for row in corrections.holding_rows(connection, about.id) if row.source == SUPERVISOR]
    decided, laid = decisions(held), Laid([], [], [])
    own, mine = reading.of(head), reading.of(head).cells
    ordinal = max((row.measurement.ordinal for row in own.rows.values()), default=-1) + 1
    for branch in branches:
        theirs = reading.of(branch.tip)
        merged = three_way(reading.of(branch.base).cells, mine, theirs.cells)
        clashes = [
            *merged.clashes,
            *_for_a_person(reading.of(branch.base).cells, mine, merged.trees, merged.clashes),
        ]
        laid.cells.extend(_cell(clash, head, branch) for clash in clashes)
        fresh = [key for key in merged.trees if key not in mine] + [
            c.key
            for c in clashes
            if c.field == TREE and c.mine is None and conflicts.identity(c._asdict()) in taken
        ]
        for key in fresh:
            laid.added.append(_row(connection, about, theirs, key, ordinal + len(laid.added)))
        laid.made.extend(_made(about, own, mine, merged.trees, decided, branch, at))
        mine = {**mine, **merged.trees}
    return laid


def _for_a_person(
    base: Cells, mine: Cells, merged: Mapping[Key, Mapping[str, str]], clashes: Sequence[Clash]
) -> list[Clash]:
    """What a late edit changed safely and no correction can say: a tree taken away, an answer that is not corrected."""
    clashing = {(clash.key, clash.field) for clash in clashes}
    found = [Clash(*key, TREE, "{}", "{}", None) for key in mine if key not in merged and key != HEADER
             and (key, TREE) not in clashing and key in base]  # fmt: skip
    for key in mine.keys() & merged.keys():
        for name in sorted({**mine[key], **merged[key]}):
            old, new = mine[key].get(name, ""), merged[key].get(name, "")
            if old != new and (key == HEADER or name not in CORRECTED) and (key, name) not in clashing:
                found.append(Clash(*key, name, base.get(key, {}).get(name, ""), old, new))
    return found


def _cell(clash: Clash, head: Sent, branch: Branch) -> dict[str, Any]:
    return {**clash._asdict(), "mine_from": head.id, "theirs_from": branch.tip.id}


def _made(
    about: AnyRow,
    own: Told,
    mine: Cells,
    merged: Mapping[Key, Mapping[str, str]],
    decided: Decisions,
    branch: Branch,
    at: int,
) -> list[Made]:
    """Corrections for what a late edit changed; not where a person has decided."""
    found = []
    for key, row in own.rows.items():
        tree, m = merged.get(key), row.measurement
        for field in CORRECTED if tree is not None else ():
            old, new = mine.get(key, {}).get(field, ""), (tree or {}).get(field, "")
            if field in _NAMED or old == new or (m.tag, m.stem_id, field) in decided:
                continue
            found.append(Made(about.project_id, about.id, m.tag[:40], m.stem_id[:20], m.ordinal, field, old or None,
                              new or None, EDIT, branch.tip.id, branch.tip.crew or "server", "", at))  # fmt: skip
    return found


def _row(connection: Connection, about: AnyRow, theirs: Told, key: Key, ordinal: int) -> dict[str, Any]:
    tree = theirs.rows[key]
    name = (about.plot_id, tree.measurement.tag[:40], tree.measurement.stem_id[:20])
    numbers = visits.ensure_trees(connection, [name]) if name[1] else {}
    return {**merging.row_of(tree, numbers.get(name)), "ordinal": ordinal, "from_visit_id": about.id}


def _mark(connection: Connection, root_id: int, project_id: int, branches: Sequence[Branch], at: int) -> None:
    known = conflicts.find_subject(connection, project_id, TWO_EDITS, str(root_id))
    waiting = {cell["theirs_from"] for cell in (known.fields if known and known.state == conflicts.OPEN else [])
               if not cell.get("chosen")}  # fmt: skip
    for branch in branches:
        merged_at = None if branch.tip.id in waiting else branch.tip.settled_at or at
        edits.mark(connection, [sent.id for sent in branch.members], root_id, merged_at)


# corrections that an edit meets


def _weigh(connection: Connection, about: AnyRow, chain: Sequence[Sent], reading: _Reading, at: int) -> bool:
    """What the edit that counts says of cells that a person, or a second tape, had corrected before."""
    held: dict[tuple[str | None, str | None, int | None, str], list[AnyRow]] = {}
    for row in corrections.holding_rows(connection, about.id):
        if row.source == REWORK or (row.source == SUPERVISOR and row.source_id is None):
            held.setdefault((row.tag, row.stem_id, None, row.field), []).append(row)
    cells: list[dict[str, Any]] = []
    agreed: list[int] = []
    for made in held.values():
        clash = _clash(chain, reading, made)
        if clash == AGREED:
            agreed += [row.id for row in made]
        elif clash is not None:
            assert isinstance(clash, Clash)
            cells.append({**clash._asdict(), "mine_from": None, "mine_by": made[-1].made_by,
                          "theirs_from": chain[-1].id})  # fmt: skip
    corrections.undo(connection, agreed, chain[-1].crew or "server", at)
    raised = Raised(about.project_id, about.plot_id, about.id, EDIT_CORRECTION, f"visit {about.id}", cells)
    return conflicts.put(connection, raised, at) or bool(agreed)


AGREED = "agreed"
_NAMED = ("tag", "stem_id")


def _renamed(key: Key, field: str, name: str) -> Key:
    return key._replace(tag=name) if field == "tag" else key._replace(stem_id=name)


def _clash(chain: Sequence[Sent], reading: _Reading, made: Sequence[AnyRow]) -> Clash | str | None:
    """Base: what was corrected; mine: the correction; theirs: the edit."""
    first, last = made[0], made[-1]
    seen = [sent for sent in chain if sent.received_at <= last.made_at] or [chain[0]]
    if seen[-1] == chain[-1]:
        return None  # she had the edit before her
    key, field = Key(last.tag, last.stem_id), last.field
    if field in _NAMED and _renamed(key, field, last.new or "") in reading.of(chain[-1]).cells:
        return AGREED
    before, now = (reading.of(sent).cells.get(key) for sent in (seen[-1], chain[-1]))
    said = None if now is None else now.get(field, "")
    wanted, old = as_said(field, last.new), as_said(field, first.old)
    if now == before or said == (before or {}).get(field, "") or said == old:
        return None
    if said == wanted:
        return AGREED
    return Clash(*key, field, old, wanted, said)
