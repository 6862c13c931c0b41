"""What can be wrong with a form or with an instance, in words a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unreadable = Literal[
    "empty", "too-large", "not-xml", "wrong-encoding", "doctype", "too-many-elements", "too-deep",
    "no-form-id", "form-id-too-long", "no-instance-id", "instance-id-too-long",
]  # fmt: skip


class InstanceUnreadable(ValueError):
    """These bytes are not an instance; `reason` is a word, `detail` says where and what.

    Raised only for what cannot even say who it is: nothing of it is kept.
    """

    def __init__(self, reason: Unreadable, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: Unreadable = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in an XLSForm: where it is (as a spreadsheet shows it), what it is, what to do.

    `row` counts from 1 as the spreadsheet does, the header included; 0 where the whole sheet is meant.
    `column` is the heading (`type`, `bind::yd:measure`), empty where the whole row is meant. `what` and
    `to_do` are English; the `_zh` pair says the same in Chinese and falls back to English where it is empty.
    """

    sheet: str
    row: int
    column: str
    what: str
    to_do: str
    what_zh: str = ""
    to_do_zh: str = ""

    def sentence(self, locale: str) -> str:
        """The fault on one line, in "zh" or (anything else) "en"."""
        zh = locale.startswith("zh")
        row = (f"第 {self.row} 行" if zh else f"row {self.row}") if self.row else ""
        place = " · ".join(part for part in (self.sheet, row, self.column) if part)
        what, to_do = (
            (self.what_zh or self.what, self.to_do_zh or self.to_do) if zh else (self.what, self.to_do)
        )
        return f"{place}: {what} → {to_do}" if place else f"{what} → {to_do}"

    def __str__(self) -> str:
        return self.sentence("en")


class FormInvalid(ValueError):
    """An XLSForm that cannot be published; carries every fault found, not only the first."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults

    def sentences(self, locale: str) -> str:
        """Every fault, one a line, in "zh" or (anything else) "en"."""
        return "\n".join(fault.sentence(locale) for fault in self.faults)
