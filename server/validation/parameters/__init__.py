"""The thresholds of the rules, each with its unit, its permitted range and its source.

The tables beside this file are the only place for a threshold. A project changes some of them with
`Parameters.with_changes`; it cannot leave the permitted range, which keeps a slip from switching a rule off.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from server.validation.parameters.limits import Limits

COLUMNS = (
    "rule", "name", "species_group", "value", "min", "max", "unit", "valid_from", "source",
)  # fmt: skip
BY_GROUP = ("X04", "cap_cm_yr")
"""The threshold that may differ between species groups."""


class ParameterInvalid(ValueError):
    """A parameter that does not exist, is no number or leaves its range; says which and what is allowed."""


class Parameter(NamedTuple):
    """One threshold. `species_group` "" is for every species; `source` says who found the number, or that it is
    unverified. `valid_from` is an ISO day. What differs with the size of a tree is in the bands, not here."""

    rule: str
    name: str
    species_group: str
    value: float
    min: float
    max: float
    unit: str
    valid_from: str
    source: str

    @property
    def key(self) -> str:
        """As a project writes it: "T02.min_cm" or "X04.cap_cm_yr[conifer]"."""
        name = f"{self.rule}.{self.name}"
        return f"{name}[{self.species_group}]" if self.species_group else name

    @property
    def is_verified(self) -> bool:
        """Has somebody seen where the number comes from?"""
        return "unverified" not in self.source


@dataclass(frozen=True, eq=False)
class Parameters:
    """All thresholds of a project. `limits` is the same, compiled for the rules; `off` are silent rules.

    Equal only to itself, so that changed sets can be kept: a project's set is asked for at every visit.
    """

    table: tuple[Parameter, ...]
    off: frozenset[str]
    limits: Limits

    @classmethod
    def default(cls) -> Parameters:
        """The thresholds that we ship."""
        return _shipped()

    def with_changes(self, changes: Mapping[str, float]) -> Parameters:
        """A project's own thresholds: {"T02.min_cm": 1.0}; {"X16.on": 0} silences a rule, 1 lets it speak again.

        Raises ParameterInvalid for an unknown name or a value outside the parameter's range.
        """
        return _with_changes(self, tuple(sorted(changes.items())))


@lru_cache(maxsize=256)
def _with_changes(base: Parameters, changes: tuple[tuple[str, float], ...]) -> Parameters:
    known = {parameter.key: parameter for parameter in base.table}
    off = set(base.off)
    for key, value in changes:
        rule, _, name = key.partition(".")
        if name == "on" and rule in _rule_ids():
            (off.discard if value else off.add)(rule)
        else:
            known[key] = _changed(known.get(key), key, value)
    table = tuple(known.values())
    return Parameters(table, frozenset(off), compiled(table))


def _changed(parameter: Parameter | None, key: str, value: float) -> Parameter:
    if parameter is None:
        raise ParameterInvalid(f"{key}: no such parameter")
    if not parameter.min <= value <= parameter.max:
        bounds = f"{parameter.min:g} … {parameter.max:g} {parameter.unit}".strip()
        raise ParameterInvalid(f"{key} = {value:g}: must be {bounds}")
    return parameter._replace(value=float(value), source="project setting")


def compiled(table: tuple[Parameter, ...]) -> Limits:
    """The table as attributes. Raises ParameterInvalid where table and rules do not know the same names, or differ in
    what is told of a species group."""
    lost = [p.key for p in table if p.species_group and (p.rule, p.name) != BY_GROUP]
    if lost:
        raise ParameterInvalid(f"{lost[0]}: no rule asks for the species group")
    plain = {f"{p.rule.lower()}_{p.name}": p.value for p in table if not p.species_group}
    by_group = {p.species_group: p.value for p in table if p.species_group}
    try:
        return Limits(**plain, x04_cap_by_group=by_group)
    except TypeError as error:
        raise ParameterInvalid(str(error)) from error


def parsed(row: Mapping[str, str]) -> Parameter:
    """One line of the table. Raises ParameterInvalid for a value outside its range or a line without source."""
    if not row["source"].strip():
        raise ParameterInvalid(f"{row['rule']}.{row['name']}: no source")
    numbers = {name: float(row[name]) for name in ("value", "min", "max")}
    parameter = Parameter(**{**row, **numbers})  # type: ignore[arg-type]
    return _changed(parameter, parameter.key, parameter.value)._replace(source=row["source"])


def read_table(name: str) -> list[dict[str, str]]:
    """The lines of one of the tables beside this file."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def _shipped() -> Parameters:
    table = tuple(parsed(row) for row in read_table("parameters.csv"))
    return Parameters(table, frozenset(), compiled(table))


@cache
def _rule_ids() -> frozenset[str]:
    return frozenset(row["id"] for row in read_table("catalogue.csv"))
