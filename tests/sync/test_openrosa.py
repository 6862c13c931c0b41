"""What is written for Collect is XML and CSV that it reads, whatever people called their things."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from sync import openrosa, receipt
from sync.intake import Reason

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=20)
CELLS = TEXT | st.integers() | st.floats(allow_nan=False) | st.none()


@given(TEXT, TEXT, TEXT, TEXT)
def test_a_form_is_listed_as_it_is_called(form_id: str, version: str, name: str, url: str) -> None:
    listed = openrosa.ListedForm(form_id, version, name, "0" * 32, url, url)
    [xform] = ElementTree.fromstring(openrosa.form_list([listed]))
    found = {child.tag.rpartition("}")[2]: child.text for child in xform}
    assert found == {"formID": form_id, "version": version, "name": name, "hash": "md5:" + "0" * 32,
                     "downloadUrl": url, "manifestUrl": url}  # fmt: skip


@given(TEXT, st.booleans())
def test_an_entity_is_asked_for_and_answered_under_its_id(entity_id: str, deleted: bool) -> None:
    root = ElementTree.fromstring(openrosa.integrity([(entity_id, deleted)]))
    [entity] = root.iterfind("./entities/entity")
    assert (entity.get("id"), entity.findtext("deleted")) == (entity_id, str(deleted).lower())


@given(st.lists(st.tuples(TEXT | st.just(""), CELLS, st.none() | st.integers(0), CELLS), max_size=4))
def test_no_row_of_an_entity_list_lacks_what_collect_needs(rows: list[tuple[object, ...]]) -> None:
    text = openrosa.entity_csv(["dbh_cm"], rows).decode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == ["name", "label", "__version", "dbh_cm"]
    assert all(len(row) == 4 and row[0] and row[1].strip() and row[2].isdigit() for row in read[1:])
    whole = [r for r in rows if r[0] and str("" if r[1] is None else r[1]).strip() and r[2] is not None]
    assert len(read) - 1 == len(whole)


@given(TEXT)
def test_a_message_says_what_it_was_given(text: str) -> None:
    root = ElementTree.fromstring(openrosa.message(text, "submit_error"))
    assert root[0].text == text
    assert root[0].get("nature") == "submit_error"


def test_every_reason_to_hold_an_instance_is_told_in_both_languages() -> None:
    told = {(locale, receipt.held(locale, reason)) for locale in ("zh", "en") for reason in Reason}
    assert len(told) == 2 * len(Reason)
    assert all(("安全保存" in text) == (locale == "zh") for locale, text in told)


def test_a_receipt_in_english_counts_one_tree_as_one() -> None:
    assert receipt.text("en", "PS-1", 1, 0, 0, []) == "Received plot PS-1: 1 tree."
    assert receipt.text("en", "", 2, 1, 2, ["Odd."]) == (
        "Received 2 trees, photos 1/2. Please look before you leave: Odd."
    )
    assert receipt.text("en", "", 0, 0, 0, [], tested=True) == (
        "Received the record. This was a test and does not count."
    )
