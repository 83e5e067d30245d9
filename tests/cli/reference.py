"""`python -m tests.cli.reference`: writes what every command says of itself into docs/cli.md."""

from collections.abc import Iterator

import click

from dropscore.commands import cli
from local.stack import ROOT

DOC = ROOT / "docs" / "cli.md"
MARK = "<!-- From here on: python -m tests.cli.reference -->\n"
WIDTH = 96


def commands(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it, groups before what is in them."""
    yield path, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, (*path, name))


def help_of(path: tuple[str, ...], command: click.Command) -> str:
    context = None
    for number in range(len(path) + 1):
        name = path[number - 1] if number else "dropscore"
        found = next(one for words, one in commands() if words == path[:number])
        settings = {**found.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
        context = click.Context(found, context, name, **settings)
    assert context is not None
    return command.get_help(context)


def reference() -> str:
    parts = [
        f"## `{' '.join(('dropscore', *path))}`\n\n```text\n{help_of(path, command)}\n```\n"
        for path, command in commands()
    ]
    return MARK + "\n" + "\n".join(parts)


def kept() -> str:
    """What is written by hand."""
    return DOC.read_text("utf-8").partition(MARK)[0]


if __name__ == "__main__":
    DOC.write_text(kept() + reference(), "utf-8")
