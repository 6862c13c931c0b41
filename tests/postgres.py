"""A real PostgreSQL for one test run: made from the machine's own binaries, started and stopped here.

Nothing is mocked and nothing that already runs is touched: the cluster lives in a temporary folder, listens
on a Unix socket only, and dies with the run. Durability is off, since a test never survives a power cut
anyway.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

START_S = 30
"""s in which a cluster must answer; a loaded two-core machine needs about 2."""


def find_binaries() -> Path | None:
    """The folder that holds initdb and postgres, newest first; None where PostgreSQL is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -int(folder.parent.name))
    on_path = shutil.which("initdb")
    for folder in [*debian, *([Path(on_path).parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


_EMPTY = b"""
DO $$
DECLARE it record; held boolean;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid != pg_backend_pid();
    SET LOCAL session_replication_role = replica;  -- rows may go in any order
    FOR it IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename != 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', it.tablename) INTO held;
        IF held THEN EXECUTE format('DELETE FROM %I', it.tablename); END IF;
    END LOOP;
    FOR it IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', it.sequencename);
    END LOOP;
END $$
"""


class Cluster:
    """One PostgreSQL server. `url(name)` is how Yangdi's settings name one of its databases."""

    def __init__(self, binaries: Path) -> None:
        self.binaries = binaries
        # short: a Unix socket's path may have 107 bytes at the most
        self.folder = Path(tempfile.mkdtemp(prefix="yd-pg-", dir="/tmp"))
        self._account = _account()
        if self._account:
            os.chown(self.folder, *self._account)
        try:
            self._run("initdb", "-D", self._data, "-U", "yangdi", "-A", "trust", "-E", "UTF8",
                      "--locale=C.UTF-8", "--no-sync")  # fmt: skip
            self._server = self._start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _as_account(self, *command: str) -> list[str]:
        """`command` as an account that PostgreSQL agrees to run under; it refuses to be root."""
        setpriv = shutil.which("setpriv")
        if not setpriv:
            return list(command)
        change: list[str] = []
        if self._account:
            user, group = self._account
            change = [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        # a killed test run takes its server along instead of leaving it behind
        return [setpriv, *change, "--pdeathsig", "INT", *command]

    def _run(self, program: str, *arguments: str) -> None:
        command = self._as_account(str(self.binaries / program), *arguments)
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)

    def _start(self) -> subprocess.Popen[bytes]:
        knobs = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "shared_buffers": "32MB",
            "autovacuum": "off",
        }
        options = [word for name, value in knobs.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            server = subprocess.Popen(
                self._as_account(str(self.binaries / "postgres"), "-D", self._data, *options),
                stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        self._await(server)
        return server

    def _await(self, server: subprocess.Popen[bytes]) -> None:
        give_up_at = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if server.poll() is not None or time.monotonic() > give_up_at:
                    server.kill()
                    raise RuntimeError((self.folder / "log").read_text(errors="replace")) from None
                time.sleep(0.05)

    def url(self, name: str) -> str:
        """The database `name` as YANGDI_DATABASE_URL would say it."""
        return f"postgresql://yangdi@/{name}?host={quote(str(self.folder), safe='')}"

    def do(self, *statements: str) -> None:
        """Run administrative statements, each on its own."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def create(self, name: str, template: str) -> None:
        """Make the database `name` as a copy of `template`, in about 0.1 s."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            # before PostgreSQL 15 files are always copied; since then, writing ahead takes twice as long here
            how = " STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{how}".encode())

    def empty(self, name: str) -> None:
        """Remove every row, end whoever is still connected, and count ids from 1 again."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(_EMPTY)

    def stop(self) -> None:
        """Stop the server at once and remove its folder."""
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(15)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _account() -> tuple[int, int] | None:
    """Ids of the user and group to run PostgreSQL as when this is root; None: this account will do."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise RuntimeError("run as root, and there is no account `postgres` or `nobody` to run PostgreSQL as")
