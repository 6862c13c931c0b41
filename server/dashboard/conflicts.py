"""Two accounts of one thing side by side, and a person's choice between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from forms.measures import MEASURES
from server.dashboard import language, scope, words
from server.dashboard.door import blueprint
from server.dashboard.header import Labels
from server.dashboard.labels import labels_of
from server.dashboard.language import gettext as _
from server.forest.effective import NUMBERS
from server.forest.tree import TallyCode
from server.steps import settle_conflict
from server.steps.settle_conflict import Choice
from server.store import conflict_report, conflicts, plot_report
from server.store.conflicts import CHOICES, GONE, MINE, OPEN, OTHER, SETTLED
from server.web import connection, session
from sync.merge import TREE

Row = dict[str, Any]
STATES = (OPEN, SETTLED, GONE)


@blueprint.get("/projects/<int:project_id>/conflicts")
def conflict_list(project_id: int) -> ResponseReturnValue:
    """Conflicts of a project in one state, the latest first."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    state, offset = scope.word_in_query("state", STATES, OPEN), scope.number_in_query("offset") or 0
    rows = conflict_report.page(reader, project_id, state, offset)
    more = len(rows) > conflict_report.PAGE_ROWS
    rows = rows[: conflict_report.PAGE_ROWS]
    who = conflict_report.sides(reader, {n for row in rows for cell in row["fields"] for n in _numbers(cell)})
    labels = labels_of(project_id)
    return render_template(
        "dashboard/conflicts.html",
        may_decide=session.current_person().role_in(project_id) in session.DECIDES,
        project=project, state=state, states=STATES, offset=offset, rows=[_shown(row, who, labels) for row in rows],
        following=offset + conflict_report.PAGE_ROWS if more else None,
        counts=conflict_report.counts(reader, project_id), codes=[int(code) for code in TallyCode],
        species=plot_report.species_names(reader, project_id), label=labels.species, numbers=NUMBERS,
    )  # fmt: skip


def _numbers(cell: Row) -> list[int]:
    return [cell[side] for side in ("mine_from", "theirs_from") if cell.get(side)]


def _shown(row: Row, who: Mapping[int, Row], labels: Labels) -> Row:
    """A conflict with its cells in words, gathered by the two who say them."""
    pairs: dict[tuple[Any, ...], Row] = {}
    for place, cell in enumerate(row["fields"]):
        key = (cell.get("mine_from"), cell.get("mine_by"), cell.get("theirs_from"))
        pair = pairs.setdefault(
            key,
            {"mine": who.get(key[0] or 0), "person": key[1], "theirs": who.get(key[2] or 0), "cells": []},
        )
        pair["cells"].append(_cell(place, cell, labels))
    waiting = sum(not cell.get("chosen") for cell in row["fields"])
    return {
        **row,
        "pairs": list(pairs.values()),
        "waiting": waiting,
        "mark": conflicts.mark_of(row["fields"]),
    }


def _cell(place: int, cell: Row, labels: Labels) -> Row:
    texts = {side: _text(cell["field"], cell[side], labels) for side in ("base", "mine", "theirs")}
    return {
        **cell, "place": place, "texts": texts, "may_change": conflicts.is_settled_here(cell),
        "may_write": cell["field"] != TREE and conflicts.is_settled_here(cell),
        "title": _title(cell["field"]), "kept": _text(cell["field"], cell.get("value"), labels),
    }  # fmt: skip


def _title(field: str) -> str:
    measure = MEASURES.get(field)
    if measure is not None:
        return measure.zh if language.locale() == "zh" else measure.en
    return _("整株") if field == TREE else words.cell(field)


def _text(field: str, text: str | None, labels: Labels) -> str:
    """A value in words; "—" for a blank."""
    if field == TREE:
        return _tree_text(text, labels)
    if not text:
        return "—"
    if field == "species":
        return labels.species(text)
    if field == "tally_code":
        return f"{text} {words.tally(int(text))}" if text.isdecimal() else text
    return text


def _tree_text(text: str | None, labels: Labels) -> str:
    if text is None:
        return _("没有这株")
    values: dict[str, str] = json.loads(text or "{}")
    return " · ".join(f"{words.cell(name)} {_text(name, v, labels)}" for name, v in values.items()) or _(
        "有这株"
    )


@blueprint.post("/projects/<int:project_id>/conflicts/<int:conflict_id>/settle")
def settle_one(project_id: int, conflict_id: int) -> ResponseReturnValue:
    """Choose for some of its rows or all of them."""
    act = scope.deciding(project_id)
    seen, choices = request.form.get("seen", ""), _choices(request.form)
    done = connection.database().write(
        lambda pen: settle_conflict.settle(pen, project_id, conflict_id, seen, choices, act)
    )
    flash(_("已解决：选定的值从现在起计入。") if done else _("已保存您的选择，其余各项仍待决定。"))
    return redirect(url_for("dashboard.conflict_list", project_id=project_id), 303)


@blueprint.post("/projects/<int:project_id>/conflicts/<int:conflict_id>/reopen")
def reopen_one(project_id: int, conflict_id: int) -> ResponseReturnValue:
    """Take the choices back."""
    act = scope.deciding(project_id)
    seen = request.form.get("seen", "")
    connection.database().write(lambda pen: settle_conflict.reopen(pen, project_id, conflict_id, seen, act))
    flash(_("已撤回决定，请重新选择。"))
    return redirect(url_for("dashboard.conflict_list", project_id=project_id), 303)


def _choices(form: Mapping[str, str]) -> dict[int, Choice]:
    """Choices by the place of their row. A value that was written is meant, whatever button was left where it stood;
    `rest` is for rows that have no choice of their own and can take it."""
    places = [name[1:] for name in form if name[:1] == "c" and name[1:].isdecimal() and len(name) < 8]
    chosen = {int(place): _choice(form, place) for place in places}
    return {place: choice for place, choice in chosen.items() if choice.chosen in CHOICES}


def _choice(form: Mapping[str, str], place: str) -> Choice:
    word, written = form[f"c{place}"], form.get(f"v{place}", "").strip()
    if word == OTHER or (not word and written):
        return Choice(OTHER, written)
    rest = form.get("rest", "")
    can_take_rest = rest == MINE or f"t{place}" in form
    return Choice(word or (rest if can_take_rest else ""))
