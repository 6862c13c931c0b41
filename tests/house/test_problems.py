"""Every refusal is complete: a status, a code of its own, a sentence in Chinese and in English."""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from http import HTTPStatus

import pytest

import server
from server.problems import Problem


def all_problems() -> list[type[Problem]]:
    """Problem and every subclass in the server, wherever it is defined."""
    for module in pkgutil.walk_packages(server.__path__, "server."):
        if ".cli" not in module.name and ".versions" not in module.name and not module.name.endswith(".env"):
            importlib.import_module(module.name)
    found: list[type[Problem]] = []
    waiting: list[type[Problem]] = [Problem]
    while waiting:
        problem = waiting.pop()
        found.append(problem)
        waiting += problem.__subclasses__()
    return [problem for problem in found if problem.__module__.startswith("server.")]


PROBLEMS = all_problems()
TUS_CHECKSUM_MISMATCH = 460
"""A status that tus gives and HTTP does not know."""
each_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.__name__)


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@each_problem
def test_a_problem_is_an_error_of_http(problem: type[Problem]) -> None:
    assert 400 <= problem.status < 600
    assert problem.status == TUS_CHECKSUM_MISMATCH or HTTPStatus(problem.status)


@each_problem
def test_a_code_is_words(problem: type[Problem]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", problem.code)


@each_problem
def test_both_languages_say_the_same_facts(problem: type[Problem]) -> None:
    assert placeholders(problem.zh) == placeholders(problem.en)


@each_problem
def test_each_language_is_itself(problem: type[Problem]) -> None:
    assert re.search(r"[\u4e00-\u9fff]", problem.zh)
    assert not re.search(r"[\u4e00-\u9fff]", problem.en)


@each_problem
def test_a_sentence_is_whole(problem: type[Problem]) -> None:
    assert problem.zh.endswith(("。", "}"))
    assert problem.en.endswith((".", "}"))


def test_a_code_belongs_to_one_problem() -> None:
    codes = [problem.code for problem in PROBLEMS]
    assert sorted(codes) == sorted(set(codes))
