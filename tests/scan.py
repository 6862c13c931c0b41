"""A phone's camera: what a picture of a QR code says, read by zbarimg, which knows nothing of how we made it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

ZBARIMG = shutil.which("zbarimg")
NO_ZBARIMG = "NOT SCANNED: zbarimg is not on this machine (Debian: apt-get install zbar-tools)"


def scan(picture: Path) -> list[str]:
    """Everything that the QR codes in a picture say."""
    assert ZBARIMG is not None
    command = [ZBARIMG, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)]
    read = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return read.stdout.splitlines()


def photograph(page: Any, picture: Path, tries: int = 3) -> Path:
    """What a page, or a part of it, looks like. Chromium on a busy machine now and then says that it cannot take a
    picture just now; what is judged is the picture, so it is asked again."""
    for left in reversed(range(tries)):
        try:
            page.screenshot(path=str(picture))
            break
        except Exception as error:
            if not left or "Unable to capture screenshot" not in str(error):
                raise
    return picture
