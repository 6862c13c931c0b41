"""`yangdi form`: check, publish, list, close."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import click

from forms.compile import Compiled, compile_form
from forms.errors import FormInvalid
from forms.report import measures_table, report
from forms.workbook import shipped, shipped_form, workbook
from server.cli.joined import now_ms, open_database, project_number
from server.problems import Problem
from server.settings import Settings
from server.steps import publish as publish_step
from server.steps.take_along import take_along
from server.store import forms as forms_store


@click.group()
def form() -> None:
    """Check, publish, list and close forms."""


def _media(paths: Iterable[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths}


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@form.command()
@click.argument("source", type=_FILE)
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def check(source: Path, lang: str) -> None:
    """Say what an XLSForm's questions map to, or what is wrong with it, without publishing."""
    click.echo(report(_compiled(source, {}, lang).form, lang))


@form.command()
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def measures(lang: str) -> None:
    """Every measure that an author may write into the column bind::yd:measure."""
    click.echo(measures_table(lang))


@form.command()
@click.argument("source")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Else NAME.xlsx in this folder.")
def export(source: str, out: Path | None) -> None:
    """Write a form as .xlsx, to be changed in a spreadsheet program: a file, or the name of a form that we ship."""
    if source not in shipped() and not Path(source).is_file():
        raise click.ClickException(f"no file {source!r}; forms that we ship: {', '.join(shipped())}")
    try:
        content = shipped_form(source) if source in shipped() else workbook(Path(source))
    except FormInvalid as invalid:
        raise click.ClickException(str(invalid)) from invalid
    target = out or Path(f"{Path(source).stem}.xlsx")
    target.write_bytes(content)
    click.echo(target)


@form.command()
@click.argument("source", type=_FILE)
@click.option("--project", "project_name", help="Name or number of the project, where there are several.")
@click.option(
    "--media", "media_paths", type=_FILE, multiple=True, help="A file that the form needs; repeat for more."
)
@click.option("--draft", is_flag=True, help="Put it up to be tried first; prints the address for the phone.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def publish(
    source: Path, project_name: str | None, media_paths: tuple[Path, ...], draft: bool, lang: str
) -> None:
    """Publish an XLSForm (.xlsx, .csv or .md): phones fetch it from now on."""
    media = _media(media_paths)
    compiled = _compiled(source, media, lang)
    click.echo(report(compiled.form, lang))
    form, files = compiled.form, {**compiled.media, **media}
    put_up = publish_step.draft if draft else publish_step.publish
    try:
        with open_database() as database, database.writing() as connection:
            number = project_number(connection, project_name)
            made = put_up(connection, number, form, compiled.xml, files, "cli", now_ms())
    except Problem as problem:
        raise click.ClickException(problem.sentence(lang)) from problem
    if draft:
        settings = Settings.from_env()
        public = settings.public_url or f"http://{settings.host}:{settings.port}"
        click.echo(f"{public.rstrip('/')}/v1/test/{made}/projects/{number}/forms/{form.form_id}/draft")
    else:
        click.echo(f"{'已发布' if lang == 'zh' else 'published'}: {form.form_id} {form.version}")


def _compiled(source: Path, media: dict[str, bytes], lang: str) -> Compiled:
    try:
        return compile_form(source, media=media)
    except FormInvalid as invalid:
        click.echo(invalid.sentences(lang), err=True)
        sys.exit(1)


@form.command()
@click.option("--census", required=True, help="Name of the census that the form is for.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="About when it will be measured; else today.")
@click.option("--project", "project_name", help="Name or number of the project, where there are several.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Folder for remeasure.md, plots.csv and trees.csv; `form publish` takes them.")  # fmt: skip
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def remeasure(census: str, on: datetime | None, project_name: str | None, out: Path, lang: str) -> None:
    """Make the form that crews take along: every plot's trees of the last census, prefilled, with limits."""
    day = on.date() if on else date.today()  # the day where the crew is
    with open_database() as database, database.reading() as connection:
        number = project_number(connection, project_name)
        try:
            made = take_along(connection, number, census, day, f"{day:%Y%m%d}{now_ms() // 1000 % 86400:05d}")
        except Problem as problem:
            raise click.ClickException(problem.sentence(lang)) from problem
    out.mkdir(parents=True, exist_ok=True)
    (out / "remeasure.md").write_text(made.form_markdown, encoding="utf-8")
    for name, content in made.media.items():
        (out / name).write_bytes(content)
    files = " ".join(f"--media {out / name}" for name in made.media)
    click.echo(f"yangdi form publish {out / 'remeasure.md'} {files}")


@form.command("list")
def list_forms() -> None:
    """Every form with its current version."""
    with open_database() as database, database.reading() as connection:
        for row in forms_store.current(connection):
            click.echo("  ".join(str(value) for value in row))


@form.command()
@click.argument("form_id")
@click.argument("state", type=click.Choice(["open", "closing", "closed"]))
@click.option("--project", "project_name", help="Name or number of the project, where there are several.")
def state(form_id: str, state: str, project_name: str | None) -> None:
    """Open a form, wind it down (closing: still takes, is no longer listed) or close it."""
    with open_database() as database, database.writing() as connection:
        if not forms_store.set_state(connection, project_number(connection, project_name), form_id, state):
            raise click.ClickException(f"no form {form_id!r}; `yangdi form list` shows them")
