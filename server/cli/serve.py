"""`yangdi serve` and `yangdi work`: the processes of an installation.

`serve` is gunicorn's master, which imports neither the app nor the store: web processes import the app, and
one child process is the worker. The master starts it again when it dies and takes it along when it stops.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import Application
from gunicorn.arbiter import Arbiter

from server.settings import Settings

PYTHON = (sys.executable, "-P", "-m", "server")
"""This command line again, whatever the current folder holds: a `server` lying there is not ours."""
RESTART_S = 2.0
"""s between two starts of a worker that keeps dying: soon enough for a phone, too slow to fill a log."""
STOP_S = 30.0
"""s that the worker gets for the batch in hand; one batch takes well under a second, a large photo a few."""
PARENT_S = 1.0
"""s between two looks at whether the master is still there."""


@click.command()
def serve() -> None:
    """Run the web server, and the worker with it.

    Listens on YANGDI_HOST and YANGDI_PORT. An empty store is given its tables; one of an earlier version is
    not touched: back it up, then run `yangdi migrate`.
    """
    settings = Settings.from_env()
    ready = subprocess.run([*PYTHON, "migrate", "--only-empty"], check=False)
    if ready.returncode:
        sys.exit(ready.returncode)
    _Server(settings).run()


@click.command()
@click.option(
    "--parent", type=int, hidden=True, help="End when the process with this number is no longer ours."
)
def work(parent: int | None) -> None:
    """Run the worker alone.

    For a machine where `yangdi serve` runs with YANGDI_EMBEDDED_WORKER=false. SIGTERM ends it after the batch
    in hand; what it leaves is done by the next.
    """
    from server import worker
    from server.store import migrations
    from server.store.db import Database

    settings = Settings.from_env()
    database = Database(settings.url, pool_size=1)
    try:
        migrations.require_head(database)
    except migrations.StoreBehind as behind:
        raise click.ClickException(str(behind)) from behind
    finally:
        database.close()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if parent is not None:
        threading.Thread(target=_follow, args=(parent, stop), daemon=True).start()
    worker.run(settings, stop)


def _follow(parent: int, stop: threading.Event) -> None:
    """Set `stop` once our parent is another process: the master was killed and could not say so."""
    while os.getppid() == parent and not stop.wait(PARENT_S):
        pass
    stop.set()


def gunicorn_conf() -> Path:
    """The configuration in this installation: packed into a wheel, or in deploy/ of a working copy."""
    server = importlib.util.find_spec("server")
    assert server is not None
    assert server.submodule_search_locations
    package = Path(server.submodule_search_locations[0])
    packed = package / "gunicorn.conf.py"
    return packed if packed.exists() else package.parent / "deploy" / "gunicorn.conf.py"


class _Server(Application):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with our configuration and a master that looks after the worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__(prog="yangdi serve")

    def load_config(self) -> None:
        self.load_config_from_module_name_or_filename(str(gunicorn_conf()))

    def load(self) -> Any:
        from gunicorn.util import import_app

        return import_app(self.cfg.wsgi_app)

    def run(self) -> None:
        """Serve until told to stop."""
        try:
            _Master(self, Companion() if self._settings.embedded_worker else None).run()
        except RuntimeError as error:
            raise click.ClickException(str(error)) from error


class _Master(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's master, which about once a second looks after the worker as it does after web processes."""

    def __init__(self, app: _Server, companion: Companion | None) -> None:
        self._companion = companion
        super().__init__(app)

    def manage_workers(self) -> None:
        super().manage_workers()
        if self._companion:
            self._companion.tend(time.monotonic())

    def reload(self) -> None:
        super().reload()
        if self._companion:
            self._companion.ask_to_stop()  # tended at the next round, with the new settings

    def stop(self, graceful: bool = True) -> None:
        if self._companion:
            self._companion.ask_to_stop()
        super().stop(graceful)
        if self._companion:
            self._companion.await_end(STOP_S if graceful else 2.0)


class Companion:
    """One child process that runs the worker, started again when it dies."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._started_at = float("-inf")

    def tend(self, now: float) -> None:
        """Start the worker if there is none. `now` in s, of a monotonic clock."""
        # the master reaps every child, so the exit status may be lost to us: only "no longer there" counts
        if (self.process is None or self.process.poll() is not None) and now - self._started_at >= RESTART_S:
            self._started_at = now
            self.process = subprocess.Popen([*PYTHON, "work", "--parent", str(os.getpid())])

    def ask_to_stop(self) -> None:
        """SIGTERM: end after the batch in hand."""
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def await_end(self, patience_s: float) -> None:
        """Return when it is gone; killed after `patience_s`. Its leases run out, so nothing is lost."""
        if self.process is None:
            return
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
