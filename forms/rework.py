"""The form in which a crew answers for trees that were sent back, and the two lists that it reads.

Pure: the project's species come in, the form goes out; its version is made from its content, so that the same form
has the same version. The lists are entity lists that the server makes for each phone at each fetch: `rework_plots.csv`
has a row for each open order, `rework.csv` one for each tree of it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from forms.definition import Choice
from forms.remeasure import TALLY_HIGH_CM, TALLY_LOW_CM

if TYPE_CHECKING:
    from forms.compile import Compiled

FORM_ID = "rework"
MADE = "auto-"
"""Begins the version of a form that was made here: a form of that name that a person has published is left alone."""
ORDERS, TREES = "rework_plots.csv", "rework.csv"
ORDER_PROPERTIES = ("rework_id", "plot_id", "census", "reason", "due_on", "trees")
TREE_PROPERTIES = ("key", "rework_id", "plot_id", "tag", "stem_id", "species", "species_zh", "species_en", "reason",
                   "dbh_cm", "height_m", "tally_code", "low_cm", "high_cm", "due_on", "place", "packed")  # fmt: skip
_PACKED = ("tag", "stem_id", "species", "species_zh", "species_en", "reason", "dbh_cm", "height_m", "tally_code",
           "low_cm", "high_cm", "place")  # fmt: skip
_UNKNOWN = Choice("unknown", {"zh": "未知树种", "en": "Unknown species"})


class ReworkTree(NamedTuple):
    """A tree of an order as a phone shows it; all as typed, "" for what is not known. `position` from 1 within its
    order; `low_cm` and `high_cm`: what needs no second look, "": 5 to 200 cm; `place`: where it stands, in words."""

    position: int
    rework_id: int
    plot_id: str
    tag: str
    stem_id: str
    species: str
    species_zh: str
    species_en: str
    reason: str
    dbh_cm: str = ""
    height_m: str = ""
    tally_code: str = ""
    low_cm: str = ""
    high_cm: str = ""
    due_on: str = ""
    place: str = ""

    def row(self) -> list[str]:
        """The values of TREE_PROPERTIES."""
        values = {name: str(value) for name, value in self._asdict().items()}
        values |= {"key": f"{self.rework_id}/{self.position}", "low_cm": self.low_cm or f"{TALLY_LOW_CM:g}",
                   "high_cm": self.high_cm or f"{TALLY_HIGH_CM:g}"}  # fmt: skip
        values["packed"] = _packed(values)
        return [values[name] for name in TREE_PROPERTIES]


def _packed(values: Mapping[str, str]) -> str:
    """The row again as one list for selected-at(), so that a phone searches the table once for a tree."""
    return " ".join("␣".join(values[name].split()) or "∅" for name in _PACKED)


def version_of(species: Iterable[Choice]) -> str:
    """The version of the form for these species."""
    return MADE + hashlib.sha256(_markdown(species, "").encode()).hexdigest()[:12]


def make(species: Iterable[Choice]) -> Compiled:
    """The form, ready to be published. Raises what `forms.compile.compile_form` raises."""
    listed = tuple(species)
    return _compiled(_markdown(listed, version_of(listed)))


@lru_cache(maxsize=4)  # projects that list the same species are asked the same
def _compiled(text: str) -> Compiled:
    from forms.compile import (
        compile_form,
    )  # brings pyxform, 25 MB, which whoever only makes lists does not need

    with tempfile.TemporaryDirectory(prefix="yangdi-rework-") as folder:
        source = Path(folder) / "rework.md"
        source.write_text(text, encoding="utf-8")
        return compile_form(source)


def _markdown(species: Iterable[Choice], version: str) -> str:
    offered = {choice.value: choice for choice in species} or {_UNKNOWN.value: _UNKNOWN}
    rows = "\n".join(
        f"| | species | {_cell(code)} | {_cell(_label(choice, 'zh'))} | {_cell(_label(choice, 'en'))} |"
        for code, choice in sorted(offered.items())
    )
    return _template().replace("@species@", rows).replace("@version@", version)


@cache
def _template() -> str:
    return files("forms").joinpath("templates", "rework.md").read_text(encoding="utf-8")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _label(choice: Choice, language: str) -> str:
    return choice.labels.get(language) or next(iter(choice.labels.values()), "") or choice.value
