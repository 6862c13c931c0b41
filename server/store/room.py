"""Whether it was the disk that had no room: then nothing is wrong with what was to be kept."""

from __future__ import annotations

import errno

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def is_wanting(error: Exception) -> bool:
    """Did this fail for a disk that is full, or that turned read-only? Later it may succeed unchanged."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    said = str(getattr(error, "orig", error)).lower()  # what the driver said, without the statement
    return "disk is full" in said or "no space left" in said
