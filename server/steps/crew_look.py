"""Step 6: crews of a census are looked at, each beside the others: how they read, how fast, where, how much growth.

Promised a little later than the check that caused it, so that the plots of one evening share a look. The same visits
give the same flags. A flag that a person has decided on stays decided while its kind and size stay the same; one that
no longer holds becomes void. Nothing here changes a visit: a failed audit puts a flag on the visits in doubt, and a
person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from forms.audit_log import MOST_BYTES, Log, read_log
from forms.definition import Form
from server.store import audits, bulk, crews, forms, visits
from server.store.blobs import Blobs
from server.store.rows import AnyRow
from server.validation import audit_crew
from server.validation.audit import MOST_CM
from server.validation.audit_crew import Done, Pooled, Scored
from server.validation.crew import Look, Work, kind_of, looked_at
from server.validation.crew_growth import Pair
from server.validation.crew_reading import DIGITS
from server.validation.crew_travel import Stay
from server.validation.flag import Flag, Severity, inputs_hash
from server.validation.parameters import Parameters
from server.validation.project import parameters_of
from server.validation.rule import raised

VISITS_AT_ONCE = 200
"""Visits whose trees are in memory at one time."""


class Seen(NamedTuple):
    """What was seen of a census: logs read, and each crew by itself and by its audits."""

    census: crews.CensusRow
    paces: list[dict[str, Any]]
    looks: dict[int, Look]
    pooled: dict[int, Pooled]


def look(connection: Connection, census_ids: Sequence[int], blobs: Blobs) -> list[Seen]:
    """Look at the crews of whole censuses."""
    return [_seen(connection, census, blobs) for census in crews.censuses(connection, census_ids)]


def _seen(connection: Connection, census: crews.CensusRow, blobs: Blobs) -> Seen:
    parameters = parameters_of(census.tally_limit_cm, census.rule_settings)
    paces = _read_logs(connection, census.id, blobs)
    rows = crews.visits_of(connection, census.id)
    works = _works(connection, census.id, rows, {pace["visit_id"]: pace for pace in paces})
    return Seen(census, paces, looked_at(works, parameters), _pooled(connection, census.id, rows, parameters))


def _read_logs(connection: Connection, census_id: int, blobs: Blobs) -> list[dict[str, Any]]:
    paths: dict[int, list[str]] = {}
    found = []
    for row in crews.logs_to_read(connection, census_id):
        if row.form_version_id not in paths:
            form = Form.from_json(forms.definition(connection, row.form_version_id))
            paths[row.form_version_id] = [q.path for q in form.questions if q.measure == "tree.dbh_cm"]
        log = _log(blobs, row.sha256, paths[row.form_version_id])
        found.append({"visit_id": row.visit_id, "log_sha256": row.sha256, **log._asdict()})
    return found


def _log(blobs: Blobs, sha256: str, paths: Sequence[str]) -> Log:
    path = blobs.path(sha256)
    if not path.exists() or path.stat().st_size > MOST_BYTES:
        return Log()
    return read_log(path.read_bytes(), paths)


# what the crews did


def _works(
    connection: Connection, census_id: int, rows: Sequence[AnyRow], paces: dict[int, dict[str, Any]]
) -> dict[int, Work]:
    works: dict[int, Work] = defaultdict(Work)
    for row in rows:
        work = works[row.crew_id]
        pace = paces.get(row.id) or row._mapping
        work.gaps_s += pace["gaps_s"] or ()
        work.edits += bool(row.is_edited and not row.was_asked and not pace["reasons"])
        work.stays.append(
            Stay(row.id, row.plot, row.device_id or 0, row.lat, row.lon, pace["first_at"] or row.started_at,
                 pace["last_at"])
        )  # fmt: skip
    for row in crews.digits(connection, census_id):
        months = works[row.crew_id].digits
        months.setdefault(row.month or "", [0] * DIGITS)[row.digit] += row.trees
    for crew_id, pair in _pairs(connection, rows):
        works[crew_id].pairs.append(pair)
    return dict(works)


def _pairs(connection: Connection, rows: Sequence[AnyRow]) -> Iterator[tuple[int, Pair]]:
    """Trees that were measured in an earlier census too: what this crew typed beside what counted then."""
    about = {row.id: row for row in rows}
    last = crews.last_visits(connection, rows)
    for some in bulk.chunks(last, VISITS_AT_ONCE):
        before = visits.measurements(connection, {last[visit_id][0] for visit_id in some})
        known = {
            (visit_id, tree.key): tree
            for visit_id, trees in before.items()
            for tree in trees
            if tree.dbh_cm
            and tree.dbh_cm < MOST_CM
            and tree.tally_code is not None
            and tree.tally_code.is_alive
        }
        for tree in crews.trees(connection, some):
            earlier_id, years = last[tree.visit_id]
            then = known.get((earlier_id, (tree.tag, tree.stem_id)))
            if then is None or not then.dbh_cm or (then.pom_m or 1.3) != (tree.pom_m or 1.3):
                continue
            row = about[tree.visit_id]
            yield row.crew_id, Pair(row.id, row.measured_on[:7], row.stratum_id, tree.species, then.dbh_cm,
                                    tree.dbh_cm, years)  # fmt: skip


def _pooled(
    connection: Connection, census_id: int, rows: Sequence[AnyRow], parameters: Parameters
) -> dict[int, Pooled]:
    done: dict[int, list[Done]] = defaultdict(list)
    for row in rows:
        if row.merged_into_id is None:
            done[row.crew_id].append(Done(row.id, row.plot, row.measured_on))
    scores: dict[int, list[Scored]] = defaultdict(list)
    for row in audits.scores(connection, census_id):
        scores[row.crew_id].append(
            Scored(row.audit_id, row.visit_id, row.plot, row.measured_on, row.is_random, row.figures)
        )
    return {crew: audit_crew.pooled(done[crew], scores[crew], parameters) for crew in {*done, *scores}}


# what a look leaves


def write(connection: Connection, found: Sequence[Seen], at: int) -> None:
    """Put figures and flags in place of those that no longer hold."""
    for seen in found:
        crews.put_paces(connection, seen.paces)
        crews.put_works(connection, seen.census.id, [_figures(seen, crew, at) for crew in sorted(seen.looks)])
        _write_flags(connection, seen, at)
        _write_marks(connection, seen, at)


def _figures(seen: Seen, crew: int, at: int) -> dict[str, Any]:
    pooled = seen.pooled.get(crew)
    figures = {**seen.looks[crew].figures, "audits": pooled.figures if pooled else None}
    return {"crew_id": crew, "census_id": seen.census.id, "project_id": seen.census.project_id,
            "figures": crews.as_json(figures), "looked_at": at}  # fmt: skip


def _write_flags(connection: Connection, seen: Seen, at: int) -> None:
    standing = crews.standing(connection, seen.census.id)
    fresh: list[dict[str, Any]] = []
    gone: list[int] = []
    for crew in sorted({*seen.looks, *seen.pooled, *standing}):
        found = _flags_of(seen, crew)
        left = {(row.rule, row.inputs_hash): row for row in standing.get(crew, [])}
        for flag in found:
            same = left.pop((flag.rule, kind_of(flag)), None)
            if same is None:
                fresh.append(_row(seen.census, crew, flag, at))
            elif same.state == "open":
                crews.say_anew(connection, same.id, **_said(flag))
        gone += [row.id for row in left.values() if row.state == "open"]
    crews.set_state(connection, gone, "void")
    crews.add_flags(connection, fresh)


def _flags_of(seen: Seen, crew: int) -> list[Flag]:
    own = seen.looks[crew].flags if crew in seen.looks else []
    return [*own, *(seen.pooled[crew].flags if crew in seen.pooled else [])]


def _said(flag: Flag) -> dict[str, Any]:
    return {"score": flag.score, "value": flag.value, "facts": crews.as_json(dict(flag.facts))}


def _row(census: crews.CensusRow, crew: int, flag: Flag, at: int) -> dict[str, Any]:
    return {
        **_said(flag), "project_id": census.project_id, "crew_id": crew, "census_id": census.id, "rule": flag.rule,
        "rule_version": flag.rule_version, "severity": str(flag.severity), "inputs_hash": kind_of(flag),
        "state": "open", "raised_at": at,
    }  # fmt: skip


def _write_marks(connection: Connection, seen: Seen, at: int) -> None:
    """A flag on each visit in doubt of a crew that failed, unless a person has accepted that it did."""
    accepted = {
        crew
        for crew, rows in crews.standing(connection, seen.census.id).items()
        if any(row.rule == audits.RULE and row.state == "accepted" for row in rows)
    }
    wanted = {(visit_id, inputs_hash(flag)): flag for crew, pooled in seen.pooled.items() if crew not in accepted
              for visit_id, flag in _marks(pooled)}  # fmt: skip
    standing = audits.marks(connection, seen.census.id)
    there = {(row.visit_id, row.inputs_hash) for row in standing}
    gone = [r.id for r in standing if (r.visit_id, r.inputs_hash) not in wanted and r.state == "open"]
    audits.unmark(connection, gone)
    audits.mark(connection, [_mark(visit_id, flag, at) for (visit_id, digest), flag in sorted(wanted.items())
                             if (visit_id, digest) not in there])  # fmt: skip


def _marks(pooled: Pooled) -> Iterator[tuple[int, Flag]]:
    for failed in pooled.flags:
        if failed.rule == audits.RULE:
            for one in pooled.reopen:
                yield one.visit_id, raised(audits.RULE, None, "", "", "", "", severity=Severity.WARN, score=0.5,
                                           case="visit", plots=failed.facts["plots"])  # fmt: skip


def _mark(visit_id: int, flag: Flag, at: int) -> dict[str, Any]:
    return {
        "visit_id": visit_id, "ordinal": None, "tag": "", "stem_id": "", "rule": flag.rule,
        "rule_version": flag.rule_version, "severity": str(flag.severity), "score": flag.score, "field": "",
        "value": "", "expected_low": None, "expected_high": None, "suggestion": "", "facts": dict(flag.facts),
        "inputs_hash": inputs_hash(flag), "state": "open", "raised_at": at,
    }  # fmt: skip
