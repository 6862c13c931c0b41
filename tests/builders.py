"""Small makers of rows for tests: a form, what a phone sent, a visit with its trees and photos.

Everything has a default that is true to life; a test names only what it is about. Flags are not made here: let the
real rules look with `let_the_rules_look`.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import Connection, insert

from forms.definition import Choice, Form, Question
from server.steps import check
from server.store import schema
from server.store.blobs import Blobs

AT = 1_780_272_000_000
"""2026-06-01 00:00 UTC, ms since 1970."""
_numbers = count(1)

PLOT_VISIT = Form(
    form_id="plot_visit",
    version="2026050101",
    title="样地调查",
    questions=(
        Question("/data/plot_id", "string", "plot.plot_id", {"zh": "样地号", "en": "Plot"}, required=True),
        Question(
            "/data/origin", "select1", "plot.origin", {"zh": "起源", "en": "Origin"},
            (Choice("21", {"zh": "植苗", "en": "planted"}), Choice("11", {"zh": "纯天然", "en": "natural"})),
        ),
        Question(
            "/data/tree/species", "select1", "tree.species", {"zh": "树种", "en": "Species"},
            (Choice("pinus_tabuliformis", {"zh": "油松", "en": "Chinese pine"}),
             Choice("quercus", {"zh": "栎", "en": "oak"}),
             Choice("robinia", {"zh": "刺槐", "en": "black locust"})),
        ),
        Question("/data/tree/dbh_cm", "decimal", "tree.dbh_cm", {"zh": "胸径", "en": "DBH"}),
    ),
    repeats=("/data/tree",),
    languages=("zh", "en"),
    mapping="tags",
)  # fmt: skip
"""A plot visit's form as the store keeps it."""


def row(connection: Connection, table: schema.Table, **values: object) -> int:
    """Any row; its number."""
    return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


def form_version(connection: Connection, project: int, form: Form = PLOT_VISIT, **values: Any) -> int:
    """A published version of a form, the current one."""
    key = row(connection, schema.form, project_id=project, form_id=form.form_id, created_at=AT)
    defaults = {
        "version": form.version, "title": form.title, "xml": b"<h:html/>", "xml_md5": "0" * 32,
        "definition": form.to_json(), "published_at": AT, "is_current": True,
    }  # fmt: skip
    return row(connection, schema.form_version, form_key=key, **{**defaults, **values})


def submission(connection: Connection, project: int, xml: bytes = b"", **values: Any) -> int:
    """An instance that the store keeps, as sent."""
    number = next(_numbers)
    xml = xml or b'<data id="plot_visit"><meta><instanceID>uuid:%08d</instanceID></meta></data>' % number
    defaults = {
        "form_id": "plot_visit", "version": "2026050101", "instance_id": f"uuid:{number:08d}",
        "instance_name": f"PS-{number}", "xml": zlib.compress(xml), "xml_sha256": hashlib.sha256(xml).digest(),
        "received_at": AT + number * 1000, "app": "org.odk.collect.android/v2026.2.1",
    }  # fmt: skip
    return row(connection, schema.submission, project_id=project, **{**defaults, **values})


def tree(tag: str, dbh_cm: float | None, **values: Any) -> dict[str, Any]:
    """A measurement without its visit: a living 油松 unless the test says otherwise."""
    defaults = {
        "tag": tag, "stem_id": "1", "species": "pinus_tabuliformis", "tally_code": 11, "dbh_cm": dbh_cm,
        "height_m": None, "pom_m": None, "azimuth_deg": None, "distance_m": None, "x_m": None, "y_m": None,
        "verified": False, "dbh_text": "" if dbh_cm is None else f"{dbh_cm:.1f}", "other": None,
    }  # fmt: skip
    return {**defaults, **values}


def visit(connection: Connection, project: int, plot: int, census: int, trees: Sequence[dict[str, Any]] = (),
          **values: Any) -> int:  # fmt: skip
    """A visit with its trees and the submission it was read from (`sent`: values of that submission)."""
    source = submission(connection, project, **values.pop("sent", {}))
    defaults = {"submission_id": source, "source_id": source, "measured_on": "2026-06-01", "unfolded_at": AT}
    number = row(connection, schema.visit, project_id=project, plot_id=plot, census_id=census,
                 **{**defaults, **values})  # fmt: skip
    if trees:
        rows = [{**tree, "visit_id": number, "ordinal": ordinal} for ordinal, tree in enumerate(trees)]
        connection.execute(insert(schema.measurement), rows)
    return number


def let_the_rules_look(connection: Connection, *visits: int) -> None:
    """The real step 3 over these visits."""
    check.write(connection, check.look(connection, visits), AT)


def jpeg(shade: int = 120, size: tuple[int, int] = (64, 48)) -> bytes:
    """A real, small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, 140, 100)).save(buffer, "JPEG")
    return buffer.getvalue()


def attachment(connection: Connection, submission_id: int, name: str, content: bytes | None, photo_dir: Path,
               **values: Any) -> int:  # fmt: skip
    """A file that an instance names; `content` None: it has not come."""
    sha256 = None if content is None else keep(content, photo_dir)
    return row(connection, schema.attachment, submission_id=submission_id, name=name, is_expected=True, sha256=sha256,
               size_bytes=None if content is None else len(content), **values)  # fmt: skip


def photo(connection: Connection, attachment_id: int, thumbnail: bytes, photo_dir: Path) -> int:
    """What was found in a picture that came, with its small copy."""
    return row(connection, schema.photo, attachment_id=attachment_id, width_px=64, height_px=48,
               thumbnail_sha256=keep(thumbnail, photo_dir), inspected_at=AT)  # fmt: skip


def keep(content: bytes, photo_dir: Path) -> str:
    """Put bytes among the blobs and give their SHA-256."""
    blobs = Blobs(photo_dir)
    with blobs.incoming() as part:
        part.write(content)
        return blobs.keep(part)
