"""A crew answers for trees that were sent back, on two engines that nobody here wrote."""

from __future__ import annotations

from functools import cache

import pytest

from forms.compile import Compiled
from forms.definition import Choice
from forms.instance import Answers, Reader, read
from forms.rework import ORDER_PROPERTIES, ORDERS, TREE_PROPERTIES, TREES, ReworkTree, make, version_of
from sync.openrosa import entity_csv
from tests.engines.fill import Filled, fill_with_javarosa, fill_with_xforms_engine, validate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("javarosa", "xforms_engine")]

PINE = Choice("pinus_tabuliformis", {"zh": "油松", "en": "Chinese pine"})
OAK = Choice("quercus_variabilis", {"zh": "栓皮栎", "en": "Chinese cork oak"})
ENGINES = pytest.mark.parametrize(
    "fill",
    [pytest.param(fill_with_javarosa, id="javarosa"), pytest.param(fill_with_xforms_engine, id="web-forms")],
)
ABOUT = {"/data/visit/surveyor": "王强", "/data/visit/measured_on": "2026-06-03"}
ORDER = {"/data/visit/order": "order-7", **ABOUT}
DOUBTED = [
    ReworkTree(1, 7, "PS-001", "1", "1", PINE.value, "油松", "Chinese pine", "too big, really", "231", "", "11", "20",
               "40"),
    ReworkTree(2, 7, "PS-001", "A 2", "2", OAK.value, "栓皮栎", "Chinese cork oak", ""),
]  # fmt: skip


@cache
def compiled() -> Compiled:
    return make([PINE, OAK])


def lists(orders: int = 1) -> dict[str, bytes]:
    return {
        ORDERS: entity_csv(ORDER_PROPERTIES, [
            (f"order-{7 + n}", "PS-001 · 看不清", 3, 7 + n, "PS-001", "2026", "看不清 读数", "2026-06-30", 2)
            for n in range(orders)
        ]),
        TREES: entity_csv(TREE_PROPERTIES, [
            (f"tree-{n}-{tree.position}", tree.tag, 3, *tree._replace(rework_id=7 + n).row())
            for n in range(orders) for tree in DOUBTED
        ]),
    }  # fmt: skip


def stem(position: int, **answers: str) -> dict[str, str]:
    return {f"/data/doubted/tree[{position}]/stem/{name}": text for name, text in answers.items()}


def answers(filled: Filled) -> Answers:
    return Reader(compiled().form).answers(read(filled.xml).root)


def test_odk_validate_is_content_with_the_form() -> None:
    assert validate(compiled().xml) == ""


def test_the_same_species_give_the_same_version_and_others_another() -> None:
    assert make([OAK, PINE]).xml == compiled().xml
    assert version_of([PINE]) != version_of([PINE, OAK]) == compiled().form.version


@ENGINES
def test_each_tree_of_the_chosen_order_is_answered(fill) -> None:
    script = {**ORDER, **stem(1, found="yes", tally_code="11", dbh_cm="23.1"), **stem(2, found="no")}
    filled = fill(compiled().xml, lists(orders=2), script)
    assert filled.violations == frozenset()
    found = answers(filled)
    assert {name: found.one("visit")[name] for name in ("kind", "rework_id", "census")} == {
        "kind": "rework", "rework_id": "7", "census": "2026",
    }  # fmt: skip
    assert found.one("plot") == {"plot_id": "PS-001"}
    assert found.trees == [
        {
            "tag": "1",
            "stem_id": "1",
            "found": "yes",
            "tally_code": "11",
            "dbh_cm": "23.1",
            "species": PINE.value,
        },
        {"tag": "A 2", "stem_id": "2", "found": "no", "tally_code": "missing"},
    ]


@ENGINES
def test_a_surprising_diameter_must_be_verified(fill) -> None:
    slip = stem(1, found="yes", tally_code="11", dbh_cm="231") | stem(2, found="no")
    at = "/data/doubted/tree[1]/stem"
    assert fill(compiled().xml, lists(), ORDER | slip).violations == {
        f"{at}/dbh_cm constraint", f"{at}/verified required",
    }  # fmt: skip
    sure = slip | stem(1, verified="yes")
    assert fill(compiled().xml, lists(), ORDER | sure).violations == frozenset()


@ENGINES
def test_a_wrong_species_and_a_dead_tree_can_be_said(fill) -> None:
    said = stem(1, found="yes", tally_code="13", species_right="no", species_now=OAK.value) | stem(
        2, found="no"
    )
    filled = fill(compiled().xml, lists(), ORDER | said)
    assert filled.violations == frozenset()
    assert answers(filled).trees[0] == {
        "tag": "1", "stem_id": "1", "found": "yes", "tally_code": "13", "species": OAK.value,
    }  # fmt: skip


@ENGINES
def test_nothing_that_was_sent_back_can_be_left_out(fill) -> None:
    assert fill(compiled().xml, lists(), ORDER).violations == {
        f"/data/doubted/tree[{n}]/stem/found required" for n in (1, 2)
    }


@ENGINES
def test_an_empty_list_opens_all_the_same(fill) -> None:
    filled = fill(compiled().xml, lists(orders=0), ABOUT)
    assert filled.violations == {"/data/visit/order required"}
    assert answers(filled).trees == []
