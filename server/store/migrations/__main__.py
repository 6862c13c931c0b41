"""Drafts the next migration: `make migration WORDS="plots get a slope"`. For developers, in a working copy.

Compares the schema with what the migrations so far make of an empty SQLite, and writes the difference as a new
file in versions/. A draft is to be read: it knows nothing of rows, its reason must be written by hand, and HEAD moved.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from server.store import migrations
from server.store.db import Database


def draft(words: str) -> str:
    """Write the next migration and return its path. `words` say what it does."""
    config = migrations.config_of_scripts()
    revisions = len(list(ScriptDirectory.from_config(config).walk_revisions()))
    number = f"{revisions + 1:04}"
    config.set_main_option("file_template", f"{number}_%%(slug)s")
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'empty.db'}")
        if revisions:
            migrations.upgrade(database)
        with database.writing() as connection:
            config.attributes["connection"] = connection
            script = command.revision(config, message=words, autogenerate=True, rev_id=number)
        database.close()
    assert not isinstance(script, list)
    assert script is not None
    return str(script.path)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.search(r"\w", sys.argv[1]):
        sys.exit(__doc__)
    print(draft(sys.argv[1]))
