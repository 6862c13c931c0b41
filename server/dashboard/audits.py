"""Audit visits: which plots were re-measured blind, what each says tree by tree, and what follows for the crews."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from forms.definition import Form
from server.dashboard import language, scope
from server.dashboard.crews import census_asked, flags_shown, limits_of, may_decide
from server.dashboard.door import blueprint
from server.dashboard.header import Labels
from server.problems import NotFound
from server.store import crew_report, plot_report, visits
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
    return render_template(
        "dashboard/audits.html", project=project, census=chosen, censuses=censuses, limits=limits_of(project_id),
        audits=crew_report.audits(reader, project_id, chosen["id"]) if chosen else [],
        crews=[row for row in crews if row["figures"] and row["figures"]["audits"]],
        flags=[row for row in flags_shown(project_id, chosen) if row["rule"] in Q_RULES],
        may_decide=may_decide(project_id),
    )  # fmt: skip


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
        species=_labels(project_id).species,
    )  # fmt: skip


def _labels(project_id: int) -> Labels:
    forms = [Form.from_json(d) for d in plot_report.current_definitions(connection.reading(), project_id)]
    return Labels(forms, plot_report.species_names(connection.reading(), project_id), language.locale())
