"""The last census -> the form and the tables that a crew takes along to measure the same trees again.

Pure: what was measured comes in as values, Markdown and CSV go out. Compiling, publishing and the choice of which
trees are still worth a visit are the caller's work. The form carries the same measures as any other, so what comes
back unfolds by the same code.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from forms.definition import Choice

TALLY_LOW_CM, TALLY_HIGH_CM = 5.0, 200.0
"""Diameters (cm) that need no second look where nothing is known of the tree: those of `library/plot_visit.md`."""

_PLOT_COLUMNS = ("name", "label", "geometry", "crew", "trees", "highest_tag")
_TREE_COLUMNS = (
    "name", "label", "key", "plot_id", "tag", "stem_id", "species", "species_zh", "species_en", "tally_code",
    "dbh_cm", "low_cm", "high_cm", "azimuth_deg", "distance_m", "packed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RemeasureTree:
    """A tree as the last census left it.

    `tally_code` is the last one (11 to 24), `dbh_cm` the last diameter, cm, None where there was none.
    `low_cm` and `high_cm` are what the crew may type without a second look (see `limits`); None: 5 to 200 cm.
    `azimuth_deg` (0 to 360) and `distance_m` are from the plot's centre. `entity_id` is the tree's UUID and
    `version` the entity's version, both used only where entities are asked for.
    """

    tag: str
    stem_id: str = "1"
    species: str = ""
    tally_code: int = 11
    dbh_cm: float | None = None
    low_cm: float | None = None
    high_cm: float | None = None
    azimuth_deg: float | None = None
    distance_m: float | None = None
    entity_id: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class RemeasurePlot:
    """A plot to be visited again; lat and lon in degrees WGS 84, None where nobody knows.

    `highest_tag` is the highest number that any tree of the plot ever had, cut ones among them, so that no new
    tree gets a number again; None: the highest among `trees`.
    """

    plot_id: str
    lat: float | None = None
    lon: float | None = None
    crew: str = ""
    trees: Sequence[RemeasureTree] = ()
    highest_tag: int | None = None


@dataclass(frozen=True, slots=True)
class Remeasure:
    """An XLSForm as Markdown, and the files to publish beside it: plots.csv and trees.csv."""

    form_markdown: str
    media: dict[str, bytes]


class Limits(NamedTuple):
    """Diameters (cm) between which a crew's answer needs no second look."""

    low_cm: float
    high_cm: float


def limits(previous_cm: float, years: float, tolerance_cm: float, growth_cm_per_year: float) -> Limits:
    """What a tree of `previous_cm` may have after `years`, in cm, to one decimal.

    low = previous - 2 * tolerance, high = previous + growth * years + 2 * tolerance: the bounds of the rules on
    shrinking (X02) and on the cap of growth (X04), whose parameters are the caller's to look up. `tolerance_cm`
    is how far two honest tapes differ at this diameter. Never below 0.1 cm. Raises ValueError for a previous
    diameter or a number of years that is not above zero.
    """
    if previous_cm <= 0 or years <= 0:
        raise ValueError(f"previous diameter {previous_cm} cm, {years} years: both must be above zero")
    slack = 2 * tolerance_cm
    return Limits(
        max(0.1, round(previous_cm - slack, 1)),
        round(previous_cm + growth_cm_per_year * years + slack, 1),
    )


def make(
    project_title: str,
    census: str,
    plots: Iterable[RemeasurePlot],
    *,
    version: str,
    form_id: str = "remeasure",
    species: Iterable[Choice] = (),
    entities: bool = False,
) -> Remeasure:
    """The form for `census` over `plots`: choose the plot, then its known trees in order of azimuth, then new ones.

    `species` are the project's, with zh and en labels; those of the trees that are missing among them are added
    under their code. With `entities` each tree also updates its entity in the list `trees` (spec 2025.1), and
    trees.csv is that list. Raises ValueError for a tag that stands twice in a plot, for a plot that stands
    twice, and, where entities are asked for, for a tree without an entity_id or with that of another.
    """
    plots = tuple(plots)
    offered = _offered(species, plots)
    _check(plots, entities)
    survey = _fill(_template(), {
        "title": f"{project_title} 复测 {census}",
        "form_id": form_id,
        "version": version,
        "census": _xpath_text(census),
        "species": "\n".join(_species_rows(offered)),
        "entities": _ENTITIES if entities else "",
    }, save=entities)  # fmt: skip
    return Remeasure(survey, {
        "plots.csv": _csv(_PLOT_COLUMNS, map(_plot_row, plots)),
        "trees.csv": _csv(
            (*_TREE_COLUMNS, "__version") if entities else _TREE_COLUMNS,
            (row for plot in plots for row in _tree_rows(plot, offered, entities)),
        ),
    })  # fmt: skip


_ENTITIES = """| entities |
| | list_name | entity_id |
| | trees | ${tree_id} |"""


@cache
def _template() -> str:
    return files("forms").joinpath("templates", "remeasure.md").read_text(encoding="utf-8")


def _fill(template: str, values: dict[str, str], *, save: bool) -> str:
    filled = re.sub(r"@save:(\w+)@", r"\1" if save else "", template)
    return re.sub(r"@(\w+)@", lambda match: _one_line(values, match[1]), filled)


def _one_line(values: dict[str, str], name: str) -> str:
    # rows are tables already; a title or a census is one cell and must stay one
    return values[name] if name in {"species", "entities"} else _cell(values[name])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _xpath_text(text: str) -> str:
    """A text as an XPath 1.0 literal; it has no escapes, so a text with both quotes loses its apostrophes."""
    if "'" not in text:
        return f"'{text}'"
    return f'"{text}"' if '"' not in text else f"'{text.replace(chr(39), '’')}'"


def _offered(species: Iterable[Choice], plots: Sequence[RemeasurePlot]) -> dict[str, Choice]:
    known = {choice.value: choice for choice in species}
    met = {tree.species for plot in plots for tree in plot.trees if tree.species}
    unknown = {code: Choice(code, {"zh": code, "en": code}) for code in sorted(met - known.keys())}
    return known | unknown or {"unknown": Choice("unknown", {"zh": "未知树种", "en": "Unknown species"})}


def _species_rows(offered: dict[str, Choice]) -> Iterator[str]:
    for code, choice in offered.items():
        yield f"| | species | {_cell(code)} | {_cell(_label(choice, 'zh'))} | {_cell(_label(choice, 'en'))} |"


def _label(choice: Choice, language: str) -> str:
    return choice.labels.get(language) or next(iter(choice.labels.values()), "") or choice.value


def _check(plots: Sequence[RemeasurePlot], entities: bool) -> None:
    _once([plot.plot_id for plot in plots], "plot")
    for plot in plots:
        _once([f"{tree.tag}/{tree.stem_id}" for tree in plot.trees], f"plot {plot.plot_id}: tag")
        homeless = [tree.tag for tree in plot.trees if not tree.entity_id]
        if entities and homeless:
            raise ValueError(f"plot {plot.plot_id}: no entity_id for {', '.join(homeless)}")
    if entities:  # a list in which one id stands twice stops ODK Collect in the middle of the form
        _once([tree.entity_id for plot in plots for tree in plot.trees], "entity_id")


def _once(names: Sequence[str], what: str) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"{what} {', '.join(twice)} stands twice")


def _plot_row(plot: RemeasurePlot) -> list[str]:
    geometry = "" if plot.lat is None or plot.lon is None else f"{plot.lat} {plot.lon} 0 0"
    label = " · ".join(part for part in (plot.plot_id, plot.crew) if part)
    return [plot.plot_id, label, geometry, plot.crew, str(len(plot.trees)), str(_highest_tag(plot))]


def _highest_tag(plot: RemeasurePlot) -> int:
    numbers = [int(tree.tag) for tree in plot.trees if tree.tag.isdecimal()]
    return max(numbers, default=0) if plot.highest_tag is None else plot.highest_tag


def _tree_rows(plot: RemeasurePlot, offered: dict[str, Choice], entities: bool) -> Iterator[list[str]]:
    for position, tree in enumerate(sorted(plot.trees, key=_walking_order), start=1):
        species = offered.get(tree.species, Choice("", {}))
        row = [
            tree.entity_id or f"{plot.plot_id}/{tree.tag}/{tree.stem_id}",
            f"{plot.plot_id} {tree.tag}",
            f"{plot.plot_id}/{position}",
            plot.plot_id,
            tree.tag,
            tree.stem_id,
            tree.species,
            _label(species, "zh"),
            _label(species, "en"),
            str(tree.tally_code),
            _number(tree.dbh_cm),
            _number(TALLY_LOW_CM if tree.low_cm is None else tree.low_cm),
            _number(TALLY_HIGH_CM if tree.high_cm is None else tree.high_cm),
            _number(tree.azimuth_deg),
            _number(tree.distance_m),
        ]
        row.append(_packed(dict(zip(_TREE_COLUMNS, row, strict=False))))  # fmt: skip
        yield [*row, str(tree.version)] if entities else row


_IN_PACKED = (
    "name", "tag", "stem_id", "species", "species_zh", "species_en", "dbh_cm", "tally_code", "low_cm", "high_cm",
    "azimuth_deg", "distance_m",
)  # fmt: skip
_SPACE, _BLANK = "␣", "∅"
"""How `packed` writes a space inside a value and a value that is not there."""


def _packed(row: dict[str, str]) -> str:
    """The row again as one list for selected-at(): a phone then searches the table once for a tree, not
    twelve times, which is most of the time that it takes to open a plot."""
    return " ".join(row[column].replace(" ", _SPACE) or _BLANK for column in _IN_PACKED)


def _walking_order(tree: RemeasureTree) -> tuple[float, float, int, str]:
    """By azimuth as a crew walks round the centre; trees of unknown place last, by tag."""
    azimuth = 361.0 if tree.azimuth_deg is None else tree.azimuth_deg
    return azimuth, tree.distance_m or 0.0, int(tree.tag) if tree.tag.isdecimal() else 0, tree.tag


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
