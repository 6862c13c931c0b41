"""What an XLSForm becomes: its questions, labels, choices, files and measures."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from lxml import etree

from forms.compile import compile_form
from forms.definition import Choice, Form, Question
from forms.errors import FormInvalid
from forms.measures import NAMESPACE

ROWS = [
    ["survey"],
    ["", "type", "name", "label", "required", "bind::yd:measure"],
    ["", "text", "which", "Plot", "yes", "plot.plot_id"],
    ["", "begin_repeat", "stem", "Tree", "", ""],
    ["", "integer", "number", "Tag", "yes", "tree.tag"],
    ["", "decimal", "girth", "DBH", "", "tree.dbh_cm"],
    ["", "end_repeat", "", "", "", ""],
    ["settings"],
    ["", "form_id", "version", "form_title"],
    ["", "girths", "7", "Girths"],
]
TREES = """
| survey |
| | type | name | label | bind::yd:measure |
| | text | which | Plot | plot.plot_id |
| | begin_repeat | stem | Tree | |
| | integer | number | Tag | tree.tag |
| | decimal | girth | DBH | tree.dbh_cm |
| | end_repeat | | | |
"""


def as_markdown(folder: Path) -> Path:
    path = folder / "girths.md"
    path.write_text("\n".join("| " + " | ".join(row) + " |" for row in ROWS))
    return path


def as_csv(folder: Path) -> Path:
    path = folder / "girths.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(ROWS)
    return path


def as_xlsx(folder: Path) -> Path:
    path = folder / "girths.xlsx"
    book = openpyxl.Workbook()
    book.remove(book.active)
    for row in ROWS:
        if row[0]:
            sheet = book.create_sheet(row[0])
        else:
            sheet.append(row[1:])
    book.save(path)
    return path


def measures(form: Form) -> dict[str, str]:
    return {question.path: question.measure for question in form.questions if question.measure}


@pytest.mark.parametrize("write", [as_markdown, as_csv, as_xlsx])
def test_a_form_may_come_as_markdown_csv_or_xlsx(write, tmp_path: Path) -> None:
    form = compile_form(write(tmp_path)).form
    assert (form.form_id, form.version, form.title, form.mapping) == ("girths", "7", "Girths", "tags")
    assert form.repeats == ("/data/stem",)
    assert form.questions == (
        Question("/data/which", "string", "plot.plot_id", {"": "Plot"}, required=True),
        Question("/data/stem/number", "int", "tree.tag", {"": "Tag"}, required=True),
        Question("/data/stem/girth", "decimal", "tree.dbh_cm", {"": "DBH"}),
    )


def test_the_measure_travels_on_the_bind_in_our_namespace(compiled) -> None:
    document = etree.fromstring(compiled(TREES).xml)
    binds = {bind.get("nodeset"): bind for bind in document.iter("{*}bind")}
    assert binds["/data/stem/girth"].get(f"{{{NAMESPACE}}}measure") == "tree.dbh_cm"


def test_an_author_may_declare_the_namespace_under_a_prefix_of_his_own(compiled) -> None:
    text = TREES.replace("bind::yd:measure", "bind::forest:measure")
    text += f'| settings |\n| | form_id | version | namespaces |\n| | f | 1 | forest="{NAMESPACE}" |\n'
    assert compiled(text).form.mapping == "tags"


def test_other_namespaces_of_the_author_survive(compiled) -> None:
    text = (
        TREES
        + '| settings |\n| | form_id | version | namespaces |\n| | f | 1 | esri="https://esri.com/xforms" |\n'
    )
    assert b'xmlns:esri="https://esri.com/xforms"' in compiled(text).xml
    assert compiled(text).form.mapping == "tags"


def test_labels_and_choices_are_read_in_every_language(compiled) -> None:
    form = compiled("""
| survey |
| | type | name | label::中文 (zh) | label::English (en) |
| | select_one kind | kind | 树种 | Species |
| choices |
| | list_name | name | label::中文 (zh) | label::English (en) |
| | kind | pine | 油松 | Pine |
| | kind | oak | 栎 | |
""").form
    assert set(form.languages) == {"zh", "en"}
    assert form.questions[0].labels == {"zh": "树种", "en": "Species"}
    assert form.questions[0].choices == (
        Choice("pine", {"zh": "油松", "en": "Pine"}),
        Choice("oak", {"zh": "栎"}),
    )


def test_a_value_woven_into_a_label_shows_as_its_name(compiled) -> None:
    form = compiled("""
| survey |
| | type | name | label |
| | text | tag | Tag |
| | note | seen | Tree ${tag} is done |
""").form
    assert form.questions[1].labels == {"": "Tree {tag} is done"}


def test_a_photo_question_is_binary_and_a_select_knows_how_many_it_takes(compiled) -> None:
    form = compiled("""
| survey |
| | type | name | label |
| | image | photo | Photo |
| | select_multiple what | harm | Harm |
| | select_one what | worst | Worst |
| | audit | audit | |
| choices |
| | list_name | name | label |
| | what | fire | Fire |
""").form
    assert {q.name: q.type for q in form.questions} == {
        "photo": "binary", "harm": "select", "worst": "select1", "audit": "binary",
    }  # fmt: skip


def test_files_that_the_form_expects_are_named(compiled) -> None:
    form = compiled(
        """
| survey |
| | type | name | label | media::image | calculation |
| | select_one_from_file plots.csv | plot | Plot | map.png | |
| | csv-external | trees | | | |
| | calculate | tag | | | instance('trees')/root/item[name = ${plot}]/tag |
| | calculate | last | | | pulldata('dbh', 'dbh', 'tag', ${tag}) |
""",
        media={"plots.csv": b"name,label\n1,one\n"},
    ).form
    assert form.media == ("dbh.csv", "map.png", "plots.csv", "trees.csv")
    missing = [warning for warning in form.warnings if warning.startswith("缺少文件")]
    assert [name for name in form.media if name in "".join(missing)] == ["dbh.csv", "map.png", "trees.csv"]


def test_a_form_without_tags_is_taken_by_its_question_names(compiled) -> None:
    form = compiled("""
| survey |
| | type | name | label |
| | start | start | |
| | text | plot_id | Plot |
| | geopoint | location | Centre |
| | begin_repeat | tree | Tree |
| | integer | tag | Tag |
| | decimal | dbh_cm | DBH |
| | end_repeat | | |
| | text | remarks | Remarks |
""").form
    assert form.mapping == "names"
    assert measures(form) == {
        "/data/start": "visit.started_at",
        "/data/plot_id": "plot.plot_id",
        "/data/location": "visit.position",
        "/data/tree/tag": "tree.tag",
        "/data/tree/dbh_cm": "tree.dbh_cm",
        "/data/remarks": "visit.note",
    }


def test_a_name_that_cannot_hold_our_value_is_left_out_with_a_warning(compiled) -> None:
    form = compiled("""
| survey |
| | type | name | label |
| | text | plot_id | Plot |
| | begin_repeat | tree | Tree |
| | integer | tag | Tag |
| | text | dbh_cm | DBH, in words |
| | end_repeat | | |
""").form
    assert measures(form) == {"/data/plot_id": "plot.plot_id", "/data/tree/tag": "tree.tag"}
    assert "dbh_cm (row 5)" in form.warnings[0]


def test_trees_outside_the_repeat_of_their_tag_are_not_guessed_at(compiled) -> None:
    form = compiled("""
| survey |
| | type | name | label |
| | text | plot_id | Plot |
| | decimal | height_m | Mean height |
| | begin_repeat | tree | Tree |
| | integer | tag | Tag |
| | end_repeat | | |
""").form
    assert measures(form) == {"/data/plot_id": "plot.plot_id", "/data/tree/tag": "tree.tag"}


def test_a_form_about_something_else_can_be_published_too(compiled) -> None:
    form = compiled("| survey |\n| | type | name | label |\n| | text | rumour | Rumour |\n").form
    assert form.mapping == "none"
    assert measures(form) == {}


def test_one_tag_switches_the_guessing_by_names_off(compiled) -> None:
    form = compiled("""
| survey |
| | type | name | label | bind::yd:measure |
| | text | plot_id | Plot | plot.plot_id |
| | text | crew | Crew | |
""").form
    assert measures(form) == {"/data/plot_id": "plot.plot_id"}


def test_several_photos_of_a_plot_are_welcome(compiled) -> None:
    form = compiled("""
| survey |
| | type | name | label | bind::yd:measure |
| | text | plot_id | Plot | plot.plot_id |
| | image | north | North | visit.photo |
| | begin_repeat | more | More |
| | image | other | Other | visit.photo |
| | end_repeat | | | |
""").form
    assert list(measures(form).values()) == ["plot.plot_id", "visit.photo", "visit.photo"]


def test_a_form_survives_its_way_through_json(compiled) -> None:
    form = compiled(TREES).form
    assert Form.from_json(form.to_json()) == form


def test_a_file_of_another_kind_is_refused_in_words(tmp_path: Path) -> None:
    source = tmp_path / "form.docx"
    source.write_bytes(b"PK")
    with pytest.raises(FormInvalid, match="not an XLSForm"):
        compile_form(source)


@pytest.mark.parametrize(("name", "content"), [
    ("empty.xlsx", b""), ("no.xlsx", b"not a zip"), ("gbk.csv", "样地".encode("gbk")), ("prose.md", b"hello"),
])  # fmt: skip
def test_a_file_that_is_not_what_it_says_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes
) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(FormInvalid, match="cannot be read"):
        compile_form(source)


def test_a_file_that_is_not_there_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        compile_form(tmp_path / "gone.md")
