"""The outbox file: what a phone puts in comes out, and of a damaged or hostile one all that can be read and no more."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tempfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import outbox
from sync.outbox import Fault, File, Finding, Outbox, OutboxUnreadable, Outgoing, Unusable

MB = 1_000_000
XMLS = st.lists(st.binary(max_size=300), max_size=6)
PHOTOS = st.lists(st.binary(min_size=1, max_size=2000), max_size=3)


def _written(xmls: Sequence[bytes], photos: Sequence[bytes] = ()) -> bytes:
    """An outbox file; every instance has all the photos."""
    with tempfile.TemporaryDirectory() as folder, io.BytesIO() as target:
        paths = []
        for number, photo in enumerate(photos):
            paths.append((f"{number}.jpg", Path(folder) / f"{number}"))
            paths[-1][1].write_bytes(photo)
        waiting = [Outgoing(f"c{number}", xml, paths) for number, xml in enumerate(xmls)]
        outbox.write(target, "一队手机", 1_780_272_000_000, waiting)
        return target.getvalue()


def _open(content: bytes, most_instance_bytes: int = MB, most_file_bytes: int = 5 * MB) -> Outbox:
    return Outbox(io.BytesIO(content), len(content), most_instance_bytes, most_file_bytes)


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    with io.BytesIO() as target:
        with zipfile.ZipFile(target, "w", method) as packed:
            for name, content in members.items():
                packed.writestr(name, content)
        return target.getvalue()


def _list(*instances: object, **values: object) -> bytes:
    said = {"format": "yangdi-outbox", "version": 1, "device": "D", "exported_at": 1, "instances": instances}
    return json.dumps(said | values).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _photo(content: bytes, name: str = "a.jpg") -> dict[str, object]:
    return {"name": name, "sha256": _sha256(content), "size_bytes": len(content)}


def _item(xml: str = "instances/1.xml", *files: object) -> dict[str, object]:
    return {"client_id": "c", "xml": xml, "files": files}


def _faults(box: Outbox) -> set[Fault]:
    return {finding.fault for finding in box.findings}


@given(XMLS, PHOTOS)
def test_what_a_phone_puts_in_comes_out(xmls: list[bytes], photos: list[bytes]) -> None:
    box = _open(_written(xmls, photos))
    assert (box.device, box.exported_at, box.findings) == ("一队手机", 1_780_272_000_000, [])
    assert [box.xml(instance) for instance in box.instances] == xmls
    for instance in box.instances:
        assert [b"".join(box.pieces(file)) for file in instance.files] == photos
        assert [file.size_bytes for file in instance.files] == [len(photo) for photo in photos]


def test_the_same_outbox_gives_the_same_file() -> None:
    assert _written([b"<a/>"], [b"x" * 99]) == _written([b"<a/>"], [b"x" * 99])


def test_one_photo_of_two_instances_travels_once() -> None:
    with zipfile.ZipFile(io.BytesIO(_written([b"<a/>", b"<b/>"], [b"p" * 500]))) as packed:
        assert [name[:5] for name in packed.namelist()] == ["outbo", "insta", "files", "insta"]


@given(XMLS.filter(bool), PHOTOS, st.data())
def test_of_a_file_that_breaks_off_everything_before_the_break_is_read(
    xmls: list[bytes], photos: list[bytes], data: st.DataObject
) -> None:
    whole = _written(xmls, photos)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with zipfile.ZipFile(io.BytesIO(whole)) as packed:
        ends = [info.header_offset for info in packed.infolist()[1:]] + [packed.start_dir]
        before = [info.filename for info, end in zip(packed.infolist(), ends, strict=True) if end <= cut]
    if "outbox.json" not in before:
        with contextlib.suppress(OutboxUnreadable):
            assert Fault.LIST_MISSING in _faults(_open(whole[:cut]))
        return
    box = _open(whole[:cut])
    assert Fault.CUT_OFF in _faults(box)
    read = [box.xml(instance) for instance in box.instances if instance.xml in before]
    assert read == xmls[: len(read)]
    assert len(read) == sum(name.startswith("instances/") for name in before)
    for file in box.instances[0].files if box.instances else ():
        if f"files/{file.sha256}" in before:
            assert b"".join(box.pieces(file)) in photos


@given(XMLS.filter(bool), PHOTOS, st.data())
def test_no_damage_ends_in_anything_but_a_finding(
    xmls: list[bytes], photos: list[bytes], data: st.DataObject
) -> None:
    content = bytearray(_written(xmls, photos))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        box = _open(bytes(content))
    except OutboxUnreadable:
        return
    for instance in box.instances:
        with contextlib.suppress(Unusable):
            box.xml(instance)
        for file in instance.files:
            with contextlib.suppress(Unusable):
                assert _sha256(b"".join(box.pieces(file))) == file.sha256


@pytest.mark.parametrize(("content", "fault"), [
    (b"", Fault.NOT_ZIP),
    (b"no zip at all", Fault.NOT_ZIP),
    (_zip({"photo.jpg": b"x"}), Fault.NOT_OUTBOX),
    (_zip({"outbox.json": b'{"format": "other", "version": 1}', "instances/1.xml": b"<a/>"}), Fault.NOT_OUTBOX),
    (_zip({"outbox.json": _list(version=2)}), Fault.NEWER_VERSION),
    (_zip({"outbox.json": _list(version="1")}), Fault.NEWER_VERSION),
])  # fmt: skip
def test_what_is_no_outbox_file_is_refused_as_a_whole(content: bytes, fault: Fault) -> None:
    with pytest.raises(OutboxUnreadable) as refused:
        _open(content)
    assert refused.value.fault is fault


@pytest.mark.parametrize("said", [b"", b"[]", b"{", b"[" * 100_000, b"\xff\xfe", b"9" * 9000])
def test_without_its_list_an_outbox_still_has_its_instances(said: bytes) -> None:
    box = _open(_zip({"outbox.json": said, "instances/7.xml": b"<a/>"}))
    assert box.findings == [Finding(Fault.LIST_MISSING)]
    assert [(i.client_id, i.is_listed, box.xml(i)) for i in box.instances] == [
        ("instances/7.xml", False, b"<a/>")
    ]


def test_an_instance_that_the_list_forgot_is_taken_and_named() -> None:
    box = _open(_zip({"outbox.json": _list(), "instances/1.xml": b"<a/>"}))
    assert box.findings == [Finding(Fault.UNLISTED, "instances/1.xml")]
    assert [box.xml(instance) for instance in box.instances] == [b"<a/>"]


@pytest.mark.parametrize("item", [
    None, 1, [], {}, {"xml": 3}, {"xml": "/etc/passwd"}, {"xml": "instances/../outbox.json"}, {"xml": "../1.xml"},
    {"xml": "instances/a/b.xml"}, {"xml": "instances\\1.xml"}, {"xml": "instances/1.xml\0"}, {"xml": "files/1.xml"},
])  # fmt: skip
def test_a_line_of_the_list_that_makes_no_sense_is_named_and_spoils_no_other(item: object) -> None:
    box = _open(_zip({"outbox.json": _list(item, _item("instances/2.xml")), "instances/2.xml": b"<b/>"}))
    assert box.findings == [Finding(Fault.ITEM_UNREADABLE, "instances[0]")]
    assert [box.xml(instance) for instance in box.instances] == [b"<b/>"]


ANY_TEXT = st.text(st.characters(), max_size=12)  # halves of characters too, as JSON may hold them
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(ANY_TEXT, inside, max_size=3),
    max_leaves=6,
)
AN_ITEM = st.fixed_dictionaries(
    {}, optional={
        "client_id": ANYTHING,
        "xml": ANYTHING | ANY_TEXT.map(lambda name: f"instances/{name}.xml"),
        "files": ANYTHING | st.lists(st.fixed_dictionaries(
            {"name": ANYTHING, "sha256": st.just("0" * 64) | ANYTHING, "size_bytes": ANYTHING}), max_size=2),
    },
)  # fmt: skip


SAID = st.dictionaries(st.sampled_from(["device", "exported_at", "instances"]), ANYTHING)


@given(st.lists(ANYTHING | AN_ITEM, max_size=4), SAID)
def test_whatever_the_list_says_can_be_told_and_kept(items: list[object], values: dict[str, object]) -> None:
    box = _open(_zip({"outbox.json": _list(*items, **values), "instances/1.xml": b"<a/>"}))
    for instance in box.instances:
        for file in instance.files:
            with pytest.raises(Unusable):
                list(box.pieces(file))
        with contextlib.suppress(Unusable):
            box.xml(instance)
    told = json.dumps([box.device, box.exported_at, box.instances, box.findings], ensure_ascii=False)
    assert "\0" not in told.encode().decode()  # neither store takes half a character, nor PostgreSQL a NUL


@pytest.mark.parametrize("file", [
    None, {}, {"name": "a.jpg"}, {"name": "a.jpg", "sha256": "../../etc/passwd"}, {"name": "", "sha256": "0" * 64},
    {"name": "a.jpg", "sha256": "A" * 64},
])  # fmt: skip
def test_a_file_that_makes_no_sense_leaves_its_instance_readable(file: object) -> None:
    good = _photo(b"good", "b.jpg")
    members = {"outbox.json": _list(_item("instances/1.xml", file, good)), "instances/1.xml": b"<a/>",
               f"files/{good['sha256']}": b"good"}  # fmt: skip
    box = _open(_zip(members))
    assert box.findings == [Finding(Fault.ITEM_UNREADABLE, "instances[0].files")]
    assert [file.name for file in box.instances[0].files] == ["b.jpg"]


@pytest.mark.parametrize(("said", "kept"), [
    ("../../a.jpg", "a.jpg"), ("C:\\a.jpg", "a.jpg"), ("a\0b.jpg", "a\ufffdb.jpg"), ("\ud800.jpg", "?.jpg"),
])  # fmt: skip
def test_a_name_of_a_file_is_a_name_and_no_path(said: str, kept: str) -> None:
    box = _open(
        _zip({"outbox.json": _list(_item("instances/1.xml", _photo(b"x", said))), "instances/1.xml": b""})
    )
    assert [file.name for file in box.instances[0].files] == [kept]


def test_bytes_that_are_not_what_their_name_says_are_named() -> None:
    photo = _photo(b"right")
    box = _open(_zip({"outbox.json": _list(_item("instances/1.xml", photo)), "instances/1.xml": b"<a/>",
                      f"files/{photo['sha256']}": b"wrong"}))  # fmt: skip
    with pytest.raises(Unusable) as unusable:
        list(box.pieces(box.instances[0].files[0]))
    assert unusable.value.finding == Finding(Fault.WRONG_HASH, f"files/{photo['sha256']}")
    assert box.xml(box.instances[0]) == b"<a/>"


def test_what_is_missing_is_named() -> None:
    box = _open(_zip({"outbox.json": _list(_item("instances/1.xml", _photo(b"x")))}))
    (instance,) = box.instances
    with pytest.raises(Unusable, match=r"missing: instances/1\.xml"):
        box.xml(instance)
    assert not box.has(instance.files[0])
    with pytest.raises(Unusable, match="missing: files/"):
        list(box.pieces(instance.files[0]))


def test_of_two_members_with_one_name_the_last_counts_and_both_are_spoken_of() -> None:
    with io.BytesIO() as target, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the writer notices as well
        with zipfile.ZipFile(target, "w") as packed:
            for name, content in [("outbox.json", _list(_item())), ("instances/1.xml", b"<old/>"),
                                  ("instances/1.xml", b"<new/>")]:  # fmt: skip
                packed.writestr(name, content)
        whole = target.getvalue()
    for content in (whole, whole[:-30]):
        box = _open(content)
        assert Finding(Fault.DOUBLE_NAME, "instances/1.xml") in box.findings
        assert box.xml(box.instances[0]) == b"<new/>"


def test_a_file_that_nobody_asked_for_is_named() -> None:
    box = _open(_zip({"outbox.json": _list(), "readme.txt": b"x", "__MACOSX/": b""}))
    assert box.findings == [Finding(Fault.UNNAMED, "readme.txt")]


@pytest.mark.parametrize("cut", [0, 60], ids=["whole", "cut"])
def test_a_bomb_is_neither_unpacked_into_memory_nor_beyond_its_bound(cut: int) -> None:
    bomb = b"\0" * 100 * MB
    name = _sha256(bomb)
    file = {"name": "a.jpg", "sha256": name, "size_bytes": 10}
    content = _zip({"outbox.json": _list(_item("instances/1.xml", file)), "instances/1.xml": bomb,
                    f"files/{name}": bomb})  # fmt: skip
    del bomb
    content = content[: len(content) - cut]
    box = _open(content)
    tracemalloc.start()
    with pytest.raises(Unusable, match="too-large"):
        box.xml(box.instances[0])
    with pytest.raises(Unusable, match="too-large"):
        for _ in box.pieces(box.instances[0].files[0]):
            pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * MB


def test_many_small_bombs_together_are_one() -> None:
    content = _zip({"outbox.json": _list(*(_item(f"instances/{n}.xml") for n in range(40))),
                    **{f"instances/{n}.xml": b" " * 900_000 for n in range(40)}})  # fmt: skip
    box = _open(content)
    unpacked = []
    for instance in box.instances:
        with contextlib.suppress(Unusable):
            unpacked.append(len(box.xml(instance)))
    assert 1 < len(unpacked) < 40
    assert sum(unpacked) <= outbox.ROOM_BYTES


def test_a_directory_larger_than_any_of_ours_is_not_read() -> None:
    many = _zip({f"x/{n:0200}": b"" for n in range(40_000)}, zipfile.ZIP_STORED)
    tracemalloc.start()
    with pytest.raises(OutboxUnreadable):
        _open(many)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 * MB


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_named(method: int) -> None:
    with io.BytesIO() as target:
        with zipfile.ZipFile(target, "w") as packed:
            packed.writestr("outbox.json", _list(_item()))
            packed.writestr("instances/1.xml", b"<a/>" * 99, method)
        box = _open(target.getvalue())
    with pytest.raises(Unusable, match=r"broken: instances/1\.xml"):
        box.xml(box.instances[0])


def test_a_cut_file_whose_members_tell_their_size_afterwards_is_read_too() -> None:
    class _Pipe(io.RawIOBase):
        """A target that cannot seek makes a writer put sizes behind each member."""

        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.content += bytes(data)
            return len(data)

    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as packed:  # type: ignore[arg-type]
        packed.writestr("outbox.json", _list(_item(), _item("instances/2.xml")))
        packed.writestr("instances/1.xml", b"<a/>" * 99)
        packed.writestr("instances/2.xml", b"<b/>" * 99)
    box = _open(pipe.content[:-40])
    assert [box.xml(instance) for instance in box.instances] == [b"<a/>" * 99, b"<b/>" * 99]


def test_a_large_file_is_never_in_memory_whole(tmp_path: Path) -> None:
    photo = tmp_path / "photo"
    photo.write_bytes(bytes(range(256)) * 4096 * 60)  # 63 MB
    target = tmp_path / "outbox.zip"
    tracemalloc.start()
    with target.open("wb") as sink:
        outbox.write(sink, "D", 1, [Outgoing("c", b"<a/>", [("a.jpg", photo)])])
    with target.open("rb") as source:
        box = Outbox(source, target.stat().st_size, MB, 100 * MB)
        count = sum(len(piece) for piece in box.pieces(box.instances[0].files[0]))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == photo.stat().st_size
    assert most < 4 * MB


def test_a_size_that_is_no_size_is_not_believed() -> None:
    file = File("a.jpg", _sha256(b"x"), 0)
    for said in (-1, "many", None, 2**70, True):
        item = _item("instances/1.xml", {"name": "a.jpg", "sha256": file.sha256, "size_bytes": said})
        (instance,) = _open(_zip({"outbox.json": _list(item), "instances/1.xml": b""})).instances
        assert instance.files[0].size_bytes in {0, 1}
