"""server/validation/CATALOGUE.md: every rule as a person reads it, made from the tables and sentences of the code."""

from __future__ import annotations

from collections.abc import Iterable

from server.validation.formula import said
from server.validation.parameters import Parameter, Parameters
from server.validation.parameters.meanings import meaning_of
from server.validation.rule import RULES, Rule
from server.validation.sentences import SENTENCES

HEAD = """\
# 规则目录 · Catalogue of rules

由 `make generated` 从代码生成，请勿手改。Made from the code by `make generated`; do not edit.

公式用参数表里的名字和测量值的名字（单位在名字里）；“未核实 unverified”是没有见到原文出处的数字，项目可以在页面上改。
Formulas use the names of thresholds and of measured values, units in the names; a number marked *unverified* was not
seen in its source. A project changes thresholds within their range on its page of rules. ★: a value that the crew has
measured again and stands by lowers the error to a warn. `score` is the probability that the value is wrong.

"""

GROUPS = {
    "T": "单株 · One tree",
    "H": "树高 · Height",
    "X": "跨期 · Across censuses",
    "P": "样地与定位 · Plot and position",
    "C": "调查队 · Crew",
    "F": "照片 · Photo",
    "Q": "质量检查 · Audit visit",
}


def catalogue_page() -> str:
    """The whole page as Markdown."""
    table = Parameters.default()
    by_letter: dict[str, list[Rule]] = {letter: [] for letter in GROUPS}
    for rule in RULES.values():
        by_letter[rule.id[0]].append(rule)
    parts = [HEAD, _contents(by_letter)]
    for letter, rules in by_letter.items():
        parts += [f"## {GROUPS[letter]}\n\n", *(_rule(rule, rule.parameters(table)) for rule in rules)]
    return "".join(parts).rstrip() + "\n"


def _contents(by_letter: dict[str, list[Rule]]) -> str:
    rows = [_row(rule) for rules in by_letter.values() for rule in rules]
    return "| id | severity | scope | 名称 | title |\n|---|---|---|---|---|\n" + "".join(rows) + "\n"


def _row(rule: Rule) -> str:
    star = " ★" if rule.starred else ""
    cells = (rule.id, f"{rule.severity}{star}", rule.scope, rule.title_zh, rule.title_en)
    return f"| {' | '.join(cells)} |\n"


def _rule(rule: Rule, parameters: Iterable[Parameter]) -> str:
    star = " ★" if rule.starred else ""
    lines = [
        f"### {rule.id} {rule.title_zh} · {rule.title_en}\n\n",
        f"{rule.severity}{star} · {rule.scope} · version {rule.version} · score {rule.score:g}\n\n",
        f"```\n{said(rule.id, rule.formula, 'zh')}\n\n{rule.formula}\n```\n\n",
        *(f"- {zh} / {en}\n" for zh, en in dict.fromkeys(SENTENCES[rule.id].values())),
        f"\n**下一步** {rule.next_zh} **Next** {rule.next_en}\n\n",
        _table(list(parameters)),
        f"Source: {rule.source}\n\n",
    ]
    return "".join(lines)


def _table(parameters: list[Parameter]) -> str:
    if not parameters:
        return ""
    head = "| threshold | for | value | min | max | unit | valid from | source |\n|---|---|--:|--:|--:|---|---|---|\n"
    return head + "".join(_line(one) for one in parameters) + "\n"


def _line(one: Parameter) -> str:
    of = one.species_group or "all"
    source = one.source.replace("|", "\\|").replace("unverified", "**unverified**")
    cells = (
        f"`{one.name}` {meaning_of(one).zh} / {meaning_of(one).en}",
        of,
        f"{one.value:g}",
        f"{one.min:g}",
        f"{one.max:g}",
        one.unit,
        one.valid_from,
        source,
    )
    return f"| {' | '.join(cells)} |\n"
