"""Reads the examples of sync/PROTOCOL.md and compares an answer with the one that stands there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

ANYTHING = "…"


class Said(NamedTuple):
    """One block: its first line, headers and body."""

    first: str
    headers: dict[str, str]
    body: str


class Example(NamedTuple):
    """A request and its answer, or (`answer` None) something that happens meanwhile, named in a comment."""

    line: int
    request: Said
    answer: Said | None


def examples(text: str) -> Iterator[Example]:
    """Every example of the page, in its order. Raises ValueError for a request without an answer."""
    pending: tuple[int, Said] | None = None
    for found in re.finditer(
        r"^```http\n(.*?)^```|^<!-- meanwhile: (.*?) -->", text, re.DOTALL | re.MULTILINE
    ):
        line = text.count("\n", 0, found.start()) + 1
        if found[2]:
            yield Example(line, Said(found[2], {}, ""), None)
            continue
        said = _said(found[1])
        if said.first.startswith("HTTP/"):
            if pending is None:
                raise ValueError(f"line {line}: an answer to nothing")
            yield Example(*pending, said)
            pending = None
        elif pending is not None:
            raise ValueError(f"line {pending[0]}: no answer")
        else:
            pending = line, said
    if pending is not None:
        raise ValueError(f"line {pending[0]}: no answer")


def _said(block: str) -> Said:
    head, _, body = block.partition("\n\n")
    first, *lines = head.strip().splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return Said(first, headers, body.removesuffix("\n"))


def filled(text: str, names: dict[str, str]) -> str:
    """A text with its `{{names}}` replaced. Raises KeyError for a name that nobody has given."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: names[found[1]], text)


def document(text: str) -> Any:
    """The JSON of an example, in which `…` may stand for a value, or for more members or items."""
    text = re.sub(r"(?<=[\[{,])(\s*)…(?=\s*[\]}])", r'\1"…"', text)
    text = re.sub(r"(?<=[:\[,])(\s*)…(?=\s*[,\]}])", r'\1"…"', text)
    text = re.sub(r'"…"(?=\s*\})(?<=[{,]\s"…")', '"…": "…"', text)
    return json.loads(text)


def fits(wanted: Any, given: Any, names: dict[str, str]) -> bool:
    """Does an answer say what the example says? `{{names}}` that are new are captured."""
    if isinstance(wanted, dict):
        return isinstance(given, dict) and _members_fit(wanted, given, names)
    if isinstance(wanted, list):
        return isinstance(given, list) and _items_fit(wanted, given, names)
    if isinstance(wanted, str):
        return wanted == ANYTHING or _text_fits(wanted, given, names)
    return bool(wanted == given and type(wanted) is type(given))


def _members_fit(wanted: dict[str, Any], given: dict[str, Any], names: dict[str, str]) -> bool:
    expected = wanted.keys() - {ANYTHING}
    if not (expected <= given.keys() if ANYTHING in wanted else expected == given.keys()):
        return False
    return all(fits(wanted[name], given[name], names) for name in wanted if name != ANYTHING)


def _items_fit(wanted: list[Any], given: list[Any], names: dict[str, str]) -> bool:
    if wanted and wanted[-1] == ANYTHING:
        wanted, given = wanted[:-1], given[: len(wanted) - 1]
    return len(wanted) == len(given) and all(
        fits(one, other, names) for one, other in zip(wanted, given, strict=True)
    )


def _text_fits(wanted: str, given: Any, names: dict[str, str]) -> bool:
    """A captured value is text; where the answer has a number, its digits."""
    if not isinstance(given, str | int):
        return False
    pattern = ""
    for part in re.split(r"(\{\{\w+\}\}|…)", wanted):
        if part == ANYTHING:
            pattern += ".*?"
        elif part.startswith("{{"):
            name = part[2:-2]
            pattern += re.escape(names[name]) if name in names else f"(?P<{name}>.+?)"
        else:
            pattern += re.escape(part)
    found = re.fullmatch(pattern, str(given), re.DOTALL)
    if found is None or (not isinstance(given, str) and wanted == str(given)):
        return False
    names |= found.groupdict()
    return True
