"""Fills a store with what years of work leave behind, in SQL alone: the same rows that the steps would write.

Set-based, because half a million submissions through the door would take an hour. Both engines take the same
statements; only chance is spelt differently.
"""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, text

from server.store.db import Database
from tests.bench import made

AT_ONCE = 10_000
"""Submissions in one transaction: with 50 trees each, half a million measurements."""
CHANCE = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "replace(gen_random_uuid()::text, '-', '')"}

_NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT CAST(:first AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
)
_STATEMENTS = (
    """INSERT INTO plot (project_id, plot_id, area_ha, shape, is_planned)
       {numbers} SELECT :project, 'PAD-' || i, 0.0667, 'square', {false} FROM n""",
    """INSERT INTO submission (project_id, form_version_id, form_id, version, instance_id, variant, instance_name,
                               xml, xml_sha256, device_id, received_at)
       {numbers} SELECT :project, :version, 'forest_plot', '2026112201', 'uuid:' || {chance}, '', 'PAD-' || i,
                        :xml, :sha256, :device, :at + i FROM n""",
    """INSERT INTO visit (project_id, plot_id, census_id, submission_id, source_id, kind, measured_on, header,
                          corners, review_state, unfolded_at, checked_at)
       SELECT :project, p.id, :census, s.id, s.id, 'visit', '2021-07-01', '{{}}', '[]', 'received', s.received_at,
              s.received_at
       FROM submission s JOIN plot p ON p.plot_id = s.instance_name AND p.project_id = :project
       WHERE s.id > :before_first""",
    """INSERT INTO tree (plot_id, tag, stem_id)
       {numbers}, t(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM t WHERE k < :trees)
       SELECT p.id, '' || k, '1' FROM n JOIN plot p ON p.plot_id = 'PAD-' || n.i AND p.project_id = :project, t""",
    """INSERT INTO measurement (visit_id, tree_id, ordinal, tag, stem_id, species, tally_code, dbh_cm, height_m,
                                verified, dbh_text)
       {numbers} SELECT v.id, tree.id, CAST(tree.tag AS INTEGER) - 1, tree.tag, '1', 'pita', 11, 20.5, 11.2,
                        {false}, '20.5'
       FROM n JOIN plot p ON p.plot_id = 'PAD-' || n.i AND p.project_id = :project
       JOIN visit v ON v.plot_id = p.id JOIN tree ON tree.plot_id = p.id""",
)  # fmt: skip


def pad(database: Database, project: int, device: int, version: int, until: int, trees: int) -> int:
    """Add submissions with that many trees each until the store holds `until` in all; returns how many were added."""
    with database.reading() as connection:
        there = int(connection.execute(text("SELECT count(*) FROM submission")).scalar_one())
        padded = int(connection.execute(
            text("SELECT count(*) FROM plot WHERE plot_id LIKE 'PAD-%'")).scalar_one())  # fmt: skip
    missing = max(0, until - there)
    for start in range(padded + 1, padded + missing + 1, AT_ONCE):
        last = min(start + AT_ONCE - 1, padded + missing)
        with database.writing() as pen:
            _add(pen, {"project": project, "device": device, "version": version, "first": start, "last": last,
                       "trees": trees, "at": 1_625_000_000_000})  # fmt: skip
    return missing


def _add(pen: Connection, values: dict[str, object]) -> None:
    dialect = pen.dialect.name
    words = {
        "numbers": _NUMBERS,
        "chance": CHANCE[dialect],
        "false": "0" if dialect == "sqlite" else "false",
    }
    xml = made.instance(0)
    known = {
        **values, "census": _census(pen, values["project"]), "xml": zlib.compress(xml, 1), "sha256": bytes(32),
        "before_first": pen.execute(text("SELECT coalesce(max(id), 0) FROM submission")).scalar_one(),
    }  # fmt: skip
    for statement in _STATEMENTS:
        sql = statement.format(**words)
        pen.execute(text(sql), {name: value for name, value in known.items() if f":{name}" in sql})


def _census(pen: Connection, project: object) -> int:
    found = "SELECT id FROM census WHERE project_id = :project AND name = '2021'"
    number = pen.execute(text(found), {"project": project}).scalar()
    if number is None:
        pen.execute(
            text("INSERT INTO census (project_id, name) VALUES (:project, '2021')"), {"project": project}
        )
        number = pen.execute(text(found), {"project": project}).scalar_one()
    return int(number)
