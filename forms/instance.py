"""A filled-in form as a phone sends it: XML in, who it is and what was answered out.

`read` is the only place where bytes from outside become XML. It refuses what is not an instance, never what
is merely odd: an unknown element, a wrong value or a missing answer is kept and shown to a person later.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from forms.definition import Form
from forms.errors import InstanceUnreadable, Unreadable
from forms.measures import ONCE

MAX_BYTES = 10_000_000
"""An instance larger than this is refused: 10 MB is what ODK Collect allows one request by default, and a
plot of 1,000 trees is 0.2 MB."""
MAX_ELEMENTS = 200_000
"""Elements in one instance. 8 MB of empty tags would cost 240 MB of memory (measured); real plots have less
than 20,000."""
MAX_DEPTH = 256
"""Levels of nesting at which libxml2 itself gives up (huge_tree=False). XLSForms in the wild have fewer than ten."""
MAX_ID_CHARS = 200
"""Characters of an instanceID ("uuid:" and 36 characters in practice), of a form's id and of its version."""


class Meta(NamedTuple):
    """Who an instance says it is. `version` is "" where the form has none."""

    form_id: str
    version: str
    instance_id: str
    deprecated_id: str | None
    instance_name: str | None
    encrypted: bool


@dataclass(slots=True)
class Answers:
    """What was answered, tied to the forest: group of measures -> rows of field -> text as typed.

    `rows["tree"]` has a row for each tree in the order the crew took them; "plot", "visit" and "thinning"
    have at most one. A field that was left empty is absent. `files` are the names in the upload questions.
    """

    rows: dict[str, list[dict[str, str]]]
    files: list[str]

    def one(self, group: str) -> dict[str, str]:
        """The single row of a group that is not repeated; empty where nothing was answered."""
        rows = self.rows.get(group)
        return rows[0] if rows else {}

    @property
    def trees(self) -> list[dict[str, str]]:
        return self.rows.get("tree", [])


class Instance(NamedTuple):
    """A parsed instance; `root` belongs to lxml and is not kept beyond the request."""

    meta: Meta
    root: etree._Element


@dataclass(slots=True)
class _Node:
    """What to do at one element: go on into `inside`, start `starts` rows, or note an answer."""

    inside: dict[str, _Node]
    starts: tuple[str, ...] = ()
    group: str = ""
    field: str = ""
    is_file: bool = False
    is_answer: bool = False


class Reader:
    """Reads the answers of one form version. Made once per version and kept: reading is the hot path."""

    def __init__(self, form: Form) -> None:
        self._root = _Node({})
        for path in form.repeats:
            self._at(path)
        for question in form.questions:
            node = self._at(question.path)
            node.is_file = question.type == "binary"
            node.is_answer = node.is_file or bool(question.measure)
            if question.measure:
                node.group, _, node.field = question.measure.partition(".")
        for path in form.repeats:
            inside = self._at(path)
            groups = _groups(inside, {r for r in form.repeats if r != path}, path) - ONCE
            inside.starts = tuple(sorted(groups))

    def _at(self, path: str) -> _Node:
        node = self._root
        for name in path.strip("/").split("/")[1:]:  # the first is the root element, whatever it is called
            node = node.inside.setdefault(name, _Node({}))
        return node

    def answers(self, root: etree._Element) -> Answers:
        """The answers under `root`. Repeats that were opened and left wholly empty give no row."""
        rows: dict[str, list[dict[str, str]]] = {}
        files: list[str] = []
        _walk(root, self._root, {}, rows, files)
        for group in rows:
            rows[group] = [row for row in rows[group] if not row.keys() <= _NOTED]
        return Answers(rows, files)


def _groups(node: _Node, others: set[str], path: str) -> set[str]:
    """Groups of measures answered inside a repeat and not inside a repeat within it."""
    found = {node.group} if node.group else set()
    for name, child in node.inside.items():
        if f"{path}/{name}" not in others:
            found |= _groups(child, others, f"{path}/{name}")
    return found


def _walk(
    element: etree._Element,
    node: _Node,
    current: dict[str, dict[str, str]],
    rows: dict[str, list[dict[str, str]]],
    files: list[str],
) -> None:
    inside = node.inside
    for child in element:
        below = inside.get(child.tag) or _qualified(inside, child.tag)
        if below is None:  # nothing asked for, or a comment: its tag is a function
            _note_update(child, current)
            continue
        if not below.is_answer:
            _walk(child, below, _opened(below, current, rows), rows, files)
            continue
        text = child.text
        if not text or not (text := text.strip()):
            continue
        if below.is_file:
            files.append(text)
        if below.field:
            row = current.get(below.group)
            if row is None:
                row = current[below.group] = _first_row(below.group, rows)
            if below.is_file and below.field in row:
                text = f"{row[below.field]} {text}"
            row[below.field] = text


_UNKNOWN = "entity.unknown"
_UPDATE = {"id": "entity.id", "baseVersion": "entity.base_version", "trunkVersion": "entity.trunk_version",
           "branchId": "entity.branch_id"}  # fmt: skip
"""Attributes of an entity's update, and the names under which a tree's row has them."""
_NOTED = frozenset({_UNKNOWN, *_UPDATE.values()})


def _note_update(element: etree._Element, current: dict[str, dict[str, str]]) -> None:
    """Which version of a tree its phone had before it, from the `meta` of the repeat it was measured in. An update
    without an id or a version of what it is based on is noted as such: it can only be told by its tag."""
    row = current.get("tree")
    if row is None or not isinstance(element.tag, str) or _local(element.tag) != "meta":
        return
    for entity in element:
        if isinstance(entity.tag, str) and _local(entity.tag) == "entity":
            said = {name: (entity.get(attribute) or "").strip() for attribute, name in _UPDATE.items()}
            row.update({name: text for name, text in said.items() if text})
            if entity.get("update") and not (said["entity.id"] and said["entity.base_version"]):
                row[_UNKNOWN] = "yes"


def _first_row(group: str, rows: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """A row for an answer outside any repeat of its group: the only one, where a group has but one."""
    if group in ONCE and group in rows:
        return rows[group][0]
    row: dict[str, str] = {}
    rows.setdefault(group, []).append(row)
    return row


def _qualified(inside: dict[str, _Node], tag: object) -> _Node | None:
    """The node of an element in a namespace: some clients put the whole instance into one."""
    return inside.get(tag.rpartition("}")[2]) if isinstance(tag, str) and tag[0] == "{" else None


def _opened(
    node: _Node, current: dict[str, dict[str, str]], rows: dict[str, list[dict[str, str]]]
) -> dict[str, dict[str, str]]:
    """The rows that answers inside this element go to: fresh ones for a turn of a repeat."""
    if not node.starts:
        return current
    fresh = dict(current)
    for group in node.starts:
        row = fresh[group] = {}
        rows.setdefault(group, []).append(row)
    return fresh


def read(xml: bytes, max_bytes: int = MAX_BYTES) -> Instance:
    """Parse an instance and find out who it is.

    Raises InstanceUnreadable for bytes that are not an instance: not well formed, not UTF-8, with a doctype
    (entity bombs), absurdly large or deep, without a form id or an instanceID.
    """
    if not xml.strip():
        raise InstanceUnreadable("empty")
    if len(xml) > max_bytes:
        raise InstanceUnreadable("too-large", f"{len(xml)} bytes, at most {max_bytes}")
    if xml.count(b"<") > 2 * MAX_ELEMENTS:
        raise InstanceUnreadable("too-many-elements", f"more than {MAX_ELEMENTS}")
    root = _parse(xml)
    return Instance(_meta(root), root)


_parsers = threading.local()  # an lxml parser is quick to use again, but not for several threads at once


def _parser() -> etree.XMLParser:
    parser: etree.XMLParser | None = getattr(_parsers, "parser", None)
    if parser is None:
        parser = _parsers.parser = etree.XMLParser(
            resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False
        )
    return parser


def _parse(xml: bytes) -> etree._Element:
    if (
        xml[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\x00" in xml[:4]
    ):  # libxml2 would read UTF-16 and call it UTF-8
        raise InstanceUnreadable("wrong-encoding", "UTF-16 or UTF-32, only UTF-8 is read")
    try:
        root = etree.fromstring(xml, _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise InstanceUnreadable(_fault(error), str(error)) from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise InstanceUnreadable("doctype", "a document type is not allowed")
    if (info.encoding or "UTF-8").upper() not in {"UTF-8", "US-ASCII", "ASCII"}:
        raise InstanceUnreadable("wrong-encoding", f"{info.encoding}, only UTF-8 is read")
    return root


def _fault(error: Exception) -> Unreadable:
    text = str(error).lower()
    if "depth" in text:
        return "too-deep"
    return "wrong-encoding" if "utf-8" in text or "encoding" in text else "not-xml"


def _meta(root: etree._Element) -> Meta:
    form_id = root.get("id") or ""
    if not form_id.strip():
        raise InstanceUnreadable("no-form-id", "the root element has no id attribute")
    found = _meta_children(root)
    # an encrypted envelope carries the instanceID as an attribute of its root as well
    instance_id = found.get("instanceID") or (root.get("instanceID") or "").strip()
    if not instance_id:
        raise InstanceUnreadable("no-instance-id", "meta/instanceID is missing or empty")
    version, deprecated_id = (root.get("version") or "").strip(), found.get("deprecatedID")
    if max(len(instance_id), len(deprecated_id or "")) > MAX_ID_CHARS:
        raise InstanceUnreadable("instance-id-too-long", f"more than {MAX_ID_CHARS} characters")
    if max(len(form_id.strip()), len(version)) > MAX_ID_CHARS:
        raise InstanceUnreadable("form-id-too-long", f"id or version of more than {MAX_ID_CHARS} characters")
    return Meta(
        form_id=form_id.strip(),
        version=version,
        instance_id=instance_id,
        deprecated_id=deprecated_id or None,
        instance_name=found.get("instanceName") or None,
        encrypted=root.get("encrypted") == "yes",
    )


def _meta_children(root: etree._Element) -> dict[str, str]:
    """Texts of meta's children by local name; an instanceID directly under the root counts as well."""
    found: dict[str, str] = {}
    for child in root.iterchildren("{*}meta", "{*}instanceID", "{*}deprecatedID"):
        for entry in child if _local(child.tag) == "meta" else (child,):
            if isinstance(entry.tag, str):
                found.setdefault(_local(entry.tag), (entry.text or "").strip())
    return found


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
