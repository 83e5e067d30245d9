"""`health` and `completion`: the app itself, and this command line in the shell."""

import click
from click.shell_completion import get_completion_class

from dropscore.application import Command
from dropscore.errors import Bad
from dropscore.plain import ago
from dropscore.screen import pairs
from dropscore.session import session

SHELLS = {
    "bash": 'Put into ~/.bashrc:  eval "$(dropscore completion bash)"',
    "zsh": 'Put into ~/.zshrc:  eval "$(dropscore completion zsh)"',
    "fish": "Save as ~/.config/fish/completions/dropscore.fish",
}
TROUBLES = {
    "stale": "The sweep has not run for a while: dropped files may wait. Look at the app's log.",
    "broken": "The app does not reach its storage, or may not use it. Look at the app's log.",
}


@click.command(cls=Command)
def health() -> int:
    """Say whether the app is up and its sweep runs.

    It ends with 1 where dropped files would wait for nothing.
    """
    found = session()
    document = found.api.health()
    place = found.api.place
    shown = pairs(
        [
            ("app", place.url),
            ("health", document["status"]),
            ("last sweep", ago(document["heartbeat_at"], found.now()) or "never"),
            ("row values", "over HTTP, too" if document["row_values"] else "only in storage"),
            ("sent along", "a key" if place.key else "a token" if place.audience else "no key"),
        ]
    )
    found.show({**document, "url": place.url}, shown)
    if document["status"] in TROUBLES:
        found.screen.note(TROUBLES[document["status"]])
        return Bad.exit_code
    return 0


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(list(SHELLS)))
def completion(shell: str) -> None:
    """Write the completion script for SHELL.

    It completes commands, options, and the names of routes.
    """
    found = session()
    made = get_completion_class(shell)
    assert made is not None
    script = made(
        click.get_current_context().find_root().command, {}, "dropscore", "_DROPSCORE_COMPLETE"
    ).source()
    if found.as_json:
        found.screen.document({"shell": shell, "script": script})
        return
    click.echo(script)
    found.screen.note(SHELLS[shell]) if found.screen.err.is_terminal else None
