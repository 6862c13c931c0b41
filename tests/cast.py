"""The small cast that tests play with: invented people, crews and plots, as real rows.

王强 and 赵敏 measure in 一队 and 二队, 李监督 decides, 孙技术员 keeps thinning tables, 周核查 follows numbers
back, 管理员 looks after the machine. Their phones are enrolled and their passwords are known here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from sqlalchemy import Connection, insert

from server.store import schema

PASSWORD = "youyezi-2026-linfen"
"""Everybody's password: a test never asks which."""

PLOT_LAT, PLOT_LON = 36.2000, 113.4400
"""Design position of plot PS-001, degrees WGS 84: an invented point inside 平顺县."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Row ids and secrets of the cast. A `_token` is what a phone shows; the store knows only its SHA-256."""

    project: int
    other_project: int
    crew_one: int
    crew_two: int
    device_one: int
    device_two: int
    revoked_device: int
    token_one: str
    token_two: str
    revoked_token: str
    supervisor: int
    farm: int
    verifier: int
    admin: int
    stratum: int
    township: int
    census: int
    plot: int
    second_plot: int


def enter(connection: Connection, at: int) -> Cast:
    """Put the whole cast on stage at the moment `at` (ms since 1970 UTC)."""
    project = _row(connection, schema.project, name="平顺县森林碳汇", created_at=at)
    other_project = _row(connection, schema.project, name="邻县项目", created_at=at)
    crew_one = _row(connection, schema.crew, project_id=project, name="一队")
    crew_two = _row(connection, schema.crew, project_id=project, name="二队")
    people = {
        role: _person(connection, project, role, login, name, at)
        for role, login, name in [
            ("supervisor", "li", "李监督"),
            ("farm", "sun", "孙技术员"),
            ("verifier", "zhou", "周核查"),
            ("admin", "admin", "管理员"),
        ]
    }
    stratum = _row(connection, schema.stratum, project_id=project, name="油松中龄林", area_ha=120.0)
    township = _row(connection, schema.township, project_id=project, name="青羊镇")
    census = _row(connection, schema.census, project_id=project, name="2026", starts_on="2026-05-01")
    place = {"project_id": project, "stratum_id": stratum, "township_id": township, "is_planned": True}
    return Cast(
        project=project, other_project=other_project, crew_one=crew_one, crew_two=crew_two,
        device_one=_phone(connection, project, crew_one, "一队手机", "token-one", at),
        device_two=_phone(connection, project, crew_two, "二队手机", "token-two", at),
        revoked_device=_phone(connection, project, crew_two, "丢了的手机", "token-lost", at, revoked_at=at),
        token_one="token-one", token_two="token-two", revoked_token="token-lost",
        **people, stratum=stratum, township=township, census=census,
        plot=_row(connection, schema.plot, plot_id="PS-001", lat=PLOT_LAT, lon=PLOT_LON, area_ha=0.0667,
                  shape="square", crew_id=crew_one, **place),
        second_plot=_row(connection, schema.plot, plot_id="PS-002", lat=PLOT_LAT + 0.02, lon=PLOT_LON,
                         area_ha=0.0667, shape="square", crew_id=crew_two, **place),
    )  # fmt: skip


def _row(connection: Connection, table: schema.Table, **values: object) -> int:
    return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


def _person(connection: Connection, project: int, role: str, login: str, name: str, at: int) -> int:
    person = _row(
        connection, schema.person, login=login, name=name, password_hash=_password_hash(),
        is_admin=role == "admin", created_at=at,
    )  # fmt: skip
    connection.execute(insert(schema.membership).values(person_id=person, project_id=project, role=role))
    return person


def _phone(
    connection: Connection,
    project: int,
    crew: int,
    name: str,
    token: str,
    at: int,
    revoked_at: int | None = None,
) -> int:
    return _row(
        connection, schema.device, project_id=project, crew_id=crew, name=name,
        token_hash=hashlib.sha256(token.encode()).hexdigest(), created_at=at, revoked_at=revoked_at,
    )  # fmt: skip


@cache
def _password_hash() -> str:
    # real argon2, at its cheapest: the cost is kept in the hash itself, so the real check takes it
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
