"""`yangdi demo`: a county with plots, phones, flags and people, made once, then served.

Everything that crews measured goes through the real door: this starts `yangdi serve`, lets simulated phones send two
censuses, a thinning and audits of plots that it draws, waits until the worker has done its part, and leaves the server
running.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

import forms
from forms.compile import compile_form
from server.cli.device import qr_text
from server.cli.joined import now_ms, open_database
from server.demo import reviewing
from server.demo.campaign import Campaign, simulate
from server.demo.county import make_county
from server.demo.run import door, send_audits, send_census, send_thinnings
from server.demo.seed import seed_county
from server.settings import Settings
from server.steps import draw_audits, publish, refit
from server.steps.draw_audits import Asked
from server.store import draws, jobs, reports
from server.store.db import Database
from sync import settings_qr

LIBRARY = Path(forms.__file__).parent / "library"
FORMS = ("plot_visit", "audit_visit", "thinning_record")
START_S = 30.0
"""s within which a server must answer; a cold start takes about two."""
DRAIN_S = 300.0
"""s within which the worker must be done with a census of 60 plots; it needs a few."""
REVIEWER = "supervisor"
"""The login of who decides in the made-up county."""
AUDITED_SHARE = 0.15
"""Share of each crew's plots that is drawn for audits: above the tenth that rule Q01 asks for."""


@click.command()
@click.option("--seed", default=1, show_default=True, help="Same seed, same county and same slips.")
@click.option("--plots", default=60, show_default=True, type=click.IntRange(11), help="Permanent plots.")
@click.option("--no-serve", is_flag=True, help="Make the county and stop the server again.")
def demo(seed: int, plots: int, no_serve: bool) -> None:
    """Make a county with plots, phones and flags, and serve it. The second time it is there already."""
    settings = Settings.from_env()
    _refuse_taken(settings.host, settings.port)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _migrate()
    notes = settings.data_dir / "demo.json"
    campaign = None if notes.exists() else _make(seed, plots, notes)
    base = f"http://{settings.host}:{settings.port}"
    server = subprocess.Popen([sys.executable, "-m", "server", "serve"])
    try:
        _await_answer(base, server)
        said: dict[str, Any] = json.loads(notes.read_text(encoding="utf-8"))
        if not said["sent"]:
            _send(base, said, campaign or simulate(make_county(said["seed"], said["plots"])), settings)
            _write(notes, {**said, "sent": True})
        _tell(settings, base, said)
        if not no_serve:
            server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.send_signal(signal.SIGTERM)
        with suppress(KeyboardInterrupt):
            server.wait()


def _refuse_taken(host: str, port: int) -> None:
    """Whoever listens there already would answer instead of us, and be sent our phones' plots."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise click.ClickException(f"{host}:{port}: {error.strerror}; set YANGDI_PORT") from error


def _migrate() -> None:
    done = subprocess.run([sys.executable, "-m", "server", "migrate"], check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(done.returncode)


def _make(seed: int, plots: int, notes: Path) -> Campaign:
    """County, people, phones and forms; what is known only now (keys, passwords) is noted for the owner's eyes."""
    click.echo(f"Making the county (seed {seed}, {plots} plots; its boundary is generated, not surveyed) ...")
    county = make_county(seed, plots)
    with open_database() as database:
        # noted before anything else can fail: keys and passwords are known only now
        seeded = seed_county(database, county, now_ms())
        _write(notes, {"sent": False, "seed": seed, "plots": plots, **asdict(seeded)})
    return simulate(county)


def _publish_library(database: Database, project_id: int) -> None:
    for name in FORMS:
        compiled = compile_form(LIBRARY / f"{name}.md")
        with database.writing() as connection:
            publish.publish(connection, project_id, compiled.form, compiled.xml, {}, "demo", now_ms())
        click.echo(f"Published {compiled.form.form_id} {compiled.form.version}")


def _write(notes: Path, said: dict[str, Any]) -> None:
    text = json.dumps(said, ensure_ascii=False, indent=1)
    fresh = notes.with_suffix(".new")
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    fresh.replace(notes)


def _await_answer(base: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if server.poll() is not None:
            raise click.ClickException("the server did not start; is the port taken? set YANGDI_PORT")
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{base}/healthz", timeout=2).close()
            return
        time.sleep(0.1)
    raise click.ClickException(f"no answer from {base} within {START_S:.0f} s")


def _send(base: str, said: dict[str, Any], campaign: Campaign, settings: Settings) -> None:
    first, second = (census.name for census in campaign.county.censuses)
    number, tokens = said["project_id"], said["tokens"]
    with open_database() as database:
        _publish_library(database, number)
        for step, census in enumerate((first, second)):
            click.echo(f"Crews send the census of {census} ...")
            result = send_census(base, number, tokens, campaign, census, connections_each=2)
            click.echo(result.summary())
            if step == 0:
                send_thinnings(base, number, said["farm_token"], campaign)
            _drain(database, census, but_for={jobs.CREW_LOOK})
        drawn = _draw(database, number, str(said["seed"]))
        click.echo(f"Auditors measure {len(drawn)} plots again that were drawn at random ...")
        click.echo(send_audits(base, number, said["audit_token"], campaign, drawn).summary())
        _drain(database, "the audits")
        _review(database, number, campaign)
    with_embedded = "" if settings.embedded_worker else " (is `yangdi work` running?)"
    click.echo(f"All of it is checked{with_embedded}.")


def _review(database: Database, project_id: int, campaign: Campaign) -> None:
    """The supervisor begins: what she approves, the bands are fitted to."""
    reviewing.decide(database, project_id, campaign, REVIEWER, now_ms())
    _drain(database, "her decisions")
    approved = reviewing.approve(database, project_id, campaign, REVIEWER, now_ms())
    database.write(lambda pen: refit.write(pen, refit.look(pen, [project_id]), now_ms()))
    _drain(database, "the bands", but_for={jobs.REFIT})  # that one would wait for more approvals
    click.echo(f"The supervisor has approved {approved} visits; the bands are fitted to them.")


def _draw(database: Database, project_id: int, seed: str) -> list[str]:
    """Plots of the newest census to audit, drawn once: a start that was cut off goes on with what it had drawn."""
    with database.writing() as pen:
        newest = reports.censuses(pen, project_id)[0]["id"]
        before = draws.plots_of(draws.of_census(pen, project_id, newest))
        return before or draw_audits.draw(
            pen, project_id, newest, Asked(seed, share=AUDITED_SHARE), "demo", now_ms()
        )


def _drain(database: Database, census: str, but_for: Collection[str] = ()) -> None:
    """Wait until every promise is kept: the next census is compared with this one. `but_for`: kinds of job that need
    not be waited for."""
    until = time.monotonic() + DRAIN_S
    while time.monotonic() < until:
        with database.reading() as connection:
            waiting = {kind: count for kind, count in jobs.waiting(connection).items() if kind not in but_for}
        if not waiting:
            return
        time.sleep(0.2)
    raise click.ClickException(f"the worker is not done with {census}: {waiting}")


def _tell(settings: Settings, base: str, said: dict[str, Any]) -> None:
    public = settings.public_url or base
    click.echo(f"\n{public}\n")
    for login in said["logins"]:
        click.echo(f"  {login['role']:<11} {login['login']:<12} {login['password']}   {login['name']}")
    crew, token = next(iter(said["tokens"].items()))
    address = door(public, said["project_id"], token)
    code = settings_qr.encode(settings_qr.settings_json(address, "平顺县", "zh"))
    click.echo(f"\nODK Collect, {crew}: {address}")
    click.echo(qr_text(code))
    if "127.0.0.1" in public:
        click.echo(
            "A phone reaches this only with YANGDI_HOST=0.0.0.0 and "
            f"YANGDI_PUBLIC_URL=http://<this machine>:{settings.port}"
        )
