"""The catalogue of rules as a project uses it: when each speaks, its thresholds, what people found of its flags.

A supervisor changes a threshold within its range, silences a rule, and takes either back; the rules then look again.
"""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.dashboard import language, scope
from server.dashboard.door import blueprint
from server.dashboard.language import gettext as _
from server.problems import BadRequest, NotFound, ThresholdUnfit
from server.steps import set_threshold
from server.steps.set_threshold import Change
from server.store import events, projects, rechecks, rule_yield
from server.store.projects import Ways
from server.store.reviews import Act
from server.store.rows import AnyRow
from server.store.rule_yield import RuleYield
from server.validation import formula
from server.validation.parameters import Parameter, Parameters
from server.validation.parameters.meanings import meaning_of
from server.validation.project import parameters_of
from server.validation.rule import RULES, Rule
from server.validation.sentences import SENTENCES
from server.validation.worth import is_useless, share_of
from server.web import connection, session

Row = dict[str, Any]
CHANGES_SHOWN = 100
LETTERS = "THXPFCQ"
_SHIPPED = {parameter.key: parameter for parameter in Parameters.default().table}
_NAMES = frozenset(f"{parameter.rule}.{parameter.name}" for parameter in Parameters.default().table)


@blueprint.get("/projects/<int:project_id>/rules")
def rule_list(project_id: int) -> ResponseReturnValue:
    """Every rule, in the order of the catalogue."""
    project = scope.of_project(project_id)
    ways = _ways(project_id)
    yields = rule_yield.of_project(connection.reading(), project_id)
    rows = [_rule(rule, ways, yields.get(rule.id, RuleYield())) for rule in RULES.values()]
    return render_template(
        "dashboard/rules.html",
        project=project, rules=rows, groups=_groups(rows), recheck=rechecks.under_way(connection.reading(), project_id),
        useless=[row for row in rows if row["is_useless"]],
    )  # fmt: skip


@blueprint.get("/projects/<int:project_id>/rules/<rule_id>")
def rule_page(project_id: int, rule_id: str) -> ResponseReturnValue:
    """One rule, with what it says and every change that the project has made to it."""
    project = scope.of_project(project_id)
    rule = _known(rule_id)
    found = rule_yield.of_project(connection.reading(), project_id).get(rule.id, RuleYield())
    language_number = 0 if language.locale() == "zh" else 1
    ways = _ways(project_id)
    return render_template(
        "dashboard/rule.html",
        project=project, one=_rule(rule, ways, found), changes=_changes(project_id, rule, ways),
        sentences=list(dict.fromkeys(pair[language_number] for pair in SENTENCES.get(rule.id, {}).values())),
        may_decide=session.current_person().role_in(project_id) in session.DECIDES,
        recheck=rechecks.under_way(connection.reading(), project_id),
    )  # fmt: skip


@blueprint.post("/projects/<int:project_id>/rules/<rule_id>/set")
def set_rule_threshold(project_id: int, rule_id: str) -> ResponseReturnValue:
    """A threshold of the rule gets another value in this project."""
    act, key = scope.deciding(project_id), _key(rule_id)
    return _set(project_id, rule_id, Change(key, _number(key, request.form.get("value", ""))), act)


@blueprint.post("/projects/<int:project_id>/rules/<rule_id>/reset")
def reset_rule_threshold(project_id: int, rule_id: str) -> ResponseReturnValue:
    """A threshold of the rule stands as shipped again."""
    act = scope.deciding(project_id)
    return _set(project_id, rule_id, Change(_key(rule_id), None), act)


@blueprint.post("/projects/<int:project_id>/rules/changes/<int:event_id>/undo")
def undo_rule_change(project_id: int, event_id: int) -> ResponseReturnValue:
    """What a change had replaced stands again."""
    act = scope.deciding(project_id)
    connection.database().write(lambda pen: set_threshold.undo(pen, project_id, event_id, act))
    made = events.find(connection.reading(), project_id, set_threshold.ACTION, event_id)
    assert made is not None  # it has just been undone
    flash(_("已撤销这次改动，所有调查将重新检查。"))
    return _back(project_id, made.subject.partition(".")[0])


def _set(project_id: int, rule_id: str, change: Change, act: Act) -> ResponseReturnValue:
    connection.database().write(lambda pen: set_threshold.set_threshold(pen, project_id, change, act))
    flash(_("已改动，所有调查将重新检查。"))
    return _back(project_id, rule_id)


def _back(project_id: int, rule_id: str) -> ResponseReturnValue:
    return redirect(url_for("dashboard.rule_page", project_id=project_id, rule_id=rule_id), 303)


def _known(rule_id: str) -> Rule:
    if rule_id not in RULES:
        raise NotFound(f"rule {rule_id[:40]}")
    return RULES[rule_id]


def _key(rule_id: str) -> str:
    """The threshold that the form names, if it is one of the rule. Raises NotFound, BadRequest."""
    key = request.form.get("key", "")
    if key.partition(".")[0] != _known(rule_id).id:
        raise BadRequest(f"key={key[:40]}")
    return key


def _number(key: str, text: str) -> float:
    """The number as typed, with a comma or a full-width point as some keyboards write it. Raises ThresholdUnfit."""
    known = _SHIPPED.get(key)
    least, most, unit = (known.min, known.max, known.unit) if known else (0.0, 1.0, "")
    try:
        return float(text.strip().replace(",", ".").replace("．", "."))
    except ValueError as error:
        raise ThresholdUnfit(name=key, value=text[:40] or "—", least=f"{least:g}", most=f"{most:g}",
                             unit=unit) from error  # fmt: skip


def _ways(project_id: int) -> Ways:
    ways = projects.ways(connection.reading(), project_id)
    assert ways is not None  # whoever may read its pages, reads a project that is there
    return ways


def _rule(rule: Rule, ways: Ways, found: RuleYield) -> Row:
    """A rule as its project uses it, in the reader's language."""
    chosen = parameters_of(ways.tally_limit_cm, ways.rule_settings)
    locale = language.locale()
    told = formula.said(rule.id, rule.formula, locale)
    return {
        "id": rule.id,
        "rule": rule,
        "title": rule.title(locale),
        "next": rule.next_zh if locale == "zh" else rule.next_en,
        "formula": list(formula.pieces(rule.id, told, _NAMES)),
        "source": formula.source_said(rule.id, rule.source, locale),
        "meanings": formula.meanings(told, locale),
        "parameters": [_parameter(parameter) for parameter in rule.parameters(chosen)],
        "is_silent": rule.id in chosen.off,
        "yield": found,
        "share": share_of(found.confirmed, found.accepted),
        "is_useless": is_useless(found.confirmed, found.accepted),
        "bar": _bar(found),
    }


def _parameter(parameter: Parameter) -> Row:
    shipped, locale = _SHIPPED[parameter.key], language.locale()
    meaning = meaning_of(parameter)
    return {
        **parameter._asdict(),
        "meaning": meaning.said(locale),
        "key": parameter.key,
        "shipped": shipped.value,
        "is_changed": parameter.value != shipped.value,
        "is_verified": shipped.is_verified,
        "source": meaning.source_zh if locale == "zh" else shipped.source,
    }


def _bar(found: RuleYield) -> list[tuple[str, float, float]]:
    """What became of the flags as parts of a line of length 100: (kind, begin, length)."""
    parts, begin = [], 0.0
    for kind in ("confirmed", "accepted", "sent_back", "open", "void"):
        length = 100 * getattr(found, kind) / found.raised if found.raised else 0.0
        if length:
            parts.append((kind, round(begin, 2), round(length, 2)))
        begin += length
    return parts


def _groups(rows: list[Row]) -> dict[str, list[Row]]:
    """Rules by the letter of their number, which says what they look at: trees first, crews and audits last."""
    found: dict[str, list[Row]] = {letter: [] for letter in LETTERS}
    for row in rows:
        found.setdefault(row["id"][0], []).append(row)
    return {letter: rows for letter, rows in found.items() if rows}


def _changes(project_id: int, rule: Rule, ways: Ways) -> list[Row]:
    """The project's changes to a rule, newest first; the newest of each threshold can be undone while it stands."""
    found = events.latest(connection.reading(), project_id, set_threshold.ACTION, CHANGES_SHOWN)
    here = [event for event in found if event.subject.partition(".")[0] == rule.id]
    newest: dict[str, AnyRow] = {}
    for event in here:
        newest.setdefault(event.subject, event)
    return [
        {"event": event, "is_standing": newest[event.subject] is event
         and set_threshold.chosen(ways, event.subject) == event.detail["new"]}
        for event in here
    ]  # fmt: skip
