"""One concept, one word: identifiers do not use the words that ARCHITECTURE.md says not to use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import modules, named

SAY_INSTEAD = {
    "user": "person, or the role: crew, supervisor, farm, verifier, admin",
    "account": "person or project",
    "workspace": "project",
    "site": "plot",
    "compartment": "parcel",
    "vertex": "corner",
    "plant": "tree",
    "qc": "audit",
    "taxon": "species",
    "hom": "pom_m",
    "logging": "thinning",
    "survey": "form or visit",
    "ack": "receipt",
    "warning": "flag, severity warn",
    "helper": "what it does",
    "util": "what it does",
    "utils": "what it does",
    "misc": "what it does",
}
MEANT = {
    ("forms", "survey"): "the sheet of that name in an XLSForm",
    ("server/demo/growth.py", "site"): "site quality, a word of forestry",
}
"""Where such a word is right, because it belongs to somebody else."""


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Every name that a module gives: functions, classes, arguments, variables, fields."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.arg():
                yield node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr


def words(identifier: str) -> list[str]:
    """`lastUserID` and `last_user_id` are both made of last, user, id."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)]


@pytest.mark.parametrize(("path", "tree"), modules().items(), ids=map(named, modules()))
def test_a_concept_has_one_word(path: Path, tree: ast.Module) -> None:
    given = {*identifiers(tree), path.stem}
    wrong = {
        f"{name}: say {SAY_INSTEAD[word]}"
        for name in given
        for word in words(name)
        if word in SAY_INSTEAD and not any(named(path).startswith(at) and word == it for at, it in MEANT)
    }
    assert not wrong


def test_words_are_found_inside_names() -> None:
    assert words("lastUserID") == words("last_user_id") == ["last", "user", "id"]
