"""The survey sheet of an XLSForm as rows that know their number, their path and their repeat.

Pure: reading the file is the work of `forms.compile`. Nothing is judged here; `forms.mapping` does that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

ROOT = "data"
"""Name of the root node: what pyxform calls it where the author names none."""

_BEGIN_OR_END = re.compile(r"(begin|end)[\s_]+(group|repeat|lgroup|loop|looped group)\b", re.IGNORECASE)
_REPEATS = {"repeat", "lgroup", "looped group"}


class Row(NamedTuple):
    """One question of the survey sheet.

    `number` counts as the spreadsheet does (the header is 1). `type` is what the answer will be: an XForm
    type or one of the words of `forms.compile.type_of`; "" where the word is unknown. `repeat` is the
    path of the innermost repeat around it, "" outside all repeats. `column` is the heading of the measure.
    """

    number: int
    type: str
    word: str
    name: str
    path: str
    repeat: str
    measure: str
    column: str


def cell(row: Mapping[str, str | None], *headings: str) -> str:
    """The text under the first of these headings that the row fills, whatever their case; "" for none."""
    folded = {heading.strip().lower(): text for heading, text in row.items()}
    for heading in headings:
        if text := str(folded.get(heading) or "").strip():
            return text
    return ""


def questions(
    sheet: Iterable[Mapping[str, str | None]],
    type_of: Callable[[str], str],
    measure_columns: Iterable[str],
    root: str = ROOT,
) -> list[Row]:
    """The questions of a survey sheet, in order; groups, repeats and blank rows only set their paths."""
    columns = tuple(measure_columns)
    found: list[Row] = []
    inside: list[tuple[str, bool]] = [(root, False)]
    for number, row in enumerate(sheet, start=2):
        word = cell(row, "type", "command")
        name = cell(row, "name", "tag", "value")
        if match := _BEGIN_OR_END.match(word):
            _step(inside, match, name)
        elif word:
            column = next((c for c in columns if cell(row, c.lower())), columns[0] if columns else "")
            measure = cell(row, column.lower())
            path = "/" + "/".join([part for part, _ in inside] + [name])
            found.append(Row(number, type_of(word), word, name, path, _repeat(inside), measure, column))
    return found


def _step(inside: list[tuple[str, bool]], match: re.Match[str], name: str) -> None:
    if match[1].lower() == "begin":
        inside.append((name, match[2].lower() in _REPEATS))
    elif len(inside) > 1:  # one `end` too many is pyxform's to report
        inside.pop()


def _repeat(inside: list[tuple[str, bool]]) -> str:
    last = max((depth for depth, (_, repeats) in enumerate(inside) if repeats), default=0)
    return "/" + "/".join(part for part, _ in inside[: last + 1]) if last else ""
