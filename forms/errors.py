"""What can be wrong with a form or with an instance, in words a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unreadable = Literal[
    "empty", "too-large", "not-xml", "wrong-encoding", "doctype", "too-many-elements", "too-deep",
    "no-form-id", "no-instance-id", "instance-id-too-long",
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
    `column` is the heading (`type`, `bind::yd:measure`), empty where the whole row is meant.
    """

    sheet: str
    row: int
    column: str
    what: str
    to_do: str

    def __str__(self) -> str:
        place = " · ".join(p for p in (self.sheet, f"row {self.row}" if self.row else "", self.column) if p)
        return f"{place}: {self.what} → {self.to_do}"


class FormInvalid(ValueError):
    """An XLSForm that cannot be published; carries every fault found, not only the first."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
