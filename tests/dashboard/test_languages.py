"""Both languages are whole: no sentence without its English, no page with words of the other language."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from lxml import html

from server import dashboard
from tests.dashboard.conftest import Scene, SignIn, addresses

FOLDER = Path(dashboard.__file__).parent
HAN = re.compile(r"[\u4e00-\u9fff]")
WORD = re.compile(r"[A-Za-z_]{2,}")
SAME_IN_BOTH = {"XML", "EN", "ODK", "Collect", "cm", "ha", "yangdi", "form", "publish", "English", "uuid", "plot_visit",
                "Enter", "svg", "MB", "zip", "json", "outbox", "CO"}  # fmt: skip
NAMES_IN_DATA = re.compile(r"\b[A-Z][A-Za-z]{0,2}-\w+|org\.odk\S+|\S+\.jpg|https?://\S+|uuid:\S+")


@cache
def _sentences() -> set[str]:
    found = extract_from_dir(
        FOLDER, [("**.py", "python"), ("templates/**.html", "jinja2")], keywords={"_": None, "gettext": None,
        "ngettext": (1, 2), "pgettext": ((1, "c"), 2)},
    )  # fmt: skip
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


@cache
def _in_english() -> dict[str, str]:
    with (FOLDER / "translations/en/LC_MESSAGES/messages.po").open("rb") as lines:
        catalog = read_po(lines, "en")
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        if isinstance(message.string, str)
        else min(message.string)
        for message in catalog
        if message.id
    }


def test_every_sentence_of_the_pages_has_its_english() -> None:
    sentences = _sentences()
    assert len(sentences) > 150
    assert {s for s in sentences if not _in_english().get(s)} == set()


def test_the_catalogue_has_no_sentence_that_nobody_says() -> None:
    assert set(_in_english()) - _sentences() == set()


def test_sources_are_chinese_and_translations_are_not() -> None:
    assert {s for s in _sentences() if not HAN.search(s)} == set()
    assert {english for english in _in_english().values() if HAN.search(english)} == set()


def test_translations_keep_what_is_filled_in() -> None:
    holes = re.compile(r"%\((\w+)\)s")
    wrong = {
        source for source, english in _in_english().items()
        if source != "%(num)s 次" and set(holes.findall(source)) != set(holes.findall(english))
    }  # fmt: skip
    assert wrong == set()


def _read(page: str) -> str:
    """What a person can read on a page: text, and what is told of pictures and fields. Names of code (`<code>`,
    `<var>`) and quotations that say which language they are in (`lang`) are nobody's words."""
    root = html.document_fromstring(page)
    for quoted in root.xpath("//code | //var | //body//*[@lang]"):
        quoted.drop_tree()
    told = ("title", "alt", "aria-label", "placeholder", "data-word", "data-ask")
    said = root.xpath("//@*[" + " or ".join(f"name()='{name}'" for name in told) + "]")
    return "\n".join([*root.itertext(), *map(str, said)])


@pytest.mark.parametrize("engine", ["sqlite"])
def test_english_pages_have_no_chinese_words(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li", "en")
    for address in addresses(scene):
        text = _read(browser.get(address, follow_redirects=True).text).replace("中文", "")
        for own in ("平顺县森林碳汇", "李监督", "样地调查"):  # names in the data
            text = text.replace(own, "")
        assert HAN.findall(text) == [], address


@pytest.mark.parametrize("engine", ["sqlite"])
def test_chinese_pages_have_no_english_words(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("li")
    for address in addresses(scene):
        text = NAMES_IN_DATA.sub("", _read(browser.get(address, follow_redirects=True).text))
        assert set(WORD.findall(text)) <= SAME_IN_BOTH, address
