"""Step 2b: look into a photo: EXIF, size, a thumbnail. The photo itself stays as it came.

What is no picture (an audit log, a damaged file) is noted as that and is no failure: the file is kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from server.photos.exif import read_exif
from server.photos.sniff import kind_of_file
from server.photos.thumbnail import PhotoUnreadable, make_thumbnail
from server.store import attachments, photos
from server.store.blobs import Blobs

Seen = dict[str, Any]


def look(connection: Connection, ids: Sequence[int], blobs: Blobs, max_pixels: int) -> list[Seen]:
    """Column values of what each file turned out to show; files that are no pictures by their bytes are left out.

    A picture of more than `max_pixels` is never decoded.
    """
    found = []
    for row in attachments.to_inspect(connection, ids):
        path = blobs.path(row.sha256)
        if kind_of_file(path).is_picture or (row.content_type or "").startswith("image/"):
            found.append({"attachment_id": row.id, **_inspect(path, blobs, max_pixels)})
    return found


def _inspect(path: Path, blobs: Blobs, max_pixels: int) -> Seen:
    exif = read_exif(path)
    seen: Seen = {
        "taken_at": exif.taken_at,
        "lat": exif.lat,
        "lon": exif.lon,
        "accuracy_m": exif.accuracy_m,
        "make": exif.make,
        "model": exif.model,
        "software": exif.software,
        "width_px": None,
        "height_px": None,
        "thumbnail_sha256": None,
        "fault": None,
    }
    with tempfile.TemporaryDirectory(dir=blobs.root, prefix="thumbnail-") as folder:
        target = Path(folder) / "thumbnail.jpg"
        try:
            size = make_thumbnail(path, target, max_pixels=max_pixels)
        except PhotoUnreadable as fault:
            return {**seen, "fault": fault.reason}
        thumbnail = blobs.keep_file(target)
    return {**seen, "width_px": size.width_px, "height_px": size.height_px, "thumbnail_sha256": thumbnail}


def write(connection: Connection, found: Sequence[Seen], at: int) -> None:
    """Note what was seen, in place of what was seen before."""
    for seen in found:
        photos.put(connection, {**seen, "inspected_at": at})
