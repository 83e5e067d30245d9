"""`health` and `completion`: the app itself, and this command line in the shell."""

import click
from click.shell_completion import get_completion_class

from dropscore.api import Api
from dropscore.application import Command
from dropscore.errors import Bad, Problem, Refused
from dropscore.plain import ago
from dropscore.routes_told import MENDING, no_routes, trouble
from dropscore.screen import pairs
from dropscore.session import session

SHELLS = {
    "bash": 'Put into ~/.bashrc:  eval "$(dropscore completion bash)"',
    "zsh": 'Put into ~/.zshrc:  eval "$(dropscore completion zsh)"',
    "fish": "Save as ~/.config/fish/completions/dropscore.fish",
}
TROUBLES = {
    "stale": "The sweep has not run for a while: dropped files may wait. `dropscore doctor` looks closer.",
    "broken": "The app cannot work. `dropscore doctor` says why, and what to type.",
}


@click.command(cls=Command)
def health() -> int:
    """Say whether the app is up and its sweep runs.

    It ends with 1 where dropped files would wait for nothing.
    """
    found = session()
    document = found.api.health()
    place = found.api.place
    problem, key = ([], "") if found.as_json else opened(found.api, document["status"])
    shown = pairs(
        [
            ("app", place.url),
            ("health", document["status"]),
            ("why", document.get("why", "")),
            ("last sweep", ago(document["heartbeat_at"], found.now()) or "never"),
            ("row values", "over HTTP, too" if document["row_values"] else "only in storage"),
            ("routes", "not those of config/routes.toml" if problem else ""),
            ("sent along", ("a key" if place.key else "a token" if place.audience else "no key") + key),
        ]
    )
    found.show({**document, "url": place.url}, shown)
    for line in [*problem, MENDING] if problem else []:
        found.screen.note(line)
    if key:
        found.screen.note(found.api.key_hint())
    if document["status"] in TROUBLES:
        found.screen.note(TROUBLES[document["status"]])
        return Bad.exit_code
    return 0


def opened(api: Api, status: str) -> tuple[list[str], str]:
    """What is wrong with the routes, and with the key, as far as the app lets us ask."""
    if status == "broken":
        return [], ""
    try:
        return trouble(api.get("routes")), ""
    except Refused:
        given = api.place.key or api.place.audience
        return [], ", and the app does not accept it" if given else ", and the app asks for one"
    except Problem as problem:
        return no_routes(problem), ""


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
