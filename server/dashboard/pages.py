"""All pages, gathered: importing this module puts every page on `blueprint`, which `server.app` registers."""

from __future__ import annotations

from server.dashboard import (  # noqa: F401  # each puts its pages on the blueprint
    audits,
    bands,
    catalogue,
    conflicts,
    crews,
    devices,
    flag_story,
    flags,
    forms,
    jobs,
    join,
    login,
    outbox,
    photos,
    place,
    plot,
    plots,
    quarantine,
    review,
    rework,
)
from server.dashboard.door import blueprint

__all__ = ["blueprint"]
