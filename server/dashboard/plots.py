"""The list of plots with their state: where a supervisor's day begins."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from server.dashboard import scope
from server.dashboard.door import blueprint
from server.store import reports
from server.store.reports import NOT_VISITED, PlotQuestion
from server.web import connection

STATES = (NOT_VISITED, "received", "edited", "has_issues", "approved", "rejected")
SORTS = ("plot_id", "measured_on", "errors")
MOST_PAGES = 100_000


@blueprint.get("/projects/<int:project_id>/plots")
def plot_list(project_id: int) -> ResponseReturnValue:
    """Plots of a project, seen in one census, narrowed and ordered as the address says."""
    project = scope.of_project(project_id)
    reader = connection.reading()
    censuses = reports.censuses(reader, project_id)
    census = chosen_census(censuses)
    page = min(max(scope.number_in_query("page") or 1, 1), MOST_PAGES)
    asked = _asked(census["id"] if census else None, page)
    total, rows = reports.plots(reader, project_id, asked)
    return render_template(
        "dashboard/plots.html",
        project=project, censuses=censuses, census=census, asked=asked, rows=rows, total=total, page=page,
        pages=-(-total // asked.rows), names=reports.names(reader, project_id), states=STATES, sorts=SORTS,
        progress=_progress(reports.progress(reader, project_id, asked.census_id)),
    )  # fmt: skip


def chosen_census(censuses: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The census that the address names, else the newest."""
    wanted = scope.number_in_query("census")
    return next((c for c in censuses if c["id"] == wanted), censuses[0] if censuses else None)


def _asked(census_id: int | None, page: int) -> PlotQuestion:
    return PlotQuestion(
        census_id=census_id,
        township_id=scope.number_in_query("township"),
        stratum_id=scope.number_in_query("stratum"),
        crew_id=scope.number_in_query("crew"),
        state=scope.word_in_query("state", STATES),
        with_errors="errors" in request.args,
        search=request.args.get("q", "").strip()[:80],
        sort=scope.word_in_query("sort", SORTS, "plot_id"),
        offset=(page - 1) * reports.PAGE_ROWS,
    )


def _progress(townships: list[dict[str, Any]]) -> dict[str, Any]:
    planned, visited = sum(t["planned"] for t in townships), sum(t["visited"] for t in townships)
    return {"planned": planned, "visited": visited, "townships": townships}
