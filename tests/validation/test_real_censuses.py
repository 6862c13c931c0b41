"""The rules on real remeasured forest. The bounds are what people who review flags can bear; they are not tuned
to the last digit, so that a better rule does not break them."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli.check import check
from server.forest.visit import Visit
from server.validation.catalogue import flags_of
from server.validation.flag import Flag, Severity
from server.validation.parameters import Parameters
from server.validation.reference import Reference
from tests.validation.harness import (
    DATA,
    Census,
    flags_by_plot,
    injected,
    read_trees,
    remeasured,
    score,
    suspects,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (DATA / "scbi.csv").exists(), reason="the reference data are not beside this checkout"
    ),
]

SMALL = Parameters.default().with_changes({"T02.min_cm": 1.0})  # this forest is tallied from 1 cm


@pytest.fixture(scope="module")
def censuses() -> dict[str, dict[str, Visit]]:
    return read_trees(DATA / "scbi.csv").censuses


@pytest.fixture(scope="module")
def pairs() -> Census:
    return remeasured(DATA / "scbi.csv", "2", "3", 5.0)


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def of_tree(flags: list[Flag], key: tuple[str, str]) -> list[Flag]:
    return [flag for flag in flags if (flag.tag, flag.stem_id) == key]


def test_a_whole_published_census_through_the_command_line_is_a_short_list(tmp_path):
    out = tmp_path / "flags.csv"
    options = ["--csv", str(DATA / "scbi.csv"), "--census", "3", "--set", "T02.min_cm=1.0", "--out", str(out)]
    result = CliRunner().invoke(
        check, [*options, "--species", str(DATA / "scbi_species.csv"), "--lang", "en"]
    )
    assert result.exit_code == 0, result.output
    rows = table(out)
    assert "72555 records" in result.stderr
    assert 100 < len(rows) < 0.015 * 72_555
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert Counter(row["rule"] for row in rows)["T01"] == 3  # alive without a diameter in the published table


def test_injected_errors_are_found_without_drowning_the_supervisor(pairs):
    spoilt, truth = injected(pairs, 0.01, seed=1)
    result = score(spoilt, truth, flags_by_plot(spoilt, Parameters.default()))
    assert result.flags_per_1000 <= 20
    assert result.precision >= 0.45
    assert result.error_precision >= 0.9
    assert result.recall_material >= 0.88
    assert result.average_precision >= 0.7


def test_every_slip_of_the_decimal_point_is_an_error(pairs):
    missed = []
    for factor in (10.0, 0.1):
        for visit in pairs.now[::40]:
            for place, tree in enumerate(visit.trees):
                slipped = tree._replace(dbh_cm=round((tree.dbh_cm or 0.0) * factor, 2), dbh_text="")
                now = replace(visit, trees=(*visit.trees[:place], slipped, *visit.trees[place + 1 :]))
                found = of_tree(
                    flags_of(now, pairs.before[visit.plot_id], parameters=Parameters.default()), tree.key
                )
                if not any(flag.severity is Severity.ERROR for flag in found):
                    missed.append((visit.plot_id, tree.tag, factor))
    assert missed == []


def test_every_missing_diameter_duplicate_tag_and_vanished_tree_is_an_error(pairs):
    for visit in (visit for visit in pairs.now[::80] if len(visit.trees) > 5):
        first, second, third, *others = visit.trees
        spoilt = [
            first._replace(dbh_cm=None),
            second,
            third._replace(tag=second.tag, stem_id=second.stem_id),
            *others,
        ]
        now = replace(visit, trees=tuple(spoilt[:-1]))
        errors = {
            (flag.rule, flag.tag)
            for flag in flags_of(now, pairs.before[visit.plot_id], parameters=Parameters.default())
            if flag.severity is Severity.ERROR
        }
        assert {
            ("T01", first.tag),
            ("T09", second.tag),
            ("X07", third.tag),
            ("X07", others[-1].tag),
        } <= errors


def test_diameters_that_curators_corrected_are_flagged_where_the_next_census_contradicts_them(censuses):
    first, second = censuses["1"], censuses["2"]
    places = {tree.key: plot for plot, visit in first.items() for tree in visit.trees}
    reference = Reference.of([*first.values(), *second.values()])
    seen = found = 0
    for row in table(DATA / "labels_scbi_census1_corrections.csv"):
        key = (row["tag"], row["stem_id"].removesuffix(".0"))
        if row["field"] != "dbh" or key not in places:
            continue
        was, plot = round(float(row["value_2018_10_26"]) / 10, 1), places[key]
        now = second[plot].by_key().get(key)
        if now is None or not now.dbh_cm or 0.75 < now.dbh_cm / was < 1.25 or min(was, now.dbh_cm) < 5:
            continue
        trees = tuple(t._replace(dbh_cm=was) if t.key == key else t for t in first[plot].trees)
        flags = flags_of(
            second[plot], replace(first[plot], trees=trees), reference=reference, parameters=SMALL
        )
        seen += 1
        found += any(flag.severity is not Severity.INFO for flag in of_tree(flags, key))
    assert seen >= 5
    assert found == seen


def test_diameters_that_two_other_censuses_prove_wrong_are_flagged_at_one_of_them(censuses):
    first, second, third = (censuses[name] for name in "123")
    reference = Reference.of([*first.values(), *second.values(), *third.values()])
    seen = found = 0
    for plot in sorted(second.keys() & first.keys() & third.keys()):
        one, two, three = (census[plot].by_key() for census in (first, second, third))
        wrong = [
            key
            for key in one.keys() & two.keys() & three.keys()
            if _proven_wrong(one[key], two[key], three[key])
        ]
        if wrong:
            then = flags_of(second[plot], first[plot], reference=reference, parameters=SMALL)
            later = flags_of(
                third[plot], second[plot], earlier=[first[plot]], reference=reference, parameters=SMALL
            )
            told = {(tag, stem) for some in (then, later) for _, tag, stem in suspects({plot: some})}
            seen += len(wrong)
            found += sum(key in told for key in wrong)
    assert seen >= 10
    assert found >= 0.9 * seen


def _proven_wrong(one, two, three) -> bool:
    """Censuses 1 and 3 agree on an ordinary growth, and census 2 lies far outside of what is between them."""
    alive = all(tree.tally_code == 11 and tree.dbh_cm and tree.dbh_cm >= 5 for tree in (one, two, three))
    if not alive or not -0.3 <= three.dbh_cm - one.dbh_cm <= max(3.0, 0.3 * one.dbh_cm):
        return False
    margin = max(1.0, 0.1 * one.dbh_cm)
    return two.dbh_cm < one.dbh_cm - margin or two.dbh_cm > three.dbh_cm + margin


def test_values_that_a_crew_verified_when_asked_in_the_field_are_seldom_errors(censuses):
    before, now = censuses["3"], censuses["4"]
    places = {tree.key: plot for plot, visit in now.items() for tree in visit.trees}
    seen = errors = 0
    for row in table(DATA / "labels_scbi2023_field_prompts_kept.csv"):
        key = (row["tag"], row["stem_id"].removesuffix(".0"))
        plot = places.get(key)
        if plot in before:
            trees = tuple(t._replace(verified=t.key == key) for t in now[plot].trees)
            flags = flags_of(replace(now[plot], trees=trees), before[plot], parameters=SMALL)
            seen += 1
            errors += any(
                flag.severity is Severity.ERROR and flag.field == "dbh_cm" for flag in of_tree(flags, key)
            )
    assert seen >= 50
    assert errors <= 0.05 * seen
