"""Puts the made-up county into a store: its plan, its people with their passwords, its phones with their
keys.

What crews measured does not come this way: it is sent over HTTP, as everything else (`run`). Forms are
published by whoever calls this.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from server.demo.county import County
from server.demo.species import all_species
from server.store import county as county_store
from server.store import devices, passwords, people, projects
from server.store.county import CensusRow, PlannedPlot, SpeciesRow, StratumRow, TownshipRow
from server.store.db import Database


class CountyExists(ValueError):
    """A project of this name is in the store."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who may sign in. The password is known here only: the store keeps its hash."""

    login: str
    name: str
    role: str
    password: str


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made. `tokens` opens the door for each crew's phone, by the crew's name; `audit_token` for the auditors'
    phone, `farm_token` for that of the first farm. Keys are shown once and kept as hashes."""

    project_id: int
    tokens: dict[str, str]
    audit_token: str
    farm_token: str
    logins: tuple[Login, ...]


def seed_county(database: Database, county: County, at: int) -> Seeded:
    """Make a project of this county. `at` is the moment, ms since 1970 UTC. Raises CountyExists."""
    logins = _logins(county)
    # a hash takes 20 ms on purpose: made before the pen is taken
    hashes = {login.login: passwords.hash_of(login.password) for login in logins}
    with database.writing() as connection:
        if projects.find_by_name(connection, county.name) is not None:
            raise CountyExists(f"there is a project {county.name} already")
        project_id = projects.add(connection, county.name, at)
        _add_plan(connection, project_id, county)
        tokens = {crew.name: _enrol(connection, project_id, crew.name, at) for crew in county.crews}
        audit_token = _enrol(connection, project_id, county.auditors.name, at)
        farm_token = _enrol(connection, project_id, None, at, county.farms[0].name)
        _add_plots(connection, project_id, county)
        for login in logins:
            person_id = people.add(
                connection, login=login.login, name=login.name, password_hash=hashes[login.login], at=at
            )
            people.join(connection, person_id, project_id, login.role)
    return Seeded(project_id, tokens, audit_token, farm_token, logins)


def _logins(county: County) -> tuple[Login, ...]:
    plan = [("admin", "管理员", "admin"), ("supervisor", "监督员", "supervisor")]
    plan += [(farm.login, farm.name, "farm") for farm in county.farms]
    return tuple(Login(login, name, role, secrets.token_urlsafe(9)) for login, name, role in plan)


def _add_plan(connection: Connection, project_id: int, county: County) -> None:
    strata = (StratumRow(s.name, s.species, s.area_ha) for s in county.strata)
    county_store.add_strata(connection, project_id, strata)
    townships = (TownshipRow(t.name, t.boundary, t.is_generated) for t in county.townships)
    county_store.add_townships(connection, project_id, townships)
    species = (SpeciesRow(s.code, s.zh, s.en, s.latin, s.growth_group) for s in all_species().values())
    county_store.add_species(connection, project_id, species)
    censuses = (CensusRow(c.name, c.starts_on.isoformat(), c.ends_on.isoformat()) for c in county.censuses)
    county_store.add_censuses(connection, project_id, censuses)


def _add_plots(connection: Connection, project_id: int, county: County) -> None:
    crews = {crew.name: projects.ensure_crew(connection, project_id, crew.name) for crew in county.crews}
    plots = (
        PlannedPlot(
            p.plot_id, p.lat, p.lon, p.area_ha, p.shape, p.stratum.name, p.township, crews[p.crew.name]
        )
        for p in county.plots
    )
    county_store.add_plots(connection, project_id, plots)


def _enrol(
    connection: Connection, project_id: int, crew: str | None, at: int, name: str | None = None
) -> str:
    token = secrets.token_urlsafe(24)
    hashed = hashlib.sha256(token.encode()).hexdigest()
    crew_id = None if crew is None else projects.ensure_crew(connection, project_id, crew)
    devices.add(connection, project_id, crew_id, name or f"{crew}的手机", hashed, "zh", at)
    return token
