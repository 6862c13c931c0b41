"""How a password is kept: as an Argon2id hash that is slow to guess, never as itself.

Nothing here knows the database; `server.store.people` keeps the hash.
"""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19_456
"""19 MiB: the least memory of the OWASP Password Storage Cheat Sheet for Argon2id with t=2, p=1."""
ITERATIONS = 2
LANES = 1
LEAST_CHARS = 10
"""Shortest password that is taken for a new one."""

_hasher = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIB, parallelism=LANES)


def hash_of(password: str) -> str:
    """The Argon2id hash, in PHC text form, with a salt of its own. About 20 ms: keep it out of a transaction."""
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Is this the password behind the hash? Takes as long for None (nobody of that login) as for a wrong one."""
    try:
        return _hasher.verify(password_hash or _of_nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _of_nobody() -> str:
    return _hasher.hash("nobody has this password")
