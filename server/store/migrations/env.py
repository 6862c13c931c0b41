"""How Alembic runs our migrations: on the connection it is handed, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from server.store.schema import metadata

# batch: SQLite cannot alter a constraint in place; Alembic copies the table instead
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
