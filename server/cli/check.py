"""`yangdi check`: the rules on plain tables, without a server and without a store."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple

import click

from server.cli.check_crews import flags_of_crews
from server.cli.check_places import flags_of_places, read_photos, read_places
from server.cli.species_table import read_species
from server.cli.table_text import TableUnreadable
from server.cli.tree_table import Of, Place, Table, in_order, place_of, read_trees
from server.forest.doubt import doubt
from server.forest.species import SpeciesInfo
from server.forest.visit import Visit
from server.validation.catalogue import flags_of
from server.validation.flag import Flag, Severity, message
from server.validation.parameters import ParameterInvalid, Parameters
from server.validation.places import copies_of_table, flags_of_stand
from server.validation.reference import Reference
from server.validation.rule import RULES
from server.validation.story import story_of

COLUMNS = (
    "row", "plot_id", "tag", "stem_id", "census", "crew", "rule", "severity", "score", "priority", "field", "value",
    "expected_low", "expected_high", "suggestion", "message",
)  # fmt: skip
"""`row`: of --csv, its heading being row 1; blank where a flag is about a whole plot or a tree that has no row. `crew`
is there where a flag is about a crew, and no plot."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Found(NamedTuple):
    """A flag and where it stands: a plot, or a crew in a census."""

    plot_id: str
    census: str
    flag: Flag
    crew: str = ""


@click.command()
@click.option("--csv", "current", type=FILE, required=True, help="Table of trees to check.")
@click.option("--previous", type=FILE, help="Table of the census before; default: the one before in --csv.")
@click.option("--reference", "references", type=FILE, multiple=True, help="Table of older, accepted data.")
@click.option("--plots", type=FILE, help="Table of plots: plot_id, lat, lon, fix_lat, fix_lon, accuracy_m …")
@click.option("--photos", type=FILE, help="Table of photos: plot_id, photo, taken_at, lat, lon, sha256 …")
@click.option("--species", "species_list", type=FILE, help="List of the species codes that exist.")
@click.option("--each-plot", is_flag=True, help="Check each plot's newest visit (rolling inventories).")
@click.option("--census", help="Census of --csv to check; default: the newest.")
@click.option(
    "--set", "settings", multiple=True, metavar="RULE.NAME=VALUE", help="E.g. T02.min_cm=1.0, X16.on=0."
)
@click.option("--side-m", type=float, help="Side of square plots with their origin in a corner, m.")
@click.option("--radius-m", type=float, help="Radius of round plots with their origin in the centre, m.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write; default: here.")
@click.option("--excel", is_flag=True, help="Write with a byte-order mark, so that Excel reads the Chinese.")
@click.option("--queue", type=click.Choice(["score", "doubt", "priority"]), default="score", show_default=True,
              help="Most probably wrong first (doubt: or last time's), or most carbon at stake first.")  # fmt: skip
@click.option("--explain", "line", type=click.IntRange(min=2), metavar="ROW",
              help="Tell the story of one row of --csv instead; its heading is row 1.")  # fmt: skip
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def check(
    current: Path,
    previous: Path | None,
    references: tuple[Path, ...],
    plots: Path | None,
    photos: Path | None,
    species_list: Path | None,
    census: str | None,
    each_plot: bool,
    settings: tuple[str, ...],
    side_m: float | None,
    radius_m: float | None,
    out: Path | None,
    excel: bool,
    queue: str,
    line: int | None,
    lang: str,
) -> None:
    """Look for suspect values in a table of trees and list them, most suspicious first.

    Columns: plot_id, tag, dbh_cm; and where there are: stem_id, species, status, height_m, date, census, x, y,
    hom_m, codes, verified, thinned, area_ha; crew and entered_at (when a tree was written down) for the crews' habits.
    A heading may name another unit (dbh_mm).

    What comes out is a table, a line for each flag: the row of --csv, the rule, error, warn or info, the score (the
    probability, 0 to 1, that the value is wrong), what stands there, what was to be expected.
    """
    try:
        parameters = Parameters.default().with_changes(dict(map(_setting, settings)))
        table = read_trees(current)
        told = place_of(table, current, line) if line is not None else None
        census = told.census if told is not None else census
        history = _history(table, previous, references, census)
        if each_plot or (table.is_rolling and census is None):
            history = _by_recency(history, {plot_id for _, plot_id in table.lines})
        species = read_species(species_list) if species_list else None
        places = read_places(plots) if plots else {}
        albums = read_photos(photos) if photos else None
    except (TableUnreadable, ParameterInvalid) as error:
        raise click.ClickException(str(error)) from error
    if not table.has_thinned:
        parameters = parameters.with_changes({"X16.on": 0})  # nobody says which plots were thinned
    now = [_sized(visit, side_m, radius_m) for visit in history[0].values()]
    older = _older(now, history[1:])
    reference = Reference.of(older, species) if older else None
    about = _About(history[1:], reference, parameters, species)
    if told is not None:
        _explain(now, told, about, lang)
        return
    census_name = next((visit.census for visit in now), "")
    found = list(_look(now, about))
    found += (
        _Found(plot_id, census_name, flag)
        for plot_id, flag in flags_of_places(places, albums, now, parameters)
    )
    found += (
        _Found("", census_name, flag, crew)
        for crew, flag in flags_of_crews(now, about.last, table, places, parameters)
    )
    _write(_queued(found, queue), table.lines, out, lang, excel=excel)
    _summarise(now, found, lang)


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise ParameterInvalid(f"{text}: should read RULE.NAME=NUMBER") from None


def _history(
    table: Table, previous: Path | None, references: Iterable[Path], census: str | None
) -> list[Mapping[str, Visit]]:
    """Censuses by plot, the one to check first, then backwards in time."""
    names = list(table.censuses)
    if not names:
        raise TableUnreadable("the table has a heading and no rows")
    if census is not None and census not in names:
        raise TableUnreadable(f"no census {census}; there are {', '.join(names)}")
    place = names.index(census) if census is not None else len(names) - 1
    history: list[Mapping[str, Visit]] = [table.censuses[name] for name in names[place::-1]]
    if previous is not None:
        history[1:] = _before(history[0], previous)
    for path in references:
        history += [
            _named(one, path) if name == "" else one
            for name, one in reversed(read_trees(path).censuses.items())
        ]
    return history


def _before(now: Mapping[str, Visit], previous: Path) -> list[Mapping[str, Visit]]:
    """The censuses of --previous, the latest first: they come before, whatever they are called."""
    censuses = read_trees(previous).censuses
    names = {visit.census for visit in now.values()} if len(censuses) == 1 else {""}
    found = [_named(one, previous) if name in names else one for name, one in censuses.items()]
    known = [(now[plot_id], visit) for one in found for plot_id, visit in one.items() if plot_id in now]
    if not known:
        raise TableUnreadable(
            f"{previous}: none of its plots stands in --csv; are the plot_id written alike?"
        )
    if not any(_is_earlier(visit, judged) for judged, visit in known):
        raise TableUnreadable(f"{previous}: nothing in it is older than --csv; were the two exchanged?")
    return found[::-1]


def _named(census: Mapping[str, Visit], path: Path) -> Mapping[str, Visit]:
    """Visits called after their file, whose own name does not tell them from those to check."""
    return {plot_id: replace(visit, census=path.stem) for plot_id, visit in census.items()}


def _by_recency(history: Sequence[Mapping[str, Visit]], asked: Collection[str]) -> list[Mapping[str, Visit]]:
    """The newest visits of the plots that are asked about, then their second newest, and so on; other plots come after
    all of these."""
    ranks: list[dict[str, Visit]] = [{}]
    others: list[Mapping[str, Visit]] = []
    for census in history:
        for plot_id, visit in census.items():
            if plot_id in asked:
                rank = sum(plot_id in earlier for earlier in ranks)
                if rank == len(ranks):
                    ranks.append({})
                ranks[rank][plot_id] = visit
        others.append({plot_id: visit for plot_id, visit in census.items() if plot_id not in asked})
    return [*ranks, *others]


def _sized(visit: Visit, side_m: float | None, radius_m: float | None) -> Visit:
    return Visit(visit.plot_id, visit.census, visit.measured_on, visit.trees, visit.area_ha, visit.thinned,
                 side_m, radius_m)  # fmt: skip


def _older(now: Sequence[Visit], history: Sequence[Mapping[str, Visit]]) -> list[Visit]:
    """What may say how trees grow here: each visit once, and of the plots to check only what came before."""
    judged = {visit.plot_id: visit for visit in now}
    found = {
        (visit.plot_id, visit.census, visit.measured_on): visit
        for census in history
        for visit in census.values()
        if visit.plot_id not in judged or _is_earlier(visit, judged[visit.plot_id])
    }
    return list(found.values())


def _is_earlier(visit: Visit, than: Visit) -> bool:
    """By their days; where these are not known by the numbers in the censuses' names; else any other census is."""
    if visit.measured_on is not None and than.measured_on is not None:
        return visit.measured_on < than.measured_on
    if visit.census.isdecimal() and than.census.isdecimal():
        return in_order(visit.census) < in_order(than.census)
    return visit.census != than.census


class _About(NamedTuple):
    """What is known besides the visits to check: older censuses, latest first, and what they say."""

    history: Sequence[Mapping[str, Visit]]
    reference: Reference | None
    parameters: Parameters
    species: Mapping[str, SpeciesInfo] | None

    def seen(self, visit: Visit) -> list[Visit]:
        """Earlier visits of the same plot, the latest first."""
        seen = (census[visit.plot_id] for census in self.history if visit.plot_id in census)
        return [one for one in seen if _is_earlier(one, visit)]

    def last(self, visit: Visit) -> Visit | None:
        """The visit before; None: nobody was there."""
        return next(iter(self.seen(visit)), None)


def _look(now: Sequence[Visit], about: _About) -> Iterator[_Found]:
    copies = copies_of_table(now, about.history[0].values() if about.history else (), about.parameters)
    for visit in now:
        seen = about.seen(visit)
        before = seen[0] if seen else None
        of_trees = flags_of(visit, before, earlier=seen[1:], reference=about.reference,
                            parameters=about.parameters, species=about.species)  # fmt: skip
        of_stand = flags_of_stand(visit, before, about.parameters)
        for flag in (*of_trees, *of_stand, *copies.get(visit.plot_id, ())):
            yield _Found(visit.plot_id, visit.census, flag)


def _explain(now: Sequence[Visit], told: Place, about: _About, lang: str) -> None:
    visit = next(one for one in now if one.plot_id == told.plot_id)
    seen = about.seen(visit)
    lines = story_of(visit, seen[0] if seen else None, (told.tag, told.stem_id), lang, earlier=seen[1:],
                    reference=about.reference, parameters=about.parameters, species=about.species)  # fmt: skip
    for text in lines:
        click.echo(text)


_HEIGHTS: dict[str, Callable[[Flag], float]] = {
    "score": lambda flag: flag.score,
    "doubt": lambda flag: doubt(flag.score, flag.field, flag.facts),
    "priority": lambda flag: flag.priority,
}


def _queued(found: Iterable[_Found], by: str) -> list[_Found]:
    """The highest first; sorting is stable: within a plot the rules' own order stays."""
    height = _HEIGHTS[by]
    return sorted(found, key=lambda one: (-height(one.flag), one.plot_id))


def _write(
    found: Sequence[_Found], lines: Mapping[Of, Sequence[int]], out: Path | None, lang: str, *, excel: bool
) -> None:
    if out is None:
        _write_rows(found, lines, sys.stdout, lang)
        return
    with out.open("w", encoding="utf-8-sig" if excel else "utf-8", newline="") as file:
        _write_rows(found, lines, file, lang)


def _write_rows(found: Sequence[_Found], lines: Mapping[Of, Sequence[int]], file: IO[str], lang: str) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for plot_id, census, flag, crew in found:
        row = "" if flag.ordinal is None else lines[census, plot_id][flag.ordinal]
        writer.writerow([
            row, plot_id, flag.tag, flag.stem_id, census, crew, flag.rule, flag.severity, f"{flag.score:.3f}",
            f"{flag.priority:.4f}", flag.field, flag.value, _bound(flag.expected_low), _bound(flag.expected_high),
            flag.suggestion, message(flag, lang),
        ])  # fmt: skip


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


_SUMMARY = {
    "zh": ("{visits} 块样地，{trees} 条记录，{flags} 个疑点，每千条 {rate:.1f} 个。", "错误", "警告", "提示"),
    "en": (
        "{visits} plots, {trees} records, {flags} flags, {rate:.1f} per thousand records.",
        "error",
        "warn",
        "info",
    ),
}


def _summarise(now: Sequence[Visit], found: Sequence[_Found], lang: str) -> None:
    head, *words = _SUMMARY[lang]
    trees = sum(len(visit.trees) for visit in now)
    rate = 1000 * len(found) / trees if trees else 0.0
    click.echo(head.format(visits=len(now), trees=trees, flags=len(found), rate=rate), err=True)
    counts = Counter((flag.rule, flag.severity) for _, _, flag, _ in found)
    name = dict(zip(Severity, words, strict=True))
    for (rule, severity), count in sorted(counts.items()):
        click.echo(f"{count:7d}  {rule} {name[severity]}  {RULES[rule].title(lang)}", err=True)
