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
    """T10: no tag; a tag that is no number where the others are; a jump where tags count within the plot."""
    odd = []
    numbers: list[tuple[int, Measurement]] = []
    for tree in scene.now.trees:
        if tree.tag.isdecimal():
            numbers.append((int(tree.tag), tree))
        elif not tree.tag:
            yield raised("T10", tree.ordinal, "", tree.stem_id, "tag", "", severity=Severity.WARN, score=4.0,
                         case="blank", plot_row=tree.ordinal + 1)  # fmt: skip
        else:
            odd.append(tree)
    if odd and len(numbers) > 2 * len(odd):
        for tree in odd:
            yield raised("T10", tree.ordinal, tree.tag, tree.stem_id, "tag", tree.tag, case="format")
    yield from _jumps(scene, numbers)


def _jumps(scene: Scene, numbers: list[tuple[int, Measurement]]) -> Iterator[Flag]:
    gap = scene.limits.t10_gap
    if not numbers:
        return
    known = [int(key[0]) for key in scene.known if key[0].isdecimal()]
    values = sorted({number for number, _ in numbers}.union(known))
    middle = values[len(values) // 2]
    # tags that count through the whole project, or carry the plot's number, have gaps by nature
    if values[-1] - values[0] <= gap or middle > scene.limits.t10_per_plot_factor * len(values) + gap:
        return
    largest = _last_before_gap(values, gap)
    for number, tree in numbers:
        if number > largest + gap and (tree.tag, tree.stem_id) not in scene.known:
            yield raised("T10", tree.ordinal, tree.tag, tree.stem_id, "tag", tree.tag, None, largest + gap,
                         case="gap", plot_largest=largest, gap=gap)  # fmt: skip


def _last_before_gap(values: list[int], gap: float) -> int:
    for smaller, larger in zip(values[len(values) // 2 :], values[len(values) // 2 + 1 :], strict=False):
        if larger - smaller > gap:
            return smaller
    return values[-1]
