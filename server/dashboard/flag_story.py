"""The story of one flag: what is odd, the tree over its censuses, what may have happened, who stands beside it, what
was decided before; and the decision itself, by the same forms as on the plot's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import pi
from typing import Any, NamedTuple

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from server.dashboard import decisions, flag_text, flags, neighbours, place, scope, words
from server.dashboard.door import blueprint
from server.dashboard.growth_drawing import Drawing, Seen, drawing
from server.dashboard.header import Labels
from server.dashboard.labels import labels_of
from server.dashboard.plot import before
from server.dashboard.tally_sheet import TreeRow, tally_sheet
from server.forest.doubt import last_wrong
from server.forest.effective import CORRECTED, NUMBERS, effective
from server.forest.second_tape import MEASURED_AGAIN
from server.forest.tree import Measurement, TallyCode
from server.problems import NotFound
from server.store import corrections, flag_report, flag_story, plot_report, reports, visits
from server.validation.rule import RULES
from server.web import connection, session

Row = dict[str, Any]
CENSUSES_SHOWN = 6


class Told(NamedTuple):
    """The tree in one census: its visit, the tree as it counts and as it came (None: it has no row there)."""

    visit: Row
    tree: Measurement | None
    came: Measurement | None


class Chance(NamedTuple):
    """One thing that may have happened: its kind, what was meant ("": nothing in particular), its probability."""

    kind: str
    meant: str
    chance: float


@blueprint.get("/projects/<int:project_id>/flags/<int:flag_id>")
def flag_page(project_id: int, flag_id: int) -> ResponseReturnValue:
    """A flag's story, with the flags beside it in the queue that the address names."""
    project = scope.of_project(project_id)
    reader, asked = connection.reading(), flags.asked_for()
    found = flag_story.find(reader, project_id, flag_id)
    if found is None:
        raise NotFound(f"flag {flag_id}")
    plot = plot_report.find(reader, project_id, found["plot"])
    assert plot is not None  # a flag's plot is there as long as the flag is
    labels = labels_of(project_id)
    previous, following = flag_report.beside(reader, project_id, asked, flag_report.place_of(found, asked.by))
    return render_template(
        "dashboard/flag.html",
        project=project, plot=plot, story=flag_text.with_text(found, labels.of), kept=flags.kept(asked),
        previous=previous, following=following, rule=RULES.get(found["rule"]), chances=chances(found["facts"]),
        past=flag_story.decisions(reader, found), corrected=flag_story.corrections(reader, found),
        crews=reports.names(reader, project_id)["crew"], **_of_tree(project_id, plot, found, labels),
    )  # fmt: skip


def _of_tree(project_id: int, plot: Row, found: Row, labels: Labels) -> Row:
    """The flag's visit and last time's, its tree in all censuses, its neighbours, and what deciding needs."""
    reader = connection.reading()
    every = plot_report.visits(reader, plot["id"])
    visit = next(one for one in every if one["id"] == found["visit_id"])
    last = before(every, visit)
    here = [flag_text.with_text(row, labels.of) for row in plot_report.flags(reader, visit["id"])]
    sheet = tally_sheet(decisions.counted_trees(reader, visit["id"]),
                        decisions.counted_trees(reader, last["id"]) if last else [], here)  # fmt: skip
    row = _row(sheet.rows, found)
    attachments = plot_report.attachments(reader, visit["source_id"])
    told = _told(reader, every, visit, found) if found["tag"] else []
    decided = decisions.about(reader, visit)
    person = session.current_person()
    return {
        "visit": visit, "before": last, "row": row, "told": told, "species": labels.species, "decided": decided,
        "others_here": [one for one in here if one["id"] != found["id"] and _same_tree(one, found)],
        "photos": flag_story.photos(reader, [(one.visit["id"], one.tree.ordinal) for one in told if one.tree]),
        "place": place.shown(reader, plot, visit, [found], attachments), "picture": _picture(attachments, found),
        "girths": _girths(sheet.rows) if found["rule"] == "T07" else [],
        "named": _named(sheet.rows, found["facts"]), "drawing": _drawing(told, found),
        "neighbours": neighbours.of(sheet.rows, row, found["facts"]),
        "may_decide": decided["is_decided_here"] and person.role_in(project_id) in session.DECIDES,
        "correctable": CORRECTED, "measured_again": MEASURED_AGAIN, "tally_codes": [int(code) for code in TallyCode],
        "species_codes": sorted(plot_report.species_names(reader, project_id)),
    }  # fmt: skip


def _row(rows: Sequence[TreeRow], found: Row) -> TreeRow | None:
    """The tree that the flag is about; None where it is about the visit as a whole."""
    if found["ordinal"] is not None:
        return next((row for row in rows if row.now and row.now["ordinal"] == found["ordinal"]), None)
    key = (found["tag"], found["stem_id"] or "1")
    return next((row for row in rows if (row.tree["tag"], row.tree["stem_id"]) == key), None)


def _same_tree(one: Row, other: Row) -> bool:
    return bool(one["tag"]) and (one["tag"], one["stem_id"]) == (other["tag"], other["stem_id"])


def _told(reader: Connection, every: Sequence[Row], visit: Row, found: Row) -> list[Told]:
    """The flag's tree in the last censuses up to the newest, the oldest first; one visit for each census."""
    chosen: dict[int, Row] = {visit["census_id"]: visit}
    for one in every:
        if one["kind"] == "visit" and one["merged_into_id"] is None:
            chosen.setdefault(one["census_id"], one)
    shown = sorted(chosen.values(), key=lambda one: (one["measured_on"] or "", one["id"]))[-CENSUSES_SHOWN:]
    raw = visits.raw_measurements(reader, [one["id"] for one in shown])
    made = corrections.holding(reader, raw)
    return [_told_by(one, raw.get(one["id"], []), made.get(one["id"], []), visit, found) for one in shown]


def _told_by(one: Row, came: list[Measurement], made: Any, visit: Row, found: Row) -> Told:
    counts = effective(came, made)
    key = (found["tag"], found["stem_id"] or "1")
    here = found["ordinal"] if one["id"] == visit["id"] else None
    for raw, tree in zip(came, counts, strict=True):
        if tree.ordinal == here if here is not None else tree.key == key:
            return Told(one, tree, raw)
    return Told(one, None, None)


def _picture(attachments: Sequence[Row], found: Row) -> Row | None:
    """The photo that the flag is about, once it has come."""
    if found["field"] != "photo":
        return None
    return next((one for one in attachments if one["name"] == found["value"] and one["sha256"]), None)


def _named(rows: Sequence[TreeRow], facts: Mapping[str, Any]) -> list[TreeRow]:
    """The trees that a flag about many of them names."""
    tags = set(facts.get("plot_tags") or facts.get("tags") or [])
    return [row for row in rows if row.label in tags] if tags else []


class Girth(NamedTuple):
    """A tree whose diameter may be its girth: what dividing by π would make of it, cm, and whether that comes closer to
    last time's (where there is none: yes)."""

    row: TreeRow
    divided_cm: float
    is_closer: bool


def _girths(rows: Sequence[TreeRow]) -> list[Girth]:
    found = []
    for row in rows:
        dbh_cm = row.now["dbh_cm"] if row.now and row.lives else None
        if dbh_cm:
            divided, last = round(dbh_cm / pi, 1), row.before["dbh_cm"] if row.before else None
            found.append(Girth(row, divided, last is None or abs(divided - last) < abs(dbh_cm - last)))
    return found


def _drawing(told: Sequence[Told], found: Row) -> Drawing | None:
    """The tree's diameters, or whatever number the flag points at, over its censuses."""
    if not told:
        return None
    is_number = found["field"] in NUMBERS
    field = found["field"] if is_number else "dbh_cm"
    seen = [
        Seen(one.visit["census"], visits.as_day(one.visit["measured_on"]), getattr(one.tree, field, None),
             getattr(one.came, field, None))
        for one in told
    ]  # fmt: skip
    if not is_number or found["state"] == "void":
        return drawing(seen, -1)
    here = next(n for n, one in enumerate(told) if one.visit["id"] == found["visit_id"])
    if last_wrong(found["field"], found["facts"]) is not None:
        return drawing(seen, max((n for n in range(here) if seen[n].value is not None), default=here))
    return drawing(seen, here, found["expected_low"], found["expected_high"], _number(found["suggestion"]))


def _number(text: str | None) -> float | None:
    with suppress(ValueError):
        return float(text or "")
    return None


def chances(facts: Mapping[str, Any]) -> list[Chance]:
    """What may have happened, as the rule weighed it ("tens 23.1 0.71", "pom 0.10"), the likeliest first; what it does
    not name is the rest."""
    found = []
    for text in facts.get("hypotheses") or []:
        kind, *meant, chance = str(text).split()
        found.append(Chance(kind, meant[0] if meant else "", float(chance)))
    found.sort(key=lambda one: -one.chance)
    rest = round(1 - sum(one.chance for one in found), 2)
    return [*found, Chance(words.REST, "", rest)] if found and rest > 0 else found
