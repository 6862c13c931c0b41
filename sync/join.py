"""The link by which a phone joins: `https://HOST/join#k=KEY&p=N`.

What follows `#` stays in the phone: no server, proxy or log ever sees the key because somebody opened the link.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

PATH = "/join"
MAX_CHARS = 2000
"""Characters of a link; a real one has fewer than 200."""


class Join(NamedTuple):
    """What a join link says: the server's address without a slash at its end, the phone's key, the project."""

    root: str
    key: str
    project_id: int


def link(root: str, key: str, project_id: int) -> str:
    """The link for a phone with this key; `root` is the server's address as phones reach it."""
    return f"{root.rstrip('/')}{PATH}#{urlencode({'k': key, 'p': project_id})}"


def read(text: str) -> Join:
    """What a scanned or pasted link says; the inverse of `link`. Raises ValueError for anything else."""
    parts = urlsplit(text.strip()[:MAX_CHARS])
    said = parse_qs(parts.fragment)
    key, number = said.get("k", [""])[0], said.get("p", [""])[0]
    if parts.scheme not in {"http", "https"} or not parts.netloc or not parts.path.endswith(PATH) or not key:
        raise ValueError("not a join link")
    if not (number.isascii() and number.isdecimal()):
        raise ValueError("a join link without its project")
    return Join(f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix(PATH)}", key, int(number))
