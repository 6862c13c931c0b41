"""A flag: what a rule says about one cell, and the sentence a person reads.

A flag holds values and never advice that acts by itself: the suggestion is text that a crew may confirm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from server.validation.sentences import SENTENCES, SUGGESTION

DIAMETER_STORIES = frozenset({"T05", "T06", "X01", "X02", "X03", "X04", "X05", "X13"})
"""Rules that name what may have happened to one diameter."""
CONTEXT = frozenset({"bands", "expected_cm", "hypotheses", "most", "slip"})
"""Facts that come from the bands and the rest of the plot: when these change, the value stays the same question."""

Fact = str | int | float | bool | None | list[str]


class Severity(StrEnum):
    """How much a flag weighs: a plot with an open error earns no tonnes, a warn wants a decision."""

    ERROR = "error"
    WARN = "warn"
    INFO = "info"


class Flag(NamedTuple):
    """One rule's word about one cell of a visit.

    `score` is the probability, 0 to 1, that the cell is wrong. `ordinal` is the measurement's; None: the
    visit as a whole, or a tree that has no measurement in it (then `tag` names it). `field` is the cell it points
    at, `value` what stands there. `expected_low` and `expected_high` are in the unit of the field, None where the
    rule has no such bound. `suggestion` is the most likely intended value, "" where there is none. `facts` are the
    plain values that the sentence is made from, with the parameters that were used; a fact whose name begins with
    "plot_" describes the rest of the plot. `priority` is the score times the carbon at stake, in t CO2e (0: the rule
    cannot tell what is at stake).
    """

    rule: str
    rule_version: int
    severity: Severity
    score: float
    ordinal: int | None
    tag: str
    stem_id: str
    field: str
    value: str
    expected_low: float | None
    expected_high: float | None
    suggestion: str
    facts: Mapping[str, Fact]
    priority: float = 0.0


def inputs_hash(flag: Flag) -> str:
    """SHA-256 (hex) of the rule, its version, the values it saw and the parameters it used.

    A decision on a flag holds as long as this stays the same. What the bands say (their version, what follows from
    them) and what the rest of the plot looks like ("plot_" facts, and bounds made from them) is left out: what she
    accepted stays accepted when more trees are known, and a correction at one tree must not re-open another. One
    diameter beside its last one is one question, whichever story explains it best.
    """
    if flag.rule in DIAMETER_STORIES and flag.field == "dbh_cm":
        rule, facts = "diameter", {"before_cm": flag.facts.get("before_cm")}
    else:
        rule, facts = flag.rule, {name: fact for name, fact in flag.facts.items() if not _is_context(name)}
    seen = [rule, flag.rule_version, flag.tag, flag.stem_id, flag.field, flag.value, facts]
    text = json.dumps(seen, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _is_context(fact: str) -> bool:
    return fact.startswith("plot_") or fact in CONTEXT


def message(flag: Flag, locale: str) -> str:
    """What is odd and what to do, in "zh" or (anything else) "en"."""
    language = 0 if locale.startswith("zh") else 1
    sentences = SENTENCES[flag.rule]
    template = sentences[str(flag.facts.get("case", ""))][language]
    values = {name: _shown(fact) for name, fact in flag.facts.items()}
    values |= {
        "tag": flag.tag if flag.stem_id in {"", "1"} else f"{flag.tag}-{flag.stem_id}",
        "value": flag.value,
        "low": _shown(flag.expected_low),
        "high": _shown(flag.expected_high),
    }
    sentence = template.format_map(values)
    return sentence + SUGGESTION[language].format(flag.suggestion) if flag.suggestion else sentence


_CHANCE = re.compile(r"1e(-\d+)")
_BELOW_ZERO = re.compile(r"-\d+\.\d+")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _shown(fact: Fact) -> str:
    """A fact as a person writes it: a true minus, 10⁻⁹ for 1e-9."""
    if isinstance(fact, list):
        return ", ".join(fact)
    text = f"{fact:.1f}" if isinstance(fact, float) else "–" if fact is None else str(fact)
    chance = _CHANCE.fullmatch(text)
    if chance:
        return "10" + chance[1].translate(_RAISED)
    return text.replace("-", "−") if _BELOW_ZERO.fullmatch(text) else text
