"""A supervisor gives a rule another threshold in her project, silences the rule, or takes that back.

Thresholds stay within the range of the parameters table. Every change is an event with what stood there before, so it
can be undone; the rules then look again at every visit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from server.problems import AlreadyDecided, NotFound, ReasonMissing, ThresholdUnchanged, ThresholdUnfit
from server.store import events, projects, rechecks
from server.store.projects import Ways
from server.store.reviews import Act
from server.validation.parameters import Parameter, ParameterInvalid, Parameters

ACTION = "rules.set"
TALLY_LIMIT = "T02.min_cm"
"""The one threshold that is a column of the project: phones and forms ask for it too."""
WHY_CHARS = 500
_SHIPPED = {parameter.key: parameter for parameter in Parameters.default().table}


class Change(NamedTuple):
    """A threshold by its key in the table ("X04.cap_cm_yr[conifer]"; "X16.on" for the whole rule) and what it shall
    be; None: as shipped."""

    key: str
    value: float | None


def set_threshold(connection: Connection, project_id: int, change: Change, act: Act) -> None:
    """From now on the project's rules use this threshold.

    Raises NotFound, ReasonMissing, ThresholdUnfit, ThresholdUnchanged.
    """
    if not act.why.strip():
        raise ReasonMissing()
    ways = projects.ways_to_change(connection, project_id)
    if ways is None:
        raise NotFound(f"project {project_id}")
    old = chosen(ways, change.key)
    if change.value == old or (
        change.value is not None and change.value == _usual(change.key) and old is None
    ):
        raise ThresholdUnchanged(name=change.key)
    values = _changed(ways, change)
    told = {"old": old, "new": change.value, "why": act.why.strip()[:WHY_CHARS]}
    events.add(connection, project_id, act.by, ACTION, change.key, told, act.at)
    rechecks.promise(connection, project_id, rechecks.PARAMETERS, act.by, act.at)
    projects.change(connection, project_id, **values)  # last: it moves the feed on


def undo(connection: Connection, project_id: int, event_id: int, act: Act) -> None:
    """What a change had replaced stands again. Raises NotFound, ReasonMissing, AlreadyDecided where somebody has
    changed the threshold since."""
    event = events.find(connection, project_id, ACTION, event_id)
    ways = projects.ways_to_change(connection, project_id)
    if event is None or ways is None:
        raise NotFound(f"change {event_id}")
    if chosen(ways, event.subject) != event.detail["new"]:
        raise AlreadyDecided()
    set_threshold(connection, project_id, Change(event.subject, event.detail["old"]), act)


def chosen(ways: Ways, key: str) -> float | None:
    """What the project has chosen for a threshold; None: nothing, it stands as shipped."""
    if key == TALLY_LIMIT:
        return None if ways.tally_limit_cm == _SHIPPED[key].value else ways.tally_limit_cm
    found: float | None = ways.rule_settings.get(key)
    return found


def _usual(key: str) -> float:
    return _SHIPPED[key].value if key in _SHIPPED else 1.0


def _changed(ways: Ways, change: Change) -> Mapping[str, Any]:
    """The project's columns after the change. Raises NotFound, ThresholdUnfit."""
    if change.value is not None:
        _check(change.key, change.value)
    if change.key == TALLY_LIMIT:
        return {"tally_limit_cm": _usual(TALLY_LIMIT) if change.value is None else change.value}
    rest = {key: value for key, value in ways.rule_settings.items() if key != change.key}
    return {"settings": rest if change.value is None else {**rest, change.key: change.value}}


def _check(key: str, value: float) -> None:
    try:
        Parameters.default().with_changes({key: value})
    except ParameterInvalid as error:
        known: Parameter | None = _SHIPPED.get(key)
        if known is None:
            raise NotFound(str(error)) from error
        raise ThresholdUnfit(name=key, value=f"{value:g}", least=f"{known.min:g}", most=f"{known.max:g}",
                             unit=known.unit) from error  # fmt: skip
