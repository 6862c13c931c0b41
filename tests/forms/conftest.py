"""Forms as text inside tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

from forms.compile import Compiled, compile_form
from forms.errors import Fault, FormInvalid

LIBRARY = Path(__file__).parents[2] / "forms" / "library"
SETTINGS = "\n| settings |\n| | form_id | version |\n| | f | 1 |\n"


@cache
def library(name: str) -> Compiled:
    """A form that we ship, compiled once."""
    return compile_form(LIBRARY / f"{name}.md")


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Compiled]:
    """Compile a survey sheet in Markdown; the settings are added where the text has none."""

    def compile_text(text: str, media: Mapping[str, bytes] | None = None) -> Compiled:
        source = tmp_path / "form.md"
        source.write_text(text if "| settings |" in text else text + SETTINGS, encoding="utf-8")
        return compile_form(source, media=media)

    return compile_text


@pytest.fixture
def faults(compiled: Callable[..., Compiled]) -> Callable[..., list[Fault]]:
    """Every fault in a form; none is a failure of the test."""

    def faults_of(text: str, media: Mapping[str, bytes] | None = None) -> list[Fault]:
        with pytest.raises(FormInvalid) as refused:
            compiled(text, media)
        return list(refused.value.faults)

    return faults_of
