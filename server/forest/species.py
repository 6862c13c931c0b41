"""What the rules need to know of a species besides its name."""

from __future__ import annotations

from typing import NamedTuple


class SpeciesInfo(NamedTuple):
    """One entry of a species list. `genus` is Latin; `group` is a growth group of the rules' parameters
    ("conifer", "oak", "fast"), "" where nobody said."""

    code: str
    genus: str = ""
    group: str = ""
