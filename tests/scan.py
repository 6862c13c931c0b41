"""A phone's camera: what a picture of a QR code says, read by zbarimg, which knows nothing of how we made it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ZBARIMG = shutil.which("zbarimg")
NO_ZBARIMG = "NOT SCANNED: zbarimg is not on this machine (Debian: apt-get install zbar-tools)"


def scan(picture: Path) -> list[str]:
    """Everything that the QR codes in a picture say."""
    assert ZBARIMG is not None
    command = [ZBARIMG, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)]
    read = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return read.stdout.splitlines()
