"""What the pages say is so: settings, commands, make targets, addresses, dependencies."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import click
import pytest

from server.__main__ import COMMANDS, main
from tests.house import generated
from tests.house.source import ROOT, named, tracked

PAGES = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "deploy/RUNBOOK.md"]
each_page = pytest.mark.parametrize("page", PAGES)


def test_env_example_lists_every_setting() -> None:
    assert (ROOT / "deploy" / "env.example").read_text() == generated.env_example(), "run: make generated"


def test_the_catalogue_of_rules_is_that_of_the_code() -> None:
    assert generated.CATALOGUE.read_text() == generated.catalogue_page(), "run: make generated"


@pytest.mark.parametrize("name", generated.PAGES)
def test_the_readme_lists_every_command(name: str) -> None:
    page = (ROOT / name).read_text()
    assert page == generated.with_table(page, generated.PAGES[name]), "run: make generated"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_of_the_list_is_there_and_explains_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)  # type: ignore[attr-defined]
    assert command is not None
    assert command.help


def commands_in(text: str) -> list[list[str]]:
    """Words after `yangdi` in every command line of a page's code, up to the first that is not a word."""
    code = re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL)
    lines = (line for block in code for line in block.splitlines())
    found = (re.search(r"(?:^|`|bin/)(?:yangdi|yd)((?: [a-z]+)+)", line) for line in lines)
    return [match[1].split() for match in found if match]


def exists(words: list[str]) -> bool:
    """True when the words name a command, and a subcommand where the command is a group."""
    command = main.get_command(click.Context(main), words[0])  # type: ignore[attr-defined]
    if isinstance(command, click.Group) and len(words) > 1:
        return words[1] in command.commands
    return command is not None


@each_page
def test_every_command_that_a_page_names_is_there(page: str) -> None:
    named_commands = commands_in((ROOT / page).read_text())
    assert [words for words in named_commands if not exists(words)] == []


@each_page
def test_every_make_target_that_a_page_names_is_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z_/.-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    text = (ROOT / page).read_text()
    assert set(re.findall(r"(?:`|^|\n)make ([a-z-]+)", text)) <= targets


@each_page
def test_every_file_that_a_page_links_to_is_there(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


@each_page
def test_every_setting_that_a_page_names_is_there(page: str) -> None:
    known = set(re.findall(r"YANGDI_[A-Z_]+", generated.env_example()))
    assert set(re.findall(r"YANGDI_[A-Z_]*[A-Z]", (ROOT / page).read_text())) <= known


def test_the_tree_in_architecture_is_the_tree() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    tree = re.search(r"```\n(forms/.*?)```", page, flags=re.DOTALL)
    assert tree is not None
    listed = re.findall(r"^([a-z_]+/)", tree[1], flags=re.MULTILINE)
    assert [folder for folder in listed if not (ROOT / folder).is_dir()] == []


TEXTS = [path for path in tracked() if path.suffix not in {".png", ".jpg", ".heic", ".xlsx", ".ttc", ".gz"}]


def test_no_file_knows_where_it_was_written() -> None:
    here = [str(ROOT), str(Path.home())]
    found = [
        named(path)
        for path in TEXTS
        for place in here
        if len(place) > 5 and re.search(re.escape(place) + r"\b", path.read_text(errors="replace"))
    ]
    assert found == []


def test_lock_files_name_no_host() -> None:
    assert "://" not in (ROOT / "constraints.txt").read_text()
    for path in tracked():
        if path.name == "package-lock.json":
            packages = json.loads(path.read_text())["packages"].values()
            assert not [package for package in packages if "resolved" in package]


def pyproject() -> str:
    return (ROOT / "pyproject.toml").read_text()


def test_every_dependency_stands_under_a_reason() -> None:
    lists = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", pyproject(), flags=re.DOTALL | re.MULTILINE)
    assert len(lists) == 2
    for listed in lists:
        since_reason = 99
        for line in listed.splitlines():
            since_reason = 0 if line.strip().startswith("#") else since_reason + 1
            assert since_reason <= 5, f"no reason near {line.strip()}"


def test_constraints_hold_every_dependency() -> None:
    project = tomllib.loads(pyproject())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=;~ ]", line)[0].lower().replace("_", "-") for line in wanted}
    held = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().split()
    }
    assert names <= held
