"""`dev.py up`: what it says when it is up, and when a part of it has ended."""

import threading
from pathlib import Path

import pytest

from local.children import Child, ChildFailed
from local.host.keys import KEY
from local.stack import Stack
from local.up import command_of, parsed, watch, welcome


def test_the_welcome_says_that_a_key_is_asked_for_and_not_which(tmp_path: Path) -> None:
    shown = welcome(Stack(tmp_path, settings={KEY: "SECRET"}))
    assert "\n  over HTTP a key   is asked for: export DROPSCORE_KEY=…, what you gave as --key\n" in shown
    assert "SECRET" not in shown
    assert "KEY" not in welcome(Stack(tmp_path))


def test_the_welcome_says_where_the_logs_of_jobs_are(tmp_path: Path) -> None:
    assert f"why a job failed  {tmp_path}/azureml/logs/<job>\n" in welcome(Stack(tmp_path))


@pytest.mark.parametrize(
    ("words", "again"),
    [
        ([], "python3 dev.py up"),
        (["--models", "my models", "--models", "b"], "python3 dev.py up --models 'my models' --models b"),
        (["--state", "s", "--key", "SECRET"], "python3 dev.py up --state s --key …"),
    ],
)
def test_the_next_start_is_given_the_same_arguments_and_no_key_is_shown(words: list[str], again: str) -> None:
    assert command_of(parsed(words)) == again


def test_help_speaks_of_what_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(["--help"])
    shown = capsys.readouterr().out
    assert shown.startswith("usage: python3 dev.py up ")
    assert "python -m" not in shown


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack of a host alone."""
    stack = Stack(tmp_path)
    stack.children["host"] = Child("host", ["sleep", "60"], tmp_path / "host.log", {"PATH": "/bin:/usr/bin"})
    return stack


def part(stack: Stack, name: str) -> Child:
    """A part that says two words and ends."""
    command = ["sh", "-c", "echo one; echo two; exit 3"]
    child = Child(name, command, stack.state / f"{name}.log", {"PATH": "/bin:/usr/bin"})
    child.process.wait(10)
    return child


def test_the_line_that_matters_comes_last(stack: Stack) -> None:
    stack.children["azurite"] = part(stack, "azurite")
    with pytest.raises(ChildFailed) as failed:
        watch(stack, threading.Event(), "python3 dev.py up")
    stack.children["host"].kill()
    assert str(failed.value) == (
        "The last words of azurite:\none\ntwo\n\n"
        f"azurite ended by itself, with 3; its log is {stack.state}/azurite.log\n"
        "Everything is stopped. The next start continues where this one stopped: python3 dev.py up"
    )


def test_what_the_host_said_is_on_the_screen_and_not_said_again(stack: Stack) -> None:
    stack.children["host"].kill()
    with pytest.raises(ChildFailed) as failed:
        watch(stack, threading.Event(), "python3 dev.py up")
    assert str(failed.value) == (
        f"\nhost ended by itself, with -9; its log is {stack.state}/host.log\n"
        "Everything is stopped. The next start continues where this one stopped: python3 dev.py up"
    )
