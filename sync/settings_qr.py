"""The QR code that sets up ODK Collect: JSON, deflated, Base64, as a QR code of level L.

Facts: Collect wants the keys `general` and `admin` even when empty, drops unknown keys, resets absent ones, and
refuses more than 4,000 characters (https://docs.getodk.org/collect-import-export/).
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

MAX_CHARS = 4000


def settings_json(server_url: str, project_name: str, locale: str = "zh") -> dict[str, Any]:
    """Settings for one phone of one project. `server_url` carries the device's key."""
    return {
        "general": {
            "server_url": server_url,
            "form_update_mode": "match_exactly",
            "autosend": "wifi_and_cellular",
            "app_language": "zh" if locale.startswith("zh") else "en",
            "image_size": "large",  # about 2,048 px on the long edge: the tape is legible, a poor line copes
            "constraint_behavior": "on_swipe",
        },
        "admin": {},
        "project": {"name": project_name},
    }


def encode(settings: dict[str, Any]) -> str:
    """The text inside the QR code. Raises ValueError where Collect would refuse its length."""
    text = json.dumps(settings, ensure_ascii=False, separators=(",", ":"))
    code = base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
    if len(code) > MAX_CHARS:
        raise ValueError(f"{len(code)} characters, Collect takes at most {MAX_CHARS}")
    return code


def decode(code: str) -> dict[str, Any]:
    """What a scanned code says; the inverse of `encode`."""
    settings: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(code)))
    return settings
