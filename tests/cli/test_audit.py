"""Drawing plots for audits from the command line."""

from __future__ import annotations

import pytest

from server.settings import Settings
from server.store.db import Database
from tests import builders
from tests.cast import Cast
from tests.cli.test_rules import yangdi


@pytest.fixture(autouse=True)
def two_plots_measured(database: Database, cast: Cast) -> None:
    with database.writing() as pen:
        for plot in (cast.plot, cast.second_plot):
            builders.visit(
                pen, cast.project, plot, cast.census, [builders.tree("1", 7.5)], crew_id=cast.crew_one
            )


def test_plots_are_drawn_and_listed_with_their_seed(settings: Settings, cast: Cast) -> None:
    asked = (
        "audit",
        "draw",
        "--project",
        cast.project,
        "--census",
        "2026",
        "--plots",
        1,
        "--seed",
        "6 + 17 + 23",
    )
    first = yangdi(settings, *asked).output.splitlines()
    second = yangdi(settings, *asked).output.splitlines()
    assert sorted(first + second) == ["PS-001", "PS-002"]
    listed = yangdi(settings, "audit", "list", "--project", cast.project).output.splitlines()
    assert [line.split("\t")[0] for line in listed] == first + second
    assert listed[0].split("\t")[1:3] == ["一队", "青羊镇"]
    assert listed[0].split("\t")[5:] == ["-", "-", "6 + 17 + 23"]
    refused = yangdi(settings, *asked)
    assert (refused.exit_code, "没有可抽的样地" in refused.output) == (1, True)


def test_a_share_is_told_in_per_cent_and_a_seed_need_not_be_given(settings: Settings, cast: Cast) -> None:
    drawn = yangdi(settings, "audit", "draw", "--project", cast.project, "--share", 50)
    assert len(drawn.output.splitlines()) == 1
    [line] = yangdi(settings, "audit", "list", "--project", cast.project).output.splitlines()
    assert len(line.split("\t")[-1]) == 16


@pytest.mark.parametrize("wrong", [[], ["--share", 10, "--plots", 1], ["--share", 0], ["--plots", 0],
                                   ["--share", 10, "--census", "1999"]])  # fmt: skip
def test_an_unclear_question_is_answered_with_how_to_ask(
    settings: Settings, cast: Cast, wrong: list[object]
) -> None:
    assert yangdi(settings, "audit", "draw", "--project", cast.project, *wrong).exit_code == 2
