"""What a phone has pulled: every thing as the server last told it, and the cursor, together on its disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEYS: Mapping[str, tuple[str, ...]] = {
    "form": ("form_id",),
    "rules": (),
    "plot": ("plot_id",),
    "trees": ("plot_id",),
    "rework": ("rework_id",),
    "review": ("plot_id", "census"),
}
"""What names a thing of each kind."""
OF_A_PLOT = ("plot", "trees", "rework", "review")
"""What a phone forgets with a plot that is gone."""
_TABLES = """
CREATE TABLE IF NOT EXISTS thing (
    kind TEXT, key TEXT, content TEXT NOT NULL, sweep INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), cursor TEXT, sweep INTEGER NOT NULL);
INSERT OR IGNORE INTO place VALUES (1, NULL, 0);
"""


class Known:
    """One phone's knowledge. A page and its cursor are kept in one transaction, so a kill never parts them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._store = sqlite3.connect(folder / "known.db", isolation_level=None)
        self._store.executescript(f"PRAGMA journal_mode = WAL; {_TABLES}")

    def close(self) -> None:
        self._store.close()

    @property
    def cursor(self) -> str | None:
        found: str | None = self._store.execute("SELECT cursor FROM place").fetchone()[0]
        return found

    def take(self, page: Mapping[str, Any]) -> None:
        """Take in one page. After a `reset`, what no page named again is forgotten when the last has come."""
        with self._store:
            self._store.execute("BEGIN IMMEDIATE")
            if page.get("reset"):
                self._store.execute("UPDATE place SET sweep = sweep + 1")
            sweep = self._store.execute("SELECT sweep FROM place").fetchone()[0]
            for change in page["changes"]:
                self._take(change, sweep)
            self._store.execute("UPDATE place SET cursor = ?", (page["cursor"],))
            if not page["more"]:
                self._store.execute("DELETE FROM thing WHERE sweep < ?", (sweep,))
                self._store.execute("UPDATE place SET sweep = 0")
                self._store.execute("UPDATE thing SET sweep = 0")

    def _take(self, change: Mapping[str, Any], sweep: int) -> None:
        kind = change["kind"]
        if change.get("gone"):
            self._forget(kind, change)
        elif kind == "tree":
            self._take_tree(change, sweep)
        else:
            self._put(kind, _key(kind, change), change, sweep)

    def _forget(self, kind: str, change: Mapping[str, Any]) -> None:
        self._store.execute("DELETE FROM thing WHERE kind = ? AND key = ?", (kind, _key(kind, change)))
        if kind == "plot":
            for of in OF_A_PLOT:
                self._store.execute(
                    "DELETE FROM thing WHERE kind = ? AND content ->> '$.plot_id' = ?",
                    (of, change["plot_id"]),
                )

    def _take_tree(self, change: Mapping[str, Any], sweep: int) -> None:
        """One tree of a list that is known already."""
        trees = self.thing("trees", change["plot_id"])
        if trees is None:
            return  # the list has changed since, and follows
        columns = trees["columns"]
        row = [change.get(column) for column in columns]
        tag, stem = columns.index("tag"), columns.index("stem_id")
        rest = [old for old in trees["rows"] if (old[tag], old[stem]) != (row[tag], row[stem])]
        self._put("trees", _key("trees", change), {**trees, "rows": [*rest, row]}, sweep)

    def _put(self, kind: str, key: str, content: Mapping[str, Any], sweep: int) -> None:
        text = json.dumps(content, ensure_ascii=False, sort_keys=True)
        self._store.execute("INSERT OR REPLACE INTO thing VALUES (?, ?, ?, ?)", (kind, key, text, sweep))

    def thing(self, kind: str, *key: Any) -> dict[str, Any] | None:
        row = self._store.execute(
            "SELECT content FROM thing WHERE kind = ? AND key = ?", (kind, json.dumps(key))
        ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every thing of a kind, by its key."""
        rows = self._store.execute("SELECT content FROM thing WHERE kind = ? ORDER BY key", (kind,))
        return [json.loads(row[0]) for row in rows]


def _key(kind: str, change: Mapping[str, Any]) -> str:
    return json.dumps([change[name] for name in KEYS[kind]])
