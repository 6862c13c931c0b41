"""Audit visits: which plots are drawn for one, which were re-measured blind, what each says tree by tree, and what
follows for the crews."""

from __future__ import annotations

import secrets
from math import isfinite
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.dashboard import scope
from server.dashboard.crews import census_asked, flags_shown, limits_of, may_decide
from server.dashboard.door import blueprint
from server.dashboard.labels import labels_of
from server.dashboard.language import gettext as _
from server.problems import BadRequest, NotFound
from server.steps import draw_audits
from server.steps.draw_audits import Asked
from server.store import crew_report, draws, visits
from server.validation import audit
from server.validation.audit import Beside
from server.web import connection

Row = dict[str, Any]
Q_RULES = frozenset({"Q01", "Q02", "Q03", "Q04", "Q05", "Q06"})


@blueprint.get("/projects/<int:project_id>/audits")
def audit_list(project_id: int) -> ResponseReturnValue:
    """Audits of a census, and what they say of each crew together."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    chosen, censuses = census_asked(project_id)
    crews = crew_report.of_census(reader, project_id, chosen["id"]) if chosen else []
    drawn = _drawn(project_id, chosen["id"]) if chosen else []
    return render_template(
        "dashboard/audits.html", project=project, census=chosen, censuses=censuses, limits=limits_of(project_id),
        audits=crew_report.audits(reader, project_id, chosen["id"]) if chosen else [],
        crews=[row for row in crews if row["figures"] and row["figures"]["audits"]],
        flags=[row for row in flags_shown(project_id, chosen) if row["rule"] in Q_RULES],
        may_decide=may_decide(project_id), drawn=drawn,
        drawn_plots=[plot for one in drawn for crew in one["of"] for plot in crew["drawn"]],
    )  # fmt: skip


def _drawn(project_id: int, census_id: int) -> list[Row]:
    """Draws of a census, the first one first: who, when, seed; each crew's plots with place and audit."""
    reader = connection.reading()
    found = draws.of_census(reader, project_id, census_id)
    places = draws.places(reader, project_id, census_id, draws.plots_of(found))
    return [
        {
            "by": one.actor,
            "at": one.at,
            **one.detail,
            "of": [
                {**crew, "drawn": [places[plot] for plot in crew["drawn"]]} for crew in one.detail["crews"]
            ],
        }
        for one in reversed(found)
    ]


@blueprint.get("/projects/<int:project_id>/audits/drawn")
def drawn_list(project_id: int) -> ResponseReturnValue:
    """Every plot drawn in a census: for the audit crew, to print."""
    project = scope.of_project(project_id)
    chosen, censuses = census_asked(project_id)
    return render_template(
        "dashboard/drawn.html", project=project, census=chosen, censuses=censuses,
        drawn=_drawn(project_id, chosen["id"]) if chosen else [],
    )  # fmt: skip


@blueprint.post("/projects/<int:project_id>/audits/draw")
def draw(project_id: int) -> ResponseReturnValue:
    """Draw plots until the wanted share of each crew's was drawn."""
    act = scope.deciding(project_id)
    chosen, _censuses = census_asked(project_id)
    if chosen is None:
        raise NotFound("census")
    asked = Asked(
        secrets.token_hex(draw_audits.SEED_BYTES),
        share=_share(),
        only_approved=bool(request.form.get("only_approved")),
    )
    names = connection.database().write(
        lambda pen: draw_audits.draw(pen, project_id, chosen["id"], asked, act.by, act.at)
    )
    flash(_("抽到 %(n)s 块样地。", n=len(names)))
    return redirect(url_for("dashboard.drawn_list", project_id=project_id, census=chosen["id"]), 303)


def _share() -> float:
    """The share that the form asks for, 0 to 1. Raises BadRequest for what is no number."""
    text = request.form.get("percent", "")
    try:
        percent = float(text)
    except ValueError as error:
        raise BadRequest(f"percent={text[:40]}") from error
    if not isfinite(percent):
        raise BadRequest(f"percent={text[:40]}")
    return percent / 100


@blueprint.get("/projects/<int:project_id>/audits/<int:audit_id>")
def audit_page(project_id: int, audit_id: int) -> ResponseReturnValue:
    """One audit: both lists side by side, what is outside the tolerance, the verdict and its power."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    found = crew_report.audit(reader, project_id, audit_id)
    if found is None:
        raise NotFound(f"audit {audit_id}")
    limits = limits_of(project_id)
    rows: list[Beside] = []
    if found["visit_id"] is not None:
        theirs = visits.raw_measurements(reader, [found["visit_id"]]).get(found["visit_id"], [])
        ours = visits.measurements(reader, [audit_id]).get(audit_id, [])
        rows = audit.side_by_side(theirs, ours, limits)
    return render_template(
        "dashboard/audit.html", project=project, audit=found, limits=limits, rows=rows,
        figures=found["figures"], failures=audit.failures(found["figures"], limits) if found["figures"] else [],
        species=labels_of(project_id).species,
    )  # fmt: skip
