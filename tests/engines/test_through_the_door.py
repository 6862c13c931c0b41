"""What two engines wrote goes through the door and becomes the same trees."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.settings import Settings
from server.store.db import Database
from server.store.schema import measurement, submission, visit
from tests.cast import Cast
from tests.engines import scripts
from tests.engines.fill import fill_with_javarosa, fill_with_xforms_engine
from tests.phone import Back, Phone, form, key_address, put_up

pytestmark = pytest.mark.slow  # two engines start

SCRIPT = {**scripts.VISIT, **scripts.FACTORS, **scripts.CORNERS, **scripts.TREES, **scripts.PHOTOS}


def test_both_engines_filled_forms_become_the_same_trees(
    database: Database,
    settings: Settings,
    client: FlaskClient,
    cast: Cast,
    javarosa: None,
    xforms_engine: None,
) -> None:
    compiled = form("plot_visit")
    put_up(database, cast.project, compiled)
    phone, back = Phone(client, key_address(cast)), Back(database, settings)
    for fill in (fill_with_javarosa, fill_with_xforms_engine):
        assert phone.send(fill(compiled.xml, {}, SCRIPT).xml).status_code == 201
    back.drain()
    columns = [c for c in measurement.c if c.name not in {"visit_id", "tree_id"}]
    query = select(visit.c.source_id, *columns).join(visit, visit.c.id == measurement.c.visit_id)
    trees: dict[int, list[tuple[Any, ...]]] = {}
    for source, *values in back.rows(query.order_by(visit.c.source_id, measurement.c.ordinal)):
        trees.setdefault(source, []).append(tuple(values))
    sent = [row.id for row in back.rows(select(submission.c.id).order_by(submission.c.id))]
    assert list(trees) == sent
    assert len(trees[sent[0]]) == sum(1 for path in scripts.TREES if path.endswith("/tag"))
    assert trees[sent[0]] == trees[sent[1]]
