"""One instance at a time is thought about in a process.

Python computes on one core anyway, and threads that push each other aside at every call into C cost a fifth of the
CPU at 32 connections (measured). Neither the body nor the photos nor the commit are waited for behind this lock.
"""

from __future__ import annotations

import threading

one_at_a_time = threading.Lock()
