"""XLSForm (.xlsx .csv .md) -> the XForm that phones download, and what it asks. The only importer of pyxform.

A form that cannot be published is refused with every fault that could be found, placed in its sheet. Storing
and publishing is the caller's work; nothing here opens a socket or starts a process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyxform import aliases
from pyxform.errors import PyXFormError
from pyxform.question_type_dictionary import QUESTION_TYPE_DICT
from pyxform.xls2json_backends import DefinitionData, get_xlsform
from pyxform.xls2xform import ConvertResult, convert

from forms import attachments, mapping, sheet
from forms.advice import advice
from forms.definition import Form
from forms.errors import Fault, FormInvalid
from forms.measures import NAMESPACE
from forms.xform import read_form, undeclared_instances

SUFFIXES = (".xlsx", ".csv", ".md")
"""XLSForms are read from these. Not .xls: a binary format that nobody should take from strangers."""

_ROW = re.compile(r"\[?row\s*:\s*(\d+)\]?\s*", re.IGNORECASE)
_SHEET = re.compile(r"[Oo]n the '(\w+)' sheet")
_COLUMN = re.compile(r"the '([^']+)' value")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A form ready for phones: what it asks, and the exact bytes of its XForm.

    `media` are files that the conversion itself made (itemsets.csv of a select_one_external).
    """

    form: Form
    xml: bytes
    media: dict[str, bytes] = field(default_factory=dict)


def compile_form(source: Path, *, media: Mapping[str, bytes] | None = None) -> Compiled:
    """Compile the XLSForm in `source`; `media` are the files to go beside it, by name, as far as at hand.

    A CSV that is at hand must have the columns that the form selects by; one that is not is a warning, since
    it may be made later (a list of entities). A form that names no id is called after its file.
    Raises FormInvalid with every fault, OSError where there is no such file.
    """
    book = _book(source)
    prefixes = _prefixes(book)
    rows = sheet.questions(
        book.survey or (), type_of, [f"bind::{prefix}:measure" for prefix in prefixes], root=_root(book)
    )
    faults = [*_settings_faults(book), *mapping.faults(rows)]
    if any(row.measure for row in rows):
        _declare(book, prefixes[0])
    converted, more = _convert(book)
    faults += more
    if converted is None or faults:
        raise FormInvalid(tuple(faults))
    xml = converted.xform.encode()
    form = _mapped(read_form(xml, tuple(converted.warnings)), rows)
    made = {} if converted.itemsets is None else {"itemsets.csv": converted.itemsets.encode()}
    beside = {**(media or {}), **made}
    if wanting := [*_undeclared(xml, book), *attachments.faults(xml, beside)]:
        raise FormInvalid(tuple(wanting))
    told = form.warnings + attachments.absent(form, beside) + advice(form, xml)
    return Compiled(replace(form, warnings=told), xml, made)


def sheets(source: Path) -> dict[str, list[list[str]]]:
    """The sheets of an XLSForm as rows of text, the headings first. Raises like `compile_form`, judges nothing."""
    book = _book(source)
    found = {}
    for name in ("survey", "choices", "settings", "entities"):
        rows: Sequence[Mapping[str, str]] = getattr(book, name) or ()
        headings = [heading for header in getattr(book, f"{name}_header") or () for heading in header]
        if headings:
            found[name] = [headings, *([row.get(h) or "" for h in headings] for row in rows)]
    return found


def type_of(word: str) -> str:
    """What a question of this XLSForm type answers with.

    An XForm type, or "select1", "select", "rank", "range", "trigger", "note", "calculate"; "" where pyxform
    knows no such type.
    """
    words = word.split()
    for length in range(len(words), 0, -1):
        head = " ".join(words[:length]).lower()
        if chosen := aliases.select.get(head):
            return _SELECTS.get(chosen, "select1")
        name = aliases._type_alias_map.get(head, head)
        known = QUESTION_TYPE_DICT.get(name) or QUESTION_TYPE_DICT.get(_CASED.get(head, ""))
        if known:
            return _bind_type(name, known)
    return ""


_SELECTS = {"select all that apply": "select", "rank": "rank"}
_CASED = {name.lower(): name for name in QUESTION_TYPE_DICT}


def _bind_type(name: str, known: Mapping[str, Any]) -> str:
    if name in {"calculate", "hidden", "note", "range"}:
        return "calculate" if name == "hidden" else name
    if known.get("control", {}).get("tag") == "trigger":
        return "trigger"
    return str(known.get("bind", {}).get("type", ""))


def _book(source: Path) -> DefinitionData:
    """The sheets of a workbook, read once. Row numbers in it are those of the spreadsheet."""
    if source.suffix.lower() not in SUFFIXES:
        raise FormInvalid((_unreadable(f"{source.suffix or source.name} is not an XLSForm"),))
    if not source.exists():
        raise FileNotFoundError(source)
    try:
        return get_xlsform(source)
    except (PyXFormError, UnicodeDecodeError, ValueError, KeyError, IndexError) as error:
        raise FormInvalid((_unreadable(str(error)),)) from error


def _unreadable(why: str) -> Fault:
    return Fault(
        "", 0, "", f"the file cannot be read: {why}", "save it again as .xlsx, .csv (UTF-8) or .md",
        f"文件无法读取：{why}", "请另存为 .xlsx、.csv（UTF-8）或 .md",
    )  # fmt: skip


def _settings(book: DefinitionData) -> dict[str, str]:
    return dict(book.settings[0]) if book.settings else {}


def _root(book: DefinitionData) -> str:
    return sheet.cell(_settings(book), "name") or sheet.ROOT


def _declared(book: DefinitionData) -> dict[str, str]:
    """Prefix -> namespace, as the settings sheet declares them."""
    pairs = (part.partition("=") for part in sheet.cell(_settings(book), "namespaces").split())
    return {prefix: address.strip("\"'") for prefix, _, address in pairs}


def _prefixes(book: DefinitionData) -> list[str]:
    """Prefixes that stand for our namespace: what the author declared, or `yd`."""
    return [prefix for prefix, address in _declared(book).items() if address == NAMESPACE] or ["yd"]


def _declare(book: DefinitionData, prefix: str) -> None:
    """Declare our namespace for an author who used the column and forgot the setting."""
    if prefix in _declared(book):
        return
    settings = _settings(book)
    heading = next((h for h in settings if h.strip().lower() == "namespaces"), "namespaces")
    settings[heading] = f'{settings.get(heading, "")} {prefix}="{NAMESPACE}"'.strip()
    book.settings = [settings, *(book.settings or ())[1:]]
    book.settings_header = [{**(book.settings_header[0] if book.settings_header else {}), heading: None}]


def _settings_faults(book: DefinitionData) -> list[Fault]:
    found = []
    if not sheet.cell(_settings(book), "version"):
        found.append(Fault(
            "settings", 2, "version", "the form has no version", "add a version, for example 2026112201",
            "调查表没有版本号", "加上版本号，例如 2026112201",
        ))  # fmt: skip
    taken = _declared(book).get("yd", NAMESPACE)
    if taken != NAMESPACE:
        found.append(Fault(
            "settings", 2, "namespaces", f"yd stands for {taken}", f'write yd="{NAMESPACE}"',
            f"前缀 yd 被声明为 {taken}", f'改为 yd="{NAMESPACE}"',
        ))  # fmt: skip
    return found


def _convert(book: DefinitionData) -> tuple[ConvertResult | None, list[Fault]]:
    """What pyxform makes of the sheets, or the one fault that it stopped at."""
    sheets = {name: getattr(book, name) for name in DefinitionData.__dataclass_fields__}
    try:
        return convert(sheets), []
    except PyXFormError as error:
        return None, [_fault_of(error)]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        # pyxform trips over some odd cells instead of naming them
        return None, [_fault_in("", 0, "", f"the form cannot be converted: {error}")]


def _fault_of(error: PyXFormError) -> Fault:
    """pyxform's error, placed where its words or its facts say it is."""
    text = str(error)
    row, place, column = _ROW.search(text), _SHEET.search(text), _COLUMN.search(text)
    facts = error.context
    return _fault_in(
        str(facts.get("sheet") or facts.get("sheet_name") or (place[1] if place else "survey")),
        int(row[1]) if row else 0,
        str(facts.get("column") or (column[1] if column and row else "")),
        _ROW.sub("", text).strip(),
    )


def _fault_in(place: str, row: int, column: str, what: str) -> Fault:
    return Fault(
        place, row, column, what, "correct this cell and publish again",
        f"pyxform 报告：{what}", "改正这一处后重新发布",
    )  # fmt: skip


def _undeclared(xml: bytes, book: DefinitionData) -> list[Fault]:
    """A fault for each table that a formula looks into and the form does not bring."""
    return [
        Fault(
            "survey", _first_row_with(book, f"instance('{name}')"), "",
            f"instance('{name}') looks into a table that the form does not declare",
            f"add a row of type csv-external named {name}",
            f"instance('{name}') 引用的数据表没有声明", f"加一行，类型 csv-external，名称 {name}",
        )
        for name in undeclared_instances(xml)
    ]  # fmt: skip


def _first_row_with(book: DefinitionData, text: str) -> int:
    for number, row in enumerate(book.survey or (), start=2):
        if any(text in str(entry) for entry in row.values()):
            return number
    return 0


def _mapped(form: Form, rows: list[sheet.Row]) -> Form:
    """The form with measures by its tags, or by its names where it carries no tag at all."""
    if form.mapping == "tags":
        return form
    named = mapping.by_name(rows)
    questions = tuple(replace(q, measure=named.measures.get(q.path)) for q in form.questions)
    found = "names" if any(q.measure for q in questions) else "none"
    return replace(form, questions=questions, mapping=found, warnings=form.warnings + named.warnings)
