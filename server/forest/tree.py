"""A tree and what the tape said."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class TallyCode(IntEnum):
    """检尺类型: what became of a tree, in the codes of the national forest inventory.

    Codes 11 to 19 are those of the mission's word list; 20 (resurrected), 24 (cut, over-counted before) are used
    in practice by the inventory's tablet app and are accepted, not required.
    """

    ALIVE = 11
    INGROWTH = 12
    STANDING_DEAD = 13
    CUT = 14
    FALLEN_DEAD = 15
    MISSED = 16  # was there last time, was not tallied then
    OVER_COUNTED = 17  # was tallied last time and should not have been
    DBH_ERROR = 18  # last time's diameter was wrong
    SPECIES_ERROR = 19  # last time's species was wrong
    RESURRECTED = 20  # recorded dead or cut last time, lives
    CUT_OTHER = 24

    @property
    def is_alive(self) -> bool:
        """Is this tree standing and living today, so that it must have a diameter?"""
        return self in _ALIVE

    @property
    def is_gone(self) -> bool:
        """Is there no living tree any more, so that a diameter can only be last time's?"""
        return self in _GONE


_ALIVE = frozenset({TallyCode.ALIVE, TallyCode.INGROWTH, TallyCode.MISSED, TallyCode.DBH_ERROR,
                    TallyCode.SPECIES_ERROR, TallyCode.RESURRECTED})  # fmt: skip
_GONE = frozenset({TallyCode.STANDING_DEAD, TallyCode.CUT, TallyCode.FALLEN_DEAD, TallyCode.OVER_COUNTED,
                   TallyCode.CUT_OTHER})  # fmt: skip

TALLY_WORDS: dict[str, TallyCode | None] = {
    "alive": TallyCode.ALIVE,
    "ingrowth": TallyCode.INGROWTH,
    "new": TallyCode.INGROWTH,
    "dead": TallyCode.STANDING_DEAD,
    "standing_dead": TallyCode.STANDING_DEAD,
    "dead_standing": TallyCode.STANDING_DEAD,
    "cut": TallyCode.CUT,
    "fallen_dead": TallyCode.FALLEN_DEAD,
    "dead_down": TallyCode.FALLEN_DEAD,
    "missed": TallyCode.MISSED,
    "over_counted": TallyCode.OVER_COUNTED,
    "removed_overcount": TallyCode.OVER_COUNTED,
    "dbh_error": TallyCode.DBH_ERROR,
    "species_error": TallyCode.SPECIES_ERROR,
    "resurrected": TallyCode.RESURRECTED,
    "missing": None,
    "unknown": None,
}
"""Words that forms and tables use instead of the code. None: nobody knows what became of the tree."""


@lru_cache(maxsize=256)
def tally_code(text: str | None) -> TallyCode | None:
    """The tally code behind "11", "alive" or "11 保留木"; None where it is blank, unknown or not a code.

    A blank code with a diameter means a living tree in most tables; that reading is the caller's.
    """
    if not text:
        return None
    head = text.split()[0].lower() if text.split() else ""
    if len(head) <= 2 and head.isdecimal():  # "²" is a digit, and no number
        return TallyCode(int(head)) if int(head) in TallyCode._value2member_map_ else None
    return TALLY_WORDS.get(head)


class Measurement(NamedTuple):
    """One stem as one crew found it in one visit. Numbers are what was typed; None where nothing was.

    `ordinal` is the place in the crew's list, from 0: the only thing sure to be unique. `status_known` is False
    where the record says "missing" or "unknown" (or an unreadable code). `verified`: the crew measured again on
    purpose and stands by the value. `dbh_text` is the diameter exactly as typed, for spelling slips and decimals.
    x and y are metres inside the plot.
    """

    ordinal: int
    tag: str
    stem_id: str = "1"
    species: str = ""
    tally_code: TallyCode | None = TallyCode.ALIVE
    dbh_cm: float | None = None
    height_m: float | None = None
    pom_m: float | None = None
    x_m: float | None = None
    y_m: float | None = None
    verified: bool = False
    codes: frozenset[str] = frozenset()
    dbh_text: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Identity inside the plot across censuses: tag and stem."""
        return (self.tag, self.stem_id)
