"""An instance is read as it came, and what is no instance is refused with its reason."""

from __future__ import annotations

import pytest

from forms.definition import Form, Question
from forms.errors import InstanceUnreadable
from forms.instance import MAX_DEPTH, MAX_ELEMENTS, Answers, Reader, read

META = "<meta><instanceID>uuid:1</instanceID></meta>"
FORM = Form(
    form_id="f",
    version="1",
    title="",
    questions=(
        Question("/data/plot", "string", "plot.plot_id"),
        Question("/data/first", "binary", "visit.photo"),
        Question("/data/second", "binary", "visit.photo"),
        Question("/data/views/view/photo", "binary", "visit.photo"),
        Question("/data/trees/tree/tag", "string", "tree.tag"),
        Question("/data/trees/tree/more/dbh", "decimal", "tree.dbh_cm"),
        Question("/data/trees/tree/more/tape", "binary", "tree.photo"),
        Question("/data/trees/tree/place", "binary", "visit.photo"),
        Question("/data/late/tag", "string", "tree.tag"),
        Question("/data/rumour", "string"),
        Question("/data/meta/audit", "binary"),
    ),
    repeats=("/data/trees/tree", "/data/views/view", "/data/late"),
)


def instance(inside: str = "", attributes: str = 'id="f" version="1"', meta: str = META) -> bytes:
    return f"<data {attributes}>{inside}{meta}</data>".encode()


def answers(inside: str) -> Answers:
    return Reader(FORM).answers(read(instance(inside)).root)


def reason(xml: bytes) -> str:
    with pytest.raises(InstanceUnreadable) as refused:
        read(xml)
    return refused.value.reason


# who it is


def test_an_instance_says_who_it_is() -> None:
    meta = (
        "<instanceID> uuid:2 </instanceID><deprecatedID>uuid:1</deprecatedID><instanceName>A</instanceName>"
    )
    meta = f"<meta>{meta}</meta>"
    assert read(instance(meta=meta)).meta == ("f", "1", "uuid:2", "uuid:1", "A", False)


def test_meta_may_stand_in_the_namespace_of_openrosa() -> None:
    meta = '<m:meta xmlns:m="http://openrosa.org/xforms"><m:instanceID>uuid:9</m:instanceID></m:meta>'
    assert read(instance(meta=meta)).meta.instance_id == "uuid:9"


def test_an_encrypted_envelope_is_recognised() -> None:
    assert read(instance(attributes='id="f" encrypted="yes" instanceID="uuid:7"', meta="")).meta == (
        "f", "", "uuid:7", None, None, True,
    )  # fmt: skip


def test_an_instance_may_begin_with_a_byte_order_mark() -> None:
    assert read(b"\xef\xbb\xbf" + instance()).meta.form_id == "f"


# what is no instance


@pytest.mark.parametrize(("xml", "why"), [
    (b"", "empty"),
    (b" \n\t", "empty"),
    (b"hello", "not-xml"),
    (b"<data id='f'>", "not-xml"),
    (b"<data id='f'>&undefined;</data>", "not-xml"),
    (instance(attributes=""), "no-form-id"),
    (instance(attributes='id="  "'), "no-form-id"),
    (instance(meta=""), "no-instance-id"),
    (instance(meta="<meta><instanceID/></meta>"), "no-instance-id"),
    (instance(meta=f"<meta><instanceID>{'u' * 201}</instanceID></meta>"), "instance-id-too-long"),
    (b"<!DOCTYPE data>" + instance(), "doctype"),
    (b'<!DOCTYPE data [<!ENTITY a "b">]>' + instance("<plot>&a;</plot>"), "doctype"),
    (b'<!DOCTYPE data SYSTEM "file:///etc/passwd">' + instance(), "doctype"),
    (b'<?xml version="1.0" encoding="UTF-16"?>' + instance(), "not-xml"),
    (instance().decode().encode("utf-16-le"), "wrong-encoding"),
    (instance().decode().encode("utf-32"), "wrong-encoding"),
    (instance().decode().encode("utf-16"), "wrong-encoding"),
    (b'<?xml version="1.0" encoding="GB18030"?>' + instance("<plot>样地</plot>").decode().encode("gb18030"),
     "wrong-encoding"),
    (instance("<plot>样地</plot>").decode().encode("gbk"), "wrong-encoding"),
])  # fmt: skip
def test_what_is_no_instance_is_refused_with_its_reason(xml: bytes, why: str) -> None:
    assert reason(xml) == why


def test_a_nul_byte_is_refused() -> None:
    assert reason(instance("<plot>a\x00b</plot>")) in {"not-xml", "wrong-encoding"}


def test_an_entity_bomb_does_not_go_off() -> None:
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE data [<!ENTITY l0 "ha">{lol}]><data id="f"><plot>&l9;</plot>{META}</data>'
    assert reason(bomb.encode()) in {"doctype", "not-xml"}


def test_a_bomb_of_elements_is_refused_before_it_is_parsed() -> None:
    assert reason(instance("<a/>" * (2 * MAX_ELEMENTS + 1))) == "too-many-elements"


def test_nesting_without_end_is_refused() -> None:
    deep = MAX_DEPTH * 8
    assert reason(instance("<a>" * deep + "</a>" * deep)) == "too-deep"


def test_an_instance_larger_than_allowed_is_refused() -> None:
    with pytest.raises(InstanceUnreadable, match="too-large"):
        read(instance("<plot>x</plot>"), max_bytes=20)


# what was answered


def test_each_turn_of_a_repeat_is_a_row_in_the_crews_order() -> None:
    found = answers(
        "<trees><tree><tag>2</tag><more><dbh>14.3</dbh></more></tree>"
        "<tree><tag>1</tag><more><dbh/></more></tree></trees>"
    )
    assert found.trees == [{"tag": "2", "dbh_cm": "14.3"}, {"tag": "1"}]


def test_trees_of_two_repeats_come_as_one_list() -> None:
    assert answers("<trees><tree><tag>1</tag></tree></trees><late><tag>9</tag></late>").trees == [
        {"tag": "1"},
        {"tag": "9"},
    ]


def test_a_repeat_that_was_opened_and_left_empty_gives_no_row() -> None:
    assert answers("<trees><tree><tag> </tag><more/></tree></trees>").trees == []


def test_an_answer_is_kept_as_typed_but_for_the_spaces_around_it() -> None:
    assert answers("<plot>  PS 014\n</plot>").one("plot") == {"plot_id": "PS 014"}


def test_what_the_form_does_not_ask_is_left_alone() -> None:
    assert answers("<strange><tag>7</tag></strange><!-- a comment --><rumour>wolves</rumour>").rows == {}


def test_an_instance_in_a_namespace_of_its_own_is_read_alike() -> None:
    root = read(instance("<plot>PS-014</plot>", attributes='xmlns="urn:x" id="f"')).root
    assert Reader(FORM).answers(root).one("plot") == {"plot_id": "PS-014"}


def test_several_photos_of_one_plot_stand_side_by_side() -> None:
    found = answers(
        "<first>a.jpg</first><second>b.jpg</second><views><view><photo>c.jpg</photo></view></views>"
    )
    assert found.rows["visit"] == [{"photo": "a.jpg b.jpg c.jpg"}]
    assert found.files == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_photo_of_the_plot_taken_at_a_tree_does_not_make_a_second_visit() -> None:
    found = answers(
        "<trees><tree><tag>1</tag><place>a.jpg</place></tree><tree><tag>2</tag><place>b.jpg</place></tree></trees>"
    )
    assert found.rows["visit"] == [{"photo": "a.jpg b.jpg"}]
    assert found.trees == [{"tag": "1"}, {"tag": "2"}]


def test_every_file_that_the_instance_names_is_listed() -> None:
    found = answers("<trees><tree><more><tape>t.jpg</tape></more></tree></trees>")
    assert found.trees == [{"photo": "t.jpg"}]
    assert found.files == ["t.jpg"]


def test_the_audit_log_is_a_file_too() -> None:
    xml = instance(meta="<meta><instanceID>uuid:1</instanceID><audit>audit.csv</audit></meta>")
    assert Reader(FORM).answers(read(xml).root).files == ["audit.csv"]


# offline updates of trees


def with_update(attributes: str, meta: str = "meta") -> str:
    entity = f'<{meta}><entity dataset="trees" {attributes}><label>1</label></entity></{meta}>'
    return f"<trees><tree>{entity}<tag>1</tag></tree></trees>"


def test_a_tree_says_which_version_of_it_its_phone_had() -> None:
    update = 'id="e-1" update="1" baseVersion="3" trunkVersion="2" branchId="b-1"'
    expected = {
        "tag": "1", "entity.id": "e-1", "entity.base_version": "3", "entity.trunk_version": "2",
        "entity.branch_id": "b-1",
    }  # fmt: skip
    assert answers(with_update(update)).trees == [expected]
    assert answers(with_update(update, 'orx:meta xmlns:orx="http://openrosa.org/xforms"').replace(
        '</orx:meta xmlns:orx="http://openrosa.org/xforms">', "</orx:meta>")).trees == [expected]  # fmt: skip


def test_a_branch_that_has_not_begun_is_not_made_up() -> None:
    update = 'id="e-1" update="1" baseVersion="3" trunkVersion="" branchId=""'
    assert answers(with_update(update)).trees == [
        {"entity.id": "e-1", "entity.base_version": "3", "tag": "1"}
    ]


@pytest.mark.parametrize("update", ['id="" update="1" baseVersion="3"', 'id="e-1" update="1" baseVersion=""'])
def test_an_update_of_nobody_knows_what_is_noted_and_the_tree_counts(update: str) -> None:
    [row] = answers(with_update(update)).trees
    assert row["tag"] == "1"
    assert row["entity.unknown"] == "yes"


def test_an_update_without_an_answer_is_no_tree() -> None:
    update = with_update('id="e-1" update="1" baseVersion="3"').replace("<tag>1</tag>", "<tag/>")
    assert answers(update).trees == []
