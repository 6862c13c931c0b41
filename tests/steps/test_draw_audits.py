"""Plots are drawn for audits once each, crew by crew, and the draw can be repeated from what is noted of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, update

from server.problems import NotFound, NothingToDraw, ValueUnfit
from server.steps import draw_audits
from server.steps.draw_audits import Asked
from server.store import draws, schema
from server.store.db import Database
from server.validation.audit_draw import in_order
from tests import builders
from tests.cast import Cast

AT = builders.AT


@pytest.fixture
def measured(database: Database, cast: Cast) -> None:
    """一队 has measured twenty plots, 二队 ten."""
    with database.writing() as pen:
        for crew, name, plots in ((cast.crew_one, "A", 20), (cast.crew_two, "B", 10)):
            for n in range(plots):
                plot = builders.row(
                    pen, schema.plot, project_id=cast.project, plot_id=f"{name}-{n:02d}", is_planned=True
                )
                builders.visit(pen, cast.project, plot, cast.census, [builders.tree("1", 20.0)], crew_id=crew)


def draw(database: Database, cast: Cast, seed: str = "7", **asked: object) -> list[str]:
    wanted = Asked(seed, **asked)  # type: ignore[arg-type]
    return database.write(lambda pen: draw_audits.draw(pen, cast.project, cast.census, wanted, "li", AT))


@pytest.mark.usefixtures("measured")
def test_a_tenth_of_each_crews_plots_is_drawn_once(database: Database, cast: Cast) -> None:
    first = draw(database, cast, share=0.1)
    assert [name[0] for name in first] == ["A", "A", "B"]
    with pytest.raises(NothingToDraw):
        draw(database, cast, share=0.1)
    second = draw(database, cast, share=0.3)
    assert sorted(name[0] for name in second) == ["A"] * 4 + ["B"] * 2
    assert not {*first} & {*second}
    everything = first + second + draw(database, cast, share=1.0)
    assert len(set(everything)) == len(everything) == 30


@pytest.mark.usefixtures("measured")
def test_two_who_draw_at_once_draw_no_plot_twice(database: Database, cast: Cast) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: draw(database, cast, f"seed {n}", plots=6), range(4)))
    assert sorted(map(len, found)) == [6, 6, 6, 6]
    assert len({plot for plots in found for plot in plots}) == 24


@pytest.mark.usefixtures("measured")
def test_a_draw_is_repeated_from_its_note(database: Database, cast: Cast) -> None:
    found = draw(database, cast, "opening of the lottery 2026-06-01", plots=5)
    with database.reading() as reader:
        [noted] = draws.of_census(reader, cast.project, cast.census)
    crews = noted.detail["crews"]
    assert [len(one["plots"]) for one in crews] == [20, 10]
    again = [in_order(one["plots"], noted.detail["seed"])[: len(one["drawn"])] for one in crews]
    assert [plot for plots in again for plot in plots] == found
    assert (noted.actor, noted.at, noted.detail["plots"], noted.detail["share"]) == ("li", AT, 5, None)


@pytest.mark.usefixtures("measured")
def test_only_what_counts_is_drawn(database: Database, cast: Cast) -> None:
    visit, plot = schema.visit, schema.plot
    named = lambda *names: visit.c.plot_id.in_(select(plot.c.id).where(plot.c.plot_id.in_(names)))  # noqa: E731
    with database.writing() as pen:
        pen.execute(update(visit).values(review_state="rejected").where(visit.c.crew_id == cast.crew_two))
        pen.execute(update(visit).values(review_state="approved").where(named("A-03", "A-04")))
    assert draw(database, cast, share=1.0, only_approved=True) in (["A-03", "A-04"], ["A-04", "A-03"])
    assert {name[0] for name in draw(database, cast, share=1.0)} == {"A"}


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(("why", "left"), [("random", 9), ("flagged", 10)])
def test_a_plot_that_was_audited_at_random_is_not_drawn_again_and_one_with_flags_may_be(
    database: Database, cast: Cast, why: str, left: int
) -> None:
    with database.writing() as pen:
        plot = pen.scalar(select(schema.plot.c.id).where(schema.plot.c.plot_id == "B-03"))
        assert plot
        builders.visit(pen, cast.project, plot, cast.census, [builders.tree("1", 20.0)], crew_id=cast.crew_one,
                       kind="audit", header={"visit.audit_kind": why})  # fmt: skip
    found = draw(database, cast, share=1.0)
    assert sum(name.startswith("B") for name in found) == left
    assert ("B-03" in found) == (why == "flagged")


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    "asked",
    [{"share": 0.0}, {"share": 1.1}, {"share": -1.0}, {"plots": 0}, {}, {"seed": "", "plots": 1},
     {"seed": "x" * 81, "plots": 1}, {"seed": "\0", "plots": 1}],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(database: Database, cast: Cast, asked: dict[str, object]) -> None:
    with pytest.raises(ValueUnfit):
        draw(database, cast, **asked)  # type: ignore[arg-type]


def test_another_projects_census_is_not_there(database: Database, cast: Cast) -> None:
    with database.writing() as pen:
        theirs = pen.execute(insert(schema.census).values(project_id=cast.other_project, name="2026")
                             .returning(schema.census.c.id)).scalar_one()  # fmt: skip
    with pytest.raises(NotFound):
        database.write(lambda pen: draw_audits.draw(pen, cast.project, theirs, Asked("7", 0.1), "li", AT))


def test_where_nothing_was_measured_nothing_is_drawn(database: Database, cast: Cast) -> None:
    with pytest.raises(NothingToDraw):
        draw(database, cast, plots=3)
