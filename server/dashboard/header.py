"""The header of a visit in words: what the form asked about the plot, with the labels of its own choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forms.definition import Choice, Form
from forms.measures import MEASURES, Kind

_ELSEWHERE = frozenset({"plot.plot_id", "visit.kind", "visit.census", "visit.crew", "visit.surveyor",
                        "visit.measured_on", "visit.started_at", "visit.ended_at", "visit.photo"})  # fmt: skip
"""Measures that the page shows in a place of their own."""


_SPECIES = ("tree.species", "plot.dominant_species")


class Labels:
    """What codes mean, in one language: species by the project's own list, all else by the form's choices.

    A code without a label is shown as it is. `listed`: the project's species by code, with zh and en.
    """

    def __init__(self, forms: Sequence[Form], listed: Mapping[str, Mapping[str, Any]], locale: str) -> None:
        self._of: dict[str, dict[str, str]] = {}
        self._listed = {code: str(names[locale]) for code, names in listed.items()}
        for question in (question for form in forms for question in form.questions):
            if question.measure and question.choices:
                labels = {c.value: _label(c, locale) for c in question.choices}
                self._of.setdefault(question.measure, {}).update(labels)

    def of(self, measure: str, code: str) -> str:
        """The label of one code."""
        listed = self._listed.get(code) if measure in _SPECIES else None
        return listed or self._of.get(measure, {}).get(code) or code

    def species(self, code: str) -> str:
        """A tree's species in words."""
        return self.of("tree.species", code)


def _label(choice: Choice, locale: str) -> str:
    return choice.labels.get(locale) or next(iter(choice.labels.values()), "")


def header(answers: Mapping[str, Any], labels: Labels, locale: str) -> list[tuple[str, str]]:
    """Question and answer of each header measure, the plot's first."""
    known = [key for key in MEASURES if key in answers and key not in _ELSEWHERE]
    known.sort(key=lambda key: MEASURES[key].group != "plot")  # the plot first, then remarks on the visit
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
