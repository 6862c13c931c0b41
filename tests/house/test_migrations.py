"""Migrations make exactly the schema that the code means, on both engines, and say when they are needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from server.settings import Settings
from server.store import migrations
from server.store.db import Database
from server.store.migrations import StoreBehind
from server.store.schema import metadata

CATALOGUES = {
    "sqlite": [
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND tbl_name != 'alembic_version'"
    ],
    "postgresql": [
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = 'public'",
    ],
}
"""What an engine says it has. Alembic's own comparison sees neither checks nor the WHERE of an index."""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(Settings(database_url=empty_database_url).url)
    yield database
    database.close()


def in_order(sql: str) -> str:
    """A CREATE TABLE with its columns and constraints in the order of the alphabet: their order means nothing."""
    head, opened, rest = " ".join(sql.split()).partition("(")
    body, _, tail = rest.rpartition(")")
    if not head.startswith("CREATE TABLE"):
        return head + opened + rest
    pieces, depth = [""], 0
    for letter in body:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return head + ", ".join(sorted(piece.strip() for piece in pieces)) + tail


def catalogue(database: Database) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    with database.reading() as connection:
        for query in CATALOGUES[database.engine.dialect.name]:
            rows = connection.execute(text(query)).all()
            found |= {tuple(in_order(str(cell)) for cell in row) for row in rows}
    return {row for row in found if not any("alembic_version" in cell for cell in row)}


def test_migrations_from_nothing_make_the_schema(empty: Database) -> None:
    migrations.upgrade(empty)
    with empty.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_make_every_check_and_index_as_the_schema_says(empty: Database) -> None:
    with empty.writing() as connection:
        metadata.create_all(connection)
    meant = catalogue(empty)
    migrations.remove_all(empty)
    assert catalogue(empty) == set()
    migrations.upgrade(empty)
    made = catalogue(empty)
    assert made - meant == set()
    assert meant - made == set()


def test_a_second_upgrade_changes_nothing(empty: Database) -> None:
    migrations.upgrade(empty)
    before = catalogue(empty)
    migrations.upgrade(empty)
    assert catalogue(empty) == before


def test_a_failed_upgrade_leaves_nothing_behind(empty: Database) -> None:
    with empty.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE job (somebody_elses INTEGER)")
    with pytest.raises(Exception, match="job"):
        migrations.upgrade(empty)
    with empty.writing() as connection:
        connection.exec_driver_sql("DROP TABLE job")
    assert catalogue(empty) == set()
    assert migrations.position(empty) is None


def test_an_empty_store_is_behind_and_says_what_to_do(empty: Database) -> None:
    with pytest.raises(StoreBehind, match="yangdi migrate"):
        migrations.require_head(empty)


def test_the_code_needs_the_newest_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(migrations.config_of_scripts()).get_current_head() == migrations.HEAD


def test_each_migration_gives_its_reason() -> None:
    from alembic.script import ScriptDirectory

    for script in ScriptDirectory.from_config(migrations.config_of_scripts()).walk_revisions():
        assert "Reason:" in script.longdoc, script.revision
