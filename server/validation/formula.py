"""The formulas of the catalogue: which thresholds and which values each one names, and what those words mean.

A formula is written in the words of the parameters table (`min_cm`, or `X02.factor` for another rule's) and in the
names of measured values below, units in the names. It explains a rule to a person; the rule itself is code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from server.validation.parameters import read_table

_NAME = re.compile(r"[A-Z]\d\d\.[a-z_0-9]+|[a-z][a-z0-9]*(?:_[a-z0-9]+)*")

MEANINGS: dict[str, tuple[str, str]] = {
    "dbh_cm": ("本期胸径，cm", "diameter now, cm"),
    "last_cm": ("上期胸径，cm", "diameter last time, cm"),
    "expected_cm": ("预计的本期胸径，cm", "diameter that was to be expected now, cm"),
    "spread_cm": ("预计值的离散程度，cm", "spread of what was to be expected, cm"),
    "tape_sd_cm": ("一次围尺的标准差，cm", "standard deviation of one tape, cm"),
    "largest_cm": ("已认可数据中最大的胸径，cm", "largest accepted diameter, cm"),
    "largest_m": ("已认可数据中最大的树高，m", "largest accepted height, m"),
    "height_m": ("树高，m", "height, m"),
    "last_height_m": ("上期树高，m", "height last time, m"),
    "pom_m": ("测量高，m", "height on the stem where it was measured, m"),
    "last_pom_m": ("上期测量高，m", "the same last time, m"),
    "outside_m": ("到样地边界外的距离，m", "distance outside the plot's boundary, m"),
    "years": ("两期间隔，年", "years between the two censuses"),
    "pairs": ("两期都量了胸径的活立木株数", "living trees measured both times"),
    "trees": ("株数", "trees"),
    "absent": ("上期存活、本期没有记录的株数", "trees that lived last time and have no row now"),
    "tag": ("样木号", "tag"),
    "stem_id": ("分株号", "number of the stem"),
    "species": ("树种", "species"),
    "tally_code": ("检尺类型", "tally code"),
}
"""What the measured values in formulas are, zh and en."""


class Piece(NamedTuple):
    """A part of a formula: plain text, or the name of a threshold (`key` as in the table, without its group)."""

    text: str
    key: str = ""


@cache
def _in_chinese(column: str) -> dict[str, str]:
    return {row["id"]: row[column] for row in read_table("formulas_zh.csv")}


def said(rule: str, formula: str, locale: str) -> str:
    """The formula of a rule in the words of a language: "zh", where it has been told, or (anything else) "en"."""
    return _in_chinese("formula_zh").get(rule, formula) if locale.startswith("zh") else formula


def source_said(rule: str, source: str, locale: str) -> str:
    """The same for where a rule comes from."""
    return _in_chinese("source_zh").get(rule, source) if locale.startswith("zh") else source


def names(formula: str) -> list[str]:
    """Words that can only be names: those with an underscore, and thresholds of other rules."""
    return [name for name in _NAME.findall(formula) if "_" in name or "." in name]


def pieces(rule: str, formula: str, known: frozenset[str]) -> Iterator[Piece]:
    """The formula of a rule with the thresholds in it told apart; `known` holds "T02.min_cm" and so on."""
    begin = 0
    for found in _NAME.finditer(formula):
        key = found[0] if "." in found[0] else f"{rule}.{found[0]}"
        if key in known:
            if found.start() > begin:
                yield Piece(formula[begin : found.start()])
            yield Piece(found[0], key)
            begin = found.end()
    if begin < len(formula):
        yield Piece(formula[begin:])


def meanings(formula: str, locale: str) -> list[tuple[str, str]]:
    """Each measured value that a formula names and what it is, in "zh" or (anything else) "en"."""
    named = dict.fromkeys(_NAME.findall(formula))
    return [(name, MEANINGS[name][0 if locale.startswith("zh") else 1]) for name in named if name in MEANINGS]
