"""A flag of the store in a person's words: its rule's title, its sentence, what was expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from server.dashboard import language
from server.dashboard.language import gettext
from server.dashboard.words import cell
from server.forest.doubt import last_wrong
from server.validation.flag import Flag, Severity, message
from server.validation.rule import RULES

LEAST_SHOWN = 0.01
"""Nobody can tell a smaller probability from none, nor a larger one from certainty."""


def with_text(row: Mapping[str, Any], label: Callable[[str, str], str]) -> dict[str, Any]:
    """The row with `title`, `message`, `cell` and `expected` in the reader's language; `label` names a code of a
    measure ("tree.species", "pinus_tabuliformis").
    `last_chance` is how probably last time's value is the wrong one, where the flag says so: then nothing is `expected`
    either, since that would rest on it."""
    locale = language.locale()
    row = _named(row, label)
    last = last_wrong(row["field"], row["facts"])
    return {
        **row,
        "title": title(row["rule"], locale),
        "message": message_of(row, locale),
        "expected": expected(row) if last is None else "",
        "chance": chance(row["score"]),
        "cell": gettext("对照样地") if row["rule"] == "P07" else cell(row["field"]),
        "last_chance": "" if last is None else chance(last),
    }


_CODED = {
    "species": "tree.species",
    "land_type": "plot.land_type",
    "origin": "plot.origin",
    "aspect": "plot.aspect",
}
"""Cells that hold codes, and the measure that knows what they are called."""


def _named(row: Mapping[str, Any], label: Callable[[str, str], str]) -> dict[str, Any]:
    """The row with species, land types, origins and aspects by name instead of code, wherever it speaks of them."""
    measure = _CODED.get(row["field"] or "", "")
    facts = {name: _fact(name, fact, measure, label) for name, fact in row["facts"].items()}
    texts = {name: label(measure, row[name]) for name in ("value", "suggestion") if measure and row[name]}
    return {**row, **texts, "facts": facts}


def _fact(name: str, fact: Any, measure: str, label: Callable[[str, str], str]) -> Any:
    if not isinstance(fact, str) or name == "case":
        return fact
    if "species" in name or measure == "tree.species":
        return label("tree.species", fact)
    return label(measure, fact) if measure and name == "last" else fact


def message_of(row: Mapping[str, Any], locale: str) -> str:
    """The flag's sentence. A rule that is no longer in the catalogue is shown by its number and value."""
    flag = Flag(
        rule=row["rule"], rule_version=row["rule_version"], severity=Severity(row["severity"]),
        score=row["score"], ordinal=row["ordinal"], tag=row["tag"] or "", stem_id=row["stem_id"] or "",
        field=row["field"] or "", value=row["value"] or "", expected_low=row["expected_low"],
        expected_high=row["expected_high"], suggestion=row["suggestion"] or "", facts=row["facts"],
    )  # fmt: skip
    try:
        return message(flag, locale)
    except KeyError:
        return f"{flag.rule}: {flag.field} {flag.value}".strip()


def title(rule: str, locale: str) -> str:
    """What a rule is called; its number where the catalogue has it no more."""
    return RULES[rule].title(locale) if rule in RULES else rule


def expected(row: Mapping[str, Any]) -> str:
    """The plausible interval as text, in the unit of the cell; "" where the rule has none."""
    low, high = row["expected_low"], row["expected_high"]
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f"≤ {high:.1f}" if low is None else f"≥ {low:.1f}"
    return f"{low:.1f} – {high:.1f}"


def chance(score: float) -> str:
    """A probability in per cent, as sure as anybody can be; a score from before scores were probabilities counts as
    one that is nearly sure."""
    if score < LEAST_SHOWN:
        return "<1%"
    return ">99%" if score > 1 - LEAST_SHOWN else f"{100 * score:.0f}%"


def titles() -> dict[str, str]:
    """Every rule's title in the reader's language."""
    return {rule: title(rule, language.locale()) for rule in RULES}
