"""`yangdi people`: who may sign in to the pages, and as what."""

from __future__ import annotations

import secrets

import click
from sqlalchemy import Connection

from server.cli.joined import now_ms, open_database, project_number
from server.store import passwords
from server.store import people as people_store
from server.store.db import Database

WORD_CHARS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are mistaken for another on paper


@click.group()
@click.pass_context
def people(context: click.Context) -> None:
    """Add, list and close the people who may sign in to the pages."""
    context.obj = context.with_resource(open_database())


@people.command()
@click.argument("login")
@click.option("--name", required=True, help="As shown on the pages.")
@click.option(
    "--project", "project_name", help="Name or number of the project. Needed unless the role is of the house."
)
@click.option("--role", type=click.Choice(people_store.ROLES), required=True,
              help="admin without --project is admin of the whole house.")  # fmt: skip
@click.option("--password", help="At least 10 characters. Left out: one is made and printed once.")
@click.option("--locale", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.pass_obj
def add(database: Database, login: str, name: str, project_name: str | None, role: str, password: str | None,
        locale: str) -> None:  # fmt: skip
    """Add LOGIN, or give an existing LOGIN a role in one more project."""
    of_house = project_name is None
    if of_house and role != "admin":
        raise click.UsageError("--project is needed: only an admin can be of the whole house")
    made = None if password else _new_password()
    password_hash = passwords.hash_of(_long_enough(password or made or ""))
    with database.writing() as connection:
        project_id = None if project_name is None else project_number(connection, project_name)
        person_id = people_store.number_of(connection, login)
        is_new = person_id is None
        if person_id is None:
            person_id = people_store.add(connection, login=login, name=name, password_hash=password_hash,
                                         locale=locale, is_admin=of_house, at=now_ms())  # fmt: skip
        elif project_id is None:
            raise click.UsageError(f"{login} is there already")
        if project_id is not None:
            people_store.join(connection, person_id, project_id, role)
    click.echo(f"{login}: {role}" + (f" in {project_name}" if project_name else ""))
    if made and is_new:
        click.echo(f"password: {made}")


@people.command("list")
@click.pass_obj
def list_people(database: Database) -> None:
    """Everyone, with roles; the closed ones are marked."""
    with database.reading() as connection:
        rows = people_store.everyone(connection)
    for row in rows:
        roles = [f"{name}: {role}" for name, role in row["roles"].items()]
        roles += ["admin of the house"] if row["is_admin"] else []
        click.echo(
            "\t".join(
                [row["login"], row["name"], ", ".join(roles), "closed" if row["closed_at"] else ""]
            ).rstrip()
        )


@people.command()
@click.argument("login")
@click.option("--password", help="At least 10 characters. Left out: one is made and printed once.")
@click.pass_obj
def password(database: Database, login: str, password: str | None) -> None:
    """Change LOGIN's password; all sessions end."""
    made = None if password else _new_password()
    password_hash = passwords.hash_of(_long_enough(password or made or ""))
    with database.writing() as connection:
        people_store.set_password(connection, _person(connection, login), password_hash)
    click.echo(f"password: {made}" if made else f"{login}: password changed")


@people.command()
@click.argument("login")
@click.pass_obj
def close(database: Database, login: str) -> None:
    """LOGIN may not sign in any more; what was done under it stays."""
    with database.writing() as connection:
        people_store.close(connection, _person(connection, login), now_ms())
    click.echo(f"{login}: closed")


def _person(connection: Connection, login: str) -> int:
    person_id = people_store.number_of(connection, login)
    if person_id is None:
        raise click.UsageError(f"nobody has the login {login!r}")
    return person_id


def _long_enough(password: str) -> str:
    if len(password) < passwords.LEAST_CHARS:
        raise click.UsageError(f"a password has at least {passwords.LEAST_CHARS} characters")
    return password


def _new_password() -> str:
    return "-".join("".join(secrets.choice(WORD_CHARS) for _ in range(4)) for _ in range(4))
