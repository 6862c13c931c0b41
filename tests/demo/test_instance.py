"""What is filled in is what is read back: rendering is the inverse of reading."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.compile import compile_form
from forms.definition import Form, Question
from forms.instance import Reader, read
from server.demo.instance import Renderer, Rows, render_instance

LIBRARY = Path(__file__).parents[2] / "forms" / "library"

SMALL = Form(
    "small",
    "1",
    "Small",
    (
        Question("/plot/number", "string", "plot.plot_id"),
        Question("/plot/phone", "string"),
        Question("/plot/trees/tree/stem/tag", "string", "tree.tag"),
        Question("/plot/trees/tree/stem/dbh", "decimal", "tree.dbh_cm"),
        Question("/plot/trees/tree/picture", "binary", "tree.photo"),
        Question("/plot/first_photo", "binary", "visit.photo"),
        Question("/plot/second_photo", "binary", "visit.photo"),
    ),
    repeats=("/plot/trees/tree",),
)


@cache
def _plot_visit() -> Form:
    return compile_form(LIBRARY / "plot_visit.md").form


def test_an_instance_keeps_the_order_of_its_form() -> None:
    rows = {"tree": [{"tag": "2", "dbh_cm": "9.1"}, {"tag": "1"}], "plot": [{"plot_id": "PS-0001"}]}
    xml = render_instance(SMALL, rows, "uuid:1", {"phone": "a"})
    assert xml.decode() == (
        "<?xml version='1.0' encoding='UTF-8' ?>"
        '<plot id="small" version="1"><number>PS-0001</number><phone>a</phone><trees>'
        "<tree><stem><tag>2</tag><dbh>9.1</dbh></stem><picture/></tree>"
        "<tree><stem><tag>1</tag><dbh/></stem><picture/></tree>"
        "</trees><first_photo/><second_photo/><meta><instanceID>uuid:1</instanceID></meta></plot>"
    )


def test_photos_of_one_measure_fill_its_questions_in_turn() -> None:
    xml = render_instance(SMALL, {"visit": [{"photo": ["a.jpg", "b.jpg"]}]}, "uuid:1")
    assert b"<first_photo>a.jpg</first_photo><second_photo>b.jpg</second_photo>" in xml


def test_a_text_is_not_written_twice() -> None:
    xml = render_instance(SMALL, {"visit": [{"photo": "a.jpg"}]}, "uuid:1")
    assert xml.count(b"a.jpg") == 1


def test_an_edit_names_the_instance_it_replaces() -> None:
    xml = Renderer(SMALL).render({}, "uuid:2", deprecated_id="uuid:1", instance_name="PS-0001 / 2026")
    assert read(xml).meta[2:5] == ("uuid:2", "uuid:1", "PS-0001 / 2026")


@pytest.mark.parametrize(
    "rows",
    [
        {"tree": [{"girth": "31"}]},
        {"thinning": [{"permit": "1"}]},
        {"plot": [{"plot_id": "1"}, {"plot_id": "2"}]},
        {"tree": [{"tag": "1"}, {"tag": "2", "photo": ["a.jpg", "b.jpg"]}]},
        {"visit": [{"photo": ["a.jpg", "b.jpg", "c.jpg"]}]},
    ],
)
def test_nothing_is_dropped_in_silence(rows: Rows) -> None:
    with pytest.raises(ValueError, match="form does not"):
        render_instance(SMALL, rows, "uuid:1")


def test_of_two_repeats_for_trees_the_first_takes_the_rows() -> None:
    two = Form(
        "two",
        "1",
        "Two",
        (Question("/data/known/tag", "string", "tree.tag"), Question("/data/new/tag", "string", "tree.tag")),
        repeats=("/data/known", "/data/new"),
    )
    xml = render_instance(two, {"tree": [{"tag": "1"}, {"tag": "2"}]}, "uuid:1")
    assert b"<known><tag>1</tag></known><known><tag>2</tag></known><meta>" in xml


_LETTERS = st.characters(
    min_codepoint=33, max_codepoint=0xFFFD, exclude_categories=("Cs", "Zs", "Cc", "Zl", "Zp")
)
_TEXT = st.text(_LETTERS, min_size=1, max_size=20)
_FIELDS = {
    "plot": ("plot_id", "land_type", "aspect", "elevation_m"),
    "visit": ("census", "crew", "surveyor", "measured_on", "position", "disturbance", "note"),
    "corner": ("number", "position", "photo"),
    "tree": ("tag", "stem_id", "species", "tally_code", "dbh_cm", "height_m", "azimuth_deg", "note", "photo"),
}


def _row(group: str) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(_FIELDS[group]), _TEXT, min_size=1)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "plot": st.lists(_row("plot"), min_size=1, max_size=1),
            "visit": st.lists(_row("visit"), min_size=1, max_size=1),
            "corner": st.lists(_row("corner"), min_size=1, max_size=4),
            "tree": st.lists(_row("tree"), min_size=1, max_size=12),
        },
    )
)
def test_whatever_is_typed_is_read_back_as_typed(rows: dict[str, list[dict[str, str]]]) -> None:
    form = _plot_visit()
    found = read(render_instance(form, rows, "uuid:7"))
    assert found.meta.form_id == "plot_visit"
    assert found.meta.version == form.version
    assert Reader(form).answers(found.root).rows == rows
