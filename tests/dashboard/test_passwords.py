"""What a password costs: its owner a moment, whoever guesses too much."""

from __future__ import annotations

import time

import pytest

from server.store import passwords


def test_an_unknown_login_takes_as_long_as_a_wrong_password() -> None:
    kept = passwords.hash_of("a real password")
    passwords.matches(None, "x")  # the hash of nobody is made once
    known, unknown = [min(_seconds(one) for _ in range(5)) for one in (kept, None)]
    assert unknown == pytest.approx(known, rel=0.5)


def _seconds(password_hash: str | None) -> float:
    begun = time.perf_counter()
    assert not passwords.matches(password_hash, "wrong")
    return time.perf_counter() - begun


def test_a_kept_password_costs_what_it_should() -> None:
    assert passwords.hash_of("a real password").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
