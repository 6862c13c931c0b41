"""The rules as a list of facts: what each is called, how much it weighs, where it comes from.

What a rule looks at is in `tree`, `height`, `growth`, `history` and `plot`; its thresholds are in `parameters`.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from server.validation.flag import Fact, Flag, Severity
from server.validation.parameters import Parameter, Parameters, read_table


class Rule(NamedTuple):
    """One rule. `starred`: a value that the crew verified lowers its error to a warn. `score` is the
    probability, 0 to 1, that what it flags is wrong, where a rule cannot weigh its evidence itself. `scope` is what
    it looks at: tree, pair (a tree in two censuses), visit, place, photo, crew, audit. `formula` says when it
    speaks, in the words of the parameters; `next_zh` and `next_en` what a supervisor does about it."""

    id: str
    version: int
    severity: Severity
    starred: bool
    score: float
    scope: str
    title_zh: str
    title_en: str
    formula: str
    next_zh: str
    next_en: str
    source: str

    def title(self, locale: str) -> str:
        """Its name in "zh" or (anything else) "en"."""
        return self.title_zh if locale.startswith("zh") else self.title_en

    def parameters(self, parameters: Parameters) -> list[Parameter]:
        """Its thresholds."""
        return [parameter for parameter in parameters.table if parameter.rule == self.id]


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the catalogue."""
    return tuple(
        Rule(
            id=row["id"],
            version=int(row["version"]),
            severity=Severity(row["severity"]),
            starred=row["starred"] == "yes",
            score=float(row["score"]),
            scope=row["scope"],
            formula=row["formula"],
            next_zh=row["next_zh"],
            next_en=row["next_en"],
            title_zh=row["title_zh"],
            title_en=row["title_en"],
            source=row["source"],
        )
        for row in read_table("catalogue.csv")
    )


RULES = {rule.id: rule for rule in rules()}
STARRED = frozenset(rule.id for rule in rules() if rule.starred)


def raised(
    rule_id: str,
    ordinal: int | None,
    tag: str,
    stem_id: str,
    field: str,
    value: str,
    low: float | None = None,
    high: float | None = None,
    *,
    suggestion: str = "",
    severity: Severity | None = None,
    score: float | None = None,
    **facts: Fact,
) -> Flag:
    """A flag of this rule, with the severity and the score of the catalogue unless the rule knows better."""
    rule = RULES[rule_id]
    return Flag(
        rule_id, rule.version, severity or rule.severity, rule.score if score is None else score,
        ordinal, tag, stem_id, field, value, low, high, suggestion, facts,
    )  # fmt: skip
