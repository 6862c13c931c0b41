"""The outbox file: what a phone could not send, as one zip file. PROTOCOL.md says what is in it.

It comes by a memory stick from a phone that is broken, so everything that can be read of it is taken, and what cannot
is named. Nothing in it is trusted: sizes are bounded, names are never paths, a file is what its hash says.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, NamedTuple

from sync.zipped import MemberBroken, MemberTooLarge, NotZip, Zip

FORMAT, VERSION = "yangdi-outbox", 1
LIST = "outbox.json"
MOST_LIST_BYTES = 8_000_000
"""Bytes of outbox.json: about 40,000 instances."""
MOST_RATIO = 50
"""Bytes unpacked for each byte packed, over the whole file: text of ours has 15, photos have 1, a bomb 1,000."""
ROOM_BYTES = 10_000_000
"""Bytes that may be unpacked of however small a file."""
MOST_NAME_CHARS = 200
"""Characters of a name of a file or an instance that are kept."""

_XML_NAME = re.compile(r"instances/[^/\\\0]{1,180}\.xml")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Fault(StrEnum):
    """What is wrong with an outbox file or with something in it."""

    NOT_ZIP = "not-zip"
    NOT_OUTBOX = "not-outbox"
    NEWER_VERSION = "newer-version"
    CUT_OFF = "cut-off"  # the end of the zip is missing
    LIST_MISSING = "list-missing"  # no outbox.json that can be read: names of photos are not known
    ITEM_UNREADABLE = "item-unreadable"  # a line of outbox.json makes no sense
    DOUBLE_NAME = "double-name"  # two members with one name: the last counts
    UNLISTED = "unlisted"  # an instance that outbox.json does not name: taken all the same
    UNNAMED = "unnamed"  # a file that no instance names
    MISSING = "missing"
    BROKEN = "broken"  # damaged, encrypted, or packed in a way that we do not unpack
    TOO_LARGE = "too-large"
    WRONG_HASH = "wrong-hash"


class Finding(NamedTuple):
    """Something that is wrong, and what with: the name of a member, an instance or a line; "" the file itself."""

    fault: Fault
    name: str = ""


class OutboxUnreadable(Exception):
    """Nothing of it can be taken."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class Unusable(Exception):
    """One thing in it that cannot be taken."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.fault}: {finding.name}")
        self.finding = finding


class File(NamedTuple):
    """A file of an instance: its name there, and which bytes it has."""

    name: str
    sha256: str
    size_bytes: int


class Instance(NamedTuple):
    """An instance in the file: the phone's own name for it, the member with its XML, its files.

    `is_listed` False: outbox.json does not name it, so which files it has only its answers can say.
    """

    client_id: str
    xml: str
    files: tuple[File, ...] = ()
    is_listed: bool = True


class Outbox:
    """An open outbox file. `findings` grow while it is read; `device` is what the phone called itself: a claim."""

    def __init__(
        self, file: IO[bytes], size_bytes: int, most_instance_bytes: int, most_file_bytes: int
    ) -> None:
        """Raises OutboxUnreadable. `size_bytes` of the zip itself bound what is unpacked of it."""
        self._most_instance_bytes, self._most_file_bytes = most_instance_bytes, most_file_bytes
        self._left_bytes = max(size_bytes * MOST_RATIO, ROOM_BYTES)
        self.findings: list[Finding] = []
        try:
            self._zip = Zip(file)
        except NotZip as error:
            raise OutboxUnreadable(Fault.NOT_ZIP) from error
        said = self._read_list()
        self.device = _text(said.get("device"))
        self.exported_at = _moment(said.get("exported_at"))
        listed = self._listed(said)
        self.instances = listed + self._unlisted({instance.xml for instance in listed}, bool(said))
        if not self.instances and said.get("format") != FORMAT:
            raise OutboxUnreadable(Fault.NOT_OUTBOX)
        self._look_around()

    def xml(self, instance: Instance) -> bytes:
        """An instance's bytes. Raises Unusable."""
        return b"".join(self._pieces(instance.xml, self._most_instance_bytes))

    def pieces(self, file: File) -> Iterator[bytes]:
        """A file's bytes; at the end they have turned out to be the right ones. Raises Unusable, then at the latest."""
        digest = hashlib.sha256()
        name = f"files/{file.sha256}"
        for piece in self._pieces(name, self._most_file_bytes):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != file.sha256:
            raise Unusable(Finding(Fault.WRONG_HASH, name))

    def has(self, file: File) -> bool:
        """Are there bytes for it, right or wrong?"""
        return f"files/{file.sha256}" in self._names

    def _pieces(self, name: str, most_bytes: int) -> Iterator[bytes]:
        try:
            for piece in self._zip.pieces(name, min(most_bytes, self._left_bytes)):
                self._left_bytes -= len(piece)
                yield piece
        except KeyError as error:
            raise Unusable(Finding(Fault.MISSING, name)) from error
        except MemberTooLarge as error:
            raise Unusable(Finding(Fault.TOO_LARGE, name)) from error
        except MemberBroken as error:
            raise Unusable(Finding(Fault.BROKEN, name)) from error

    def _read_list(self) -> dict[str, Any]:
        self._names = set(self._zip.names)
        try:
            said = json.loads(b"".join(self._pieces(LIST, MOST_LIST_BYTES)))
        except (Unusable, ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            self.findings.append(Finding(Fault.LIST_MISSING))
            return {}
        if said.get("format") != FORMAT:
            raise OutboxUnreadable(Fault.NOT_OUTBOX)
        if said.get("version") != VERSION:
            raise OutboxUnreadable(Fault.NEWER_VERSION)
        return said

    def _listed(self, said: dict[str, Any]) -> list[Instance]:
        items = said.get("instances")
        if not isinstance(items, list):
            items = []
            if said:
                self.findings.append(Finding(Fault.LIST_MISSING))
        return [found for number, item in enumerate(items) if (found := self._item(number, item))]

    def _item(self, number: int, item: object) -> Instance | None:
        xml = item.get("xml") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(xml, str) or not _is_xml_name(xml):
            self.findings.append(Finding(Fault.ITEM_UNREADABLE, f"instances[{number}]"))
            return None
        files = item.get("files", [])
        found = [_file(file) for file in files] if isinstance(files, list) else [None]
        if None in found:
            self.findings.append(Finding(Fault.ITEM_UNREADABLE, f"instances[{number}].files"))
        return Instance(_text(item.get("client_id")), xml, tuple(file for file in found if file))

    def _unlisted(self, named: set[str], has_list: bool) -> list[Instance]:
        names = [name for name in self._zip.names if _is_xml_name(name) and name not in named]
        if has_list:
            self.findings += [Finding(Fault.UNLISTED, name) for name in names]
        return [Instance(name, name, (), is_listed=False) for name in names]

    def _look_around(self) -> None:
        """What can be seen to be wrong before anything is unpacked."""
        if not self._zip.is_whole:
            self.findings.append(Finding(Fault.CUT_OFF))
        self.findings += [Finding(Fault.DOUBLE_NAME, _text(name)) for name in self._zip.doubled]
        wanted = {f"files/{file.sha256}" for instance in self.instances for file in instance.files}
        known = wanted | {LIST} | {instance.xml for instance in self.instances}
        strange = [name for name in self._zip.names if name not in known and not name.endswith("/")]
        self.findings += [Finding(Fault.UNNAMED, _text(name)) for name in strange]


def _is_xml_name(name: str) -> bool:
    return bool(_XML_NAME.fullmatch(name)) and _text(name) == name


def _file(said: object) -> File | None:
    if not isinstance(said, dict):
        return None
    name, sha256, size_bytes = said.get("name"), said.get("sha256"), said.get("size_bytes")
    if not (isinstance(name, str) and name and isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        return None
    plain = _text(name.replace("\\", "/").rsplit("/", 1)[-1])
    is_size = isinstance(size_bytes, int) and 0 <= size_bytes < 2**63
    return File(plain, sha256, int(size_bytes) if is_size else 0) if plain else None  # type: ignore[arg-type]


def _text(said: object) -> str:
    """A text that every store can hold: no NUL, no half of a character, not too long."""
    text = said if isinstance(said, str) else ""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:MOST_NAME_CHARS]


def _moment(said: object) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 <= said < 2**53 else None


class Outgoing(NamedTuple):
    """An instance on its way into an outbox file; `files` are its names for files on this disk."""

    client_id: str
    xml: bytes
    files: Sequence[tuple[str, Path]] = ()


def write(target: IO[bytes], device: str, exported_at: int, outgoing: Iterable[Outgoing]) -> None:
    """Write an outbox file into `target`, which can seek. `exported_at` in ms since 1970 UTC. Raises OSError.

    What is in it stands first and each instance before its files, so that a file that breaks off is still of use.
    """
    waiting = list(outgoing)
    files = [tuple(_measured(name, path) for name, path in item.files) for item in waiting]
    said = {
        "format": FORMAT, "version": VERSION, "device": device, "exported_at": exported_at,
        "instances": [
            {"client_id": item.client_id, "xml": f"instances/{number}.xml", "files": [f._asdict() for f in named]}
            for number, (item, named) in enumerate(zip(waiting, files, strict=True), 1)
        ],
    }  # fmt: skip
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(zipfile.ZipInfo(LIST), json.dumps(said, ensure_ascii=False), zipfile.ZIP_DEFLATED)
        put: set[str] = set()
        for number, (item, named) in enumerate(zip(waiting, files, strict=True), 1):
            packed.writestr(zipfile.ZipInfo(f"instances/{number}.xml"), item.xml, zipfile.ZIP_DEFLATED)
            for file, (_, path) in zip(named, item.files, strict=True):
                if file.sha256 not in put:
                    put.add(file.sha256)
                    _store(packed, f"files/{file.sha256}", path)


def _measured(name: str, path: Path) -> File:
    with path.open("rb") as file:
        return File(name, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def _store(packed: zipfile.ZipFile, name: str, path: Path) -> None:
    """Stored, not deflated: a photo does not become smaller."""
    with (
        path.open("rb") as source,
        packed.open(zipfile.ZipInfo(name), "w", force_zip64=path.stat().st_size > 2**31) as sink,
    ):
        while piece := source.read(1 << 16):
            sink.write(piece)
