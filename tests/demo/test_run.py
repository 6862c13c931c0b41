"""The made-up county through the real door of a real server, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from forms.compile import compile_form
from forms.instance import Reader, read
from server.cli.simulate import simulate as simulate_command
from server.demo.campaign import Campaign, simulate
from server.demo.county import County, make_county
from server.demo.phone import NotSent, Phone
from server.demo.run import door, send_audits, send_census, send_thinnings
from server.demo.seed import CountyExists, Seeded, seed_county
from server.settings import Settings
from server.steps.publish import publish
from server.store import crew_report, people, reports
from server.store.db import Database
from server.store.passwords import matches
from server.store.schema import attachment, census, device, plot, species, stratum, submission, township
from tests.live import LiveServer
from tests.phone import Back

pytestmark = pytest.mark.slow  # real servers

LIBRARY = Path(__file__).parents[2] / "forms" / "library"
AT = 1_780_272_000_000


@pytest.fixture
def county() -> County:
    return make_county(1, plots=6)


@pytest.fixture
def campaign(county: County) -> Campaign:
    return simulate(county)


@pytest.fixture
def seeded(database: Database, county: County) -> Seeded:
    return _seeded(database, county)


def _seeded(database: Database, county: County) -> Seeded:
    made = seed_county(database, county, AT)
    for name in ("plot_visit", "audit_visit", "thinning_record"):
        compiled = compile_form(LIBRARY / f"{name}.md")
        with database.writing() as connection:
            publish(connection, made.project_id, compiled.form, compiled.xml, {}, "test", AT)
    return made


def _count(database: Database, table: object) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_county_in_the_store_has_its_whole_plan(database: Database, county: County, seeded: Seeded) -> None:
    assert [_count(database, t) for t in (stratum, township, species, census, plot)] == [5, 11, 10, 2, 6]
    with database.reading() as connection:
        row = connection.execute(select(plot).where(plot.c.plot_id == "PS-0001")).one()
        generated = connection.execute(select(township.c.is_generated)).scalars().all()
    assert (row.lat, row.lon, row.is_planned, row.shape) == (
        county.plots[0].lat,
        county.plots[0].lon,
        True,
        "square",
    )
    assert all(generated)


def test_the_store_knows_no_key_and_no_password(database: Database, seeded: Seeded) -> None:
    with database.reading() as connection:
        hashes = connection.execute(select(device.c.token_hash)).scalars().all()
        logins = {login.login: people.find_by_login(connection, login.login) for login in seeded.logins}
    assert len(hashes) == 6
    assert not {*seeded.tokens.values(), seeded.audit_token, seeded.farm_token} & set(hashes)
    for login in seeded.logins:
        person, hashed = logins[login.login]
        assert person is not None
        assert person.role_in(seeded.project_id) == login.role
        assert matches(hashed, login.password)
        assert login.password not in str(hashed)


def test_a_county_is_not_made_twice(database: Database, county: County, seeded: Seeded) -> None:
    with pytest.raises(CountyExists):
        seed_county(database, county, AT)
    assert _count(database, plot) == 6


def test_a_whole_campaign_goes_through_the_door(
    database: Database, seeded: Seeded, campaign: Campaign, start_server: Callable[..., LiveServer]
) -> None:
    server = start_server(embedded_worker=False)
    seen: list[tuple[int, int]] = []

    first = send_census(
        server.base_url, seeded.project_id, seeded.tokens, campaign, "2021", connections_each=2,
        progress=lambda sent, total: seen.append((sent, total)),
    )  # fmt: skip
    again = send_census(server.base_url, seeded.project_id, seeded.tokens, campaign, "2021")
    thinned = send_thinnings(server.base_url, seeded.project_id, seeded.farm_token, campaign)

    assert (first.sent, first.failed, again.sent, thinned.sent) == (6, 0, 6, 1)
    assert seen == [(n, 6) for n in range(1, 7)]
    assert any("PS-0001" in message for message in first.messages)
    assert _count(database, submission) == 7  # the census was sent twice and is kept once
    named = sum(len(visit.files()) for visit in campaign.visits_of("2021")) + 1
    with database.reading() as connection:
        came = connection.execute(select(func.count()).where(attachment.c.sha256.is_not(None))).scalar_one()
    assert came == named


def test_drawn_plots_are_measured_again_and_the_tape_that_reads_high_is_found(
    database: Database, settings: Settings, start_server: Callable[..., LiveServer]
) -> None:
    county = make_county(1, plots=24)
    campaign, seeded = simulate(county), _seeded(database, county)
    server = start_server(embedded_worker=False)
    for one in county.censuses:
        send_census(server.base_url, seeded.project_id, seeded.tokens, campaign, one.name, connections_each=2)
    drawn = [plot.plot_id for plot in county.plots if plot.crew.name in {"一队", "四队"}][:6]
    sent = send_audits(server.base_url, seeded.project_id, seeded.audit_token, campaign, drawn)
    assert (sent.sent, sent.failed) == (6, 0)
    back = Back(database, settings)
    while back.drain():
        pass
    with database.reading() as connection:
        newest = reports.censuses(connection, seeded.project_id)[0]["id"]
        found = crew_report.flags(connection, seeded.project_id, newest)
        audits = crew_report.audits(connection, seeded.project_id, newest)
    assert {(row["auditor"], row["is_random"]) for row in audits} == {("质检队", True)}
    assert {row["plot"] for row in audits} == {*drawn}
    assert {row["crew"] for row in found if row["rule"] == "Q03"} == {"四队"}


def test_a_phone_with_an_unknown_key_gets_no_form(
    seeded: Seeded, campaign: Campaign, start_server: Callable[..., LiveServer]
) -> None:
    server = start_server(embedded_worker=False)
    with pytest.raises(NotSent) as refused:
        send_census(server.base_url, seeded.project_id, {"一队": "wrong"}, campaign, "2021")
    assert refused.value.status == 403


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_load_is_sent_and_reported(
    database: Database, seeded: Seeded, start_server: Callable[..., LiveServer]
) -> None:
    address = door(start_server(embedded_worker=False).base_url, seeded.project_id, seeded.tokens["一队"])
    asked = ["--to", address, "--plots", "5", "--trees", "12", "--photos", "2", "--connections", "2"]
    result = CliRunner().invoke(simulate_command, asked)
    assert result.exit_code == 0, result.output
    assert "5 instances in" in result.output
    assert "201: 5" in result.output
    assert _count(database, submission) == 5
    with Phone(address) as phone:
        assert {listed.form_id for listed in phone.forms()} == {
            "plot_visit",
            "audit_visit",
            "thinning_record",
        }


def test_a_load_is_written_to_a_folder_as_phones_keep_it(tmp_path: Path) -> None:
    asked = ["--out", str(tmp_path), "--plots", "2", "--trees", "7", "--photos", "1", "--seed", "3"]
    result = CliRunner().invoke(simulate_command, asked)
    assert result.exit_code == 0, result.output
    folders = sorted(tmp_path.iterdir())
    assert [folder.name for folder in folders] == ["SIM-000001_load", "SIM-000002_load"]
    reader = Reader(compile_form(LIBRARY / "plot_visit.md").form)
    answers = reader.answers(read((folders[0] / "submission.xml").read_bytes()).root)
    assert len(answers.trees) == 7
    assert (folders[0] / answers.files[0]).read_bytes()[:2] == b"\xff\xd8"


def test_a_load_needs_to_know_where_to_go() -> None:
    assert CliRunner().invoke(simulate_command, ["--plots", "1"]).exit_code == 2
