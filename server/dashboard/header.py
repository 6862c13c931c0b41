"""The header of a visit in words: what the form asked about the plot, with the labels of its own choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forms.definition import Form
from forms.measures import MEASURES, Kind

_ELSEWHERE = frozenset({"plot.plot_id", "visit.kind", "visit.census", "visit.crew", "visit.surveyor",
                        "visit.measured_on", "visit.started_at", "visit.ended_at", "visit.photo"})  # fmt: skip
"""Measures that the page shows in a place of their own."""


class Labels:
    """Labels of a form's choices by measure, in one language; a code without a label is shown as it is."""

    def __init__(self, form: Form | None, locale: str) -> None:
        self._of: dict[str, dict[str, str]] = {}
        for question in form.questions if form else ():
            if question.measure and question.choices:
                labels = {
                    c.value: c.labels.get(locale) or next(iter(c.labels.values()), "")
                    for c in question.choices
                }
                self._of.setdefault(question.measure, {}).update(labels)

    def of(self, measure: str, code: str) -> str:
        """The label of one code."""
        return self._of.get(measure, {}).get(code) or code


def header(answers: Mapping[str, Any], labels: Labels, locale: str) -> list[tuple[str, str]]:
    """Question and answer of each header measure, in the order of the vocabulary; others as they were called."""
    known = [key for key in MEASURES if key in answers and key not in _ELSEWHERE]
    others = [key for key in answers if key not in MEASURES]
    return [(_asked(key, locale), _answer(key, str(answers[key]), labels)) for key in known + others]


def _asked(key: str, locale: str) -> str:
    measure = MEASURES.get(key)
    if measure is None:
        return key.partition(".")[2] or key
    return measure.zh if locale == "zh" else measure.en


def _answer(key: str, text: str, labels: Labels) -> str:
    measure = MEASURES.get(key)
    if measure is None:
        return text
    if measure.kind is Kind.CODES:
        return ", ".join(labels.of(key, code) for code in text.split())
    if measure.kind is Kind.CODE:
        return labels.of(key, text)
    return f"{text} {measure.unit}".strip() if measure.unit else text
