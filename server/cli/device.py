"""`yangdi device`: enrol a phone and revoke it."""

from __future__ import annotations

import secrets

import click

from server.cli.joined import now_ms, open_database, project_number
from server.settings import Settings
from server.store import devices, events, projects
from server.web.access import token_hash
from sync import settings_qr


@click.group()
def device() -> None:
    """Enrol and revoke phones."""


@device.command()
@click.argument("name")
@click.option("--crew", required=True, help="The crew that carries it; made where it is new.")
@click.option("--project", "project_name", help="Name or number of the project, where there are several.")
@click.option("--locale", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--url", help="Address as the phone reaches this server; else YANGDI_PUBLIC_URL.")
def add(name: str, crew: str, project_name: str | None, locale: str, url: str | None) -> None:
    """Enrol a phone; prints its address once, and a QR code for ODK Collect."""
    settings = Settings.from_env()
    public = url or settings.public_url or f"http://{settings.host}:{settings.port}"
    token = secrets.token_urlsafe(24)
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        ways = projects.ways(connection, number)
        assert ways is not None
        crew_id = projects.ensure_crew(connection, number, crew)
        devices.add(connection, number, crew_id, name, token_hash(token), locale, now_ms())
        events.add(connection, number, "cli", "device.enrol", name, {"crew": crew}, now_ms())
    address = f"{public.rstrip('/')}/v1/key/{token}/projects/{number}"
    click.echo(address)
    click.echo(qr_text(settings_qr.encode(settings_qr.settings_json(address, ways.name, locale))))


def qr_text(code: str) -> str:
    """A QR code of level L in characters, for a terminal."""
    import io

    import segno

    out = io.StringIO()
    segno.make(code, error="l", boost_error=False).terminal(out, compact=True)
    return out.getvalue()


@device.command("list")
@click.option("--project", "project_name", help="Name or number of the project, where there are several.")
def list_devices(project_name: str | None) -> None:
    """Every phone, its crew, and whether it was revoked."""
    with open_database() as database, database.reading() as connection:
        for row in devices.of_project(connection, project_number(connection, project_name)):
            click.echo(
                f"{row.id}\t{row.name}\t{row.crew or ''}\t{'revoked' if row.revoked_at else 'enrolled'}"
            )


@device.command()
@click.argument("device_id", type=int)
@click.option("--project", "project_name", help="Name or number of the project, where there are several.")
def revoke(device_id: int, project_name: str | None) -> None:
    """A lost phone: its key opens nothing from now on; what it still sends is kept in quarantine."""
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        if not devices.revoke(connection, number, device_id, now_ms()):
            raise click.ClickException(f"no enrolled phone {device_id}; `yangdi device list` shows them")
        events.add(connection, number, "cli", "device.revoke", str(device_id), {}, now_ms())
