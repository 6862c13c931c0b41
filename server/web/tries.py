"""Wrong passwords are counted, at the page and at the doors alike, so that nobody guesses one.

In memory, for each app by itself: N processes allow N times as many tries, and a restart forgives.
"""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from server.problems import TooOften

OF_A_LOGIN = RateLimitItemPerMinute(10, 15)
"""Wrong passwords for one login from one address: guessing is hopeless, a forgetful person is not locked out long."""
OF_AN_ADDRESS = RateLimitItemPerMinute(50, 15)
"""Wrong passwords from one address: a whole office may share one."""
_COUNTS = "yangdi-tries"


def count_from_nothing(app: Flask) -> None:
    """Nobody has tried anything at this app yet."""
    app.extensions[_COUNTS] = MovingWindowRateLimiter(MemoryStorage())


def may_try(login: str) -> None:
    """Raises TooOften for a login, or an address, that was wrong too often of late. Ask before a password is hashed:
    that is slow on purpose."""
    if not all(_counts().test(limit, *who) for limit, who in _limits(login)):
        raise TooOften()


def was_wrong(login: str) -> None:
    """The password did not fit: only that counts."""
    for limit, who in _limits(login):
        _counts().hit(limit, *who)


def _counts() -> MovingWindowRateLimiter:
    return cast("MovingWindowRateLimiter", current_app.extensions[_COUNTS])


def _limits(login: str) -> list[tuple[RateLimitItemPerMinute, tuple[str, ...]]]:
    address = request.remote_addr or ""
    return [(OF_AN_ADDRESS, (address,)), (OF_A_LOGIN, (address, login[:80].casefold()))]
