"""Step 2: the answers of an instance become a visit with its trees, or a thinning.

`look` reads the XML without holding the pen; `write` puts everything in place in one transaction, instead of what
the same chain of submissions said before. Nothing is judged: that is the next step, which is promised here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from forms.instance import Answers, Reader, read
from server.forest import answers as typed
from server.forest.answers import TreeRow
from server.forest.visit import NO_PLOT
from server.store import (
    devices,
    feed,
    flags,
    forms,
    jobs,
    leaving,
    merging,
    places,
    plots,
    submissions,
    thinnings,
    visits,
)
from server.store.leaving import Leaving, Owner
from server.store.places import Indexed
from server.store.submissions import Unread
from server.store.visits import ChainVisit
from server.validation.copied import GRAMS_SHARED, cells, grams

MOST_TREES_CUT = 2**31 - 1
"""What the column holds; a larger number stays in the record as typed."""


class Unfolded(NamedTuple):
    """What one submission says. `visit` and `thinning` are column values; either may be absent."""

    submission_id: int
    root_id: int
    project_id: int
    plot_name: str | None
    census_name: str
    visit: dict[str, Any] | None
    trees: list[TreeRow]
    thinning: dict[str, Any] | None
    thinning_plots: list[str]


def look(
    connection: Connection, ids: Sequence[int], readers: forms.Readers, max_bytes: int
) -> list[Unfolded]:
    """Read submissions. Of a chain of edits only the last is taken; the others have had their time."""
    rows = submissions.to_unfold(connection, ids)
    crews = devices.crews(connection, {row.device_id for row in rows if row.device_id})
    campaigns = plots.Campaigns(connection)
    return [
        _read(row, readers.get(connection, row.form_version_id), crews, campaigns, max_bytes)
        for row in rows
        if row.superseded_by_id is None
    ]


def _read(
    row: Unread, reader: Reader, crews: dict[int, int | None], campaigns: plots.Campaigns, max_bytes: int
) -> Unfolded:
    answers = reader.answers(read(submissions.xml_of(row), max_bytes).root)
    plot, about = answers.one("plot"), answers.one("visit")
    thinning = answers.one("thinning")
    has_visit = bool(answers.trees or plot or about) and not (thinning and not answers.trees)
    on = typed.day(about.get("measured_on") or about.get("started_at") or about.get("ended_at"))
    return Unfolded(
        submission_id=row.id,
        root_id=row.root_id,
        project_id=row.project_id,
        plot_name=(plot.get("plot_id") or NO_PLOT)[:80],
        census_name=_census(
            campaigns, row.project_id, about, on.isoformat() if on else None, row.received_at
        ),
        visit=_visit_values(row, plot, about, answers, crews, on.isoformat() if on else None)
        if has_visit
        else None,
        trees=typed.trees(answers),
        thinning=_thinning_values(row, thinning) if thinning else None,
        thinning_plots=(thinning.get("plot_ids") or "")
        .replace(",", " ")
        .replace("，", " ")
        .replace("、", " ")
        .split(),
    )


def _census(
    campaigns: plots.Campaigns, project_id: int, about: dict[str, str], on: str | None, received_at: int
) -> str:
    """The census the crew names; else the one whose campaign covers the day; else the year."""
    named = about.get("census")
    if named:
        return named[:80]
    year = on[:4] if on else str(datetime.fromtimestamp(received_at / 1000, UTC).year)
    return (campaigns.on(project_id, on) if on else None) or year


def _visit_values(
    row: Unread,
    plot: dict[str, str],
    about: dict[str, str],
    answers: Answers,
    crews: dict[int, int | None],
    on: str | None,
) -> dict[str, Any]:
    fix = typed.position(about.get("position"))
    return {
        "project_id": row.project_id,
        "submission_id": row.root_id,
        "source_id": row.id,
        "crew_id": crews.get(row.device_id) if row.device_id else None,
        "kind": about["kind"] if about.get("kind") in {"audit", "rework"} else "visit",
        "measured_on": on,
        "started_at": typed.moment_ms(about.get("started_at")),
        "ended_at": typed.moment_ms(about.get("ended_at")),
        "surveyor": about.get("surveyor") or about.get("crew"),
        "lat": fix.lat if fix else None,
        "lon": fix.lon if fix else None,
        "altitude_m": fix.altitude_m if fix else None,
        "accuracy_m": fix.accuracy_m if fix else None,
        "header": {
            **{f"plot.{k}": v for k, v in plot.items()},
            **{f"visit.{k}": v for k, v in about.items()},
        },
        "corners": answers.rows.get("corner", []),
    }


def _thinning_values(row: Unread, thinning: dict[str, str]) -> dict[str, Any]:
    trees_cut = typed.number(thinning.get("trees_cut"))
    felled_on = typed.day(thinning.get("felled_on"))
    return {
        "project_id": row.project_id,
        "submission_id": row.root_id,
        "source_id": row.id,
        "parcel_id": (thinning.get("parcel_id") or "?")[:80],
        "felled_on": felled_on.isoformat() if felled_on else None,
        "method": (thinning.get("method") or "")[:40] or None,
        "area_ha": typed.number(thinning.get("area_ha")),
        "trees_cut": int(trees_cut) if trees_cut is not None and abs(trees_cut) <= MOST_TREES_CUT else None,
        "volume_m3": typed.number(thinning.get("volume_m3")),
        "intensity_pct": typed.number(thinning.get("intensity_pct")),
        "permit": thinning.get("permit"),
        "other": thinning,
    }


def write(connection: Connection, found: Sequence[Unfolded], at: int) -> None:
    """Put visits, trees and thinnings in place and promise that the rules will look at them."""
    # another worker may have put an edit in place since these were read
    current = submissions.still_current(connection, [one.submission_id for one in found])
    found = [one for one in found if one.submission_id in current]
    with_visit = [one for one in found if one.visit is not None]
    plot_ids = plots.ensure(connection, ((o.project_id, o.plot_name or NO_PLOT) for o in with_visit))
    census_ids = plots.ensure_censuses(connection, ((o.project_id, o.census_name) for o in with_visit))
    known = visits.chain_of(connection, [one.root_id for one in with_visit])
    moved = _write_visits(connection, with_visit, known, plot_ids, census_ids, at)
    for one in found:
        if one.thinning is not None:
            moved |= _write_thinning(connection, one)
    _promise_checks(connection, moved, at)
    _tell_phones(connection, with_visit, known, plot_ids, census_ids)


def _write_visits(
    connection: Connection,
    found: Sequence[Unfolded],
    known: dict[int, ChainVisit],
    plot_ids: dict[plots.Key, int],
    census_ids: dict[plots.Key, int],
    at: int,
) -> set[int]:
    """Returns the plots concerned, those that a visit has left included."""
    rows: list[tuple[Unfolded, dict[str, Any]]] = []
    numbers: dict[int, int] = {}
    touched: set[int] = set()
    replaced = [was.id for was in known.values()]
    judged = places.judged_by(connection, replaced, GRAMS_SHARED)
    for one in {o.root_id: o for o in found}.values():  # of two edits in one batch the later stands
        assert one.visit is not None
        plot_id = plot_ids[one.project_id, one.plot_name or NO_PLOT]
        values = {
            **one.visit, "plot_id": plot_id, "census_id": census_ids[one.project_id, one.census_name],
            "unfolded_at": at, "checked_at": None,
        }  # fmt: skip
        touched.add(plot_id)
        was = known.get(one.root_id)
        if was is None:
            # an edit that was here before its original was read is an edit all the same
            values["review_state"] = "received" if one.submission_id == one.root_id else "edited"
            rows.append((one, values))
            continue
        if was.source_id != one.submission_id:
            values["review_state"] = "edited"
        touched.add(was.plot_id)
        visits.replace(connection, was.id, values)
        if was.plot_id != plot_id:
            flags.follow(connection, was.id, plot_id)
            # its trees may be part of another visit
            jobs.put(connection, jobs.MERGE, [was.plot_id, plot_id], at)
        numbers[one.root_id] = was.id
    made = visits.add(connection, [values for _, values in rows])
    numbers |= {one.root_id: number for (one, _), number in zip(rows, made, strict=True)}
    _write_trees(connection, found, numbers, plot_ids)
    _index_tallies(connection, found, numbers, plot_ids, replaced)
    judged |= places.judged_by(connection, replaced, GRAMS_SHARED)
    jobs.put(connection, jobs.CHECK, sorted(judged), at)
    _promise_rework(connection, found, numbers, known, at)
    _promise_merging(connection, found, known, at)
    return touched


def _promise_rework(
    connection: Connection,
    found: Sequence[Unfolded],
    numbers: dict[int, int],
    known: dict[int, ChainVisit],
    at: int,
) -> None:
    """Trees that were sent back may have been measured again, or their crew has edited what it sent."""
    answers = {
        numbers[one.root_id]
        for one in found
        if (one.visit is not None and one.visit["kind"] == "rework") or one.root_id in known
    }
    jobs.put(connection, jobs.RETURN_REWORK, sorted(answers), at)


def _promise_merging(
    connection: Connection, found: Sequence[Unfolded], known: dict[int, ChainVisit], at: int
) -> None:
    """An edit may meet what a person corrected, or other edits of the same original."""
    edited = {one.root_id for one in found if one.root_id in known or one.submission_id != one.root_id}
    jobs.put(connection, jobs.MERGE_EDITS, sorted(edited), at)


def _write_trees(
    connection: Connection, found: Sequence[Unfolded], numbers: dict[int, int], plot_ids: dict[plots.Key, int]
) -> None:
    latest = {one.root_id: one for one in found}.values()
    keys = [
        (
            plot_ids[one.project_id, one.plot_name or NO_PLOT],
            row.measurement.tag[:40],
            row.measurement.stem_id[:20],
        )
        for one in latest
        for row in one.trees
    ]
    trees = visits.ensure_trees(connection, (key for key in keys if key[1]))
    rows = []
    each = iter(keys)
    for one in latest:
        visit_id = numbers[one.root_id]
        rows += [_columns(visit_id, trees.get(next(each)), row) for row in one.trees]
    visits.add_measurements(connection, rows)


def _index_tallies(
    connection: Connection,
    found: Sequence[Unfolded],
    numbers: dict[int, int],
    plot_ids: dict[plots.Key, int],
    replaced: Sequence[int],
) -> None:
    """By what a copy of a tally will be found. A second tape of a few trees is no tally."""
    latest = {one.root_id: one for one in found}.values()
    tallies = [
        Indexed(
            one.project_id,
            plot_ids[one.project_id, one.plot_name or NO_PLOT],
            numbers[one.root_id],
            grams(cells([row.measurement for row in one.trees])),
        )
        for one in latest
        if one.visit is not None and one.visit["kind"] != "rework"
    ]
    places.put_grams(connection, tallies, replaced)


def _columns(visit_id: int, tree_id: int | None, row: TreeRow) -> tuple[Any, ...]:
    m = row.measurement
    return (
        visit_id, tree_id, m.ordinal, m.tag[:40], m.stem_id[:20], m.species[:40],
        None if m.tally_code is None else int(m.tally_code), m.dbh_cm, m.height_m, m.pom_m,
        row.azimuth_deg, row.distance_m, m.x_m, m.y_m, m.verified, m.dbh_text,
        " ".join(sorted(m.codes)) or None, _as_json(tuple(row.other.items())) if row.other else None,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _as_json(items: tuple[tuple[str, str], ...]) -> str:
    """Further answers as text; most trees of a plot have the same ones."""
    return json.dumps(dict(items), ensure_ascii=False)


def _write_thinning(connection: Connection, one: Unfolded) -> set[int]:
    assert one.thinning is not None
    before = thinnings.plots_of(connection, one.root_id)
    named = plots.ensure(connection, ((one.project_id, name[:80]) for name in one.thinning_plots))
    thinnings.put(connection, one.thinning, list(named.values()))
    return {*before, *named.values()}


def _promise_checks(connection: Connection, plot_ids: set[int], at: int) -> None:
    """A change at a plot concerns its other visits too: the next census compares itself with this one, and another
    crew may have been there in the same."""
    jobs.put(connection, jobs.MERGE, merging.crowded(connection, plot_ids), at)
    jobs.put(connection, jobs.CHECK, visits.after(connection, sorted(plot_ids)), at)


def _tell_phones(
    connection: Connection,
    found: Sequence[Unfolded],
    known: dict[int, ChainVisit],
    plot_ids: dict[plots.Key, int],
    census_ids: dict[plots.Key, int],
) -> None:
    """The plots' lists are others now; a visit that was edited has another review; where it has left a plot, a census
    or a crew, what was told of it there is taken back."""
    for project_id in sorted({one.project_id for one in found}):
        here = [one for one in found if one.project_id == project_id]
        lists = {plot_ids[project_id, one.plot_name or NO_PLOT] for one in here}
        replaced = [(known[one.root_id], one) for one in here if one.root_id in known]
        left = [was for was, one in replaced if _was_elsewhere(was, one, plot_ids, census_ids)]
        owners = leaving.owners(connection, (was.plot_id for was in left)) if left else {}
        feed.changed(connection, project_id, feed.TREES, lists | {was.plot_id for was in left})
        feed.changed(connection, project_id, feed.REVIEW, [was.id for was, _ in replaced])
        if left:
            leaving.leave(connection, project_id, (
                Leaving(was.plot_id, owners.get(was.plot_id, Owner(was.crew_id, None))) for was in left
            ))  # fmt: skip


def _was_elsewhere(
    was: ChainVisit, one: Unfolded, plot_ids: dict[plots.Key, int], census_ids: dict[plots.Key, int]
) -> bool:
    assert one.visit is not None
    now = (
        plot_ids[one.project_id, one.plot_name or NO_PLOT], census_ids[one.project_id, one.census_name],
        one.visit["kind"], one.visit["crew_id"],
    )  # fmt: skip
    return (was.plot_id, was.census_id, was.kind, was.crew_id) != now
