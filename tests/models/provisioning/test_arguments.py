"""The command line of models/provision.py: what it takes, what it refuses, and that the docs have all of it."""

import argparse
import re
import shlex
import subprocess
import sys

import pytest

from local.stack import ROOT
from models.provisioning.arguments import COMMANDS, KINDS, parser

DOCS = (ROOT / "docs" / "models.md").read_text("utf-8")


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands by their names."""
    actions = parser(None)._actions
    return next(dict(action.choices) for action in actions if isinstance(action, argparse._SubParsersAction))


def options(name: str) -> set[str]:
    """The options of a command that not all commands have."""
    own = {word for action in commands()[name]._actions for word in action.option_strings}
    return own - {
        "-h",
        "--help",
        "--subscription",
        "--resource_group",
        "--workspace",
        "--emulator",
        "--verbose",
    }


def documented(name: str) -> set[str]:
    """The options in a command's row of the table."""
    row = re.search(rf"^\| `{name}` \|(.*)\|$", DOCS, re.M)
    return set(re.findall(r"--\w+", row[1])) if row else set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_has_the_options_of_every_command_and_no_others(name: str) -> None:
    assert documented(name) == options(name)


def test_what_can_be_deleted_is_documented() -> None:
    assert all(f"`{kind}`" in DOCS for kind in KINDS)


@pytest.mark.parametrize(
    "option", ["--subscription", "--resource_group", "--workspace", "--emulator", "--verbose"]
)
def test_what_every_command_takes_is_documented(option: str) -> None:
    assert f"`{option}`" in DOCS
    assert all(option in command.format_help() for command in commands().values())


def test_every_command_in_the_docs_is_one() -> None:
    typed = re.findall(r"dev\.py provision (\S+)((?:\\\n|[^\n])*)", DOCS)
    assert typed
    for name, rest in typed:
        parser(None).parse_args([name, *shlex.split(rest.replace("\\\n", " "))])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("traffic --endpoint_name e --allocation blue=101", "is no percentage from 0 to 100"),
        (
            "online-deployment --endpoint_name e --deployment_name d --traffic_allocation 101",
            "is no percentage from 0 to 100",
        ),
        ("traffic --endpoint_name e --allocation blue", "is not NAME=VALUE"),
        ("online-endpoint --endpoint_name e --auth_mode password", "invalid choice: 'password'"),
        ("batch-deployment --endpoint_name e", "required: --deployment_name"),
        ("delete model m", "invalid choice: 'model'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser(None).parse_args(words.split())
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ("delete --emulator online-deployment aaa --endpoint_name e", ""),
        ("delete online-deployment --emulator aaa --endpoint_name e", ""),
        ("delete online-deployment aaa --endpoint_name e --emulator", ""),
        (
            "delete --emulator http://127.0.0.1:1 online-deployment aaa --endpoint_name e",
            "http://127.0.0.1:1",
        ),
        (
            "delete --emulator=http://127.0.0.1:1 online-deployment aaa --endpoint_name e",
            "http://127.0.0.1:1",
        ),
        ("delete online-deployment aaa --endpoint_name e", None),
    ],
)
def test_what_follows_emulator_is_its_url_only_where_it_is_one(words: str, url: str | None) -> None:
    taken = parser(None).parse_args(words.split())
    assert (taken.kind, taken.name, taken.endpoint_name, taken.emulator) == (
        "online-deployment",
        "aaa",
        "e",
        url,
    )


def test_help_needs_no_sdk() -> None:
    command = [sys.executable, str(ROOT / "models" / "provision.py"), "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert all(name in shown.stdout for name in COMMANDS)
