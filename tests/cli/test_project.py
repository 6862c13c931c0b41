"""A project and its planned plots come in by the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from server.__main__ import main
from server.settings import Settings
from server.store.db import Database
from server.store.schema import crew, plot, project, stratum
from tests.live import environment


def yangdi(settings: Settings, *arguments: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in arguments], env=environment(settings))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "plan.csv"
    path.write_text(
        "样地号,纬度,经度,面积,形状,碳层,乡镇,调查队\nPS-001,36.2,113.44,0.0667,方形,油松,青羊镇,一队\nPS-002,,,,,,,\n"
    )
    return path


def test_a_new_installation_gets_its_first_project(settings: Settings, database: Database) -> None:
    assert yangdi(settings, "project", "add", "平顺县").exit_code == 0
    assert "平顺县\t5 cm" in yangdi(settings, "project", "list").output


def test_two_projects_do_not_share_a_name(settings: Settings, database: Database) -> None:
    yangdi(settings, "project", "add", "平顺县")
    assert "there already" in yangdi(settings, "project", "add", "平顺县").output


def test_planned_plots_come_with_what_they_name(settings: Settings, database: Database, table: Path) -> None:
    yangdi(settings, "project", "add", "平顺县")
    done = yangdi(settings, "project", "plan", table)
    assert done.output == "2 plots\n"
    with database.reading() as connection:
        query = select(
            plot.c.plot_id, plot.c.lat, plot.c.shape, plot.c.is_planned, stratum.c.name, crew.c.name
        )
        joined = query.outerjoin_from(plot, stratum).outerjoin(crew, crew.c.id == plot.c.crew_id)
        rows = connection.execute(joined.order_by(plot.c.plot_id)).all()
    assert rows == [
        ("PS-001", 36.2, "square", True, "油松", "一队"),
        ("PS-002", None, None, True, None, None),
    ]


def test_a_plan_may_come_twice(settings: Settings, database: Database, table: Path) -> None:
    yangdi(settings, "project", "add", "平顺县")
    yangdi(settings, "project", "plan", table)
    assert yangdi(settings, "project", "plan", table).exit_code == 0


def test_a_table_from_a_chinese_excel_is_read(settings: Settings, database: Database, table: Path) -> None:
    table.write_bytes(table.read_text().encode("gb18030"))
    yangdi(settings, "project", "add", "平顺县")
    assert yangdi(settings, "project", "plan", table).output == "2 plots\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nx\n", "no column plot_id"),
        ("plot_id,lat\nA,36°12'\n", "row 2, column lat"),
        ("plot_id,lat\nA,113.44\n", "from -90 to 90"),
        ("plot_id,area_ha\nA,667\n", "column area_ha"),
        ("plot_id\nA\nA\n", "A stands there twice"),
        ("plot_id,lat\n,36\n", "row 2, column plot_id"),
        ("plot_id,shape\nA,三角\n", "column shape"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    settings: Settings, database: Database, tmp_path: Path, text: str, said: str
) -> None:
    yangdi(settings, "project", "add", "平顺县")
    path = tmp_path / "plan.csv"
    path.write_text(text)
    done = yangdi(settings, "project", "plan", path)
    assert said in done.output
    with database.reading() as connection:
        assert connection.execute(select(plot)).all() == []
        assert len(connection.execute(select(project)).all()) == 1


def test_plots_are_handed_over_to_another_crew_or_to_nobody(
    settings: Settings, database: Database, table: Path
) -> None:
    yangdi(settings, "project", "add", "平顺县")
    yangdi(settings, "project", "plan", table)
    assert yangdi(settings, "project", "assign", "--crew", "二队", "PS-001", "PS-002").output == "2 plots\n"
    assert yangdi(settings, "project", "assign", "PS-002").output == "1 plots\n"
    with database.reading() as connection:
        query = select(plot.c.plot_id, crew.c.name).outerjoin(crew, crew.c.id == plot.c.crew_id)
        assert connection.execute(query.order_by(plot.c.plot_id)).all() == [
            ("PS-001", "二队"),
            ("PS-002", None),
        ]


def test_a_plot_that_nobody_planned_is_not_handed_over(
    settings: Settings, database: Database, table: Path
) -> None:
    yangdi(settings, "project", "add", "平顺县")
    yangdi(settings, "project", "plan", table)
    done = yangdi(settings, "project", "assign", "--crew", "二队", "PS-001", "PS-0O1")
    assert done.exit_code == 1
    assert "PS-0O1" in done.output
    with database.reading() as connection:
        assert "二队" not in connection.scalars(select(crew.c.name)).all()
