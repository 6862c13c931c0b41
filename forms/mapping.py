"""Which question means what in the forest, and what is wrong with how a form says it.

Pure: rows of a survey sheet in, faults or a mapping out. A form that carries `yd:measure` means it, so every
slip is a fault. A form without any is taken by its question names as far as that goes, with warnings, never
refused.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from forms.errors import Fault
from forms.measures import BY_NAME, MEASURES, ONCE, Kind
from forms.sheet import Row

FITTING: dict[Kind, frozenset[str]] = {
    Kind.TEXT: frozenset({"string", "int", "decimal", "select1", "barcode", "date", "calculate"}),
    Kind.CODE: frozenset({"select1", "string", "int", "trigger", "calculate"}),
    Kind.CODES: frozenset({"select", "rank", "calculate"}),
    Kind.INTEGER: frozenset({"int", "range", "calculate"}),
    Kind.DECIMAL: frozenset({"decimal", "int", "range", "calculate"}),
    Kind.DATE: frozenset({"date", "calculate"}),
    Kind.MOMENT: frozenset({"dateTime", "calculate"}),
    Kind.POSITION: frozenset({"geopoint", "calculate"}),
    Kind.FILE: frozenset({"binary"}),
}
"""Types of question whose answers can be read as a kind of measure."""

_ASK_WITH: dict[Kind, str] = {
    Kind.TEXT: "text", Kind.CODE: "select_one", Kind.CODES: "select_multiple", Kind.INTEGER: "integer",
    Kind.DECIMAL: "decimal", Kind.DATE: "date", Kind.MOMENT: "dateTime", Kind.POSITION: "geopoint",
    Kind.FILE: "image",
}  # fmt: skip

_NO_PLOT_ID = (
    "没有名为 plot_id 的问题：记录会保存，但不会生成样地调查"
    " / no question is named plot_id: answers are kept, no visit comes of them"
)


class Named(NamedTuple):
    """What the question names alone give: path -> measure, and what was left out and why."""

    measures: dict[str, str]
    warnings: tuple[str, ...]


def faults(rows: Sequence[Row]) -> list[Fault]:
    """Every fault in the measures of a form, in the order of its rows; empty where it has none."""
    known = [row for row in rows if row.measure in MEASURES]
    found = [
        *(_unknown(row) for row in rows if row.measure and row.measure not in MEASURES),
        *(_misfit(row) for row in known if row.type and row.type not in FITTING[MEASURES[row.measure].kind]),
        *_twice(known),
        *_misplaced(known),
        *_missing(known),
    ]
    return sorted(found, key=lambda fault: fault.row or 1_000_000)  # what concerns the whole sheet comes last


def by_name(rows: Iterable[Row]) -> Named:
    """The mapping of a form without any measure: questions that bear our names and can hold our values.

    Trees need a `tag` beside them and a `plot_id` somewhere; where those are missing nothing is mapped.
    """
    taken: dict[tuple[str, str], Row] = {}
    warnings: list[str] = []
    for row in rows:
        key = BY_NAME.get(row.name)
        if key is None:
            continue
        if why := _unusable(row, key, taken):
            warnings.append(f"{row.name} (row {row.number}) 未采用 / is not used: {why}")
        else:
            taken[row.repeat, key] = row
    tagged = {level for level, key in taken if key == "tree.tag"}
    kept = {
        place: row for place, row in taken.items() if not place[1].startswith("tree.") or place[0] in tagged
    }
    if not any(key == "plot.plot_id" for _, key in kept):
        return Named({}, (*warnings, _NO_PLOT_ID))
    return Named({row.path: key for (_, key), row in kept.items()}, tuple(warnings))


def _unusable(row: Row, key: str, taken: dict[tuple[str, str], Row]) -> str:
    measure = MEASURES[key]
    if row.type not in FITTING[measure.kind]:
        return f"{row.word} 类型存不了 / cannot hold {key} ({measure.kind})"
    if row.repeat and measure.group in ONCE:
        return f"{key} 在重复组里 / inside a repeat"
    if (row.repeat, key) in taken and measure.kind is not Kind.FILE:
        return f"{taken[row.repeat, key].name} 已经是 / is already {key}"
    return ""


def _unknown(row: Row) -> Fault:
    near = difflib.get_close_matches(row.measure.lower(), MEASURES, n=1, cutoff=0.5)
    same_field = [key for key in MEASURES if key.partition(".")[2] == row.measure.rpartition(".")[2].lower()]
    guess = next(iter(same_field or near), "")
    return Fault(
        "survey", row.number, row.column,
        f"{row.measure} is not a measure",
        f"write {guess}" if guess else "see `yangdi form measures` for the list",
        f"没有 {row.measure} 这个指标",
        f"改为 {guess}" if guess else "用 `yangdi form measures` 查看全部指标",
    )  # fmt: skip


def _misfit(row: Row) -> Fault:
    kind = MEASURES[row.measure].kind
    ask = _ASK_WITH[kind]
    return Fault(
        "survey", row.number, "type",
        f"{row.measure} is {kind} and cannot be answered by a question of type {row.word!r}",
        f"make it {ask}, or take {row.measure} off this question",
        f"{row.measure} 的值是 {kind}，{row.word!r} 类型的问题答不了",
        f"类型改为 {ask}，或去掉 {row.measure}",
    )  # fmt: skip


def _twice(rows: Sequence[Row]) -> Iterator[Fault]:
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        other = first.setdefault((row.repeat, row.measure), row)
        if other is row or MEASURES[row.measure].kind is Kind.FILE:  # several photos of one thing are welcome
            continue
        yield Fault(
            "survey", row.number, row.column,
            f"{row.measure} is already the measure of {other.name} in row {other.number}",
            "keep it on one question; where one of two is asked, put it on a calculate that takes either",
            f"第 {other.number} 行的 {other.name} 已经是 {row.measure}",
            "只保留一处；若二者只问其一，用 calculate 汇总后把指标放在它上面",
        )  # fmt: skip


def _misplaced(rows: Sequence[Row]) -> Iterator[Fault]:
    for row in rows:
        measure = MEASURES[row.measure]
        if row.repeat and measure.group in ONCE and measure.kind is not Kind.FILE:
            yield Fault(
                "survey", row.number, row.column,
                f"{row.measure} is in the repeat {_last(row.repeat)}; an instance has one {measure.group}",
                "move the question out of the repeat",
                f"{row.measure} 放在重复组 {_last(row.repeat)} 里，而一份记录只能有一个",
                "把这个问题移到重复组外面",
            )  # fmt: skip
    yield from _torn(rows)


def _torn(rows: Sequence[Row]) -> Iterator[Fault]:
    """Trees whose measures lie on several levels, some of them without the tag that ties them together."""
    levels: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if MEASURES[row.measure].group == "tree":
            levels[row.repeat].append(row)
    tags = {
        level: row for level, level_rows in levels.items() for row in level_rows if row.measure == "tree.tag"
    }
    if not tags:
        return
    tag = next(iter(tags.values()))
    for level, level_rows in levels.items():
        for row in level_rows if level not in tags else ():
            yield Fault(
                "survey", row.number, row.column,
                f"{row.measure} is not in one repeat with tree.tag (row {tag.number}): whose is it?",
                f"move it beside {tag.name}, or add a calculate with tree.tag beside it",
                f"{row.measure} 与 tree.tag（第 {tag.number} 行）不在同一重复组，不知是哪株树的",
                f"移到 {tag.name} 旁边，或在它旁边加一个带 tree.tag 的 calculate",
            )  # fmt: skip


def _missing(rows: Sequence[Row]) -> Iterator[Fault]:
    keys = {row.measure for row in rows}
    groups = {MEASURES[key].group for key in keys}
    if "tree" in groups and "tree.tag" not in keys:
        yield _lacking("tree.tag", "trees", "样木")
    if "plot.plot_id" not in keys and (groups & {"tree", "corner", "plot"} or groups == {"visit"}):
        yield _lacking("plot.plot_id", "a visit", "样地调查")
    if "thinning" in groups and "thinning.parcel_id" not in keys:
        yield _lacking("thinning.parcel_id", "a thinning", "间伐记录")


def _lacking(key: str, en: str, zh: str) -> Fault:
    return Fault(
        "survey", 0, "bind::yd:measure",
        f"the form asks about {en}, but no question carries {key}",
        f"put {key} on the question that asks for it",
        f"调查表涉及{zh}，但没有一个问题标为 {key}",
        f"在对应的问题上写 {key}",
    )  # fmt: skip


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]
