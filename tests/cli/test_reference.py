"""What the command line says of itself: help, docs, completion, JSON everywhere."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete

from dropscore import __version__
from dropscore.commands import cli
from dropscore.errors import Problem
from dropscore.session import Session
from local.stack import ROOT
from tests.cli import reference
from tests.cli.conftest import Shell

FAILED = "01RUN000000000000000000002"
LEAVES = {path: one for path, one in reference.commands() if not isinstance(one, click.Group)}
# One way to type each command; after two files were dropped, of which the second failed.
TYPED = {
    ("drop",): ["good.csv"],
    ("status",): ["good.csv"],
    ("predictions",): ["good.csv"],
    ("runs",): [],
    ("show",): [FAILED],
    ("cancel",): [FAILED],
    ("rerun",): [FAILED],
    ("watch",): [],
    ("backfill",): ["diabetes", "diabetes/", "--yes", "--force"],
    ("backfill-status",): ["b0"],
    ("backfill-cancel",): ["b0"],
    ("routes", "list"): [],
    ("routes", "show"): [],
    ("routes", "check"): ["routes.toml"],
    ("routes", "set"): ["diabetes", "max_jobs=2"],
    ("routes", "history"): [],
    ("routes", "rollback"): ["v1"],
    ("health",): [],
    ("doctor",): [],
    ("completion",): ["bash"],
}


def test_every_command_says_what_it_is_for() -> None:
    for path, command in reference.commands():
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (path, parameter.name)


def test_the_docs_say_what_the_help_says() -> None:
    told = f"{reference.DOC} is out of date: python -m tests.cli.reference"
    assert reference.DOC.read_text("utf-8") == reference.kept() + reference.reference(), told


def test_every_exit_code_is_documented() -> None:
    codes = {kind.exit_code for kind in Problem.__subclasses__()}
    assert codes == {1, 2, 3, 4, 5, 6, 7}
    assert all(f"\n| {code} |" in reference.kept() for code in {0, 130, *codes})


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...], shell: Shell) -> None:
    result = shell.run(*path, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: dropscore {' '.join(path)} ")
    assert "--json" in result.stdout


@pytest.mark.parametrize("path", [(), ("routes",)])
def test_where_a_command_is_missing_the_help_is_shown(path: tuple[str, ...], shell: Shell) -> None:
    result = shell.run(*path)
    assert (result.stdout, result.stderr) == ("", shell.run(*path, "--help").stdout)
    assert result.exit_code == 2


def test_where_a_command_is_missing_a_program_is_told_so(shell: Shell) -> None:
    for typed in (["--json"], ["--json", "routes"]):
        assert json.loads(shell.run(*typed).stderr)["error"]["message"] == "Missing command."


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_speaks_json(path: tuple[str, ...], shell: Shell) -> None:
    shell.file("routes.toml", '[routes.diabetes]\nmodel = "x"\n')
    shell.run("drop", shell.file("good.csv"), shell.file("fail.csv", "fail\n"), "--wait")
    shell.app.world.backfills["b0"] = []
    result = shell.run("--json", *path, *TYPED[path])
    if path == ("cancel",):
        assert json.loads(result.stderr)["error"]["code"] == "too-late"
    else:
        assert isinstance(json.loads(result.stdout), dict)
        assert result.stderr == ""


def completed(shell: Shell, *typed: str, **environment: str) -> list[str]:
    """What a shell is offered for the last word."""
    known = {"DROPSCORE_URL": shell.app.url, **environment}
    session = Session(environment=known, folders=[shell.folder])
    shown = BashComplete(cli, {"obj": session}, "dropscore", "_DROPSCORE_COMPLETE")
    return [one.value for one in shown.get_completions(list(typed[:-1]), typed[-1])]


def test_commands_and_options_are_completed(shell: Shell) -> None:
    assert completed(shell, "ro") == ["routes"]
    assert completed(shell, "routes", "ro") == ["rollback"]
    assert completed(shell, "runs", "--st") == ["--state"]
    assert completed(shell, "runs", "--state", "o") == ["open"]


def test_names_of_routes_are_completed(shell: Shell) -> None:
    assert completed(shell, "drop", "--route", "dia") == ["diabetes"]
    assert completed(shell, "backfill", "dia") == ["diabetes"]


def test_what_cannot_be_asked_for_is_not_completed(shell: Shell) -> None:
    assert completed(shell, "backfill", "dia", DROPSCORE_URL="http://127.0.0.1:1") == []
    assert completed(shell, "backfill", "dia", DROPSCORE_URL="") == []


def test_the_completion_script_calls_this_program(shell: Shell) -> None:
    for name in ("bash", "zsh", "fish"):
        assert "_DROPSCORE_COMPLETE" in shell.run("completion", name).stdout


def test_the_version_is_told_without_being_installed(shell: Shell) -> None:
    assert shell.run("--version").stdout == f"{__version__}\n"


def test_it_imports_nothing_of_the_app() -> None:
    script = (
        "import sys, dropscore.commands; "
        "print([name for name in ('shared', 'local', 'azure', 'pandas', 'triggers') if name in sys.modules])"
    )
    known = {"PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-c", script], env=known, capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout == "[]\n"
    sources = [path.read_text("utf-8") for path in Path(ROOT / "dropscore").glob("*.py")]
    assert not [text for text in sources if "from shared" in text or "from local" in text]
