"""Trees as plots know them, over all censuses."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from server.store import hot
from server.store.schema import tree

_TAGS = hot.in_list(select(tree.c.plot_id, tree.c.tag), tree.c.plot_id)


def highest_tags(connection: Connection, plot_ids: Sequence[int]) -> dict[int, int]:
    """The highest number that any tree of a plot ever bore, cut ones among them; tags that are no numbers apart."""
    highest: dict[int, int] = {}
    for plot_id, tag in _TAGS.of(connection, sorted(plot_ids)):
        if tag.isdecimal():
            highest[plot_id] = max(highest.get(plot_id, 0), int(tag))
    return highest
