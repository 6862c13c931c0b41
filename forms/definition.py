"""What a form asks: its questions, their answers' kinds, and what each is tied to in the forest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a select; `labels` by language ("zh", "en"; "" where the form names no language)."""

    value: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """One node of the instance that takes an answer.

    `path` is absolute in the instance ("/data/tree/dbh_cm"); `type` is the XForm type (string, int, decimal,
    date, dateTime, geopoint, binary, select1, select ...); `measure` is a word of `forms.measures` or None.
    """

    path: str
    type: str
    measure: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    required: bool = False

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Form:
    """A published form's shape, without its XML.

    `repeats` are the absolute paths of repeats. `mapping` says how measures were found: "tags" (yd:measure),
    "names" (the form carries none, its question names are ours) or "none" (kept, but no trees come of it).
    `media` are the file names that the form expects beside it (a select from file, a picture).
    """

    form_id: str
    version: str
    title: str
    questions: tuple[Question, ...]
    repeats: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    mapping: str = "none"
    media: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain structure that `from_json` turns back into an equal Form."""
        return {
            "form_id": self.form_id,
            "version": self.version,
            "title": self.title,
            "questions": [
                {
                    "path": q.path,
                    "type": q.type,
                    "measure": q.measure,
                    "labels": q.labels,
                    "choices": [[c.value, c.labels] for c in q.choices],
                    "required": q.required,
                }
                for q in self.questions
            ],
            "repeats": list(self.repeats),
            "languages": list(self.languages),
            "mapping": self.mapping,
            "media": list(self.media),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Form:
        """The Form that `to_json` described."""
        return cls(
            form_id=data["form_id"],
            version=data["version"],
            title=data["title"],
            questions=tuple(
                Question(
                    path=q["path"],
                    type=q["type"],
                    measure=q["measure"],
                    labels=q["labels"],
                    choices=tuple(Choice(value, labels) for value, labels in q["choices"]),
                    required=q["required"],
                )
                for q in data["questions"]
            ),
            repeats=tuple(data["repeats"]),
            languages=tuple(data["languages"]),
            mapping=data["mapping"],
            media=tuple(data["media"]),
            warnings=tuple(data["warnings"]),
        )
