"""How gunicorn serves Yangdi: every number with its reason. `yangdi serve` reads this file.

What an installation may want to change is a YANGDI_* variable (server/settings.py), not a line here. Plain
gunicorn takes it too, then without a worker: `gunicorn -c deploy/gunicorn.conf.py` beside `yangdi work`.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from server.settings import Settings

_settings = Settings.from_env()

wsgi_app = "server.app:from_env()"
bind = f"{_settings.host}:{_settings.port}"

# Threads, because a phone on a poor line holds its connection for a minute; processes, because Python
# computes on one core each. Measured with 2 x 8 on two cores: 1,100 to 1,200 submissions of 10 KB a second.
worker_class = "gthread"
workers = _settings.web_processes
threads = _settings.web_threads

# Open connections that one process holds, most of them idle between two requests of a phone.
worker_connections = 1000

# The app is imported in the web processes only: the master stays small, and no database connection crosses
# a fork.
preload_app = False

# s without a sign of life after which a web process is killed. Threads keep working through slow uploads,
# so only a process that hangs altogether is meant; ODK Collect itself gives up after 60 s.
timeout = 60

# s that requests in hand get at a stop; the longest that ODK Collect waits for an answer is 60 s.
graceful_timeout = 60

# s an idle connection stays open. Longer than nginx keeps one to us (60 s), so that nginx never writes into a
# connection that is being closed.
keepalive = 75

# Bytes of a request line; the most that gunicorn takes. ODK Collect asks for many entities in one query
# string.
limit_request_line = 8190

# The sign of life is a file touched twice a second or so: in memory where there is such a folder, since a
# disk that is busy with photos can hold a touch up for longer than the timeout.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

# Nobody is believed about X-Forwarded-* here; the app believes one proxy when YANGDI_TRUST_PROXY says so.
forwarded_allow_ips = ""

# No control socket: systemd and signals are enough, and it would cost the master a thread.
control_socket_disable = True

# No access log: a phone's key is part of its address and must not end up in a file. nginx.conf logs without
# it.
accesslog = None
errorlog = "-"
loglevel = _settings.log_level.lower()
proc_name = "yangdi"


ARENAS = 2
"""Heaps that the C library keeps for a process's threads. Left alone it makes one a thread, and 16 threads that each
held a batch once keep 40 MB more than they need (measured: 332 MB of everything against 285)."""
_M_ARENA_MAX = -8  # malloc.h


def post_fork(_server: object, _worker: object) -> None:
    """Web processes give way to the worker: otherwise phones that all send at once would push the flags of what they
    sent further and further back (3 s after 2,000 plots, measured on two busy cores)."""
    import ctypes  # not in the master, which stays small

    os.nice(5)
    with contextlib.suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
