"""The queue of flags: the most suspicious cell of the whole project on top."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from server.dashboard import flag_text, scope
from server.dashboard.door import blueprint
from server.dashboard.labels import labels_of
from server.problems import BadRequest
from server.store import flag_report, rechecks, reports
from server.store.flag_report import ORDERS, SEVERITIES, STATES, FlagQuestion, Place
from server.validation.rule import RULES
from server.web import connection


@blueprint.get("/projects/<int:project_id>/flags")
def flag_queue(project_id: int) -> ResponseReturnValue:
    """Flags by falling doubt, narrowed and ordered as the address says."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    asked = asked_for()
    rows, after = flag_report.queue(reader, project_id, asked)
    label = labels_of(project_id).of
    counts = flag_report.counts(reader, project_id, asked.state)
    return render_template(
        "dashboard/flags.html",
        project=project, asked=asked, flags=[flag_text.with_text(row, label) for row in rows], after=_text(after),
        by_severity=_sum(counts, "severity"), by_rule=_sum(counts, "rule"), titles=flag_text.titles(),
        names=reports.names(reader, project_id), severities=SEVERITIES, states=STATES, kept=kept(asked),
        recheck=rechecks.under_way(reader, project_id),
    )  # fmt: skip


def asked_for() -> FlagQuestion:
    """Which flags the address asks for, in which order. Raises BadRequest."""
    rules = tuple(RULES)
    return FlagQuestion(
        state=scope.word_in_query("state", STATES, "open"),
        severity=scope.word_in_query("severity", SEVERITIES),
        rule=scope.word_in_query("rule", rules),
        crew_id=scope.number_in_query("crew"),
        township_id=scope.number_in_query("township"),
        after=_place(request.args.get("after", "")),
        by=scope.word_in_query("by", ORDERS, "doubt"),
    )


NARROWS = ("state", "severity", "rule", "crew", "township", "by")
"""What an address may say to narrow and order the queue."""


def kept(asked: FlagQuestion) -> dict[str, Any]:
    """What an address must say to ask for the same flags again, from the first page on."""
    values = (asked.state, asked.severity, asked.rule, asked.crew_id, asked.township_id, asked.by)
    usual = {"state": "open", "by": "doubt"}
    said = zip(NARROWS, values, strict=True)
    return {name: value for name, value in said if value and value != usual.get(name)}


def _place(text: str) -> Place | None:
    """Where the last page ended, from the address. Raises BadRequest."""
    if not text:
        return None
    score, _, flag_id = text.partition("~")
    try:
        return float(score), int(flag_id)
    except ValueError as error:
        raise BadRequest(f"after={text[:40]}") from error


def _text(place: Place | None) -> str:
    return "" if place is None else f"{place[0]!r}~{place[1]}"


def _sum(counts: list[dict[str, Any]], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in counts:
        found[row[name]] = found.get(row[name], 0) + row["count"]
    return found
