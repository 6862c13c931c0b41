"""`yangdi rules` and `yangdi recheck`: a project's thresholds, and the rules' look at everything it has."""

from __future__ import annotations

import time

import click

from server.cli.joined import now_ms, open_database, project_number
from server.problems import Problem
from server.steps import recheck as recheck_step
from server.steps.set_threshold import Change, chosen, set_threshold
from server.store import projects, rechecks
from server.store.db import Database
from server.store.reviews import Act
from server.validation.parameters import ParameterInvalid, Parameters
from server.validation.parameters.meanings import meaning_of
from server.validation.project import parameters_of

LOOK_S = 0.5
"""s between two looks at how far a recheck is."""
_WHY = click.option("--why", default="yangdi rules", help="Why; kept with the change.")


@click.group()
def rules() -> None:
    """The thresholds of a project: list them, change one, take a change back. PROJECT is its name or number."""


@rules.command("list")
@click.argument("project")
@click.option("--changed", is_flag=True, help="Only those that the project has changed.")
def list_(project: str, changed: bool) -> None:
    """Every threshold: its key, its value, its unit, where the number comes from, what it means in two languages."""
    with open_database() as database, database.reading() as connection:
        ways = projects.ways(connection, project_number(connection, project))
    assert ways is not None
    parameters = parameters_of(ways.tally_limit_cm, ways.rule_settings)
    for one in parameters.table:
        if not changed or chosen(ways, one.key) is not None:
            meaning = meaning_of(one)
            click.echo(f"{one.key}\t{one.value:g}\t{one.unit}\t{one.source}\t{meaning.zh}\t{meaning.en}")
    for rule in sorted(parameters.off):
        click.echo(f"{rule}.on\t0\t\tproject setting")


@rules.command("set")
@click.argument("project")
@click.argument("key")
@click.argument("value", type=float)
@_WHY
def set_(project: str, key: str, value: float, why: str) -> None:
    """Give threshold KEY (T02.min_cm; X16.on for a whole rule) the number VALUE. Every plot is checked again."""
    _change(project, Change(key, value), why)


@rules.command()
@click.argument("project")
@click.argument("key")
@_WHY
def reset(project: str, key: str, why: str) -> None:
    """Threshold KEY stands as shipped again. Every plot is checked again."""
    _change(project, Change(key, None), why)


@rules.command("try")
@click.argument("project")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--processes", default=2, show_default=True, type=click.IntRange(1, 64))
def try_(project: str, settings: tuple[str, ...], processes: int) -> None:
    """Count what the rules say of the last visit of every plot, now and with these thresholds. Nothing is written.

    Looks at trees and at the stand; what places, photos and crews tell is left out.
    """
    from server.steps import whole_census

    with open_database() as database:
        with database.reading() as connection:
            number = project_number(connection, project)
        url = database.url
    try:
        changes = dict(map(_setting, settings))
        Parameters.default().with_changes(changes)
    except ParameterInvalid as error:
        raise click.ClickException(str(error)) from error
    now = whole_census.counts(url, number, processes=processes)
    then = whole_census.counts(url, number, changes, processes) if changes else now
    for rule, severity in sorted({*now, *then}):
        was, would = now[rule, severity], then[rule, severity]
        click.echo(f"{rule}\t{severity}\t{was}" + (f"\t{would}\t{would - was:+d}" if changes else ""))


def _setting(words: str) -> tuple[str, float]:
    key, _, value = words.partition("=")
    try:
        return key.strip(), float(value)
    except ValueError:
        raise ParameterInvalid(f"{words}: should read KEY=NUMBER") from None


def _change(project: str, change: Change, why: str) -> None:
    try:
        with open_database() as database, database.writing() as connection:
            number = project_number(connection, project)
            set_threshold(connection, number, change, Act("cli", why, now_ms()))
    except Problem as refusal:
        raise click.ClickException(f"{refusal.sentence('zh')}\n{refusal.sentence('en')}") from refusal
    click.echo(f"{change.key}\t{'as shipped' if change.value is None else f'{change.value:g}'}")


@click.command()
@click.option("--project", help="Name or number of the project; default: every project.")
@click.option("--wait", is_flag=True, help="Return when the worker is through, saying how far it is.")
def recheck(project: str | None, wait: bool) -> None:
    """Let the rules look again at every plot there is. The worker does it, beside what comes from phones."""
    with open_database() as database:
        with database.writing() as connection:
            numbers = [project_number(connection, project)] if project else list(projects.names(connection))
            for number in numbers:
                recheck_step.ask(connection, number, "cli", now_ms())
        while _say(database, numbers) and wait:
            time.sleep(LOOK_S)


def _say(database: Database, numbers: list[int]) -> bool:
    """Print how far each recheck is; True while one is open."""
    with database.reading() as connection:
        found = rechecks.latest(connection, numbers)
    for one in found:
        click.echo(f"{one.project}\t{one.plots_done}/{one.plots_total}")
    return any(one.finished_at is None for one in found)
