"""`routes`: which files go to which model, and how that is changed and taken back."""

from pathlib import Path
from typing import Any

import click

from dropscore.api import Document, path_of
from dropscore.application import CommandGroup
from dropscore.errors import Bad, NotNow, Unusable
from dropscore.parameters import change
from dropscore.plain import ago, counted, plain
from dropscore.routes_told import COLUMNS, MEND, MENDING, changes, holds, row, trouble, trouble_of
from dropscore.screen import table
from dropscore.session import Session, session

TOML = {"Content-Type": "application/toml"}
MENDED = "config/routes.toml can be used again. The routes in force stay as they are: they were the last good ones."
REPLACED = "The text is replaced. No key of a route has changed."
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=CommandGroup)
def routes() -> None:
    """List, check, set and take back routes."""


@routes.command("list")
def list_routes() -> None:
    """List the routes, what waits for each, and its model."""
    found = session()
    document = found.api.get("routes")
    rows = [row(found, one) for one in document["routes"]]
    shown = table(COLUMNS, rows, found.screen.out.width) if rows else "No routes."
    problem = trouble(document)
    found.show(document, *problem, *([""] if problem else []), shown, *holds(document["routes"]))
    if problem:
        found.screen.note(MENDING)


@routes.command("show")
def show_routes() -> None:
    """Write routes.toml to stdout, as it stands; edit it and put it back with set.

    Where the app cannot use that text, stderr says so: the last good routes are in force then.
    """
    found = session()
    text, etag = found.api.text("routes.toml")
    if found.as_json:
        found.screen.document({"etag": etag, "text": text})
        return
    click.echo(plain(text, keep="\n\t") if found.screen.out.is_terminal else text, nl=False)
    if problem := trouble_of(found.api):
        note(found, "This text is not in force.", *problem, MENDING)


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
        change_keys(found, target, dict(change(one) for one in keys))
    else:
        put_text(found, text_of(target))


def change_keys(session: Session, route: str, wanted: dict[str, Any]) -> None:
    """Raises Bad with the way out where it is the text as it stands that cannot be changed."""
    broken = trouble_of(session.api)
    try:
        document = session.api.patch(f"routes/{path_of(route)}", wanted)
    except Bad as problem:
        if not broken:
            raise
        named = (
            "" if "config/routes.toml" in problem.message else " config/routes.toml has problems of its own."
        )
        told = f"{problem.message}{named}"
        raise Bad(problem.code, told, MENDING, problem.status, problem.details) from None
    report(session, document, MENDED if broken else "Nothing changes.")


def put_text(session: Session, text: bytes) -> None:
    """Puts a text in the place of the one that stands now, and of no other that somebody puts there meanwhile."""
    standing, etag = session.api.text("routes.toml")
    broken = trouble_of(session.api)
    headers = {**TOML, "If-Match": etag} if etag else TOML
    document = session.api.send("PUT", "routes.toml", text, headers)
    same = text.decode("utf-8", "replace") == standing
    report(session, document, MENDED if broken else "Nothing changes." if same else REPLACED)


def text_of(target: str) -> bytes:
    """Raises Unusable where there is no such file, which may be the name of a route."""
    try:
        return Path(target).read_bytes()
    except OSError as problem:
        hint = f"To change keys of a route: `dropscore routes set {target} KEY=VALUE`"
        raise Unusable("unreadable", f"{target} cannot be read: {problem.strerror}.", hint) from None


@routes.command("history")
def history() -> None:
    """List the texts that the routes had, newest first.

    The text of ID is the blob history/ID.toml in the container config.
    """
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
    """Put the text of ID in force again; without it the one before the present one.

    A second rollback without ID undoes the first. To go further back, take an ID of `dropscore routes history`.
    """
    found = session()
    broken = trouble_of(found.api)
    try:
        document = found.api.post("routes/rollback", {"to": to} if to else {})
    except (Bad, NotNow) as problem:
        if broken and problem.code == "nothing-to-roll-back":
            problem.hint = f"No earlier text was kept; {MEND}"
        if problem.code == "bad-routes":
            problem.hint = "That text cannot be put in force. Take another ID of `dropscore routes history`"
        raise
    report(found, document, MENDED if broken else REPLACED)


def report(session: Session, document: Document, none: str) -> None:
    """What has changed, and how to take it back; `none` says what it means that no key of a route has."""
    session.show(document, *changes(document, none))
    if document["changes"]:
        session.screen.note(
            f"{counted(len(document['changes']), 'change')} in force. Undo: `dropscore routes rollback`"
        )


def note(session: Session, *lines: str) -> None:
    for line in lines:
        session.screen.note(line)
