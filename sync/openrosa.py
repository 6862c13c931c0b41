"""The XML that ODK Collect expects: form list, manifest, entity integrity, message, submission list.

Collect rejects a whole list when one form lacks an id, a name or a downloadUrl, so these writers take complete
values and escape everything. Facts of the wire: https://docs.getodk.org/openrosa/ and the behaviour of Collect.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

VERSION = "1.0"
CONTENT_TYPE = "text/xml; charset=utf-8"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class ListedForm(NamedTuple):
    """A form as a phone may fetch it; `md5` is of the exact bytes at `download_url`."""

    form_id: str
    version: str
    name: str
    md5: str
    download_url: str
    manifest_url: str | None


class MediaFile(NamedTuple):
    """A file beside a form. `integrity_url` is given for entity lists only, and makes it one."""

    name: str
    md5: str
    download_url: str
    integrity_url: str | None = None


def form_list(forms: Iterable[ListedForm]) -> str:
    """The formList document. An empty one tells a phone that matches exactly to drop its forms: send it only
    when there truly are none."""
    body = "".join(
        f"<xform><formID>{escape(f.form_id)}</formID><name>{escape(f.name or f.form_id)}</name>"
        f"<version>{escape(f.version)}</version><hash>md5:{f.md5}</hash>"
        f"<downloadUrl>{escape(f.download_url)}</downloadUrl>"
        + (f"<manifestUrl>{escape(f.manifest_url)}</manifestUrl>" if f.manifest_url else "")
        + "</xform>"
        for f in forms
    )
    return f'{_HEAD}<xforms xmlns="http://openrosa.org/xforms/xformsList">{body}</xforms>'


def manifest(files: Iterable[MediaFile]) -> str:
    """The manifest of one form version."""
    body = "".join(
        f"<mediaFile{_entity_list(f)}><filename>{escape(f.name)}</filename><hash>md5:{f.md5}</hash>"
        f"<downloadUrl>{escape(f.download_url)}</downloadUrl>"
        + (f"<integrityUrl>{escape(f.integrity_url)}</integrityUrl>" if f.integrity_url else "")
        + "</mediaFile>"
        for f in files
    )
    return f'{_HEAD}<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{body}</manifest>'


def _entity_list(file: MediaFile) -> str:
    return ' type="entityList"' if file.integrity_url else ""


def integrity(entities: Iterable[tuple[str, bool]]) -> str:
    """For each asked entity id: is it deleted? Collect reads this document without a namespace."""
    body = "".join(
        f"<entity id={quoteattr(entity_id)}><deleted>{'true' if deleted else 'false'}</deleted></entity>"
        for entity_id, deleted in entities
    )
    return f"{_HEAD}<data><entities>{body}</entities></data>"


def message(text: str, nature: str) -> str:
    """What Collect shows to the crew; `nature` is submit_success or submit_error."""
    return (
        f'{_HEAD}<OpenRosaResponse xmlns="http://openrosa.org/http/response">'
        f"<message nature={quoteattr(nature)}>{escape(text)}</message></OpenRosaResponse>"
    )


def entity_csv(properties: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """An entity list: each row is (uuid, label, version, then a value for each property).

    One row without name, label or __version makes Collect drop the whole list without a word, so such a row
    is left out here: a phone without one tree beats a phone without trees.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", "label", "__version", *properties])
    for name, label, version, *values in rows:
        if name and str("" if label is None else label).strip() and version is not None:
            writer.writerow([name, label, version, *("" if v is None else v for v in values)])
    return out.getvalue().encode()


def submission_list(instance_ids: Iterable[str], cursor: str) -> str:
    """A page of instance ids for a tool that pulls; the same cursor again means the end."""
    body = "".join(f"<id>{escape(i)}</id>" for i in instance_ids)
    return (
        f'{_HEAD}<idChunk xmlns="http://opendatakit.org/submissions"><idList>{body}</idList>'
        f"<resumptionCursor>{escape(cursor)}</resumptionCursor></idChunk>"
    )


def download(instance_xml: str, files: Iterable[MediaFile]) -> str:
    """One submission with the addresses of its files, for a tool that pulls. `instance_xml` without a prolog."""
    media = "".join(
        f"<mediaFile><filename>{escape(f.name)}</filename><hash>md5:{f.md5}</hash>"
        f"<downloadUrl>{escape(f.download_url)}</downloadUrl></mediaFile>"
        for f in files
    )
    return (
        f'{_HEAD}<submission xmlns="http://opendatakit.org/submissions" '
        f'xmlns:orx="http://openrosa.org/xforms"><data>{instance_xml}</data>{media}</submission>'
    )
