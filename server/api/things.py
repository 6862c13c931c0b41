"""What a phone is told of each thing, as it is now: the same where it pulls and in the lists that forms take along.

Reads in the view of the store that it is given; which things may be told is decided before (`store.told`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from server.store import forms, last_trees, plots, projects, reviews, rework, species, told
from server.store import trees as trees_store
from server.store.feed import FORM, GONE, PLOT, REVIEW, REWORK, RULES, TREE, TREES
from server.store.last_trees import LastTree
from server.validation.next_dbh import next_dbh, years_until_next
from server.validation.project import parameters_of
from sync.feed import TREE_COLUMNS

Thing = dict[str, Any]
ORDER = (GONE, FORM, RULES, PLOT, TREES, TREE, REWORK, REVIEW)
"""What is told first: a plot before its trees, those before an order to measure some of them again."""
_PHONE_LIMITS = (
    "t02_min_cm", "t02_slack_cm", "t03_max_cm", "h01_min_m", "h01_max_m", "x02_tolerance_cm", "x02_tolerance_share",
    "x02_large_cm", "x04_cap_cm_yr", "x04_cap_by_group",
)  # fmt: skip
"""Parameters that a phone can use while a crew types: bounds of a diameter and a height, and how a tree may grow."""


class Ground:
    """What is the same for all trees of a project on one day."""

    def __init__(self, connection: Connection, project_id: int, at: int) -> None:
        """`at`: this moment, ms since 1970 UTC."""
        ways = projects.ways(connection, project_id)
        assert ways is not None  # whoever asks belongs to it
        self.limits = parameters_of(ways.tally_limit_cm, ways.rule_settings).limits
        self._groups = {code: info.group for code, info in species.infos(connection, project_id).items()}
        self._years: dict[str | None, int | None] = {}
        self._bounds: dict[tuple[float | None, str, int | None], tuple[float | None, float | None]] = {}
        self._campaigns = [date.fromisoformat(day) for day in plots.campaign_days(connection, project_id)]
        self._today = datetime.fromtimestamp(at / 1000, UTC).date()

    def years(self, measured_on: str | None) -> int | None:
        """Whole years until a plot that was measured on that day is measured again."""
        if measured_on not in self._years:
            day = date.fromisoformat(measured_on) if measured_on else None
            self._years[measured_on] = years_until_next(day, self._today, self._campaigns)
        return self._years[measured_on]

    def row(self, one: LastTree, years: int | None) -> tuple[Any, ...]:
        """A tree in the order of TREE_COLUMNS, with the bounds of its next diameter, cm."""
        key = (one.dbh_cm, self._groups.get(one.species, ""), years)
        bounds = self._bounds.get(key)
        if bounds is None:  # a tape reads whole millimetres, so that many trees share theirs
            bounds = self._bounds[key] = next_dbh(*key, self.limits) or (None, None)
        return (
            one.tag, one.stem_id, one.species, one.tally_code, one.dbh_cm, one.height_m, one.pom_m,
            one.azimuth_deg, one.distance_m, *bounds,
        )  # fmt: skip

    def tree(self, one: LastTree, years: int | None) -> Thing:
        """The same by name."""
        return dict(zip(TREE_COLUMNS, self.row(one, years), strict=True))


class Teller:
    """Tells one phone of things. `base`: address under which forms are fetched, as the phone reaches it."""

    def __init__(self, connection: Connection, project_id: int, base: str, at: int) -> None:
        self._connection = connection
        self._project_id = project_id
        self._base = base
        self._at = at
        self._known_ground: Ground | None = None

    @property
    def _ground(self) -> Ground:
        if self._known_ground is None:
            self._known_ground = Ground(self._connection, self._project_id, self._at)
        return self._known_ground

    def tell(self, things: Mapping[str, Collection[int]]) -> list[Thing]:
        """Things by kind and number, in an order that a phone can take them in."""
        how = {
            GONE: self._gone, FORM: self._forms, RULES: self._rules, PLOT: self._plots, TREES: self._lists,
            TREE: self._trees, REWORK: self._orders, REVIEW: self._reviews,
        }  # fmt: skip
        return [one for kind in ORDER if things.get(kind) for one in how[kind](things[kind])]

    def _gone(self, ids: Collection[int]) -> Iterable[Thing]:
        rows = plots.listed(self._connection, ids)
        return [{"kind": PLOT, "plot_id": row.plot_id, "gone": True} for row in rows]

    def _forms(self, ids: Collection[int]) -> Iterable[Thing]:
        found = forms.by_key(self._connection, self._project_id, ids)
        media = forms.media_of(self._connection, [row.version_id for row in found if row.version_id])
        for row in found:
            if row.version_id is None:
                yield {"kind": FORM, "form_id": row.form_id, "gone": True}
                continue
            place = f"{self._base}/versions/{row.version_id}"
            yield {
                "kind": FORM, "form_id": row.form_id, "version": row.version, "title": row.title, "hash": row.xml_md5,
                "url": f"{place}/form.xml",
                "media": [
                    {"name": name, "hash": md5, "url": f"{place}/media/{quote(name, safe='')}"}
                    for name, md5 in media.get(row.version_id, [])
                ],
            }  # fmt: skip

    def _rules(self, _ids: Collection[int]) -> Iterable[Thing]:
        limits = self._ground.limits
        said = {name: getattr(limits, name) for name in _PHONE_LIMITS}
        return [{"kind": RULES, "limits": {**said, "x04_cap_by_group": dict(limits.x04_cap_by_group)}}]

    def _plots(self, ids: Collection[int]) -> Iterable[Thing]:
        last = last_trees.last_visits(self._connection, ids)
        return [
            {
                "kind": PLOT, "plot_id": row.plot_id, "lat": row.lat, "lon": row.lon, "area_ha": row.area_ha,
                "shape": row.shape, "township": row.township, "crew": row.crew,
                "review_state": last[row.id].review_state if row.id in last else None,
            }
            for row in plots.listed(self._connection, ids)
        ]  # fmt: skip

    def _lists(self, ids: Collection[int]) -> Iterable[Thing]:
        """Each plot's trees as one table; gone where no visit stands."""
        last = last_trees.last_visits(self._connection, ids)
        trees = last_trees.by_plot(last_trees.last_trees(self._connection, last.values()))
        highest = trees_store.highest_tags(self._connection, list(last))
        for row in plots.listed(self._connection, ids):
            if row.id not in last:
                yield {"kind": TREES, "plot_id": row.plot_id, "gone": True}
                continue
            visit = last[row.id]
            years = self._ground.years(visit.measured_on)
            yield {
                "kind": TREES, "plot_id": row.plot_id, "measured_on": visit.measured_on, "census": visit.census,
                "highest_tag": highest.get(row.id, 0), "columns": TREE_COLUMNS,
                "rows": [self._ground.row(one, years) for one in trees.get(row.id, [])],
            }  # fmt: skip

    def _trees(self, ids: Collection[int]) -> Iterable[Thing]:
        """Trees by themselves; their whole list where one has left it or goes by another tag."""
        at = last_trees.plots_of_trees(self._connection, ids)
        last = last_trees.last_visits(self._connection, at.values())
        standing = {one.id: one for one in last_trees.last_trees(self._connection, last.values())}
        lists = last_trees.renamed(self._connection, last.values()) | {
            at[i] for i in ids if i not in standing
        }
        yield from self._lists(lists)
        names = {row.id: row.plot_id for row in plots.listed(self._connection, at.values())}
        for one in (standing[tree_id] for tree_id in ids if at[tree_id] not in lists):
            said = self._ground.tree(one, self._ground.years(one.measured_on))
            yield {"kind": TREE, "plot_id": names[one.plot_id], **said}

    def _orders(self, ids: Collection[int]) -> Iterable[Thing]:
        for said in rework.as_wire(self._connection, ids):
            is_open = said["state"] == rework.OPEN
            yield said if is_open else {"kind": REWORK, "rework_id": said["rework_id"], "gone": True}

    def _reviews(self, ids: Collection[int]) -> Iterable[Thing]:
        """One for each plot and census: that of the first visit which stands; gone where none does."""
        standing = told.reviewed(self._connection, ids)
        yield from reviews.as_wire(self._connection, {one.visit_id for one in standing if one.visit_id})
        for one in standing:
            if one.visit_id is None:
                yield {"kind": REVIEW, "plot_id": one.plot_id, "census": one.census, "gone": True}
