"""One plot: its trees beside last time's, what was flagged and photographed, and every visit it has had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from forms.definition import Form
from server.dashboard import decisions, flag_text, language, place, scope
from server.dashboard.door import blueprint
from server.dashboard.header import Labels, header
from server.dashboard.stem_map import stem_map
from server.dashboard.tally_sheet import TallySheet, tally_sheet
from server.forest.effective import CORRECTED
from server.forest.second_tape import MEASURED_AGAIN
from server.forest.tree import TallyCode
from server.problems import NotFound
from server.store import conflict_report, conflicts, plot_report, reports
from server.web import connection, session

Row = dict[str, Any]
M2_PER_HA = 10_000


@blueprint.get("/projects/<int:project_id>/plots/<path:plot_id>")
def plot_page(project_id: int, plot_id: str) -> ResponseReturnValue:
    """A plot as one of its visits found it: the visit that the address names, else the last."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    plot = plot_report.find(reader, project_id, plot_id)
    if plot is None:
        raise NotFound(f"plot {plot_id}")
    visits = plot_report.visits(reader, plot["id"])
    visit = _chosen(visits)
    shown = _visit_shown(project_id, plot, visits, visit) if visit else {}
    return render_template(
        "dashboard/plot.html", project=project, plot=plot, visits=visits, visit=visit, **shown
    )


def _chosen(visits: Sequence[Row]) -> Row | None:
    """The visit that the address names; else the newest that is no audit. Raises NotFound for another plot's."""
    wanted = scope.number_in_query("visit")
    if wanted is None:
        standing = (v for v in visits if v["kind"] == "visit" and v["merged_into_id"] is None)
        return next(standing, visits[0] if visits else None)
    found = next((v for v in visits if v["id"] == wanted), None)
    if found is None:
        raise NotFound(f"visit {wanted}")
    return found


def before(visits: Sequence[Row], visit: Row) -> Row | None:
    """The visit to compare with: the last of another census, no audit, on an earlier day; `visits` newest first."""
    for other in visits:
        earlier = visit["measured_on"] is None or (other["measured_on"] or "") < visit["measured_on"]
        stands = other["kind"] == "visit" and other["merged_into_id"] is None
        if stands and other["census_id"] != visit["census_id"] and earlier:
            return other
    return None


def _visit_shown(project_id: int, plot: Row, visits: Sequence[Row], visit: Row) -> dict[str, Any]:
    reader, locale = connection.reading(), language.locale()
    last = before(visits, visit)
    definition = plot_report.definition(reader, visit["form_version_id"])
    listed = plot_report.species_names(reader, project_id)
    labels = Labels([Form.from_json(definition)] if definition else [], listed, locale)
    flags = [flag_text.with_text(row, labels.of) for row in plot_report.flags(reader, visit["id"])]
    earlier_trees = decisions.counted_trees(reader, last["id"]) if last else []
    sheet = tally_sheet(decisions.counted_trees(reader, visit["id"]), earlier_trees, flags)
    decided = decisions.about(reader, visit)
    attachments = plot_report.attachments(reader, visit["source_id"])
    return {
        "before": last,
        "sheet": sheet,
        "species": labels.species,
        "header": header(visit["header"], labels, locale),
        "map": stem_map(sheet.rows, _side_m(plot)),
        "attachments": attachments,
        "photo_of_tree": _photos_by_name(attachments),
        "counts": reports.flag_counts(reader, [visit["id"]]).get(visit["id"], {}),
        "chain": plot_report.chain(reader, visit["submission_id"]),
        "basal_area_m2": _basal_area_m2(sheet),
        "decided": decided,
        "merged": _merged(plot, visit),
        "place": place.shown(reader, plot, visit, flags, attachments),
        "may_decide": decided["is_decided_here"] and _decides(project_id),
        "correctable": CORRECTED,
        "measured_again": MEASURED_AGAIN,
        "tally_codes": [int(code) for code in TallyCode],
        "species_codes": sorted(listed),
        "crews": reports.names(reader, project_id)["crew"],
    }


def _decides(project_id: int) -> bool:
    return session.current_person().role_in(project_id) in session.DECIDES


def _merged(plot: Row, visit: Row) -> Row:
    """Other crews' visits that are part of this one, and how many conflicts of it wait for a person."""
    reader = connection.reading()
    here = [row for row in conflicts.open_at(reader, plot["id"]) if row.visit_id == visit["id"]]
    return {"others": conflict_report.merged_here(reader, visit["id"]), "conflicts": len(here)}


def _side_m(plot: Row) -> float | None:
    return math.sqrt(plot["area_ha"] * M2_PER_HA) if plot["shape"] == "square" and plot["area_ha"] else None


def _photos_by_name(attachments: Sequence[Row]) -> dict[str, Row]:
    return {row["name"]: row for row in attachments if row["sha256"]}


def _basal_area_m2(sheet: TallySheet) -> float:
    """Cross-section at breast height of the living stems, m²: the sum of π/4 · (dbh_cm / 100)²."""
    living = [row.now for row in sheet.rows if row.now and row.lives and row.now["dbh_cm"]]
    return float(sum(math.pi / 4 * (tree["dbh_cm"] / 100) ** 2 for tree in living))


@blueprint.get("/projects/<int:project_id>/submissions/<int:submission_id>.xml")
def instance_xml(project_id: int, submission_id: int) -> Response:
    """The instance exactly as the phone sent it, to be saved, never shown as a page."""
    scope.of_project(project_id)
    found = plot_report.instance_xml(connection.reading(), project_id, submission_id)
    if found is None:
        raise NotFound(f"submission {submission_id}")
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in found[0])[:120]
    response = Response(found[1], content_type="application/xml")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.xml"'
    return response
