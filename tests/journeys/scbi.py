"""Two censuses of a real forest as phones would send them: one instance for each quadrat and census.

The table is read with the csv module alone, not with the project's reader of tables, so that a journey compares
two ways into the rules that share nothing but the rules. The data lie beside the checkout and are not ours to keep.
"""

from __future__ import annotations

import csv
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from forms.compile import Compiled, compile_form
from server.demo.instance import Renderer

TABLE = Path(__file__).parents[2] / ".." / "shared" / "data" / "scbi.csv"
FORM = Path(__file__).parent / "quadrat_visit.md"
TALLY_LIMIT_CM = 1.0
"""The smallest diameter of this plot's protocol, cm (ForestGEO: Condit 1998)."""

needs_table = pytest.mark.skipif(not TABLE.exists(), reason=f"the reference data are absent: {TABLE}")

Row = dict[str, str]
Key = tuple[str, str]  # census, quadrat


class Quadrat(NamedTuple):
    """One quadrat in one census, its rows in the order of the table."""

    census: str
    plot_id: str
    rows: list[Row]

    @property
    def measured_on(self) -> str:
        """A quadrat may take weeks: the middle day, ISO."""
        days = sorted(row["date"] for row in self.rows if row["date"])
        return days[len(days) // 2] if days else ""

    @property
    def instance_id(self) -> str:
        """The same at every sending, as a phone keeps it."""
        return f"uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'{self.census}/{self.plot_id}')}"


@cache
def table() -> dict[Key, Quadrat]:
    """Every quadrat of every census."""
    rows: dict[Key, list[Row]] = defaultdict(list)
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows[row["census"], row["plot_id"]].append(row)
    return {key: Quadrat(*key, some) for key, some in rows.items()}


def quadrats(censuses: Iterable[str], plot_ids: Iterable[str]) -> list[Quadrat]:
    """These quadrats, census by census."""
    names = list(plot_ids)
    return [table()[census, plot_id] for census in censuses for plot_id in names]


def in_both(first: str, second: str) -> list[str]:
    """Numbers of the quadrats that both censuses know."""
    return sorted({p for c, p in table() if c == first} & {p for c, p in table() if c == second})


def has_code(quadrat: Quadrat, code: str) -> bool:
    """Does a stem of this quadrat carry a condition code?"""
    return any(code in _codes(row) for row in quadrat.rows)


def write_table(path: Path, sent: Iterable[Quadrat]) -> None:
    """The same rows as a table, for `yangdi check`."""
    rows = [row for quadrat in sent for row in quadrat.rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@cache
def form() -> Compiled:
    """The form that the crews of this forest fill in."""
    return compile_form(FORM)


def instances(sent: Iterable[Quadrat]) -> Iterator[bytes]:
    """The XML that a phone sends for each quadrat."""
    renderer = Renderer(form().form)
    for quadrat in sent:
        rows = {
            "plot": [{"plot_id": quadrat.plot_id}],
            "visit": [{"census": quadrat.census, "measured_on": quadrat.measured_on}],
            "tree": [_answers(row) for row in quadrat.rows],
        }
        yield renderer.render(rows, quadrat.instance_id)


def _answers(row: Row) -> Row:
    codes = _codes(row)
    answers = {
        "tag": row["tag"], "stem_id": row["stem_id"], "species": row["species"], "tally_code": row["status"],
        "dbh_cm": row["dbh_cm"], "pom_m": row["hom_m"], "x_m": row["x"], "y_m": row["y"],
        "verified": "yes" if "DV" in codes else "", "codes": " ".join(codes),
    }  # fmt: skip
    return {name: text for name, text in answers.items() if text}


def _codes(row: Row) -> list[str]:
    return [code for code in re.split(r"[;, ]+", row["codes"]) if code]
