"""Forms and their versions: what phones get, how it is tied to the forest, the draft's test code."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from server.dashboard import qr, scope
from server.dashboard.door import blueprint
from server.problems import NotFound
from server.store import house_report
from server.web import connection


@blueprint.get("/projects/<int:project_id>/forms")
def form_list(project_id: int) -> ResponseReturnValue:
    """Every form and version of a project."""
    project = scope.of_project(project_id)
    rows = house_report.forms(connection.reading(), project_id)
    for version in (version for form in rows for version in form["versions"]):
        version.update(_told(version.pop("definition")))
    return render_template("dashboard/forms.html", project=project, forms=rows)


@blueprint.get("/projects/<int:project_id>/forms/<int:version_id>/draft")
def form_draft(project_id: int, version_id: int) -> ResponseReturnValue:
    """The code that sets up a phone for trying a draft; its records never count."""
    project = scope.of_project(project_id)
    rows = house_report.forms(connection.reading(), project_id)
    version = next((v for form in rows for v in form["versions"] if v["id"] == version_id), None)
    if version is None or version["draft_token"] is None:
        raise NotFound(f"draft {version_id}")
    address = qr.draft_url(project_id, version["draft_token"], version["form_id"])
    return render_template("dashboard/draft.html", project=project, version=version, address=address,
                           code=qr.settings_svg(address, f"{project['name']} · {version['title']}"))  # fmt: skip


@blueprint.get("/projects/<int:project_id>/forms/<int:version_id>.xml")
def form_xml(project_id: int, version_id: int) -> Response:
    """The XForm exactly as phones download it."""
    scope.of_project(project_id)
    found = house_report.form_version_xml(connection.reading(), project_id, version_id)
    if found is None:
        raise NotFound(f"form version {version_id}")
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in found["form_id"])[:80]
    response = Response(found["xml"], content_type="text/xml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.xml"'
    return response


def _told(definition: dict[str, Any]) -> dict[str, Any]:
    """What the page tells of a definition: how it is mapped and how many questions are tied to a measure."""
    questions = definition["questions"]
    tied = [question["measure"] for question in questions if question["measure"]]
    return {"mapping": definition["mapping"], "questions": len(questions), "tied": len(tied),
            "warnings": definition["warnings"], "languages": definition["languages"]}  # fmt: skip
