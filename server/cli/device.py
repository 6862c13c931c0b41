"""`yangdi device`: enrol a phone, see what it owes, narrow what it sees, give it another key, revoke it."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from sqlalchemy import Connection

from server.cli.joined import now_ms, open_database, project_number
from server.problems import NotFound
from server.settings import Settings
from server.steps import enrol
from server.steps import scope as scope_step
from server.store import devices, projects, reports
from server.store.rows import AnyRow
from server.web.access import new_key, token_hash
from sync import join, settings_qr

PROJECT = click.option(
    "--project", "project_name", help="Name or number of the project, where there are several."
)
URL = click.option("--url", help="Address as the phone reaches this server; else YANGDI_PUBLIC_URL.")
COLUMNS = ("number", "name", "crew", "limits", "state", "last seen", "pending", "photos", "app")


@click.group()
def device() -> None:
    """Enrol phones, see what they owe, narrow, re-key and revoke them."""


@device.command()
@click.argument("name")
@click.option("--crew", required=True, help="The crew that carries it; made where it is new.")
@PROJECT
@click.option("--locale", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@URL
def add(name: str, crew: str, project_name: str | None, locale: str, url: str | None) -> None:
    """Enrol a phone; prints its addresses once, with a QR code for ODK Collect and one for our own app."""
    key = new_key()
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        crew_id = projects.ensure_crew(connection, number, crew)
        enrol.enrol(connection, number, name=name, crew_id=crew_id, locale=locale, token_hash=token_hash(key),
                    by="cli", at=now_ms())  # fmt: skip
        project = _project(connection, number)
    _show(key, number, project, locale, url)


@device.command()
@click.argument("phone")
@PROJECT
@URL
def rotate(phone: str, project_name: str | None, url: str | None) -> None:
    """Another key for a PHONE (its number or name) whose code was lost; the old one opens nothing from now on."""
    key = new_key()
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        found = _phone(connection, number, phone)
        try:
            enrol.rotate(connection, number, found.id, token_hash=token_hash(key), by="cli", at=now_ms())
        except NotFound as error:
            raise _no_phone(phone) from error
        project = _project(connection, number)
    _show(key, number, project, found.locale, url)


def _project(connection: Connection, number: int) -> str:
    ways = projects.ways(connection, number)
    assert ways is not None  # it was found by its name
    return ways.name


def _show(key: str, number: int, project: str, locale: str, url: str | None) -> None:
    settings = Settings.from_env()
    public = (url or settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    address = f"{public}/v1/key/{key}/projects/{number}"
    click.echo(address)
    click.echo(qr_text(settings_qr.encode(settings_qr.settings_json(address, project, locale))))
    link = join.link(public, key, number)
    click.echo(link)
    click.echo(qr_text(link))


def qr_text(code: str) -> str:
    """A QR code of level L in characters, for a terminal."""
    import io

    import segno

    out = io.StringIO()
    segno.make(code, error="l", boost_error=False).terminal(out, compact=True)
    return out.getvalue()


@device.command("list")
@PROJECT
def list_devices(project_name: str | None) -> None:
    """Every phone: its crew and limits, whether it has joined, when it was last seen, what it still owes."""
    with open_database() as database, database.reading() as connection:
        number = project_number(connection, project_name)
        phones = devices.of_project(connection, number)
        limits = devices.narrowings(connection, [phone.id for phone in phones])
        photos = devices.photos(connection, number)
    click.echo("\t".join(COLUMNS))
    for phone in phones:
        narrowing, found = limits[phone.id], photos.get(phone.id)
        state = "revoked" if phone.revoked_at else "joined" if phone.joined_at else "enrolled"
        pending = (
            "-" if phone.pending_count is None else f"{phone.pending_count} at {_moment(phone.pending_at)}"
        )
        click.echo("\t".join((
            str(phone.id), phone.name, phone.crew or "-", ",".join([*narrowing.townships, *narrowing.plots]) or "-",
            state, _moment(phone.last_seen_at), pending, f"{found.here}/{found.expected}" if found else "-",
            phone.app_version or phone.app or "-",
        )))  # fmt: skip


def _moment(at_ms: int | None) -> str:
    return "-" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")


@device.command()
@click.argument("phone")
@click.option("--crew", help="The crew whose plots it sees; left out: as before.")
@click.option("--every-crew", is_flag=True, help="It sees the plots of every crew.")
@click.option(
    "--township", "townships", multiple=True, help="Only this township; repeat for more; none: no limit."
)
@click.option("--plot", "plots", multiple=True, help="Only this plot; repeat for more; none: no limit.")
@PROJECT
def scope(phone: str, crew: str | None, every_crew: bool, townships: tuple[str, ...], plots: tuple[str, ...],
          project_name: str | None) -> None:  # fmt: skip
    """Say which plots a PHONE (its number or name) sees; at its next pull it fetches its data anew."""
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        found = _phone(connection, number, phone)
        known = reports.names(connection, number)
        crew_id = None if every_crew else _numbers(known["crew"], [crew])[0] if crew else found.crew_id
        named = devices.plot_numbers(connection, number, plots)
        if unknown := sorted(set(plots) - set(named)):
            raise click.ClickException(f"no plot {', '.join(unknown)}")
        is_changed = scope_step.give(
            connection, number, found.id, crew_id=crew_id, townships=_numbers(known["township"], townships),
            plots=list(named.values()), by="cli", at=now_ms(),
        )  # fmt: skip
    click.echo("changed" if is_changed else "as before")


def _numbers(known: dict[int, str], names: tuple[str, ...] | list[str]) -> list[int]:
    by_name = {name: number for number, name in known.items()}
    if unknown := [name for name in names if name not in by_name]:
        raise click.ClickException(f"no {', '.join(unknown)}; known: {', '.join(by_name) or 'none yet'}")
    return [by_name[name] for name in names]


@device.command()
@click.argument("phone")
@PROJECT
def revoke(phone: str, project_name: str | None) -> None:
    """A lost PHONE (its number or name): its key opens nothing any more; what it still sends is kept in quarantine."""
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        try:
            enrol.revoke(connection, number, _phone(connection, number, phone).id, by="cli", at=now_ms())
        except NotFound as error:
            raise _no_phone(phone) from error


def _phone(connection: Connection, project_id: int, text: str) -> AnyRow:
    """A phone by its number, or by a name that only one phone in use has."""
    known = devices.of_project(connection, project_id)
    found = [phone for phone in known if text == str(phone.id)]
    found = found or [phone for phone in known if text == phone.name and phone.revoked_at is None]
    if len(found) != 1:
        raise _no_phone(text)
    return found[0]


def _no_phone(text: str) -> click.ClickException:
    return click.ClickException(
        f"no enrolled phone {text}, or several; `yangdi device list` shows their numbers"
    )
