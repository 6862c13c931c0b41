"""What one torture has found, and the table of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.torture.losses import Losses

HEADS = ("what", "how often", "lost", "duplicated", "half unfolded", "else", "")


@dataclass(frozen=True)
class Outcome:
    """One line of the table. `wrong`: whatever else is not as it should be; `skipped`: why it was not done."""

    what: str
    how_often: str
    losses: Losses = field(default_factory=Losses)
    wrong: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def is_right(self) -> bool:
        return not self.losses and not self.wrong and not self.skipped

    def cells(self) -> tuple[str, ...]:
        if self.skipped:
            return (self.what, "-", "-", "-", "-", self.skipped, "NOT DONE")
        losses = (
            self.losses.lost,
            len(self.losses.duplicated),
            len(self.losses.half_unfolded),
            len(self.wrong),
        )
        return (self.what, self.how_often, *map(str, losses), "pass" if self.is_right else "FAIL")


def table(outcomes: Iterable[Outcome]) -> str:
    """All of them, a line each, columns aligned."""
    lines = [HEADS, *(outcome.cells() for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
