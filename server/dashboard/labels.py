"""What people call the codes of a project: the labels of its current forms and its list of species."""

from __future__ import annotations

from forms.definition import Form
from server.dashboard import language
from server.dashboard.header import Labels
from server.store import plot_report
from server.web import connection


def labels_of(project_id: int) -> Labels:
    """The labels of a project, in the reader's language."""
    reader = connection.reading()
    forms = [Form.from_json(d) for d in plot_report.current_definitions(reader, project_id)]
    return Labels(forms, plot_report.species_names(reader, project_id), language.locale())
