"""Two crews were at one plot in one census: their visits count as one.

The visit that was received first holds the trees of all of them; the others keep what their crews typed and point to
it. A tree that only another crew saw is copied; a value that only another crew has, or that she alone changed since
the census before, is laid on as a correction. What they say differently stands as the first says it and becomes one
conflict. All of it is made again whenever one of the visits changes, and taken back when they part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from server.forest.decided import Decisions, decisions
from server.forest.effective import effective
from server.forest.said import FIELDS, keys_of, let_the_later_speak, said, version_of
from server.forest.tree import Measurement
from server.forest.visit import NO_PLOT
from server.store import conflicts, corrections, feed, jobs, merging, visits
from server.store.conflicts import Raised
from server.store.corrections import MERGE, SUPERVISOR, Made
from server.store.merging import VisitHere
from server.store.rows import AnyRow
from sync.merge import Clash, Key, Merged, Telling, union

Row = dict[str, Any]
T = TypeVar("T")


class Source(NamedTuple):
    """One crew's visit: its rows and trees as typed, and its trees as it says them now, corrections included."""

    visit: VisitHere
    rows: dict[Key, Row]
    typed: dict[Key, Measurement]
    trees: dict[Key, Measurement]


class Fill(NamedTuple):
    """A value that the merged visit has from another crew, at one of its rows."""

    key: Key
    row: Row
    field: str
    old: str
    new: str


def write(connection: Connection, plot_ids: Sequence[int], at: int) -> None:
    """Merge what is to be merged at these plots, and part what no longer belongs together."""
    wanted = sorted(set(plot_ids))
    visits.ground(connection, wanted)  # locked: nobody else writes to these visits meanwhile
    here = merging.at_plots(connection, wanted)
    changed = [plot_id for plot_id in wanted if _plot(connection, plot_id, here.get(plot_id, []), at)]
    jobs.put(connection, jobs.CHECK, visits.after(connection, changed), at)
    of_project: dict[int, list[int]] = {}
    for plot_id in changed:
        for visit in here.get(plot_id, [])[:1]:
            of_project.setdefault(visit.project_id, []).append(plot_id)
    for project_id in sorted(of_project):
        reviewed = [visit.id for plot_id in of_project[project_id] for visit in here[plot_id]]
        feed.changed(connection, project_id, feed.TREES, of_project[project_id])
        feed.changed(connection, project_id, feed.REVIEW, reviewed)


def _plot(connection: Connection, plot_id: int, here: Sequence[VisitHere], at: int) -> bool:
    groups = _groups(here)
    together = {visit.id for group in groups for visit in group}
    changed = False
    for visit in here:
        if visit.id not in together:
            changed |= _stands_alone(connection, visit, at)
    subjects = set()
    for group in groups:
        changed |= _merge(connection, group, at)
        subjects.add(_subject(group[0]))
    return _withdraw(connection, plot_id, subjects, at) or changed


def _groups(here: Sequence[VisitHere]) -> list[list[VisitHere]]:
    """Visits that count as one, by census, earlier censuses first: a later one is compared with them. Audits, rework
    and what a person has rejected stand apart, and nobody knows which plot is meant where its name is missing."""
    found: dict[int, list[VisitHere]] = {}
    for visit in here:
        if visit.kind == "visit" and visit.review_state != "rejected" and visit.plot_name != NO_PLOT:
            found.setdefault(visit.census_id, []).append(visit)
    several = [group for group in found.values() if len(group) > 1]
    return sorted(several, key=lambda group: _day(group) or "")


def _day(group: Sequence[VisitHere]) -> str | None:
    return min((visit.measured_on for visit in group if visit.measured_on), default=None)


def _subject(primary: VisitHere) -> str:
    return f"{primary.plot_id}/{primary.census_id}"


def _withdraw(connection: Connection, plot_id: int, subjects: set[str], at: int) -> bool:
    standing = conflicts.open_at(connection, plot_id, conflicts.TWO_VISITS)
    gone = [row for row in standing if row.subject not in subjects]
    for row in gone:
        nothing = Raised(row.project_id, plot_id, row.visit_id, row.kind, row.subject, ())
        conflicts.put(connection, nothing, at)
    return bool(gone)


def _stands_alone(connection: Connection, visit: VisitHere, at: int) -> bool:
    """Take back what merging has made of it. False: there was nothing."""
    changed = _take_back(connection, visit, at)
    if visit.merged_into_id is not None:
        merging.merge_into(connection, [visit.id], None)
        changed = True
    if changed:
        merging.has_changed(connection, visit.id, at)
    return changed


def _merge(connection: Connection, group: Sequence[VisitHere], at: int) -> bool:
    primary, others = group[0], group[1:]
    known = conflicts.find_subject(connection, primary.project_id, conflicts.TWO_VISITS, _subject(primary))
    held = {visit.id: corrections.holding_rows(connection, visit.id) for visit in group}
    sources = _sources(connection, group, held, known.id if known else None)
    base = _base(connection, group)
    merged = union(base, _tellings(sources))
    copied = _to_copy(sources)
    by_persons = [row for row in held[primary.id] if row.source == SUPERVISOR]
    before = decisions(row for row in by_persons if known is None or row.source_id != known.id)
    clashes = [clash for clash in merged.clashes if not _knew(sources, copied, before, clash)]
    fills, overruled = _differences(sources, copied, merged, base, decisions(by_persons))
    changed = merging.hold(connection, primary.id, list(copied.values()))
    changed |= corrections.lay(
        connection, primary.id, MERGE, [_made(sources, fill, at) for fill in fills], at
    )
    for other in others:
        changed |= _take_back(connection, other, at) | (other.merged_into_id != primary.id)
    changed |= primary.merged_into_id is not None
    merging.merge_into(connection, [visit.id for visit in others], primary.id)
    merging.merge_into(connection, [primary.id], None)
    changed |= conflicts.put(connection, _raised(sources, [*clashes, *overruled]), at)
    if changed:
        for visit in group:
            merging.has_changed(connection, visit.id, at)
    return changed


def _take_back(connection: Connection, visit: VisitHere, at: int) -> bool:
    return merging.hold(connection, visit.id, []) | corrections.lay(connection, visit.id, MERGE, [], at)


# what each crew says


def _sources(
    connection: Connection,
    group: Sequence[VisitHere],
    held: Mapping[int, Sequence[AnyRow]],
    conflict_id: int | None,
) -> list[Source]:
    ids = [visit.id for visit in group]
    rows, trees = merging.rows_of(connection, ids), visits.raw_measurements(connection, ids)
    return [
        _source(
            visit,
            [row for row in rows.get(visit.id, []) if row["from_visit_id"] in {None, visit.id}],
            trees.get(visit.id, []),
            [row for row in held[visit.id] if _is_said(row, conflict_id)],
        )
        for visit in group
    ]


def _source(
    visit: VisitHere, own: Sequence[Row], trees: Sequence[Measurement], held: Sequence[AnyRow]
) -> Source:
    places = {row["ordinal"] for row in own}
    typed = [tree for tree in trees if tree.ordinal in places]
    now = effective(typed, [corrections.laid(row) for row in held])
    keys = keys_of(now, typed)
    return Source(visit, _by(keys, own), _by(keys, typed), _by(keys, now))


def _by(keys: Sequence[Key], values: Sequence[T]) -> dict[Key, T]:
    return dict(zip(keys, values, strict=True))


def _is_said(row: AnyRow, conflict_id: int | None) -> bool:
    """Does a correction belong to what the visit says? Not what merging laid on it, nor what settled this conflict."""
    settles = row.source == SUPERVISOR and row.source_id is not None and row.source_id == conflict_id
    return row.source != MERGE and not settles


def _base(connection: Connection, group: Sequence[VisitHere]) -> Telling:
    """The plot as the census before left it."""
    of_plot = visits.of_plots(connection, [group[0].plot_id])[group[0].plot_id]
    census = next(row.census for row in of_plot if row.id == group[0].id)
    last = visits.previous(of_plot, _day(group), census)
    trees = visits.measurements(connection, [last.id]).get(last.id, []) if last else []
    return {key: said(tree) for key, tree in zip(keys_of(trees), trees, strict=True)}


def _tellings(sources: Sequence[Source]) -> list[dict[Key, dict[str, str]]]:
    tellings = [{key: said(tree) for key, tree in source.trees.items()} for source in sources]
    for key in {key for telling in tellings for key in telling}:
        at = [n for n, telling in enumerate(tellings) if key in telling]
        versions = [version_of(sources[n].rows[key]["other"]) for n in at]
        let_the_later_speak([tellings[n][key] for n in at], versions)
    return tellings


# what becomes of it


def _to_copy(sources: Sequence[Source]) -> dict[Key, Row]:
    """Trees that only others saw, as rows of the first visit, behind its own."""
    first, *others = sources
    found: dict[Key, Row] = {}
    for source in others:
        for key, row in source.rows.items():
            if key not in first.rows:
                found.setdefault(key, {**row, "from_visit_id": source.visit.id})
    start = max((row["ordinal"] for row in first.rows.values()), default=-1) + 1
    return {key: {**row, "ordinal": start + n} for n, (key, row) in enumerate(found.items())}


def _differences(
    sources: Sequence[Source], copied: Mapping[Key, Row], merged: Merged, base: Telling, decided: Decisions
) -> tuple[list[Fill], list[Clash]]:
    """Values to lay on the first visit, and those that a person had decided otherwise: they are hers to decide again,
    unless it was them that she decided against."""
    fills: list[Fill] = []
    clashes: list[Clash] = []
    for key, tree in merged.trees.items():
        row, stands = _stands(sources, copied, key)
        wanted = {**tree, **_name(key)}
        for field in (*_name(key), *FIELDS):
            new, decision = wanted.get(field, ""), decided.get((row["tag"], row["stem_id"], field))
            if decision is not None:
                if not decision.covers(new):
                    clashes.append(Clash(*key, field, base.get(key, {}).get(field, ""), decision.value, new))
            elif new != stands.get(field, ""):
                fills.append(Fill(key, row, field, stands.get(field, ""), new))
    return fills, clashes


def _knew(sources: Sequence[Source], copied: Mapping[Key, Row], decided: Decisions, clash: Clash) -> bool:
    """Has a person said this of the cell herself, or decided against it?"""
    row, _ = _stands(sources, copied, clash.key)
    decision = decided.get((row["tag"], row["stem_id"], clash.field))
    return decision is not None and decision.covers(clash.theirs or "")


def _stands(sources: Sequence[Source], copied: Mapping[Key, Row], key: Key) -> tuple[Row, dict[str, str]]:
    """The row of a tree in the first visit, and what it says without the others' help."""
    if key in sources[0].trees:
        return sources[0].rows[key], {**said(sources[0].trees[key]), **_name(key)}
    row = copied[key]
    source = next(source for source in sources if source.visit.id == row["from_visit_id"])
    typed = source.typed[key]
    return row, {**said(typed), "tag": typed.tag, "stem_id": typed.stem_id}


def _name(key: Key) -> dict[str, str]:
    return {"tag": key.tag or "", "stem_id": key.stem_id or ""}


def _who(sources: Sequence[Source], key: Key, field: str, value: str) -> VisitHere | None:
    """The visit that says so; None: none of them, so a person did."""
    saying = (s.visit for s in sources if key in s.trees and said(s.trees[key]).get(field, "") == value)
    return next(saying, None)


def _made(sources: Sequence[Source], fill: Fill, at: int) -> Made:
    primary = sources[0].visit
    who = _who(sources[1:], fill.key, fill.field, fill.new)
    return Made(
        primary.project_id, primary.id, fill.row["tag"], fill.row["stem_id"], fill.row["ordinal"], fill.field,
        fill.old or None, fill.new or None, MERGE, None, (who.crew if who else None) or "server", "", at,
    )  # fmt: skip


def _raised(sources: Sequence[Source], clashes: Sequence[Clash]) -> Raised:
    primary = sources[0].visit
    cells = []
    for clash in clashes:
        mine = _who(sources, clash.key, clash.field, clash.mine or "")
        theirs = _who(sources[1:], clash.key, clash.field, clash.theirs or "")
        cells.append({**clash._asdict(), "mine_from": mine.source_id if mine else None,
                      "theirs_from": theirs.source_id if theirs else None})  # fmt: skip
    return Raised(
        primary.project_id, primary.plot_id, primary.id, conflicts.TWO_VISITS, _subject(primary), cells
    )
