"""What each question of a form is tied to, as a table that its author can read before publishing.

Pure text: nothing is published or judged here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from forms.definition import Form, Question
from forms.measures import MEASURES


class _Words(NamedTuple):
    """The sentences of the report in one language."""

    title: str
    mapping: dict[str, str]
    head: tuple[str, ...]
    once: str
    each: str
    unused: str
    media: str
    notice: str


_ZH = _Words(
    title="调查表 {form_id}，版本 {version}：{title}",
    mapping={
        "tags": "指标按 bind::yd:measure 列对应。",
        "names": "表中没有 bind::yd:measure 列，指标按问题名对应。",
        "none": "没有一个问题对应指标：记录会保存，但不会生成样地调查。",
    },
    head=("问题", "指标", "含义", "单位", "位置"),
    once="一次",
    each="每个 {name}",
    unused="不对应指标、只保存原文的问题：{names}",
    media="须一同发布的文件：{names}",
    notice="注意：{text}",
)
_EN = _Words(
    title="Form {form_id}, version {version}: {title}",
    mapping={
        "tags": "Measures are those of the column bind::yd:measure.",
        "names": "The form has no column bind::yd:measure; measures are taken from the question names.",
        "none": "No question is tied to a measure: records are kept, but no visit comes of them.",
    },
    head=("question", "measure", "meaning", "unit", "asked"),
    once="once",
    each="each {name}",
    unused="Kept as typed, tied to no measure: {names}",
    media="To be published with it: {names}",
    notice="Note: {text}",
)


def report(form: Form, locale: str = "zh") -> str:
    """A table of the form's measures in "zh" or (anything else) "en", then what is not tied to any."""
    words = _ZH if locale.startswith("zh") else _EN
    lines = [
        words.title.format(form_id=form.form_id, version=form.version, title=form.title),
        words.mapping[form.mapping],
    ]
    tied = [question for question in form.questions if question.measure]
    if tied:
        lines += ["", *table([words.head, *(_row(form, question, words) for question in tied)])]
    return "\n".join([*lines, *_notes(form, words)])


def measures_table(locale: str = "zh") -> str:
    """Every measure there is, with its kind, unit and meaning: what an author may write in the column."""
    chinese = locale.startswith("zh")
    head = ("指标", "类型", "单位", "含义") if chinese else ("measure", "kind", "unit", "meaning")
    rows = [(m.key, m.kind.value, m.unit, m.zh if chinese else m.en) for m in MEASURES.values()]
    return "\n".join(table([head, *rows]))


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as lines with their columns in line, Chinese characters counted as two wide."""
    rows = [tuple(row) for row in rows]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text + " " * (space - width(text)) for text, space in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _row(form: Form, question: Question, words: _Words) -> tuple[str, ...]:
    measure = MEASURES[question.measure or ""]
    inside = max((r for r in form.repeats if question.path.startswith(f"{r}/")), key=len, default="")
    asked = words.each.format(name=inside.rsplit("/", 1)[-1]) if inside else words.once
    meaning = measure.zh if words is _ZH else measure.en
    return question.name, measure.key, meaning, measure.unit, asked


def _notes(form: Form, words: _Words) -> list[str]:
    unused = [question.name for question in form.questions if not question.measure]
    notes = [words.unused.format(names=", ".join(unused))] if unused else []
    notes += [words.media.format(names=", ".join(form.media))] if form.media else []
    notes += [words.notice.format(text=text) for text in form.warnings]
    return ["", *notes] if notes else []
