"""What became of a tree, in the words that tables use besides the tally codes of the national inventory."""

from __future__ import annotations

from server.forest.tree import TallyCode, tally_code

WORDS: dict[str, TallyCode | None] = {
    "a": TallyCode.ALIVE, "l": TallyCode.ALIVE, "live": TallyCode.ALIVE, "living": TallyCode.ALIVE,
    "broken below": TallyCode.ALIVE, "活": TallyCode.ALIVE, "活立木": TallyCode.ALIVE, "存活": TallyCode.ALIVE,
    "保留木": TallyCode.ALIVE, "进界木": TallyCode.INGROWTH, "进界": TallyCode.INGROWTH,
    "recruit": TallyCode.INGROWTH, "d": TallyCode.STANDING_DEAD, "stem dead": TallyCode.STANDING_DEAD,
    "死": TallyCode.STANDING_DEAD, "死亡": TallyCode.STANDING_DEAD, "枯立木": TallyCode.STANDING_DEAD,
    "枯死木": TallyCode.STANDING_DEAD, "采伐木": TallyCode.CUT, "采伐": TallyCode.CUT, "harvested": TallyCode.CUT,
    "枯倒木": TallyCode.FALLEN_DEAD, "fallen": TallyCode.FALLEN_DEAD, "漏测木": TallyCode.MISSED,
    "多测木": TallyCode.OVER_COUNTED, "胸径错测木": TallyCode.DBH_ERROR, "胸径错误木": TallyCode.DBH_ERROR,
    "树种错测木": TallyCode.SPECIES_ERROR, "树种错误木": TallyCode.SPECIES_ERROR, "m": None, "lost": None,
}  # fmt: skip
"""None: nobody knows what became of it. Names of the inspection types as the national inventory has them, the letters
of ForestGEO's and FIA's tables."""
UNKNOWN = frozenset({"missing", "unknown"})


class StatusUnknown(ValueError):
    """A word that says nothing to us."""


def status_of(text: str) -> TallyCode | None:
    """The tally code; None where the table says that nobody knows. Raises StatusUnknown."""
    code = tally_code(text)
    plain = " ".join(text.replace("_", " ").casefold().split())
    if code is None and plain not in UNKNOWN and plain not in WORDS:
        raise StatusUnknown(text)
    return code or WORDS.get(plain)
