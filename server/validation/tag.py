"""The tags of a visit: each once for each stem (T09), and numbered as the others of the plot are (T10)."""

from __future__ import annotations

from collections.abc import Iterator

from server.forest.tree import Measurement
from server.validation.flag import Flag, Severity
from server.validation.rule import raised
from server.validation.scene import ALIVE, Scene


def tag_flags(scene: Scene) -> Iterator[Flag]:
    """T09: two rows with one tag and stem; the row that fits last time better keeps it."""
    for row, kept in scene.doubles:
        yield raised(
            "T09", row.ordinal, row.tag, row.stem_id, "tag", row.tag,
            suggestion=_absent_tag(scene, row), plot_first=kept.ordinal + 1, plot_row=row.ordinal + 1,
        )  # fmt: skip


def _absent_tag(scene: Scene, row: Measurement) -> str:
    """The tag of last time that nobody has now and whose tree this row resembles most."""
    if row.dbh_cm is None:
        return ""
    absent = [
        (abs(row.dbh_cm - tree.dbh_cm), key[0])
        for key, tree in scene.known.items()
        if key not in scene.mine
        and tree.dbh_cm
        and tree.tally_code in ALIVE
        and tree.species == row.species
        and abs(row.dbh_cm - tree.dbh_cm) <= scene.limits.x04_warn_cm_yr * scene.years
    ]
    return min(absent)[1] if absent else ""


def numbering_flags(scene: Scene) -> Iterator[Flag]:
    """T10: no tag; a new tag that is no number where the others are; a new tag far above those of the plot."""
    for tree in scene.now.trees:
        if not tree.tag:
            yield raised("T10", tree.ordinal, "", tree.stem_id, "tag", "", severity=Severity.WARN, score=0.4,
                         case="blank", plot_row=tree.ordinal + 1)  # fmt: skip
    new = [tree for key, tree in scene.mine.items() if key not in scene.known and key[0]]
    if new:
        yield from _odd_form(scene, [tree for tree in new if not tree.tag.isdecimal()])
        yield from _jumps(scene, [tree for tree in new if tree.tag.isdecimal()])


def _odd_form(scene: Scene, odd: list[Measurement]) -> Iterator[Flag]:
    if odd and sum(tree.tag.isdecimal() for tree in scene.now.trees) > 2 * len(odd):
        for tree in odd:
            yield raised("T10", tree.ordinal, tree.tag, tree.stem_id, "tag", tree.tag, case="format")


def _jumps(scene: Scene, new: list[Measurement]) -> Iterator[Flag]:
    gap = scene.limits.t10_gap
    if not new:
        return
    values = sorted({int(key[0]) for key in scene.mine.keys() | scene.known.keys() if key[0].isdecimal()})
    middle = values[len(values) // 2]
    # tags that count through the whole project, or carry the plot's number, have gaps by nature
    if values[-1] - values[0] <= gap or middle > scene.limits.t10_per_plot_factor * len(values) + gap:
        return
    largest = _last_before_gap(values, gap)
    for tree in new:
        if int(tree.tag) > largest + gap:
            yield raised("T10", tree.ordinal, tree.tag, tree.stem_id, "tag", tree.tag, None, largest + gap,
                         case="gap", plot_largest=largest, gap=gap)  # fmt: skip


def _last_before_gap(values: list[int], gap: float) -> int:
    for smaller, larger in zip(values[len(values) // 2 :], values[len(values) // 2 + 1 :], strict=False):
        if larger - smaller > gap:
            return smaller
    return values[-1]
