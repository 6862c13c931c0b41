"""An XForm document -> what it asks: questions, labels, choices, repeats and the files it expects.

Reads what pyxform wrote (or any XForm of the same shape); it converts nothing and judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from forms.definition import Choice, Form, Question
from forms.measures import NAMESPACE

XFORMS = "http://www.w3.org/2002/xforms"
XHTML = "http://www.w3.org/1999/xhtml"
JAVAROSA = "http://openrosa.org/javarosa"

_X = f"{{{XFORMS}}}"
_CONTROLS = {f"{_X}{tag}": kind for tag, kind in {
    "input": "", "range": "", "upload": "binary", "select1": "select1", "select": "select",
    "trigger": "trigger",
}.items()} | {"{http://www.opendatakit.org/xforms}rank": "rank"}  # fmt: skip
_ITEXT = re.compile(r"^jr:itext\('([^']+)'\)$")
_ITEMSET = re.compile(r"\binstance\(\s*['\"]([^'\"]+)['\"]\s*\)")
_SEARCH = re.compile(r"search\(\s*'([^']+)'")
_LANGUAGE = re.compile(r"\(([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*\)\s*$")
_LANGUAGE_NAMES = {
    "default": "",
    "chinese": "zh",
    "中文": "zh",
    "简体中文": "zh",
    "english": "en",
    "英文": "en",
}

Labels = dict[str, str]


class FileSelect(NamedTuple):
    """A select whose choices come from a file: its name and the columns (value, label) that it reads."""

    file: str
    columns: tuple[str, ...]


def read_form(xml: bytes, warnings: tuple[str, ...] = ()) -> Form:
    """The Form that an XForm document describes, with the measures that its binds carry.

    `mapping` is "tags" where there are any, else "none". Raises lxml.etree.XMLSyntaxError for what is
    no XML, ValueError for what has no primary instance.
    """
    document = Document.of(xml)
    questions = tuple(document.questions())
    return Form(
        form_id=document.primary.get("id") or "",
        version=document.primary.get("version") or "",
        title=document.title(),
        questions=questions,
        repeats=document.repeats(),
        languages=tuple(document.itext),
        mapping="tags" if any(question.measure for question in questions) else "none",
        media=tuple(sorted(document.media())),
        warnings=warnings,
    )


def file_selects(xml: bytes) -> list[FileSelect]:
    """Every select of an XForm that takes its choices from a file beside the form."""
    document = Document.of(xml)
    return [select for control in document.controls.values() for select in document.file_select(control)]


def undeclared_instances(xml: bytes) -> list[str]:
    """Names in `instance('...')` that no secondary instance bears: a phone stops at such a form with an error."""
    document = Document.of(xml)
    formulas = [
        str(text) for node in document.root.iter() for text in node.attrib.values() if "instance(" in text
    ]
    named = dict.fromkeys(name for formula in formulas for name in _ITEMSET.findall(formula))
    return [name for name in named if name not in document.secondary]


def language_code(heading: str) -> str:
    """ "zh" of "中文 (zh)", "en" of "English (en)", "" of "default"; what has no code keeps its name."""
    match = _LANGUAGE.search(heading)
    return match[1].lower() if match else _LANGUAGE_NAMES.get(heading.strip().lower(), heading.strip())


class Document:
    """An XForm with its look-ups made: texts by id and language, controls by path, instances by name."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        model = next(root.iter(f"{_X}model"), None)
        instances = [] if model is None else model.findall(f"{_X}instance")
        if model is None or not instances or not len(instances[0]):
            raise ValueError("an XForm has a model with a primary instance")
        self.model = model
        self.primary = next(child for child in instances[0] if isinstance(child.tag, str))
        self.secondary = {instance.get("id") or "": instance for instance in instances[1:]}
        self.itext = _itext(model)
        self.controls = {c.get("ref") or "": c for c in root.iter(*_CONTROLS)}

    @classmethod
    def of(cls, xml: bytes) -> Document:
        """The document in these bytes. Raises as `read_form` does."""
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
        )
        return cls(etree.fromstring(xml, parser))

    def repeats(self) -> tuple[str, ...]:
        """Paths of the repeats, outer ones before inner ones."""
        return tuple(repeat.get("nodeset") or "" for repeat in self.root.iter(f"{_X}repeat"))

    def formulas(self) -> Iterator[tuple[str, str]]:
        """Path and text of every formula on a bind."""
        for bind in self.model.findall(f"{_X}bind"):
            for name in ("calculate", "relevant", "constraint", "required", "readonly"):
                if formula := bind.get(name):
                    yield bind.get("nodeset") or "", formula

    def title(self) -> str:
        return (self.root.findtext(f"{{{XHTML}}}head/{{{XHTML}}}title") or "").strip()

    def questions(self) -> Iterator[Question]:
        """Every node that takes an answer, in the order of the binds; of meta only the audit log, a file."""
        for bind in self.model.findall(f"{_X}bind"):
            path = bind.get("nodeset") or ""
            kind = bind.get("type")
            if not kind or "/@" in path or ("/meta/" in path and kind != "binary"):
                continue
            yield self._question(bind, path, kind)

    def _question(self, bind: etree._Element, path: str, kind: str) -> Question:
        control = self.controls.get(path)
        return Question(
            path=path,
            type=kind if control is None else _CONTROLS[control.tag] or kind,
            measure=bind.get(f"{{{NAMESPACE}}}measure") or None,
            labels={} if control is None else self._labels(control.find(f"{_X}label")),
            choices=() if control is None else tuple(self._choices(control)),
            required=(bind.get("required") or "").strip() == "true()",
        )

    def _labels(self, label: etree._Element | None) -> Labels:
        if label is None:
            return {}
        if match := _ITEXT.match(label.get("ref") or ""):
            return self._texts(match[1])
        return {"": text} if (text := _plain(label)) else {}

    def _texts(self, text_id: str) -> Labels:
        return {code: texts[text_id] for code, texts in self.itext.items() if texts.get(text_id)}

    def _choices(self, control: etree._Element) -> Iterator[Choice]:
        for item in control.findall(f"{_X}item"):
            yield Choice((item.findtext(f"{_X}value") or "").strip(), self._labels(item.find(f"{_X}label")))
        itemset = control.find(f"{_X}itemset")
        match = None if itemset is None else _ITEMSET.search(itemset.get("nodeset") or "")
        source = None if match is None else self.secondary.get(match[1])
        if source is None or source.get("src"):  # choices from a file come with the file
            return
        for item in source.iter(f"{_X}item"):
            text_id = item.findtext(f"{_X}itextId")
            label = (item.findtext(f"{_X}label") or "").strip()
            labels = self._texts(text_id) if text_id else ({"": label} if label else {})
            yield Choice((item.findtext(f"{_X}name") or "").strip(), labels)

    def file_select(self, control: etree._Element) -> Iterator[FileSelect]:
        """The file behind a select's choices, if it is one; nothing where they are in the form itself."""
        itemset = control.find(f"{_X}itemset")
        match = None if itemset is None else _ITEMSET.search(itemset.get("nodeset") or "")
        source = None if match is None else self.secondary.get(match[1])
        if itemset is None or source is None or "/file" not in (source.get("src") or ""):
            return
        refs = [part.get("ref") or "" for part in itemset if part.tag in {f"{_X}value", f"{_X}label"}]
        yield FileSelect(
            (source.get("src") or "").rsplit("/", 1)[-1], tuple(ref for ref in refs if ref.isidentifier())
        )

    def media(self) -> set[str]:
        """Names of the files that must travel beside the form."""
        sources = [instance.get("src") or "" for instance in self.secondary.values()]
        texts = [(value.text or "").strip() for value in self.model.iter(f"{_X}value") if value.get("form")]
        searched = {
            f"{name}.csv"
            for c in self.controls.values()
            for name in _SEARCH.findall(c.get("appearance") or "")
        }
        linked = (
            address
            for address in sources + texts
            if address.startswith("jr://") and "instance" not in address
        )
        return {address.rsplit("/", 1)[-1] for address in linked} | searched


def _itext(model: etree._Element) -> dict[str, dict[str, str]]:
    """Language code -> text id -> text. The default language comes first, as a phone shows it."""
    translations = list(model.iterfind(f"{_X}itext/{_X}translation"))
    translations.sort(key=lambda translation: translation.get("default") is None)
    return {language_code(t.get("lang") or ""): dict(_long_texts(t)) for t in translations}


def _long_texts(translation: etree._Element) -> Iterator[tuple[str, str]]:
    for text in translation.findall(f"{_X}text"):
        long = next((value for value in text.findall(f"{_X}value") if not value.get("form")), None)
        if long is not None and (words := _plain(long)) and words != "-":  # "-": pyxform's mark for no label
            yield text.get("id") or "", words


def _plain(element: etree._Element) -> str:
    """The words of a label; a value woven in by <output> shows as the name of its question in braces."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == f"{_X}output":
            parts.append("{" + (child.get("value") or "").strip().rsplit("/", 1)[-1] + "}")
        parts.append(child.tail or "")
    return "".join(parts).strip()
