"""Bands are fitted to what a supervisor has accepted, and nothing is judged by itself."""

from __future__ import annotations

import json

from sqlalchemy import select, update

from server.steps import accepted, check, review
from server.store import jobs, schema
from server.store.db import Database
from server.store.reviews import Act
from server.store.schema import band_fit, flag, recheck, visit
from tests import builders
from tests.cast import Cast
from tests.phone import Back

PLOTS = 12


def plots(database: Database, cast: Cast, giants: dict[int, float]) -> list[int]:
    """Plots of thirty pines up to 30 cm; in some of them one giant (plot's place: its dbh, cm)."""
    with database.writing() as connection:
        census = builders.row(connection, schema.census, project_id=cast.project, name="2031")
        numbers = []
        for place in range(PLOTS):
            plot = builders.row(connection, schema.plot, project_id=cast.project, plot_id=f"G-{place}")
            trees = [builders.tree(str(n), 10.0 + n * 0.6) for n in range(1, 31)]
            if place in giants:
                trees.append(builders.tree("99", giants[place]))
            numbers.append(builders.visit(connection, cast.project, plot, census, trees))
        return numbers


def approve(database: Database, numbers: list[int]) -> None:
    with database.writing() as connection:
        connection.execute(update(visit).where(visit.c.id.in_(numbers)).values(review_state="approved"))


def fit_again(database: Database, cast: Cast, back: Back) -> None:
    with database.writing() as connection:
        jobs.put_once(connection, jobs.REFIT, cast.project, 0)
    back.drain()


def versions(back: Back) -> list[tuple[int, int, int, bool]]:
    query = select(band_fit.c.version, band_fit.c.plots, band_fit.c.trees, band_fit.c.is_current)
    return [tuple(row) for row in back.rows(query.order_by(band_fit.c.version))]


def too_large(back: Back) -> list[str]:
    query = select(flag.c.value).where(flag.c.rule == "T04", flag.c.state == "open")
    return sorted(row.value for row in back.rows(query))


def test_nothing_is_fitted_before_anything_is_accepted(database: Database, cast: Cast, back: Back) -> None:
    plots(database, cast, {})
    fit_again(database, cast, back)
    assert versions(back) == []


def test_a_fit_is_kept_when_it_says_something_new(database: Database, cast: Cast, back: Back) -> None:
    numbers = plots(database, cast, {})
    approve(database, numbers[:6])
    fit_again(database, cast, back)
    assert versions(back) == [(1, 6, 180, True)]
    fit_again(database, cast, back)
    assert versions(back) == [(1, 6, 180, True)]
    approve(database, numbers)
    fit_again(database, cast, back)
    assert versions(back) == [(1, 6, 180, False), (2, 12, 360, True)]
    assert [row.reason for row in back.rows(select(recheck.c.reason))] == ["bands", "bands"]


def test_a_tree_beyond_all_accepted_ones_is_flagged_once_they_are_known(
    database: Database, cast: Cast, back: Back
) -> None:
    numbers = plots(database, cast, {11: 80.0})
    with database.writing() as connection:
        check.write(connection, check.look(connection, numbers), 0)
    assert too_large(back) == []
    approve(database, numbers[:11])
    fit_again(database, cast, back)
    assert too_large(back) == ["80"]
    [facts] = [row.facts for row in back.rows(select(flag.c.facts).where(flag.c.rule == "T04"))]
    assert facts["bands"] == 1


def test_an_accepted_visit_is_not_judged_by_its_own_trees(database: Database, cast: Cast, back: Back) -> None:
    """The giant has been approved with its plot: it stays beyond what the other plots say. A second giant elsewhere,
    not approved yet, is measured by the first."""
    numbers = plots(database, cast, {3: 80.0, 7: 78.0})
    approve(database, [number for place, number in enumerate(numbers) if place != 7])
    fit_again(database, cast, back)
    assert too_large(back) == ["80"]


def test_another_version_of_the_bands_opens_nothing_that_was_decided(
    database: Database, cast: Cast, back: Back
) -> None:
    numbers = plots(database, cast, {11: 80.0})
    approve(database, numbers[:6])
    fit_again(database, cast, back)
    with database.writing() as connection:
        connection.execute(update(flag).where(flag.c.rule == "T04").values(state="accepted"))
    approve(database, numbers[:10])
    fit_again(database, cast, back)
    states = {row.state for row in back.rows(select(flag.c.state).where(flag.c.rule == "T04"))}
    assert (len(versions(back)), states) == (2, {"accepted"})


def test_an_open_flag_says_what_the_newer_bands_say(database: Database, cast: Cast, back: Back) -> None:
    numbers = plots(database, cast, {5: 32.0, 11: 80.0})
    approve(database, numbers[:5])
    fit_again(database, cast, back)
    query = select(flag.c.id, flag.c.expected_high, flag.c.facts).where(
        flag.c.rule == "T04", flag.c.value == "80"
    )
    [first] = back.rows(query)
    approve(database, numbers[:11])
    fit_again(database, cast, back)
    [second] = back.rows(query)
    assert (second.id, second.facts["bands"]) == (first.id, 2)
    assert second.expected_high > first.expected_high


def test_a_fit_reads_back_as_it_was_written(database: Database, cast: Cast, back: Back) -> None:
    numbers = plots(database, cast, {})
    approve(database, numbers)
    fit_again(database, cast, back)
    [row] = back.rows(select(band_fit.c.fit, band_fit.c.fit_sha256))
    assert accepted.Accepted.of_text(row.fit).to_text() == row.fit
    assert accepted.content_hash(row.fit) == row.fit_sha256
    assert len(json.loads(row.fit)["without"]) == accepted.FOLDS


def test_approvals_promise_one_fit_for_all_of_them(database: Database, cast: Cast, back: Back) -> None:
    numbers = plots(database, cast, {})
    for at, number in enumerate(numbers[:3]):
        with database.writing() as connection:
            review.approve(connection, cast.project, number, Act("li", "", 1000 * at))
    promised = back.rows(
        select(schema.job.c.subject_id, schema.job.c.due_at).where(schema.job.c.kind == jobs.REFIT)
    )
    assert promised == [(cast.project, jobs.REFIT_WAIT_MS)]
    back.drain()
    assert versions(back) == [(1, 3, 90, True)]
