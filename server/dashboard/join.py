"""What a person reads who opens a join link in a browser. It reads nothing: the key behind `#` is never sent."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from server.dashboard.door import blueprint
from sync import join


@blueprint.get(join.PATH)
def join_page() -> ResponseReturnValue:
    """What a join link is, and what to do with it."""
    return render_template("dashboard/join.html")
