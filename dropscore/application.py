"""What all commands have in common: options that stand anywhere, errors in one form, exit codes."""

import sys
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from dropscore.errors import INTERRUPTED, Problem, Unusable
from dropscore.screen import Screen
from dropscore.session import Session


def remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value and parameter.name:
        context.ensure_object(Session).asked[parameter.name] = value


def common(*, hidden: bool) -> list[click.Option]:
    """Options that may stand before or after the command's name; where they are hidden, --json is not."""
    kept: dict[str, Any] = {"expose_value": False, "callback": remember}
    return [
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            help="One JSON document on stdout; errors as JSON on stderr.",
            **kept,
        ),
        click.Option(
            ["--url"],
            metavar="URL",
            hidden=hidden,
            help="The app's address; else DROPSCORE_URL, or the local stack.",
            **kept,
        ),
        click.Option(
            ["--key"],
            metavar="KEY",
            hidden=hidden,
            help="A function key. Better set DROPSCORE_KEY: others on the machine can read arguments.",
            **kept,
        ),
        click.Option(
            ["--audience"],
            metavar="URI",
            hidden=hidden,
            help="Sign in with DefaultAzureCredential for this audience; else DROPSCORE_AUDIENCE.",
            **kept,
        ),
    ]


class Command(click.Command):
    """A command that takes the common options, too."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options["params"] = [*(options.get("params") or []), *common(hidden=True)]
        super().__init__(*arguments, **options)


class CommandGroup(click.Group):
    """Commands below one name, in the order in which they were written."""

    command_class = Command
    group_class = type

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)


class Application(CommandGroup):
    """The whole command line. Whatever goes wrong ends as one message and an exit code of `errors.py`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options["params"] = [*(options.get("params") or []), *common(hidden=False)]
        super().__init__(*arguments, **options)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Ends the process with the exit code. The session may be brought along as `obj`."""
        given = arguments[0] if arguments else options.pop("args", None)
        typed = sys.argv[1:] if given is None else list(given)
        try:
            code = super().main(typed, **{**options, "standalone_mode": False})
        except NoArgsIsHelpError as problem:
            code = show_help(problem, typed)
        except click.ClickException as problem:
            code = refuse(
                Unusable("usage", " ".join(problem.format_message().split()), help_hint(problem)), typed
            )
        except Problem as problem:
            code = refuse(problem, typed)
        except (click.Abort, KeyboardInterrupt):
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)


def show_help(problem: NoArgsIsHelpError, typed: list[str]) -> int:
    """Where a command is missing, the help as it stands; for a program one line."""
    if "--json" in typed:
        return refuse(Unusable("usage", "Missing command.", help_hint(problem)), typed)
    problem.show()
    return Unusable.exit_code


def refuse(problem: Problem, typed: list[str]) -> int:
    """Says what is wrong. Where the options were not even read, `--json` is looked for among what was typed."""
    session = Session()
    Screen(as_json="--json" in typed, program=session.program).problem(problem)
    return problem.exit_code


def help_hint(problem: click.ClickException) -> str:
    context = getattr(problem, "ctx", None)
    return f"`{context.command_path} --help` says what can be typed." if context else ""
