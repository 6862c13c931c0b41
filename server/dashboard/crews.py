"""Crews: how each reads, how fast, where, beside the others; and what a person decides about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from server.dashboard import crew_charts, flag_text, language, scope
from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.problems import NotFound
from server.steps import crew_decide
from server.store import crew_report, projects, reports
from server.store.reviews import Act
from server.validation.parameters.limits import Limits
from server.validation.project import parameters_of
from server.validation.rule import RULES
from server.web import connection, session

Row = dict[str, Any]
Deed = Callable[[Connection, int, int, Act], object]


@blueprint.get("/projects/<int:project_id>/crews")
def crew_list(project_id: int) -> ResponseReturnValue:
    """Every crew of a census with its effect sizes and their trend."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    chosen, censuses = census_asked(project_id)
    rows = crew_report.of_census(reader, project_id, chosen["id"]) if chosen else []
    months = crew_report.months(reader, project_id)
    limits = limits_of(project_id)
    for row in rows:
        row["line"] = crew_charts.line(months.get(row["id"], {}), "round", "trees", limits.c01_honest_share)
        row["reading"] = _reading(row["figures"])
    return render_template(
        "dashboard/crews.html", project=project, census=chosen, censuses=censuses, rows=rows, limits=limits,
        biases=crew_charts.biases(rows),
    )  # fmt: skip


def _reading(figures: Row | None) -> crew_charts.Span | None:
    seen = figures["reading"] if figures else None
    return crew_charts.span(seen["interval"], seen["share"], (0, 0.8), 90) if seen and seen["trees"] else None


@blueprint.get("/projects/<int:project_id>/crews/<int:crew_id>")
def crew_page(project_id: int, crew_id: int) -> ResponseReturnValue:
    """One crew in one census: what is odd, what it is seen from, its audits."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    crew = crew_report.find(reader, project_id, crew_id)
    if crew is None:
        raise NotFound(f"crew {crew_id}")
    chosen, censuses = census_asked(project_id)
    rows = crew_report.of_census(reader, project_id, chosen["id"]) if chosen else []
    figures = next((row["figures"] for row in rows if row["id"] == crew_id), None)
    limits, months = limits_of(project_id), crew_report.months(reader, project_id).get(crew_id, {})
    large = (340, 90)
    return render_template(
        "dashboard/crew.html", project=project, crew=crew, census=chosen, censuses=censuses, figures=figures,
        limits=limits, months=months, biases=crew_charts.biases(rows),
        histogram=crew_charts.histogram(figures["reading"]["digits"], limits.c01_honest_share) if figures else None,
        round_line=crew_charts.line(months, "round", "trees", limits.c01_honest_share, large),
        same_line=crew_charts.line(months, "same", "pairs", limits.c04_same_share, large),
        flags=flags_shown(project_id, chosen, crew_id), may_decide=may_decide(project_id),
        audits=crew_report.audits(reader, project_id, chosen["id"], crew_id) if chosen else [],
    )  # fmt: skip


def census_asked(project_id: int) -> tuple[Row | None, list[Row]]:
    """The census that the address names, else the newest whose crews were looked at, else the newest; and all.
    Raises NotFound for another project's."""
    censuses = reports.censuses(connection.reading(), project_id)
    wanted = scope.number_in_query("census")
    if wanted is not None:
        found = next((row for row in censuses if row["id"] == wanted), None)
        if found is None:
            raise NotFound(f"census {wanted}")
        return found, censuses
    return crew_report.shown_first(connection.reading(), project_id, censuses), censuses


def limits_of(project_id: int) -> Limits:
    """The thresholds of the project."""
    ways = projects.ways(connection.reading(), project_id)
    assert ways is not None  # its page has just been allowed
    return parameters_of(ways.tally_limit_cm, ways.rule_settings).limits


def may_decide(project_id: int) -> bool:
    """May the reader decide here?"""
    return session.current_person().role_in(project_id) in session.DECIDES


def flags_shown(project_id: int, census: Row | None, crew_id: int | None = None) -> list[Row]:
    """Flags on crews of a census in the reader's language, each with the rule's title and what comes next."""
    if census is None:
        return []
    rows = crew_report.flags(connection.reading(), project_id, census["id"], crew_id)
    return [_shown(row) for row in rows]


def _shown(row: Row) -> Row:
    locale = language.locale()
    rule = RULES.get(row["rule"])
    bare = {"ordinal": None, "tag": "", "stem_id": "", "field": "", "expected_low": None, "expected_high": None,
            "suggestion": ""}  # fmt: skip
    following = (rule.next_zh if locale == "zh" else rule.next_en) if rule else ""
    return {**row, "title": flag_text.title(row["rule"], locale), "next": following,
            "message": flag_text.message_of({**row, **bare}, locale)}  # fmt: skip


@blueprint.post("/projects/<int:project_id>/crew-flags/<int:crew_flag_id>/accept")
def accept_crew_flag(project_id: int, crew_flag_id: int) -> ResponseReturnValue:
    """The flag on a crew is known, for a reason."""
    return _decided(project_id, crew_flag_id, crew_decide.accept, _("已认可，原因已记录。"))


@blueprint.post("/projects/<int:project_id>/crew-flags/<int:crew_flag_id>/send-back")
def send_back_crew(project_id: int, crew_flag_id: int) -> ResponseReturnValue:
    """Visits in doubt lose their approval."""
    said = _("已重新打开有疑问的调查：已通过的改为“有问题”，可以撤回。")
    return _decided(project_id, crew_flag_id, crew_decide.send_back, said)


@blueprint.post("/projects/<int:project_id>/crew-flags/<int:crew_flag_id>/reopen")
def reopen_crew_flag(project_id: int, crew_flag_id: int) -> ResponseReturnValue:
    """The decision on a flag is taken back."""
    return _decided(project_id, crew_flag_id, crew_decide.reopen, _("已撤回决定，疑点重新待处理。"))


def _decided(project_id: int, crew_flag_id: int, deed: Deed, said: str) -> ResponseReturnValue:
    act = scope.deciding(project_id)
    connection.database().write(lambda pen: deed(pen, project_id, crew_flag_id, act))
    connection.read_again()
    about = crew_report.flag_place(connection.reading(), crew_flag_id)
    flash(said)
    if request.form.get("from") == "audits":
        return redirect(url_for("dashboard.audit_list", project_id=project_id, census=about.census_id), 303)
    return redirect(
        url_for("dashboard.crew_page", project_id=project_id, crew_id=about.crew_id, census=about.census_id),
        303,
    )
