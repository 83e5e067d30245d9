"""`routes`: which files go to which model, and how that is changed and taken back."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import RenderableType

from dropscore.api import Document, path_of
from dropscore.application import CommandGroup
from dropscore.errors import Bad, Unusable
from dropscore.parameters import change
from dropscore.plain import ago, counted, lasting, plain, prose
from dropscore.screen import pairs, table
from dropscore.session import Session, session

TOML = {"Content-Type": "application/toml"}
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=CommandGroup)
def routes() -> None:
    """List, check, set and take back routes."""


@routes.command("list")
def list_routes() -> None:
    """List the routes, what waits for each, and its model."""
    found = session()
    document = found.api.get("routes")
    rows = [
        (
            one["name"],
            one["pattern"],
            one["waiting"] or "",
            f"{one['busy']} of {one['max_jobs']}",
            lasting(timedelta(seconds=one["typical_seconds"])) if one["typical_seconds"] else "",
            f"held: {prose(one['held']['why'])}" if one["held"] else ago(one["next_due"], found.now()),
            one["model"],
        )
        for one in document["routes"]
    ]
    columns = ("route", "pattern", "waiting", "busy", "takes", "", "model")
    problem = (
        [f"The routes in force are the last good ones: {document['problem']}"] if document["problem"] else []
    )
    found.show(document, *problem, table(columns, rows, found.screen.out.width) if rows else "No routes.")


@routes.command("show")
def show_routes() -> None:
    """Write routes.toml to stdout, as it is in force; edit it and put it back with set."""
    found = session()
    text, etag = found.api.text("routes.toml")
    if found.as_json:
        found.screen.document({"etag": etag, "text": text})
    else:
        click.echo(plain(text, keep="\n\t") if found.screen.out.is_terminal else text, nl=False)


@routes.command("check")
@click.argument("file", type=EXISTING)
def check(file: Path) -> int:
    """Check the routes of FILE, and show what they would change. Nothing is changed."""
    found = session()
    document = found.api.send("POST", "routes/check", file.read_bytes(), TOML)
    if document["valid"]:
        found.show(document, f"{file} is valid.", *changes(document))
        return 0
    found.show(document, f"{file} is not valid:", *(f"  {one}" for one in document["problems"]))
    return Bad.exit_code


@routes.command("set")
@click.argument("target", metavar="FILE|ROUTE")
@click.argument("keys", nargs=-1, metavar="[KEY=VALUE]...")
def set_routes(target: str, keys: tuple[str, ...]) -> None:
    """Put the routes of FILE in force, or change keys of ROUTE.

    Swapping a model is `dropscore routes set diabetes model=https://…`. Values are written as in TOML: numbers, true,
    ["a", "b"]; anything else is text; KEY= takes a key out. Comments of the file are kept. Runs under way go on as
    they began.
    """
    found = session()
    if keys:
        wanted: dict[str, Any] = dict(change(one) for one in keys)
        document = found.api.patch(f"routes/{path_of(target)}", wanted)
    else:
        document = found.api.send("PUT", "routes.toml", text_of(target), TOML)
    report(found, document)


def text_of(target: str) -> bytes:
    """Raises Unusable where there is no such file, which may be the name of a route."""
    try:
        return Path(target).read_bytes()
    except OSError as problem:
        hint = f"To change keys of a route: `dropscore routes set {target} KEY=VALUE`"
        raise Unusable("unreadable", f"{target} cannot be read: {problem.strerror}.", hint) from None


@routes.command("history")
def history() -> None:
    """List the routes that were in force before, newest first."""
    found = session()
    document = found.api.get("routes/history")
    rows = [
        (one["id"], ago(one["at"], found.now()), "in force" if one["current"] else "")
        for one in document["history"]
    ]
    found.show(
        document, table(("id", "set", ""), rows, found.screen.out.width) if rows else "No history yet."
    )


@routes.command("rollback")
@click.argument("to", required=False, metavar="[ID]")
def rollback(to: str | None) -> None:
    """Put the routes of ID in force again; without it those before the present ones."""
    found = session()
    report(found, found.api.post("routes/rollback", {"to": to} if to else {}))


def report(session: Session, document: Document) -> None:
    """What has changed, and how to take it back."""
    session.show(document, *changes(document))
    if document["changes"]:
        session.screen.note(
            f"{counted(len(document['changes']), 'change')} in force. Undo: `dropscore routes rollback`"
        )


def changes(document: Document) -> list[RenderableType]:
    if not document["changes"]:
        return ["Nothing changes."]
    shown: list[RenderableType] = []
    for one in document["changes"]:
        title = f"{one['route']}.{one['key']}" if one["key"] else str(one["route"])
        shown += [title, pairs([("  before", value(one["before"])), ("  after", value(one["after"]))])]
    return shown


def value(found: object) -> str:
    """A value of a route, as JSON writes it; text as it stands."""
    if found is None:
        return "-"
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
