"""A phone that pulls, as a test uses it: what it knows is what the pages said, taken in as sync/PROTOCOL.md tells."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

KEYS = {"form": ("form_id",), "rules": (), "plot": ("plot_id",), "trees": ("plot_id",), "rework": ("rework_id",),
        "review": ("plot_id", "census")}  # fmt: skip
Key = tuple[Any, ...]


class Knower:
    """What one phone knows. `told` are the changes of its last pull, as they came."""

    def __init__(self, client: FlaskClient, project: int, token: str) -> None:
        self._client = client
        self._address = f"/v1/projects/{project}/sync/pull"
        self._token = token
        self.cursor = ""
        self.knows: dict[Key, dict[str, Any]] = {}
        self.told: list[dict[str, Any]] = []
        self.was_reset = False
        self._anew: dict[Key, dict[str, Any]] | None = None

    def ask(self, cursor: str) -> Any:
        """The answer to this cursor, as it comes."""
        return self._client.get(
            self._address, query_string={"since": cursor}, headers={"Authorization": f"Bearer {self._token}"}
        )

    def page(self) -> bool:
        """Take in one page; are there more?"""
        answer = self.ask(self.cursor)
        assert answer.status_code == 200, answer.data
        page = answer.get_json()
        if page["reset"]:
            self.was_reset = True
            self._anew = {}
        for change in page["changes"]:
            self.told.append(change)
            self._take(self.knows if self._anew is None else self._anew, change)
        if not page["more"] and self._anew is not None:
            self.knows, self._anew = self._anew, None
        self.cursor = page["cursor"]
        return bool(page["more"])

    def pull(self) -> list[tuple[Any, ...]]:
        """Pull until there is no more; the keys of what was told, in order."""
        self.told, self.was_reset = [], False
        while self.page():
            pass
        return [self._key(change) for change in self.told]

    def _take(self, known: dict[Key, dict[str, Any]], change: dict[str, Any]) -> None:
        if change.get("gone"):
            known.pop(self._key(change), None)
            if change["kind"] == "plot":
                for key in [
                    key for key in known if key[0] in {"trees", "review"} and key[1] == change["plot_id"]
                ]:
                    del known[key]
        elif change["kind"] == "tree":
            self._take_tree(known, change)
        else:
            known[self._key(change)] = change

    def _take_tree(self, known: dict[Key, dict[str, Any]], change: dict[str, Any]) -> None:
        trees = known.get(("trees", change["plot_id"]))
        if trees is None:  # told before its list, which brings it along
            return
        row = [change[column] for column in trees["columns"]]
        trees["rows"] = [row if old[:2] == row[:2] else old for old in trees["rows"]]
        assert row in trees["rows"]

    @staticmethod
    def _key(change: dict[str, Any]) -> Key:
        if change["kind"] == "tree":
            return ("tree", change["plot_id"], change["tag"], change["stem_id"])
        return (change["kind"], *(change[name] for name in KEYS[change["kind"]]))

    def plots(self) -> set[str]:
        """Plots that it knows, by name."""
        return {key[1] for key in self.knows if key[0] == "plot"}

    def trees(self, plot_id: str) -> dict[str, dict[str, Any]]:
        """The trees of a plot by tag."""
        said = self.knows["trees", plot_id]
        rows = [dict(zip(said["columns"], row, strict=True)) for row in said["rows"]]
        return {row["tag"]: row for row in rows}
