"""Skips what needs an engine that this machine lacks, and says so where nobody can overlook it."""

from __future__ import annotations

import pytest

from tests.engines.fill import missing_java, missing_node


@pytest.fixture(scope="session")
def javarosa() -> None:
    """Asked for by a test that needs the engine inside ODK Collect."""
    if why := missing_java():
        pytest.skip(why)


@pytest.fixture(scope="session")
def xforms_engine() -> None:
    """Asked for by a test that needs the engine of ODK Web Forms."""
    if why := missing_node():
        pytest.skip(why)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for why in filter(None, (missing_java(), missing_node())):
        terminalreporter.write_line(f"NOT PROVED WITH A REAL FORM ENGINE: {why}", red=True, bold=True)
