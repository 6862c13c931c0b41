"""Fills in a form as a phone would: values by measure in, the XML of an instance out.

It follows the form's own shape, so it fills any form whose questions carry measures. It evaluates nothing:
relevance, constraints and calculations are the business of whoever made the values. `forms.instance.Reader`
is its inverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from forms.definition import Form

Row = Mapping[str, str | Sequence[str]]
"""Field -> text as typed. A list serves a measure that several questions share (three photos of one plot),
in the order of the questions."""
Rows = Mapping[str, Sequence[Row]]
"""Group of measures -> rows. A group that is not repeated in the form has one row."""


@dataclass(slots=True)
class _Node:
    """An element: either a question with a measure or a name, or a group of elements, repeated or not."""

    name: str
    inside: dict[str, _Node] = field(default_factory=dict)
    is_repeat: bool = False
    group: str = ""
    field: str = ""
    is_question: bool = False
    answered: tuple[str, ...] = ()  # groups of measures that a repeat has rows for


class Renderer:
    """Fills in one form version; made once and used for many instances."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._repeats = frozenset(form.repeats)
        self._root = _Node("data")
        for question in form.questions:
            node = self._at(question.path)
            node.is_question = True
            if question.measure:
                node.group, _, node.field = question.measure.partition(".")
        for path in form.repeats:
            node = self._at(path)
            node.answered = tuple(dict.fromkeys(_groups(node)))

    def _at(self, path: str) -> _Node:
        first, *names = path.strip("/").split("/")
        node, so_far = self._root, f"/{first}"
        node.name = first
        for name in names:
            so_far += f"/{name}"
            node = node.inside.setdefault(name, _Node(name, is_repeat=so_far in self._repeats))
        return node

    def render(
        self,
        rows: Rows,
        instance_id: str,
        *,
        named: Mapping[str, str] | None = None,
        deprecated_id: str | None = None,
        instance_name: str | None = None,
    ) -> bytes:
        """The XML of an instance that answers `rows`.

        `named` are answers of questions without a measure, by the question's name (`deviceid`). What is not
        answered stands empty, as Collect leaves it. Raises ValueError for a group or a field that the form
        does not ask for, and for more rows than it has room for: nothing is dropped in silence.
        """
        filling = _Filling(rows, named or {})
        inner = "".join(
            filling.element(child) for child in self._root.inside.values() if child.name != "meta"
        )
        filling.check_all_placed()
        attributes = f" id={quoteattr(self._form.form_id)} version={quoteattr(self._form.version)}"
        meta = _meta(instance_id, deprecated_id, instance_name)
        name = self._root.name
        return f"<?xml version='1.0' encoding='UTF-8' ?><{name}{attributes}>{inner}{meta}</{name}>".encode()


def render_instance(
    form: Form, rows: Rows, instance_id: str, named: Mapping[str, str] | None = None
) -> bytes:
    """One instance of a form; see `Renderer.render`, which is quicker for many."""
    return Renderer(form).render(rows, instance_id, named=named)


class _Filling:
    """The values of one instance on their way into its elements."""

    def __init__(self, rows: Rows, named: Mapping[str, str]) -> None:
        self._rows = rows
        self._named = named
        self._current: dict[str, Row] = {group: found[0] for group, found in rows.items() if found}
        self._in_repeat: set[str] = set()
        self._asked: dict[tuple[str, str], int] = {}  # how many questions have asked for a field of this row

    def element(self, node: _Node) -> str:
        """The XML of an element and all that is inside it."""
        if node.is_question:
            return _element(node.name, escape(self._answer(node)))
        if node.is_repeat:
            return "".join(self._repeated(node))
        return f"<{node.name}>{self._children(node)}</{node.name}>"

    def check_all_placed(self) -> None:
        """Raise ValueError where something of the rows has found no question."""
        for group, rows in self._rows.items():
            if group in self._in_repeat:
                continue
            if len(rows) > 1:
                raise ValueError(f"{len(rows)} rows of {group}, but the form does not repeat it")
            self._check_placed(group)

    def _children(self, node: _Node) -> str:
        return "".join([self.element(child) for child in node.inside.values()])

    def _repeated(self, node: _Node) -> Iterator[str]:
        # where two repeats ask for the same group (trees known and trees new), the first takes the rows
        groups = [group for group in node.answered if group not in self._in_repeat]
        self._in_repeat.update(groups)
        outside = self._current
        for number in range(max((len(self._rows.get(group, ())) for group in groups), default=0)):
            self._current = {**outside, **{group: self._row(group, number) for group in groups}}
            self._asked = {key: count for key, count in self._asked.items() if key[0] not in groups}
            yield f"<{node.name}>{self._children(node)}</{node.name}>"
            for group in groups:
                self._check_placed(group)
        self._current = {group: row for group, row in outside.items() if group not in groups}

    def _row(self, group: str, number: int) -> Row:
        rows = self._rows.get(group, ())
        return rows[number] if number < len(rows) else {}

    def _answer(self, node: _Node) -> str:
        if not node.field:
            return self._named.get(node.name, "")
        value = self._current.get(node.group, {}).get(node.field, "")
        key = (node.group, node.field)
        place = self._asked.get(key, 0)
        self._asked[key] = place + 1
        if isinstance(value, str):
            return value if place == 0 else ""
        return value[place] if place < len(value) else ""

    def _check_placed(self, group: str) -> None:
        for name, value in self._current.get(group, {}).items():
            count = 1 if isinstance(value, str) else len(value)
            if self._asked.get((group, name), 0) < count:
                raise ValueError(f"the form does not ask for {group}.{name}, or not {count} times")


def _groups(node: _Node) -> Iterator[str]:
    """Groups answered inside a repeat, those of repeats within it left out."""
    for child in node.inside.values():
        if child.group:
            yield child.group
        if not child.is_repeat:
            yield from _groups(child)


def _element(name: str, text: str) -> str:
    return f"<{name}>{text}</{name}>" if text else f"<{name}/>"


def _meta(instance_id: str, deprecated_id: str | None, instance_name: str | None) -> str:
    inner = _element("instanceID", escape(instance_id))
    if deprecated_id:
        inner += _element("deprecatedID", escape(deprecated_id))
    if instance_name:
        inner += _element("instanceName", escape(instance_name))
    return f"<meta>{inner}</meta>"
