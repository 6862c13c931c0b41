"""Step 2b: look into a photo: EXIF, size, likeness, a thumbnail. The photo itself stays as it came.

What is no picture (an audit log, a damaged file) is noted as that and is no failure: the file is kept. When the last
photo of a visit has been looked at, the rules are promised another look at the visit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from server.photos.exif import read_exif
from server.photos.sniff import kind_of_file
from server.photos.thumbnail import PhotoUnreadable, make_thumbnail
from server.store import attachments, crews, jobs, photos
from server.store.blobs import Blobs


class Seen(NamedTuple):
    """A file that was looked at. `values`: columns of what it shows; None where it is no picture by its bytes."""

    attachment_id: int
    submission_id: int
    project_id: int
    values: dict[str, Any] | None


def look(connection: Connection, ids: Sequence[int], blobs: Blobs, max_pixels: int) -> list[Seen]:
    """What each file turned out to show. A picture of more than `max_pixels` is never decoded."""
    found = []
    for row in attachments.to_inspect(connection, ids):
        path = blobs.path(row.sha256)
        is_picture = kind_of_file(path).is_picture or (row.content_type or "").startswith("image/")
        values = {"attachment_id": row.id, **_inspect(path, blobs, max_pixels)} if is_picture else None
        found.append(Seen(row.id, row.submission_id, row.project_id, values))
    return found


def _inspect(path: Path, blobs: Blobs, max_pixels: int) -> dict[str, Any]:
    exif = read_exif(path)
    seen: dict[str, Any] = {
        "taken_at": exif.taken_at,
        "gps_at": exif.gps_at,
        "lat": exif.lat,
        "lon": exif.lon,
        "accuracy_m": exif.accuracy_m,
        "make": exif.make,
        "model": exif.model,
        "software": exif.software,
        "width_px": None,
        "height_px": None,
        "thumbnail_sha256": None,
        "likeness": None,
        "fault": None,
    }
    with tempfile.TemporaryDirectory(dir=blobs.root, prefix="thumbnail-") as folder:
        target = Path(folder) / "thumbnail.jpg"
        try:
            small = make_thumbnail(path, target, max_pixels=max_pixels)
        except PhotoUnreadable as fault:
            return {**seen, "fault": fault.reason}
        thumbnail = blobs.keep_file(target)
    size = {"width_px": small.size.width_px, "height_px": small.size.height_px}
    return {**seen, **size, "thumbnail_sha256": thumbnail, "likeness": small.likeness}


def write(connection: Connection, found: Sequence[Seen], at: int) -> None:
    """Note what was seen, in place of what was seen before; promise a check of visits that have no other photo to wait
    for, and of those whose photos turn out to have a twin."""
    if not found:
        return
    for seen in found:
        if seen.values is not None:
            photos.put(connection, seen.project_id, {**seen.values, "inspected_at": at})
    crews.log_has_come(connection, [seen.attachment_id for seen in found if seen.values is None], at)
    numbers = [seen.attachment_id for seen in found]
    whole = photos.waits_for_no_more(connection, (seen.submission_id for seen in found), numbers)
    jobs.put(connection, jobs.CHECK, photos.visits_showing(connection, whole, numbers), at)
