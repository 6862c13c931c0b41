"""What each threshold means to the person who may change it: a few words in Chinese and English, and its source in
Chinese. The table beside this file has a line for each name; species groups share it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from server.validation.parameters import Parameter, read_table


class Meaning(NamedTuple):
    """A threshold in words; `source_zh` says in Chinese what its `source` says in English."""

    zh: str
    en: str
    source_zh: str

    def said(self, locale: str) -> str:
        """The words in "zh" or (anything else) "en"."""
        return self.zh if locale.startswith("zh") else self.en


def meaning_of(parameter: Parameter) -> Meaning:
    """The words of a threshold. KeyError: it has none."""
    return _all()[parameter.rule, parameter.name]


@cache
def _all() -> Mapping[tuple[str, str], Meaning]:
    rows = read_table("meanings.csv")
    return {(row["rule"], row["name"]): Meaning(row["zh"], row["en"], row["source_zh"]) for row in rows}
